"""The text of the extra configuration as a map, checked key by key: unknown and refused keys, wrong types, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import catalogue, source, yaml_source
from langop_model.renderer.extra import table
from langop_model.renderer.extra.refusals import finding, in_words, refused, unknown_key
from langop_model.renderer.extra.wanted import VARIABLE
from langop_model.renderer.findings import Finding, Path, SpecError
from langop_model.resources import load_json

# Names of values that are secret in LiteLLM's configuration and in its environment: api_key, MASTER_KEY, redis_password, ...
_SECRET = re.compile(r"(^|[_-])(api_?key|key|password|passwd|secret|token|credential|authorization)s?$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_NO_SECRETS = ("", "not-needed")


def problems(wanted: dict[str, Any]) -> list[Finding]:
    """Return everything that keeps `wanted` from being translated: unknown and refused keys, wrong types, secrets."""
    return [*_check(wanted), *_secrets(wanted)]


def parse(text: str) -> dict[str, Any]:
    """Return the map in `text`, without the keys that are null, which ask for nothing.

    Empty text, comments alone and null are an empty map. Raises SpecError (LM730) for anything else that is not a map.
    """
    try:
        documents = yaml_source.parse(VARIABLE, text)
    except SpecError as problem:
        found = problem.findings[0]
        raise SpecError([finding("LM730", problem=f"line {found.line}: {found.message}")]) from None
    if documents in ([], [None]):
        return {}
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise SpecError([finding("LM730", problem="it is not a map of LiteLLM's settings")])
    wanted: dict[str, Any] = stated(documents[0])
    return wanted


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
            yield finding("LM731", (), problem=unknown_key(str(key), table.names("")))
        elif row.effect == "refused":
            yield refused(path, row)
        elif key in table.SECTIONS:
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
            yield finding("LM731", path, problem=unknown_key(str(name), table.names(table.spelt(path))))
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
