"""A JSON Schema error in the words of whoever has to mend it: what is wrong, what is allowed, what was probably meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from langop_model.renderer import catalogue
from langop_model.renderer.findings import Finding, Path, make

LONGEST_VALUE = 60  # characters of a wrong value that are worth repeating
MANY_VALUES = 20  # more than a message should list
_KINDS: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
_TYPES = {
    "object": "an object (key: value)", "array": "a list", "string": "text", "integer": "a whole number",
    "number": "a number", "boolean": "true or false",
}  # fmt: skip
_BOUNDS = {
    "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than",
}  # fmt: skip


def findings(error: Any) -> Iterator[Finding]:  # noqa: C901, PLR0912 - one case for each keyword
    """Yield the findings that say what `error` (a jsonschema.ValidationError) says; one for each unknown or missing field."""
    path: Path = tuple(error.absolute_path)
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            for key in sorted(set(error.instance) - set(error.schema["properties"])):
                yield _unknown_field(path, str(key), list(error.schema["properties"]))
        case "required":
            for key in rule:
                if key not in error.instance:
                    yield make("LM104", (*path, key))
        case "type":
            yield make("LM102", path, value=_shown(error), allowed=_TYPES[rule], hint=_type_hint(error))
        case "enum":
            yield _not_one_of(error, path, rule)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            bound = f"{_BOUNDS[error.validator]} {rule}"
            yield make("LM105", path, value=_shown(error), allowed=bound)
        case "pattern" | "format" | "minLength" | "maxLength":
            yield make("LM106", path, value=_shown(error), allowed=error.schema.get("x-allowed", "not empty"))
        case _ if "x-message" in error.schema:
            yield _worded(error, path)
        case _ if error.context:
            for inner in error.context:
                yield from findings(inner)
        case _:
            yield make("LM107", path, rule=f"{error.validator} {rule}")


def _not_one_of(error: Any, path: Path, values: list[Any]) -> Finding:
    """A value that is none of its field's; for a provider that LiteLLM has and nobody can use, why."""
    reason = catalogue.refusals().get(str(error.instance)) if path[-1:] in (("provider",), ("litellmProvider",)) else None
    if reason:
        return make("LM214", path, provider=error.instance, reason=reason)
    many = len(values) > MANY_VALUES
    allowed = "the command providers lists them" if many else ", ".join(str(value) for value in values)
    hint = did_you_mean(error.instance, values)
    if path[-1:] == ("litellmProvider",) and catalogue.is_named(str(error.instance)):
        hint = f" Say provider: {error.instance}."
    return make("LM103", path, value=_shown(error), allowed=allowed, hint=hint)


def _worded(error: Any, path: Path) -> Finding:
    """A rule with words of its own: about a whole object, or about the name of one of its fields."""
    if isinstance(error.instance, str):
        return make(error.schema["x-message"], (*path, error.instance))
    return make(error.schema["x-message"], path, provider=error.instance.get("provider"))


def did_you_mean(word: object, choices: list[str]) -> str:
    """Return ` Did you mean X?` when one of `choices` is near `word`, else nothing."""
    from difflib import get_close_matches

    by_lower = {str(choice).lower(): str(choice) for choice in choices}
    near = get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[near[0]]}?" if near else ""


def _shown(error: Any) -> str:
    """Return a short form of a wrong value, for a message; never one that may be a secret."""
    value = error.instance
    is_address = error.schema.get("format") == "http-url"
    hidden = error.schema.get("x-hidden") or (isinstance(value, str) and error.validator_value == "object")
    if hidden or (is_address and (not isinstance(value, str) or any(letter in "@?#" for letter in value))):
        return f"{_KINDS.get(type(value), 'a value')} that is not shown here"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _unknown_field(path: Path, key: str, known: list[str]) -> Finding:
    return make("LM101", (*path, key), allowed=", ".join(sorted(known)), hint=did_you_mean(key, known))


def _type_hint(error: Any) -> str:
    if error.validator_value == "string" and isinstance(error.instance, int | float):
        return " Put it in quotes."
    if isinstance(error.instance, str) and error.validator_value in ("integer", "number", "boolean"):
        return " Leave the quotes away." if error.instance.strip() else ""
    return ""
