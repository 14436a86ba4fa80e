"""What was probably meant by a field or a value that the schema does not know.

The schema says it: `x-known-as` of a field lists what other tools and people call it, and `x-advice` what else there is to do;
`x-hints` of a field with a list of values maps what people write to what they mean.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from langop_model.renderer.findings import Path, dotted
from langop_model.renderer.wording import did_you_mean
from langop_model.resources import load_json

Node = dict[str, Any]


def for_field(key: str, path: Path, siblings: dict[str, Any], node: Node) -> str:
    """Return a hint for the unknown field `key` of the object at `path`, which has the schema `node`; empty without a guess.

    `siblings` is the object itself: the field may belong below one of its fields that was left empty.
    """
    return (
        _belongs_below(key, path, siblings, node)
        or _called_otherwise(key, node)
        or _is_elsewhere(key, path)
        or did_you_mean(key, list(node["properties"]))
    )


def for_value(value: Any, node: Node) -> str:
    """Return a hint for a value that is none of `node`'s: the nearest one, or what is written for this value in `x-hints`."""
    choices = node["enum"]
    known = {_plain(written): meant for written, meant in node.get("x-hints", {}).items()}
    meant = known.get(_plain(str(value))) if isinstance(value, str | int) else None
    if meant is None:
        return did_you_mean(value, choices) if isinstance(value, str) else ""
    return f" Did you mean {meant}?" if meant in choices else f" {meant}"


def resembles(key: str, node: Node) -> bool:
    """Whether `key` is a field of `node`, another name of one, or one letter or two away from one."""
    from difflib import get_close_matches

    plain = {name: _plain(name) for name in node["properties"]}
    return bool(_called_otherwise(key, node) or get_close_matches(_plain(key), plain.values(), n=1, cutoff=0.8))


def _belongs_below(key: str, path: Path, siblings: dict[str, Any], node: Node) -> str:
    """A field that is not indented leaves the one above it empty."""
    for name, child in node["properties"].items():
        if siblings.get(name, ...) is None and key in child.get("properties", {}):
            return f" It belongs to {dotted((*path, name))}, which is empty: indent it."
    return ""


def _called_otherwise(key: str, node: Node) -> str:
    for name, child in node["properties"].items():
        if _plain(key) in _names(name, child):
            return _meant(name, child)
    return ""


def _is_elsewhere(key: str, path: Path) -> str:
    """A field of another object, or another name of one: the one that is nearest to the root, if it is only one there."""
    found = [(place, child) for place, child in _fields() if _plain(key) in _names(place[-1], child) and place[:-1] != path]
    nearest = [(place, child) for place, child in found if len(place) == min(len(place) for place, _ in found)]
    return _meant(_display(nearest[0][0]), nearest[0][1]) if len(nearest) == 1 else ""


def _meant(name: str, child: Node) -> str:
    advice = child.get("x-advice")
    return f" Did you mean {name}?" + (f" {advice}" if advice else "")


def _names(name: str, child: Node) -> set[str]:
    return {_plain(name), *map(_plain, child.get("x-known-as", []))}


def _plain(name: str) -> str:
    """Return a name as it compares: max_tokens, max-tokens and maxTokens are one."""
    return re.sub(r"[-_ .]", "", name).lower()


def _display(place: tuple[str, ...]) -> str:
    return ".".join(place).replace(".[]", "[]")


@cache
def _fields() -> list[tuple[tuple[str, ...], Node]]:
    """Return every field of the schema with its place; `[]` is an item of a list."""
    found: list[tuple[tuple[str, ...], Node]] = []

    def collect(node: Node, place: tuple[str, ...]) -> None:
        for name, child in node.get("properties", {}).items():
            found.append(((*place, name), child))
            collect(child, (*place, name))
        if "items" in node:
            collect(node["items"], (*place, "[]"))

    collect(load_json("languagemodel.schema.json"), ())
    return found
