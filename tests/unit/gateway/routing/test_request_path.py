"""The picture of `explain` against the gateway: a request takes the ways that are drawn, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from langop_model.contract.settings import Group
from langop_model.gateway.caching.keys import DEFAULT, CacheControl
from langop_model.gateway.caching.memory import MemoryBackend
from langop_model.gateway.caching.response_cache import Ask, ResponseCache
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.dispatcher import Call, Dispatcher
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamError, UpstreamRequest
from langop_model.renderer import request_path
from langop_model.renderer.model_facts import ModelFacts
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.request_path import RequestPath
from tests.unit.gateway.routing.scripted_provider import QUESTION, Provider, Silent, failure
from tests.unit.specs import EAST, WEST, a_spec, balanced, render_gateway

CACHE: dict[str, Any] = {"caching": {"enabled": True}}
LIMITS: dict[str, Any] = {"rateLimits": {"concurrentRequests": 2}}
RETRIES: dict[str, Any] = {"retryPolicy": {"maxAttempts": 1, "initialBackoff": "10ms"}}
FALLBACK: dict[str, Any] = {"fallbacks": [{"modelRef": "spare", "conditions": ["server_error"]}]}
PARTS = [CACHE, LIMITS, RETRIES, FALLBACK]
POLICIES = [
    {name: value for part in PARTS if part is not without for name, value in part.items()} for without in (None, *PARTS)
]


class Followed(Silent):
    """Notes the stages of a request to the first model, in the words of the picture."""

    def __init__(self, group: Group) -> None:
        self.stages = ["names"]
        self.retries = bool(group.retries.attempts)
        self.is_first = True

    def note(self, stage: str) -> None:
        if self.is_first:
            self.stages.append(stage)

    def waits(self) -> None:
        self.note("limits")

    def attempt(self, *_: Any) -> None:
        self.note("endpoint")

    def failed(self, _: UpstreamError) -> None:
        if self.retries:
            self.note("retries")

    def falls_back(self, *_: Any) -> None:
        self.note("fallback")
        self.is_first = False


class FollowedCache(ResponseCache):
    """A cache whose requests are noted."""

    follower: Followed

    async def get_or_ask(self, request: UpstreamRequest, ask: Ask, control: CacheControl = DEFAULT) -> tuple[Answer, bool]:
        self.follower.note("cache")
        return await super().get_or_ask(request, ask, control)


def serve(result: Rendering, provider: Provider) -> list[str]:
    """Ask the first model of a rendering, and return the stages that the request went through."""
    groups = Configuration.of(result.config).groups

    async def scene() -> list[str]:
        follower = Followed(groups["llama"])
        runtimes = {}
        for group in groups.values():
            cache = FollowedCache(group, group.caching, MemoryBackend()) if group.caching else None
            if cache is not None:
                cache.follower = follower
            runtimes[group.name] = GroupRuntime(group, Admission(group.limits), Endpoints(group), provider, provider, cache)
        call = Call(Route.CHAT, "llama", Resolved(("llama",), "llama"), QUESTION)
        try:
            await Dispatcher(runtimes).serve(call, follower)
        except UpstreamError:
            follower.note("the client")
        return follower.stages

    return asyncio.run(scene())


def picture(result: Rendering) -> RequestPath:
    return request_path.of(ModelFacts.of(result.models[0], result.config))


def drawn(path: RequestPath) -> set[tuple[str, str]]:
    stages = {node.id: node.stage for node in path.nodes}
    return {(stages[edge.source], stages[edge.target]) for edge in path.edges}


def taken(stages: Iterable[str]) -> set[tuple[str, str]]:
    return {way for way in pairwise(stages) if way[1] != "the client"}


@pytest.mark.parametrize("policies", POLICIES, ids=" ".join)
def test_a_request_that_fails_takes_every_way_of_the_picture_and_no_other(policies: dict[str, Any]):
    result = render_gateway(model=a_spec(**policies), spare=a_spec(modelName="spare"))
    stages = serve(result, Provider(**{"model/endpoint-0": [failure(503)] * 2}))
    assert taken(stages) == drawn(picture(result))


def test_a_request_goes_through_the_columns_from_left_to_right():
    result = render_gateway(model=a_spec(**POLICIES[0]), spare=a_spec(modelName="spare"))
    stages = serve(result, Provider(**{"model/endpoint-0": [failure(503)] * 2}))
    assert list(dict.fromkeys(stages)) == [column[0].stage for column in picture(result).columns]


def test_all_endpoints_have_failed_before_the_first_retry():
    result = render_gateway(model=balanced(EAST, WEST, **RETRIES))
    assert {edge.label for edge in picture(result).edges if edge.target == "retries"} == {"all fail"}
    failing = {endpoint.id: [failure(503)] for endpoint in Configuration.of(result.config).groups["llama"].endpoints}
    provider = Provider(**failing)
    serve(result, provider)
    assert (len(failing), set(provider.ids[:2])) == (2, set(failing))


@pytest.mark.parametrize(
    ("conditions", "then"), [(["rate_limit"], "a fallback"), (["error"], "a fallback"), (["timeout"], "429")]
)
def test_what_a_full_limit_leads_to_is_said(conditions: list[str], then: str):
    full = {"rateLimits": {"requestsPerMinute": 1}, "timeout": "10ms"}
    spec = a_spec(**full, fallbacks=[{"modelRef": "spare", "conditions": conditions}])
    result = render_gateway(model=spec, spare=a_spec(modelName="spare"))
    limits = next(node for node in picture(result).nodes if node.stage == "limits")
    assert limits.lines[-1].endswith(f"then {then}")
