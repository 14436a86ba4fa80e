"""What is used of the limits of several models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.sliding_window import Used

AT_ONCE = 50  # models that redis is asked for together: the questions of requests wait behind them


async def used_of(admissions: Sequence[Admission]) -> list[Used]:
    """Return what all processes use that count together, in the order of `admissions`."""
    found: list[Used] = []
    for start in range(0, len(admissions), AT_ONCE):
        found += await asyncio.gather(*(each.store.used() for each in admissions[start : start + AT_ONCE]))
    return found
