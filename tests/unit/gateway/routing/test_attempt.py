"""One attempt: what is asked for a call, what is said of it, and what it holds until its end."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from langop_model.contract.settings import Caching, Cause, Endpoint, Fallback, Group, Limits, ModelRules, Retries, Upstream
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.sliding_window import Delay, Reservation, SlidingWindow
from langop_model.gateway.routing.dispatcher import Call, Dispatcher, Served
from langop_model.gateway.routing.endpoints import Endpoints, LastError
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import (
    CLIENT_ERROR,
    Answer,
    FailureKind,
    File,
    Route,
    UpstreamError,
    UpstreamRequest,
    Usage,
)
from tests.unit.gateway.routing.scripted_provider import Account

ASKED = {"messages": [{"role": "user", "content": "Hello!"}]}
QUESTION = {"model": "m", **ASKED}
MODEL = Upstream("m", {"chat": "/chat/completions"})
BROKEN = UpstreamError(FailureKind.HTTP, 503, "broken", cause=Cause.SERVER_ERROR, retry_after=3.0)
REFUSED = UpstreamError(FailureKind.HTTP, 400, "refused", cause=CLIENT_ERROR)


class Provider:
    """An upstream that answers in order what it was given, then an empty object."""

    def __init__(self, *outcomes: Answer | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[Group, Endpoint, UpstreamRequest]] = []

    async def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:
        self.asked.append((group, endpoint, request))
        await asyncio.sleep(0.01)
        outcome = self.outcomes.pop(0) if self.outcomes else Answer(body=b"{}", usage=Usage(1, 2))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def aclose(self) -> None: ...

    @property
    def request(self) -> UpstreamRequest:
        """The last one."""
        return self.asked[-1][2]


class Heard:
    """An observer that writes down what it hears, and has the headers of a trace."""

    def __init__(self, **trace: str) -> None:
        self.trace = trace
        self.told: list[tuple[Any, ...]] = []

    def attempt(self, *arguments: Any) -> Mapping[str, str]:
        self.told.append(("attempt", *arguments))
        return self.trace

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.told.append((name, *arguments))


class Counted(SlidingWindow):
    """A window that writes down how requests were settled, and answers of which `kept` are found first."""

    def __init__(self, limits: Limits, *kept: bytes) -> None:
        super().__init__(limits)
        self.kept = list(kept)
        self.settled: list[tuple[int, bool]] = []
        self.asked: list[tuple[int | None, float | None]] = []

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        self.asked.append((tokens, left))
        return await super().admit(ticket, tokens, left)

    async def find_or_admit(self, _: str, ticket: str, tokens: int | None) -> bytes | Reservation | Delay:
        self.asked.append((tokens, None))
        return self.kept.pop(0) if self.kept else self.admit_now(ticket, tokens)

    def settle(self, reservation: Reservation, used: int, answered: bool) -> None:
        self.settled.append((used, answered))
        super().settle(reservation, used, answered)


class World:
    """A dispatcher over one group, or over one and its fallback."""

    def __init__(self, provider: Provider, *groups: Group, **more: Any) -> None:
        self.provider = provider
        self.heard = Heard()
        self.slept: list[float] = []
        self.runtimes = {
            each.name: GroupRuntime(each, Admission(each.limits), Endpoints(each), provider, provider) for each in groups
        }
        self.dispatcher = Dispatcher(self.runtimes, self.sleep, **more)
        self.first = self.runtimes[groups[0].name]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def serve(self, body: Mapping[str, Any] = QUESTION, *, model: str = "m", **more: Any) -> Served:
        more = {"route": Route.CHAT, "resolved": Resolved((self.first.group.name,), model), **more}
        return await self.dispatcher.serve(Call(model=model, body=body, **more), self.heard)

    def ask(self, body: Mapping[str, Any] = QUESTION, **more: Any) -> Served:
        return asyncio.run(self.serve(body, **more))

    def fail(self, body: Mapping[str, Any] = QUESTION, **more: Any) -> UpstreamError:
        with pytest.raises(UpstreamError) as raised:
            self.ask(body, **more)
        return raised.value


def group(name: str = "m", *endpoints: Endpoint, **members: Any) -> Group:
    return Group(name, name, endpoints or (Endpoint(f"{name}-0"),), **{"upstream": MODEL, **members})


# What the provider is asked.


def test_a_request_has_everything_of_its_call():
    provider = Provider()
    world = World(provider, group(timeout=7.0, stream_timeout=2.0))
    file = File("file", "a.wav", "audio/wav", b"data")
    world.ask(files=(file,), headers={"traceparent": "t"}, call_id="id", agent="clerk")
    asked_group, endpoint, request = provider.asked[0]
    assert (asked_group.name, endpoint.id) == ("m", "m-0")
    assert request == UpstreamRequest(
        Route.CHAT, "m", ASKED, False, (file,), {"traceparent": "t"}, 7.0, "id", "clerk", "m", strips_usage=False
    )


def test_a_call_without_particulars_has_none():
    provider = Provider()
    World(provider, group()).ask()
    assert provider.request == UpstreamRequest(Route.CHAT, "m", ASKED, shown_model="m")


@pytest.mark.parametrize(
    ("stream", "stream_timeout", "timeout"), [(True, 2.0, 2.0), (True, None, 7.0), (False, 2.0, 7.0), (False, None, 7.0)]
)
def test_a_stream_has_its_own_timeout_where_there_is_one(stream: bool, stream_timeout: float | None, timeout: float):
    provider = Provider()
    World(provider, group(timeout=7.0, stream_timeout=stream_timeout)).ask(stream=stream)
    assert provider.request.timeout == timeout


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_is_asked_for_its_usage_which_the_client_does_not_get(stream: bool):
    provider = Provider()
    World(provider, group()).ask(stream=stream)
    assert (provider.request.stream, provider.request.strips_usage) == (stream, stream)
    assert ("stream_options" in provider.request.body) == stream


def test_a_wildcard_is_asked_for_what_the_client_wrote_after_it():
    provider = Provider()
    World(provider, group("all/*")).ask(model="all/gpt-4o", resolved=Resolved(("all/*",), "gpt-4o"))
    assert (provider.request.model, provider.request.shown_model) == ("gpt-4o", "all/gpt-4o")


def test_a_fallback_is_asked_by_its_own_name():
    provider = Provider(BROKEN)
    World(provider, group(fallbacks=(Fallback("f", frozenset({Cause.ERROR})),)), group("f")).ask()
    assert [request.model for _, _, request in provider.asked] == ["m", "f"]


def test_the_rules_of_a_model_are_those_of_the_name_that_is_asked_for():
    rules = ModelRules("o[0-9].*", drops=("temperature",))
    world = World(Provider(), group("all/*", upstream=Upstream("*", {"chat": "/c"}, models=(rules,))))
    body = {**QUESTION, "temperature": 0.5}
    dropped = [
        world.ask(body, model=f"all/{name}", resolved=Resolved(("all/*",), name)).dropped for name in ("o3-mini", "gpt-4o")
    ]
    assert dropped == [("temperature",), ()]


@pytest.mark.parametrize("refuses", [True, False])
def test_a_hint_that_a_model_does_not_take_is_dropped_or_refused(refuses: bool):
    rules = ModelRules("m", drops=("temperature",))
    world = World(Provider(), group(upstream=Upstream("m", {"chat": "/c"}, models=(rules,))), refuses_unsupported=refuses)
    if refuses:
        assert world.fail({**QUESTION, "temperature": 0.5}).kind is FailureKind.UNSUPPORTED
    else:
        assert world.ask({**QUESTION, "temperature": 0.5}).dropped == ("temperature",)


def test_unless_it_is_told_otherwise_a_dispatcher_drops_hints():
    assert Dispatcher({}).refuses_unsupported is False


# Which way it is asked.


@pytest.mark.parametrize(
    ("upstream", "route", "relayed"),
    [
        (MODEL, Route.CHAT, True),
        (dataclasses.replace(MODEL, translates=("*",)), Route.CHAT, False),
        (MODEL, Route.EMBEDDINGS, False),
        (None, Route.CHAT, False),
    ],
)
def test_a_route_that_the_provider_speaks_is_relayed(upstream: Upstream | None, route: Route, relayed: bool):
    relay, translation = Provider(), Provider()
    model = group(upstream=upstream)
    runtime = GroupRuntime(model, Admission(model.limits), Endpoints(model), relay, translation)
    prepared = runtime.parameters.prepare(route, {}, False, "m")
    assert runtime.upstream(prepared) is (relay if relayed else translation)


def test_a_route_that_the_provider_does_not_serve_is_refused_unasked():
    provider = Provider()
    error = World(provider, group(routes=("embeddings",))).fail()
    assert (error.kind, error.code) == (FailureKind.UNSUPPORTED, "unsupported_route")
    assert provider.asked == []


def test_a_route_that_the_provider_serves_is_asked():
    provider = Provider()
    World(provider, group(routes=("chat",))).ask()
    assert len(provider.asked) == 1


def test_a_request_that_needs_translating_is_translated():
    relay, translation = Provider(), Provider()
    model = group(upstream=Upstream("m", {"chat": "/c"}, translates=("thinking",)), accepts=("thinking",))
    runtime = GroupRuntime(model, Admission(model.limits), Endpoints(model), relay, translation)
    dispatcher = Dispatcher({"m": runtime})
    for body in (QUESTION, {**QUESTION, "thinking": {"type": "enabled"}}):
        call = Call(Route.CHAT, "m", Resolved(("m",), "m"), body)
        asyncio.run(dispatcher.serve(call, Heard()))
    assert (len(relay.asked), len(translation.asked)) == (1, 1)


# Endpoints.


def test_an_endpoint_that_failed_is_not_asked_again_in_an_attempt():
    """Although it has the higher priority."""
    provider = Provider(BROKEN)
    World(provider, group("m", Endpoint("a"), Endpoint("b", priority=1))).ask()
    assert [endpoint.id for _, endpoint, _ in provider.asked] == ["a", "b"]


def test_a_failure_is_kept_with_its_cause_and_status():
    world = World(Provider(BROKEN), group())
    world.fail()
    (state,) = world.first.endpoints.states
    assert state.error == LastError(Cause.SERVER_ERROR, 503, state.failed_at)
    assert state.in_flight == 0


def test_an_answer_says_how_fast_an_endpoint_is():
    world = World(Provider(), group())
    world.ask()
    latency = world.first.endpoints.states[0].latency
    assert latency is not None
    assert 0.005 < latency < 60


# Limits.


def counted(world: World, *kept: bytes) -> Counted:
    """Count what the first group uses, and return where it is counted."""
    store = Counted(world.first.group.limits, *kept)
    world.first.admission.store = store
    return store


def test_a_request_reserves_what_it_may_use():
    world = World(Provider(), group(limits=Limits(tokens_per_minute=100)))
    store = counted(world)
    world.ask({**QUESTION, "max_tokens": 20})
    ((tokens, _),) = store.asked
    assert tokens is not None
    assert 20 < tokens < 40
    assert store.settled == [(3, True)]


@pytest.mark.parametrize(
    ("error", "settled"),
    [
        (BROKEN, (0, True)),
        (UpstreamError(FailureKind.CONNECTION, 503, "gone", cause=Cause.SERVER_ERROR, reached=False), (0, False)),
    ],
    ids=["error", "unreachable"],
)
def test_a_failure_is_settled_by_whether_anybody_answered(error: UpstreamError, settled: tuple[int, bool]):
    world = World(Provider(error), group(limits=Limits(tokens_per_minute=100)))
    store = counted(world)
    world.fail()
    assert store.settled == [settled]


def test_an_answer_without_usage_is_settled_by_an_estimate():
    answer = Answer(body=b'{"choices": [{"message": {"content": "%s"}}]}' % (b"x" * 40))
    world = World(Provider(answer), group(limits=Limits(tokens_per_minute=100)))
    store = counted(world)
    usage = world.ask().answer.usage
    assert usage is not None
    assert (usage.output_tokens, usage.estimated) == (10, True)
    assert store.settled == [(usage.total, True)]


@pytest.mark.parametrize(
    "usage", [Usage(input_tokens=1), Usage(output_tokens=1), Usage(images=1), Usage(queries=1), Usage(seconds=1.0)], ids=str
)
def test_any_usage_that_a_provider_says_is_taken_as_it_is(usage: Usage):
    assert World(Provider(Answer(body=b"x", usage=usage)), group()).ask().answer.usage == usage


def test_a_usage_of_nothing_is_none():
    usage = World(Provider(Answer(body=b"{}", usage=Usage())), group()).ask().answer.usage
    assert usage is not None
    assert usage.estimated


def test_an_empty_transcription_has_no_tokens():
    model = group(upstream=Upstream("m", {"transcriptions": "/t"}))
    usage = World(Provider(Answer()), model).ask({}, route=Route.TRANSCRIPTIONS).answer.usage
    assert usage is not None
    assert (usage.output_tokens, usage.estimated) == (0, True)


def test_events_that_can_not_be_closed_are_given_up_all_the_same():
    class Events:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            return b"data: 1\n\n"

    async def scene() -> int:
        world = World(Provider(Answer(events=Events(), account=Account())), group())
        served = await world.serve(stream=True)
        assert served.answer.events is not None
        close: Any = served.answer.events
        await close.aclose()
        return world.first.endpoints.states[0].in_flight

    assert asyncio.run(scene()) == 0


def test_a_client_that_leaves_is_settled_by_its_question():
    world = World(Provider(asyncio.CancelledError()), group(limits=Limits(tokens_per_minute=100)))
    store = counted(world)
    with pytest.raises(asyncio.CancelledError):
        world.ask()
    ((used, answered),) = store.settled
    assert answered
    assert used > 0


def test_an_upload_is_part_of_an_estimated_question():
    world = World(Provider(Answer(body=b"x"), Answer(body=b"x")), group())
    plain, upload = (world.ask(files=files).answer.usage for files in ((), (File("file", "a", "b", b"x" * 5000),)))
    assert plain is not None
    assert upload is not None
    assert upload.input_tokens - plain.input_tokens == 10


@pytest.mark.parametrize("said", [Usage(5, 6), None])
def test_a_stream_has_the_usage_that_its_provider_says_else_an_estimate(said: Usage | None):
    async def events() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    async def scene() -> Usage | None:
        world = World(Provider(Answer(events=events(), account=Account(said))), group())
        served = await world.serve(stream=True)
        assert served.answer.events is not None
        async for _ in served.answer.events:
            assert served.answer.usage is None
        return served.answer.usage

    usage = asyncio.run(scene())
    assert usage is not None
    assert (usage.output_tokens, usage.estimated) == ((6, False) if said else (7, True))


def test_a_request_waits_for_its_limit_as_long_as_the_policy_says():
    async def scene() -> float:
        world = World(Provider(), group(limits=Limits(concurrent_requests=1, wait=30.0)))
        store = counted(world)
        place = await world.first.admission.admit(None, 1e12)
        waiting = asyncio.create_task(world.serve())
        await asyncio.sleep(0.02)
        world.first.admission.settle(place, 0)
        await waiting
        left = [each for _, each in store.asked][-1]
        assert left is not None
        return left

    assert 20 < asyncio.run(scene()) <= 30


# An answer that is kept where requests are counted.


KEY = "entry"


class Kept:
    """A cache that asks with the key of an entry."""

    async def get_or_ask(self, _: Any, ask: Any, __: Any) -> tuple[Answer, bool]:
        return await ask(KEY), False


def cached(world: World, *kept: bytes) -> Counted:
    cache: Any = Kept()
    world.first.cache = cache
    return counted(world, *kept)


def test_a_damaged_entry_is_none_and_the_request_is_admitted():
    model = group(limits=Limits(tokens_per_minute=100, wait=30.0), caching=Caching("redis", 60))
    world = World(Provider(), model)
    store = cached(world, b"damaged")
    assert world.ask({**QUESTION, "max_tokens": 20}).answer.body == b"{}"
    (looked_up, _), (admitted, _) = store.asked
    assert looked_up == admitted is not None


def test_a_damaged_entry_is_no_way_past_a_limit():
    world = World(Provider(), group(limits=Limits(requests_per_minute=1, wait=0.0)))
    cached(world, b"damaged").reserve("before", 0)
    assert world.fail().status == 429


def test_only_the_first_attempt_looks_for_an_entry():
    retries = Retries(attempts=1, initial_backoff=1, max_backoff=5, multiplier=2, status_codes=frozenset({503}))
    world = World(Provider(BROKEN), group(limits=Limits(requests_per_minute=9, wait=30.0), retries=retries))
    store = cached(world)
    world.ask()
    assert [left is None for _, left in store.asked] == [True, False]


# What is said of it.


def test_an_observer_hears_of_every_step():
    model = group(
        limits=Limits(requests_per_minute=9),
        retries=Retries(attempts=1, initial_backoff=1, max_backoff=5, multiplier=2, status_codes=frozenset({503})),
    )
    world = World(Provider(BROKEN, Answer(201, body=b"{}", usage=Usage(1, 2))), model)
    world.ask()
    assert world.heard.told == [
        ("waits",),
        ("admitted", "m"),
        ("attempt", model, "m-0", "m"),
        ("failed", BROKEN),
        ("backs_off", 3.0),
        ("waits",),
        ("admitted", "m"),
        ("attempt", model, "m-0", "m"),
        ("answered", 201),
    ]
    assert world.slept == [3.0]


def test_an_observer_hears_which_limit_refused_and_behind_how_many():
    world = World(Provider(), group(limits=Limits(requests_per_minute=1, wait=0.0)))
    world.ask()
    world.heard.told.clear()
    world.fail()
    assert world.heard.told == [("waits",), ("refused", "rateLimits.requestsPerMinute", "m", 0)]


def test_an_observer_hears_of_a_fallback_and_its_cause():
    world = World(Provider(REFUSED), group(fallbacks=(Fallback("f", frozenset({Cause.ERROR})),)), group("f"))
    world.ask()
    assert ("falls_back", "m", "f", CLIENT_ERROR) in world.heard.told


def test_a_trace_goes_on_at_the_provider_beside_the_clients_headers():
    provider = Provider()
    world = World(provider, group())
    world.heard = Heard(traceparent="ours")
    world.ask(headers={"traceparent": "the client's", "anthropic-beta": "b"})
    assert provider.request.headers == {"traceparent": "ours", "anthropic-beta": "b"}
    world.heard = Heard()
    world.ask(headers={"traceparent": "the client's"})
    assert provider.request.headers == {"traceparent": "the client's"}
