"""The text of the extra configuration, checked key by key: unknown and refused keys, wrong types, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import catalogue, schema_errors, source, yaml_source
from langop_model.renderer.extra import table
from langop_model.renderer.extra.wanted import VARIABLE, Extra
from langop_model.renderer.findings import Finding, Path, SpecError, make
from langop_model.renderer.settings import Settings
from langop_model.resources import load_json

SECTIONS = ("general_settings", "litellm_settings", "router_settings")
CACHE: Path = ("litellm_settings", "cache_params")

# Names of values that are secret in LiteLLM's configuration and in its environment: api_key, MASTER_KEY, redis_password, ...
_SECRET = re.compile(r"(^|[_-])(api_?key|key|password|passwd|secret|token|credential|authorization)s?$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_NO_SECRETS = ("", "not-needed")


def read(settings: Settings) -> Extra:
    """Return what `settings.extra_config` asks for. Raises SpecError with everything that is wrong in it."""
    from langop_model.renderer.extra import translation

    text = settings.extra_config
    wanted = parse(text)
    try:
        wrong = problems(wanted)
        if wrong:
            raise SpecError(wrong)
        extra = translation.translate(wanted, settings)
    except SpecError as refusal:
        raise SpecError(located(refusal.findings, text)) from None
    extra.text = text
    return extra


def problems(wanted: dict[str, Any]) -> list[Finding]:
    """Return everything that keeps `wanted` from being translated: unknown and refused keys, wrong types, secrets."""
    return [*_check(wanted), *_secrets(wanted)]


def located(found: Iterable[Finding], text: str) -> tuple[Finding, ...]:
    """Return findings about the variable, whose text is `text`, with the line and column of what they are about."""
    return tuple(_located(each, text) for each in found)


def parse(text: str) -> dict[str, Any]:
    """Return the map in `text`, without the keys that are null, which ask for nothing.

    Empty text, comments alone and null are an empty map. Raises SpecError (LM730) for anything else that is no map.
    """
    try:
        documents = yaml_source.parse(VARIABLE, text)
    except SpecError as problem:
        found = problem.findings[0]
        raise SpecError([finding("LM730", problem=f"line {found.line}: {found.message}")]) from None
    if documents in ([], [None]):
        return {}
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise SpecError([finding("LM730", problem="it is no map of LiteLLM's settings")])
    wanted: dict[str, Any] = stated(documents[0])
    return wanted


def finding(code: str, path: Path = (), **values: Any) -> Finding:
    """Return a finding about the key at `path` of the variable."""
    return replace(make(code, path, **values), file=VARIABLE)


def refused(path: Path, row: table.Row) -> Finding:
    """Return the finding that says why a key, or its value, is refused."""
    return finding("LM750", path, because=row.because, instead=row.instead)


def in_words(error: Any) -> str:
    """Return what jsonschema's `error` says, without the value: it may be a secret in the wrong place."""
    rule = error.validator_value
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        return _unknown(str(unknown), list(known))
    if error.validator == "required":
        return f"needs {' and '.join(key for key in rule if key not in error.instance)}"
    if error.validator in ("type", "enum"):
        return f"must be {' or '.join(map(str, rule)) if isinstance(rule, list) else rule}"
    bounds = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than"}
    if error.validator in bounds:
        return f"must be {bounds[error.validator]} {rule}"
    if "x-allowed" in error.schema:
        return f"must be {error.schema['x-allowed']}"
    return "is not what LiteLLM reads there"


def _located(found: Finding, text: str) -> Finding:
    line, column = yaml_source.locate(text, 0, found.path)
    return replace(found, line=line, column=column)


def stated(value: Any) -> Any:
    """Return `value` without nulls in its maps."""
    if isinstance(value, list):
        return [stated(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: stated(each) for key, each in value.items() if each is not None}


def _check(wanted: dict[str, Any]) -> Iterator[Finding]:
    for key, value in wanted.items():
        path: Path = (key,)
        row = table.row_of(path)
        if row is None:
            yield finding("LM731", (), problem=_unknown(str(key), table.names("")))
        elif row.effect == "refused":
            yield refused(path, row)
        elif key in SECTIONS:
            yield from _check_section(path, value)
        elif key == "environment_variables":
            yield from _check_variables(path, value)
        else:
            yield from _check_entries(path, value)


def _check_section(path: Path, section: Any) -> Iterator[Finding]:
    if not isinstance(section, dict):
        yield finding("LM731", path, problem="must be object")
        return
    for name, value in section.items():
        place = (*path, name)
        row = table.by_key().get(table.spelt(place))
        if row is None:
            yield finding("LM731", path, problem=_unknown(str(name), table.names(table.spelt(path))))
        elif row.effect == "refused":
            yield refused(place, row)
        elif row.rule == "section":
            yield from _check_section(place, value)
        else:
            wrong = list(_wrong(_schema(place), value, place))
            yield from wrong
            if not wrong and not row.accepts(value):
                yield refused(place, row)


def _check_variables(path: Path, variables: Any) -> Iterator[Finding]:
    wrong = list(_wrong(_schema(path), variables, path))
    yield from wrong
    for name in [] if wrong else variables:
        row = table.row_of((*path, name))
        if row is not None:
            yield refused((*path, name), row)
        elif name in catalogue.foreign_settings() or name.startswith("LANGOP_"):
            yield finding("LM750", (*path, name), because=_OF_THE_POD[0], instead=_OF_THE_POD[1])


_OF_THE_POD = (
    "a provider's key or address, and a setting of this gateway, is not taken from here",
    "name a Secret in spec.apiKeySecretRef, use spec.endpoint, or set the variable in the pod",
)


def _check_entries(path: Path, entries: Any) -> Iterator[Finding]:
    """Check model_list entries: LiteLLM's own types, and the names that the table refuses."""
    if not isinstance(entries, list):
        yield finding("LM731", path, problem="must be array")
        return
    for index, entry in enumerate(entries):
        place: Path = (*path, index)
        refusals = list(_refused_members(place, entry))
        yield from refusals
        if not refusals:
            yield from _wrong(_schema(path)["items"], _known(entry), place)


def _refused_members(place: Path, entry: Any) -> Iterator[Finding]:
    for part in ("litellm_params", "model_info"):
        members = entry.get(part) if isinstance(entry, dict) else None
        for name in members if isinstance(members, dict) else ():
            row = table.row_of((*place, part, name))
            if row is not None and row.effect == "refused":
                yield refused((*place, part, name), row)


def _known(entry: Any) -> Any:
    """Return a model_list entry without the parameters that only its provider has, which LiteLLM passes on."""
    parameters = entry.get("litellm_params") if isinstance(entry, dict) else None
    if not isinstance(parameters, dict):
        return entry
    slug = str(parameters.get("model", "")).partition("/")[0]
    name = catalogue.litellm_names().get(slug)
    own = catalogue.named(name).parameters if name else {}
    return {**entry, "litellm_params": {key: value for key, value in parameters.items() if key not in own}}


def _wrong(schema: dict[str, Any], value: Any, path: Path) -> Iterator[Finding]:
    """Yield the nearest thing that is wrong with `value`, by LiteLLM's own types."""
    from langop_model.renderer.json_schema import best_match, validator

    errors = list(validator(schema).iter_errors(value))
    if errors:
        error = best_match(errors)
        yield finding("LM731", (*path, *error.absolute_path), problem=in_words(error))


def _schema(path: Path) -> dict[str, Any]:
    """Return LiteLLM's schema of the key at `path`; one that accepts anything where LiteLLM tells no types."""
    node: Any = load_json("litellm-config.schema.json")
    for segment in path:
        node = node.get("properties", {}).get(segment, {})
    schema: dict[str, Any] = node
    return schema


def _secrets(wanted: dict[str, Any]) -> Iterator[Finding]:
    """Find secrets that are written out: a configuration holds references, os.environ/NAME."""
    for path, value in source.walk(wanted):
        name = next((segment for segment in reversed(path) if isinstance(segment, str)), "")
        if not isinstance(value, str) or value in _NO_SECRETS or value.startswith((REFERENCE, "/")):
            continue
        if _SECRET.search(name) or _PASSWORD_IN_URL.search(value):
            yield finding("LM732", path)


def _unknown(name: str, known: list[str]) -> str:
    return f"LiteLLM reads no {name!r} there.{schema_errors.did_you_mean(name, known)}"
