"""Names of a test's cases."""

from __future__ import annotations

import re


def plain(value: object) -> str:
    """Return a value as a name that tools can give back to pytest: without backslashes and what they stand for."""
    return re.sub(r"[^ -\[\]-~]+", " ", str(value))[:70]
