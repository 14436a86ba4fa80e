"""A JSON Schema error in words: what is wrong, what is allowed, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from langop_model.renderer import catalogue, durations, hints, wording
from langop_model.renderer.findings import Finding, Path, make
from langop_model.renderer.wording import did_you_mean

__all__ = ["did_you_mean", "findings", "findings_of_all"]

MANY_VALUES = 20  # more than a message should list
_BOUNDS = {
    "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than",
}  # fmt: skip
_THOUSANDS = {"k": 1_000, "m": 1_000_000}


def findings_of_all(errors: Iterable[Any]) -> Iterator[Finding]:
    """Yield the findings of jsonschema.ValidationErrors; where a value has the wrong type, nothing else is said about it."""
    listed = list(errors)
    mistyped = {tuple(error.absolute_path) for error in listed if error.validator == "type"}
    for error in listed:
        if error.validator == "type" or tuple(error.absolute_path) not in mistyped:
            yield from findings(error)


def findings(error: Any) -> Iterator[Finding]:  # noqa: C901, PLR0912 - one case for each keyword
    """Yield the findings that say what `error` (a jsonschema.ValidationError) says; one for each unknown or missing field."""
    path: Path = tuple(error.absolute_path)
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            yield from _unknown_fields(error, path)
        case "required":
            for key in rule:
                if key not in error.instance:
                    yield make("LM104", (*path, key))
        case "type":
            yield make("LM102", path, value=_shown(error), allowed=wording.TYPES[rule], hint=_type_hint(error))
        case "enum":
            yield _not_one_of(error, path, rule)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            bound = f"{_BOUNDS[error.validator]} {rule}"
            yield make("LM105", path, value=_shown(error), allowed=bound)
        case "maxItems" | "maxProperties":
            what, members = ("a list", "items") if error.validator == "maxItems" else ("an object", "members")
            yield make("LM105", path, value=f"{what} of {len(error.instance)} {members}", allowed=f"one of at most {rule}")
        case "pattern" | "format" | "minLength" | "maxLength":
            yield _wrong_form(error, path)
        case _ if "x-message" in error.schema:
            yield _worded(error, path)
        case _ if error.context:
            for inner in error.context:
                yield from findings(inner)
        case _:
            yield make("LM107", path, rule=f"{error.validator} {rule}")


def _unknown_fields(error: Any, path: Path) -> Iterator[Finding]:
    """One finding for each; what is allowed is listed once, and only where there is no guess."""
    known = sorted(error.schema["properties"])
    listed = False
    for key in sorted(set(error.instance) - set(known)):
        hint = hints.for_field(key, path, error.instance, error.schema)
        finding = make("LM101", (*path, key), allowed=", ".join(known), hint=hint)
        if hint or listed:
            finding = finding.replace(fix="")
        listed = listed or not hint
        yield finding


def _not_one_of(error: Any, path: Path, values: list[Any]) -> Finding:
    """A value that is none of its field's; for a provider that LiteLLM has and nobody can use, why."""
    reason = catalogue.refusals().get(str(error.instance)) if path[-1:] in (("provider",), ("litellmProvider",)) else None
    if reason:
        return make("LM214", path, provider=error.instance, reason=reason)
    many = len(values) > MANY_VALUES
    allowed = "langop-model providers lists them" if many else ", ".join(str(value) for value in values)
    hint = hints.for_value(error.instance, error.schema)
    if path[-1:] == ("litellmProvider",) and catalogue.is_named(str(error.instance)):
        hint = f" Write provider: {error.instance}."
    return make("LM103", path, value=_shown(error), allowed=allowed, hint=hint)


def _wrong_form(error: Any, path: Path) -> Finding:
    """A text against its pattern, format or length; where it is the name of a parameter, the parameter's place."""
    allowed = error.schema.get("x-allowed", "not empty")
    if "propertyNames" in error.absolute_schema_path:
        return make("LM106", (*path, error.instance), value="a name of another form", allowed=allowed)
    return make("LM106", path, value=_shown(error), allowed=allowed)


def _worded(error: Any, path: Path) -> Finding:
    """A rule that has its own message: about a whole object, or about the name of one of its fields."""
    if isinstance(error.instance, str):
        return make(error.schema["x-message"], (*path, error.instance))
    return make(error.schema["x-message"], path, provider=error.instance.get("provider"))


def _shown(error: Any) -> str:
    """Return a wrong value for a message; only its kind where it may be a secret."""
    value = error.instance
    is_address = error.schema.get("format") == "http-url"
    hidden = error.schema.get("x-hidden") or (isinstance(value, str) and error.validator_value == "object")
    in_address = is_address and (not isinstance(value, str) or any(letter in "@?#" for letter in value))
    return wording.shown(value, hidden=bool(hidden or in_address))


def _type_hint(error: Any) -> str:
    """Return how to write what was probably meant by a value of the wrong type."""
    value, wanted = error.instance, error.validator_value
    if "x-advice" in error.schema and isinstance(value, str):
        return f" {error.schema['x-advice']}"
    if wanted == "string" and isinstance(value, int | float):
        return _as_text(value, error.schema)
    if wanted == "array" and value is not None and error.schema.get("items", {}).get("type") == _type_of(value):
        return " Write a list, even for a single item."
    if isinstance(value, str) and wanted in ("integer", "number", "boolean"):
        return _without_quotes(value.strip(), wanted)
    return ""


def _as_text(value: float, node: dict[str, Any]) -> str:
    """Return how to write a number or a boolean where text is wanted; nothing where no such text is allowed."""
    if node.get("format") == "go-duration":
        is_duration = not isinstance(value, bool) and durations.SHORTEST <= value <= durations.LONGEST
        return f' Write its unit, such as "{value}s" for seconds.' if is_duration else ""
    return "" if "enum" in node or "format" in node else " Put it in quotes."


def _without_quotes(text: str, wanted: str) -> str:
    """Return the value that a text holds, as it is written without quotes; nothing where it holds none."""
    if wanted == "boolean":
        meant = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}.get(text.lower())
        return f" Write {meant}, without quotes." if meant else ""
    number = re.fullmatch(r"(-?\d{1,12}(?:\.\d{1,12})?)([kKmM]?)", text)
    if not number:
        return ""
    value = float(number[1]) * _THOUSANDS.get(number[2].lower(), 1)
    if wanted == "integer" and not value.is_integer():
        return ""
    return f" Write {int(value) if value.is_integer() else value}, without quotes."


def _type_of(value: Any) -> str:
    names: dict[type, str] = {str: "string", dict: "object", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "")
