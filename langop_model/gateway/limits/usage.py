"""What is used of the limits of several models."""

from __future__ import annotations

from collections.abc import Sequence

from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.sliding_window import Used


async def used_of(admissions: Sequence[Admission]) -> list[Used]:
    """Return what all processes use that count together, in the order of `admissions`, whose stores are of one kind."""
    stores = [each.store for each in admissions]
    return await stores[0].used_together(stores) if stores else []
