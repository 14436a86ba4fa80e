"""The cache and the limits around the attempts of a dispatcher."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from langop_model.contract.settings import Caching, Limits
from langop_model.gateway.routing.dispatcher import Call, Dispatcher, Served
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.shared_state import SharedState
from langop_model.gateway.upstreams.base import FailureKind, Route, UpstreamError
from tests.live.redis_server import RedisServer
from tests.unit.gateway.routing.scripted_provider import QUESTION, SILENT, Provider, failure, group


class Gateway:
    """One worker that serves one cached model. It is made inside an event loop."""

    def __init__(self, provider: Provider, server: RedisServer | None = None, **limits: Any) -> None:
        environment = {"REDIS_URL": f"redis://:{server.password}@127.0.0.1:{server.port}"} if server else {}
        self.shared = SharedState(environment)
        if self.shared.redis is not None:
            self.shared.redis.answer_timeout = 10  # a test machine may be busy
        caching = Caching("redis" if server else "memory", 60)
        model = group(caching=caching, limits=Limits(**limits))
        admission, cache = self.shared.admission(model), self.shared.cache(model)
        self.runtime = GroupRuntime(model, admission, Endpoints(model), provider, provider, cache)
        self.dispatcher = Dispatcher({"m": self.runtime})

    async def ask(self, text: str = "Hello!", **members: Any) -> Served:
        body = {**QUESTION, "messages": [{"role": "user", "content": text}], **members}
        return await self.dispatcher.serve(Call(Route.CHAT, "m", Resolved(("m",), "m"), body), SILENT)

    async def told(self) -> None:
        """Wait until redis knows everything."""
        if self.shared.redis is not None:
            await self.shared.redis.flush()


@pytest.fixture(params=["memory", "redis", "redis-unlimited"])
def limits(request: pytest.FixtureRequest, server: RedisServer) -> dict[str, Any]:
    """How answers are kept; with redis and limits, both are asked in one round trip."""
    if request.param == "memory":
        return {"server": None, "requests_per_minute": 1}
    return {"server": server, **({"requests_per_minute": 1} if request.param == "redis" else {})}


def test_a_hit_makes_no_attempt_and_counts_against_no_limit(limits: dict[str, Any]):
    async def scene() -> tuple[list[bool], list[int], list[str], list[bytes | None], int]:
        provider = Provider()
        gateway = Gateway(provider, **limits)
        served = []
        for _ in range(3):
            served.append(await gateway.ask())
            await gateway.told()
        await gateway.shared.aclose()
        return (
            [each.is_hit for each in served],
            [each.attempts for each in served],
            [each.endpoint_id for each in served],
            [each.answer.body for each in served],
            len(provider.asked),
        )

    assert asyncio.run(scene()) == ([False, True, True], [1, 0, 0], ["m-0", "", ""], [b"{}"] * 3, 1)


def test_three_hundred_equal_requests_at_once_ask_the_provider_once(limits: dict[str, Any]):
    async def scene() -> tuple[int, int]:
        provider = Provider()
        gateway = Gateway(provider, **limits)
        served = await asyncio.gather(*(gateway.ask() for _ in range(300)))
        await gateway.shared.aclose()
        return len(provider.asked), sum(each.is_hit for each in served)

    assert asyncio.run(scene()) == (1, 299)


@pytest.mark.parametrize("limits", ["memory", "redis"], indirect=True)
def test_a_limit_refuses_another_question_and_says_which_and_when(limits: dict[str, Any]):
    async def scene() -> UpstreamError:
        gateway = Gateway(Provider(), **limits, wait=1)
        await gateway.ask()
        with pytest.raises(UpstreamError) as refused:
            await gateway.ask("Another question")
        await gateway.shared.aclose()
        return refused.value

    error = asyncio.run(scene())
    assert (error.kind, error.status, error.param) == (FailureKind.RATE_LIMITED, 429, "rateLimits.requestsPerMinute")
    assert error.retry_after is not None
    assert 55 <= error.retry_after <= 60
    assert "rateLimits.requestsPerMinute" in error.message


def test_what_a_client_refuses_is_neither_looked_up_nor_kept(limits: dict[str, Any]):
    async def scene() -> tuple[list[bool], int]:
        provider = Provider()
        gateway = Gateway(provider, **{**limits, "requests_per_minute": 9})
        served = [await gateway.ask(cache={"no-cache": True, "no-store": True}) for _ in range(2)]
        served.append(await gateway.ask())
        await gateway.shared.aclose()
        return [each.is_hit for each in served], len(provider.asked)

    assert asyncio.run(scene()) == ([False, False, False], 3)


def test_a_failed_request_is_not_kept(limits: dict[str, Any]):
    async def scene() -> int:
        provider = Provider(**{"m-0": [failure(500)]})
        gateway = Gateway(provider, **{**limits, "requests_per_minute": 9})
        with pytest.raises(UpstreamError):
            await gateway.ask()
        await gateway.ask()
        await gateway.shared.aclose()
        return len(provider.asked)

    assert asyncio.run(scene()) == 2
