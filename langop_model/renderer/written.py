"""What a template writes that is not its own text: its pieces can be told from the others until they become one text."""

from __future__ import annotations


class Written(str):
    """A value, as YAML on one line."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return itself: Jinja2 makes a text of everything that it writes."""
        return self


class Comment(Written):
    """A text for a YAML comment, on one line."""

    __slots__ = ()
