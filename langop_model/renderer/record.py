"""Named values that do not change, as a NamedTuple has them, whose classes cost a start next to nothing.

`typing.NamedTuple` compiles a constructor and each annotation: a twentieth of the time that `render` of one example takes went
into some twenty such classes. Here the annotations are names, and nothing is compiled.
"""

from __future__ import annotations

from typing import Any, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """A base class: the annotations of a class are its fields, in that order, and what they are assigned is their default.

    Records of one class are equal when all their fields are.
    """

    def __init__(self, *values: Any, **named: Any) -> None:
        """Take values in the order of the fields, or by name. Raises TypeError for one too many and for a missing one."""
        kind, fields = self.__class__.__name__, self.__class__.__annotations__
        given = dict(zip(fields, values, strict=False)) | named
        unknown = sorted(given.keys() - fields.keys())
        if len(given) < len(values) + len(named) or unknown:
            said = f": there is no {', '.join(unknown)}" if unknown else ""
            raise TypeError(f"{kind}({', '.join(fields)}) got {len(values)} values and {sorted(named)}{said}")
        missing = [name for name in fields if name not in given and not hasattr(self.__class__, name)]
        if missing:
            raise TypeError(f"{kind} needs {', '.join(missing)}")
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.__class__.__name__}.{name} can't be changed: replace() makes another record")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.__class__ is other.__class__ and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        named = ", ".join(
            f"{name}={value!r}" for name, value in zip(self.__class__.__annotations__, self._values(), strict=True)
        )
        return f"{self.__class__.__name__}({named})"

    def replace(self, **changes: Any) -> Self:
        """Return a record with other values in the fields that are named. Raises TypeError for a name that is no field."""
        return self.__class__(**self.__dict__ | changes)

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__class__.__annotations__)
