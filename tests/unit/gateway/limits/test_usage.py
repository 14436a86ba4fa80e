"""What is used of many models' limits."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_window import AT_ONCE, BATCH, RedisWindow
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.limits.usage import used_of


class Redis:
    """A redis, or a cluster, whose models may be on different servers. It knows the most questions that were asked together."""

    def __init__(self, is_cluster: bool) -> None:
        self.is_cluster = is_cluster
        self.listeners: list[object] = []
        self.asked = self.most = 0

    async def run(self, _: str, keys: list[bytes], __: Any) -> bytes:
        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0)
        self.asked -= 1
        return b" ".join(b"%b 0 0" % key.partition(b"{")[2].partition(b"}")[0] for key in keys[::4])


def test_what_is_used_is_in_the_order_of_the_models():
    admissions = [Admission(Limits(requests_per_minute=9)) for _ in range(3)]
    for count, admission in enumerate(admissions):
        for _ in range(count):
            asyncio.run(admission.admit(None, float("inf")))
    assert [used.requests for used in asyncio.run(used_of(admissions))] == [0, 1, 2]
    assert asyncio.run(used_of([])) == []


@pytest.mark.parametrize(("is_cluster", "together"), [(False, BATCH), (True, AT_ONCE)])
def test_redis_is_asked_in_order_and_some_at_a_time(is_cluster: bool, together: int):
    """In a cluster each model is a question of its own."""
    redis = Redis(is_cluster)
    limits = Limits(requests_per_minute=9)
    stores = [RedisWindow(cast("RedisConnection", redis), str(number), limits) for number in range(520)]
    found = asyncio.run(used_of([Admission(limits, store=store) for store in stores]))
    assert found == [Used(number, 0, 0) for number in range(520)]
    assert redis.most == together
