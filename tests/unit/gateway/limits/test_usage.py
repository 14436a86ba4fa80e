"""What is used of many models' limits."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_window import AT_ONCE, RedisWindow
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.limits.usage import used_of


class Cluster:
    """A redis whose models may be on different servers. It knows the most questions that were on their way together."""

    is_cluster = True

    def __init__(self) -> None:
        self.listeners: list[object] = []
        self.asked = self.most = 0

    async def run(self, _: str, keys: list[bytes], __: Any) -> bytes:
        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0)
        self.asked -= 1
        return b"%b 0 0" % keys[0].partition(b"{")[2].partition(b"}")[0]


def test_what_is_used_is_in_the_order_of_the_models():
    admissions = [Admission(Limits(requests_per_minute=9)) for _ in range(3)]
    for count, admission in enumerate(admissions):
        for _ in range(count):
            asyncio.run(admission.admit(None, float("inf")))
    assert [used.requests for used in asyncio.run(used_of(admissions))] == [0, 1, 2]
    assert asyncio.run(used_of([])) == []


def test_the_servers_of_a_cluster_are_asked_in_order_and_some_at_a_time():
    cluster = Cluster()
    limits = Limits(requests_per_minute=9)
    stores = [RedisWindow(cast("RedisConnection", cluster), str(number), limits) for number in range(120)]
    found = asyncio.run(used_of([Admission(limits, store=store) for store in stores]))
    assert found == [Used(number, 0, 0) for number in range(120)]
    assert cluster.most == AT_ONCE == 50
