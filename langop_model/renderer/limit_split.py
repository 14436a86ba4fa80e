"""Dividing a limit over endpoints so that nothing is lost and nothing is added."""

from __future__ import annotations

from collections.abc import Sequence


def split_limit(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` in proportion to `weights` (none negative) into whole parts that add up to exactly `total`.

    The method of the largest remainder: every part is its quota rounded down, and what is left goes to the largest
    fractions, the earlier endpoint first where they are equal. Weights that are all 0 count as equal.
    """
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(total * weights[index] % whole))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
