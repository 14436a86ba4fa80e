"""Findings about the extra configuration: where in the variable, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langop_model.renderer import schema_errors, yaml_source
from langop_model.renderer.extra.table import Row
from langop_model.renderer.extra.wanted import VARIABLE
from langop_model.renderer.findings import Finding, Path, make


def finding(code: str, path: Path = (), **values: Any) -> Finding:
    """Return a finding about the key at `path` of the variable."""
    return make(code, path, **values).replace(file=VARIABLE)


def refused(path: Path, row: Row) -> Finding:
    """Return the finding that says why a key, or its value, is refused."""
    return finding("LM750", path, because=row.because, instead=row.instead)


def located(found: Iterable[Finding], text: str) -> tuple[Finding, ...]:
    """Return findings about the variable, whose text is `text`, with the line and column of what they are about."""
    return tuple(_located(each, text) for each in found)


def in_words(error: Any) -> str:
    """Return what jsonschema's `error` says, without the value: it may be a secret in the wrong place."""
    rule = error.validator_value
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        return unknown_key(str(unknown), list(known))
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


def unknown_key(name: str, known: list[str]) -> str:
    """Return what is said of a key that LiteLLM does not read, beside the `known` ones."""
    return f"LiteLLM reads no {name!r} there.{schema_errors.did_you_mean(name, known)}"


def _located(found: Finding, text: str) -> Finding:
    line, column = yaml_source.locate(text, 0, found.path)
    return found.replace(line=line, column=column)
