"""The table of all keys, schema/extra-configuration.json: its own comment says what each member of a row means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from langop_model.renderer.findings import Path
from langop_model.renderer.record import Record
from langop_model.resources import load_json

EFFECTS = ("translated", "passed", "refused")
SECTIONS = ("general_settings", "litellm_settings", "router_settings")
CACHE: Path = ("litellm_settings", "cache_params")


class Row(Record):
    """A row of the table."""

    effect: str
    keys: tuple[str, ...]
    to: str = ""
    because: str = ""
    instead: str = ""
    field: str = ""
    fields: Mapping[str, Any] = MappingProxyType({})
    convert: str = ""
    values: Mapping[str, str] = MappingProxyType({})
    within: bool = False
    only: tuple[Any, ...] = ()
    refuses: tuple[str, ...] = ()
    rule: str = ""
    causes: tuple[str, ...] = ()
    member: str = ""
    becomes: str = ""
    reader: str = ""
    needs: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether `value` is one of those that the row allows; any is where it lists none."""
        if not self.only and not self.values:
            return True
        return (
            any(value is each or (value == each and type(value) is type(each)) for each in self.only)
            or word(value) in self.values
        )


def word(value: Any) -> str:
    """Return a value as the table's `values` spell it: YAML's true is "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def rows() -> tuple[Row, ...]:
    """Return the rows, in the order of the file."""
    return tuple(_row(row) for row in load_json("extra-configuration.json")["rows"])


@cache
def by_key() -> dict[str, Row]:
    """Return the row of each key."""
    return {key: row for row in rows() for key in row.keys}


def row_of(path: Path) -> Row | None:
    """Return the row of the key at `path`, or the one for every other key of its object; None where no row is."""
    key = spelt(path)
    parent, _, _ = key.rpartition(".")
    return by_key().get(key) or by_key().get(f"{parent}.*")


def spelt(path: Path) -> str:
    """Return `path` as the table spells keys: model_list[].litellm_params.model."""
    return "".join(_spelt(path)).removeprefix(".")


def names(prefix: str) -> list[str]:
    """Return the keys of the object `prefix` that the table names."""
    keys = (key.removeprefix(f"{prefix}.") for key in by_key() if not prefix or key.startswith(f"{prefix}."))
    return [key for key in keys if key != "*" and "." not in key and "[" not in key]


def _spelt(path: Path) -> Iterator[str]:
    for segment in path:
        yield "[]" if isinstance(segment, int) else f".{segment}"


def _row(members: dict[str, Any]) -> Row:
    """Return a row of the file. Raises TypeError for a member that no row has."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in members.items()}
    return Row(**values)
