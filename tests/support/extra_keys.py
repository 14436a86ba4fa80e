"""Keys of an extra configuration, against its table."""

from __future__ import annotations

from langop_model.renderer.extra import table


def without_a_row(keys: set[str]) -> list[str]:
    """Return the keys that have no row of their own, nor one for all keys of their section."""
    return sorted(key for key in keys if key not in table.by_key() and f"{key.rpartition('.')[0]}.*" not in table.by_key())
