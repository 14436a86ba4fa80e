"""LANGOP_GATEWAY_EXTRA_CONFIG: what somebody wants in LiteLLM's configuration beside what the LanguageModels say.

It is merged last: maps merge, lists and plain values replace. The result is checked like everything else, and nothing of it may
hold a secret or take away what keeps the LanguageModels' promises.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import yaml

from langop_model.renderer import output_check, schema_errors, source, yaml_source
from langop_model.renderer.findings import Finding, Path, SpecError, make
from langop_model.renderer.json_schema import best_match

VARIABLE = "LANGOP_GATEWAY_EXTRA_CONFIG"
EXTENSION = "langop_model.gateway.extension.callback"

# Names of values that are secret in LiteLLM's configuration and in its environment: api_key, MASTER_KEY, redis_password, ...
_SECRET = re.compile(r"(^|[_-])(api_?key|key|password|passwd|secret|token|credential|authorization)s?$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_NO_SECRETS = ("", "not-needed")


def merge(text: str, config: dict[str, Any], extra: str, own_parameters: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the rendered `text` and its data `config` with `extra`, a YAML text, merged into them.

    Sections that `extra` does not change keep their comments. Raises SpecError (LM730 to LM734) for what is wrong with it.
    """
    wanted = _read(extra)
    merged = _merged(config, wanted)
    problems = [*_secrets(wanted), *_losses(config, merged)]
    if problems:
        raise SpecError(problems)
    result = _text(text, config, merged)
    try:
        return result, output_check.checked(result, own_parameters)
    except output_check.Refused as refused:
        error = best_match([refused.error])  # of several things that LiteLLM reads there, the nearest
        raise SpecError([_finding("LM731", tuple(error.absolute_path), problem=_in_words(error))]) from None


def _read(extra: str) -> dict[str, Any]:
    try:
        documents = yaml_source.parse(VARIABLE, extra)
    except SpecError as problem:
        found = problem.findings[0]
        raise SpecError([_finding("LM730", problem=f"line {found.line}: {found.message}")]) from None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise SpecError([_finding("LM730", problem="it is no map of LiteLLM's settings")])
    return documents[0]


def _merged(base: Any, extra: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(extra, dict):
        return extra
    return {**base, **{key: _merged(base.get(key), value) for key, value in extra.items()}}


def _secrets(wanted: dict[str, Any]) -> Iterator[Finding]:
    """Find secrets that are written out: a configuration holds references, os.environ/NAME."""
    for path, value in source.walk(wanted):
        name = next((segment for segment in reversed(path) if isinstance(segment, str)), "")
        if not isinstance(value, str) or value in _NO_SECRETS or value.startswith(("os.environ/", "/")):
            continue
        if _SECRET.search(name) or _PASSWORD_IN_URL.search(value):
            yield _finding("LM732", path)


def _in_words(error: Any) -> str:
    """Return what is wrong without the value: it may be a secret in the wrong place."""
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        return f"LiteLLM reads no {unknown!r} there.{schema_errors.did_you_mean(unknown, list(known))}"
    if error.validator == "required":
        return f"needs {' and '.join(key for key in error.validator_value if key not in error.instance)}"
    if error.validator in ("type", "enum"):
        allowed = error.validator_value
        return f"must be {' or '.join(map(str, allowed)) if isinstance(allowed, list) else allowed}"
    return "is not what LiteLLM reads there"


def _losses(config: dict[str, Any], merged: dict[str, Any]) -> Iterator[Finding]:
    """Find what was replaced and must not be: the extension, and the deployments that it routes to."""
    if EXTENSION not in (_at(merged, "litellm_settings", "callbacks") or ()):
        yield _finding("LM733", ("litellm_settings", "callbacks"), callback=EXTENSION)
    before, after = (_ids(each) for each in (config, merged))
    lost = [name for name in before if name not in after]
    if lost:
        yield _finding("LM734", ("model_list",), ids=", ".join(lost))


def _ids(config: dict[str, Any]) -> list[str]:
    entries = config.get("model_list")
    return [str(_at(entry, "model_info", "id")) for entry in entries] if isinstance(entries, list) else []


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(text: str, config: dict[str, Any], merged: dict[str, Any]) -> str:
    """Return the text of `merged`: a section that is as before stands there as it was written."""
    parts = re.split(r"^(?=[A-Za-z_]+:)", text, flags=re.MULTILINE)
    written = {part.split(":", 1)[0]: part for part in parts[1:]}
    sections = [parts[0]]
    for name, value in merged.items():
        if name in written and value == config.get(name):
            sections.append(written[name])
        else:
            dumped = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=1000)
            sections.append(f"# with {VARIABLE}:\n{dumped}\n")
    return "".join(sections).rstrip("\n") + "\n"


def _finding(code: str, path: Path = (), **values: Any) -> Finding:
    return replace(make(code, path, **values), file=VARIABLE)
