"""Sentences that are data: schema/sentences.json (what a field does) and schema/changes.json (what a change of it changes).

A sentence is a Jinja2 template. What it says is filled from the rendered configuration, so that its figures are those that the
gateway follows. Values of a specification are data there and never a template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from langop_model.renderer import quantities
from langop_model.renderer.wording import shown


class _Undefined(StrictUndefined):
    """Absent members of absent objects can be asked about, and never be written."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, name: object) -> Any:
        return self


class _Environment(Environment):
    """A member of an object that is absent is undefined: section['keys'] never means the method of that name."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a member of an object, or what Jinja2 finds in anything else."""
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)


@cache
def environment() -> Environment:
    """Return the environment of sentences. They are plain text; langop_model/presentation escapes them."""
    env = _Environment(undefined=_Undefined, autoescape=False, trim_blocks=True)
    env.filters.update(
        number=quantities.number,
        duration=quantities.duration,
        listed=quantities.listed,
        counted=quantities.counted,
        percent=quantities.percent,
        about=quantities.about,
        shown=shown,
        durations=_durations,
        # int: a float that a shift of three digits makes exact again
        per_thousand=lambda price: quantities.number(round(price * 1000, 9)),
    )
    env.globals["waits"] = quantities.waits
    return env


def fill(sentence: str, values: Mapping[str, Any]) -> str:
    """Return a sentence of a table with `values` filled in."""
    return _template(sentence).render(values)


@cache
def _template(sentence: str) -> Template:
    return environment().from_string(sentence)


def _durations(values: Iterable[float]) -> str:
    """Return waits in order: `1 s, 2 s, 4 s`; of more than five the first four and the last, with what is between left open."""
    words = [quantities.duration(value) for value in values]
    return ", ".join(words) if len(words) <= 5 else f"{', '.join(words[:4])} … {words[-1]}"
