"""What is used of many models' limits."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.limits.usage import AT_ONCE, used_of


class Store:
    """Says how many of its kind are asked together."""

    asked = most = 0

    def __init__(self, number: int) -> None:
        self.number = number
        self.store = self  # it is an admission too, as far as it goes

    async def used(self) -> Used:
        Store.asked += 1
        Store.most = max(Store.most, Store.asked)
        await asyncio.sleep(0)
        Store.asked -= 1
        return Used(self.number, 0, 0)


def test_models_are_asked_in_order_and_some_at_a_time():
    admissions = cast("list[Admission]", [Store(number) for number in range(120)])
    found: list[Any] = asyncio.run(used_of(admissions))
    assert [used.requests for used in found] == list(range(120))
    assert Store.most == AT_ONCE == 50
