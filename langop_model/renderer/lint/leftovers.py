"""A rule about what another program should have replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from langop_model.renderer.lint.rule import Problem, problem
from langop_model.renderer.plan import Model
from langop_model.renderer.source import walk

LONGEST = 40  # characters of a placeholder that are worth repeating
PLACEHOLDER = r"\$\{[^{}]*\}|\$\([A-Za-z_][A-Za-z0-9_]*\)|\{\{.*?\}\}"


def placeholder(model: Model) -> Iterator[Problem]:
    """Nothing replaces a variable (${VAR}, $(VAR)) or a template ({{ value }}) in a specification.

    What should have, such as envsubst or Helm, has not seen this file: the text is used as it is.
    """
    said = repr(model.user_spec)  # in one piece, and Python writes no other "{{": most specifications need no walk
    for path, value in walk(model.user_spec, ("spec",)) if "$" in said or "{{" in said else ():
        found = re.search(PLACEHOLDER, value) if isinstance(value, str) and ("$" in value or "{{" in value) else None
        if found is not None:
            yield problem(*path, text=found[0] if len(found[0]) <= LONGEST else f"{found[0][: LONGEST - 1]}…")
