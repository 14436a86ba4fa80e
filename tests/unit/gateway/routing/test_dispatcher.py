"""From a client's request to the answer of some provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from langop_model.contract.settings import Cause, Fallback, Group, Limits, Retries
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.dispatcher import Call, Dispatcher, Served
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import (
    CLIENT_ERROR,
    Answer,
    FailureKind,
    Route,
    UpstreamError,
    Usage,
)
from tests.unit.gateway.routing.scripted_provider import QUESTION, SILENT, Account, Provider, failure, group


class World:
    """A dispatcher over some groups, a provider behind all of them, and the seconds that were slept."""

    def __init__(self, provider: Provider, *groups: Group) -> None:
        self.provider = provider
        self.slept: list[float] = []
        self.runtimes = {
            group.name: GroupRuntime(group, Admission(group.limits), Endpoints(group), provider, provider) for group in groups
        }
        self.dispatcher = Dispatcher(self.runtimes, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def ask(self, *groups: str, **more: Any) -> Served:
        call = Call(Route.CHAT, "m", Resolved(groups or ("m",), "m"), QUESTION, **more)
        return asyncio.run(self.dispatcher.serve(call, SILENT))


RETRIES = Retries(attempts=2, initial_backoff=1, max_backoff=5, multiplier=3, status_codes=frozenset({503}))


def test_an_answer_is_returned_as_it_came():
    world = World(Provider(), group())
    served = world.ask()
    assert (served.answer.body, served.endpoint_id, served.attempts) == (b"{}", "m-0", 1)


def test_what_the_translator_dropped_is_named_beside_the_gateways_own():
    answer = Answer(body=b"{}", usage=Usage(1, 2), dropped=("seed", "user"))
    assert World(Provider(**{"m-0": [answer]}), group()).ask().dropped == ("seed", "user")


def test_a_status_of_the_policy_is_retried_with_growing_waits():
    world = World(Provider(**{"m-0": [failure(), failure()]}), group(retries=RETRIES))
    assert world.ask().attempts == 3
    assert world.slept == [1, 3]


def test_retry_after_makes_a_wait_longer_and_never_longer_than_the_longest():
    world = World(Provider(**{"m-0": [failure(retry_after=4.0), failure(retry_after=60.0)]}), group(retries=RETRIES))
    world.ask()
    assert world.slept == [4, 5]


@pytest.mark.parametrize(
    ("error", "count"),
    [
        (failure(500), 1),  # not in the policy
        (failure(429, Cause.RATE_LIMIT), 1),
        (failure(503), 3),
        (UpstreamError(FailureKind.UNSUPPORTED, 503, "no such route", cause=CLIENT_ERROR, reached=False), 1),
    ],
)
def test_only_what_the_policy_names_is_retried(error: UpstreamError, count: int):
    world = World(Provider(**{"m-0": [error] * 5}), group(retries=RETRIES))
    with pytest.raises(UpstreamError) as raised:
        world.ask()
    assert raised.value is error
    assert len(world.provider.asked) == count


def test_a_client_may_ask_for_fewer_retries_and_not_for_more():
    for asked, count in ((0, 1), (1, 2), (9, 3)):
        world = World(Provider(**{"m-0": [failure()] * 9}), group(retries=RETRIES))
        with pytest.raises(UpstreamError):
            world.ask(retries=asked)
        assert len(world.provider.asked) == count


def test_an_attempt_asks_each_endpoint_before_it_waits():
    world = World(Provider(a=[failure()], b=[failure()]), group("m", "a", "b", retries=RETRIES))
    world.ask()
    assert world.provider.ids[:2] == ["a", "b"]
    assert world.slept == [1]


@pytest.mark.parametrize(("status", "cause"), [(400, CLIENT_ERROR), (422, CLIENT_ERROR), (400, Cause.CONTEXT_WINDOW)])
def test_a_wrong_request_is_not_sent_to_another_endpoint(status: int, cause: str):
    world = World(Provider(a=[failure(status, cause)]), group("m", "a", "b"))
    with pytest.raises(UpstreamError):
        world.ask()
    assert world.provider.ids == ["a"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_a_missing_model_is_one_endpoints_fault(status: int):
    world = World(Provider(a=[failure(status, CLIENT_ERROR)]), group("m", "a", "b"))
    assert world.ask().endpoint_id == "b"


@pytest.mark.parametrize(
    ("causes", "cause", "falls_back"),
    [
        ({Cause.ERROR}, CLIENT_ERROR, True),
        ({Cause.ERROR}, Cause.TIMEOUT, True),
        ({Cause.CONTEXT_WINDOW}, Cause.CONTEXT_WINDOW, True),
        ({Cause.CONTEXT_WINDOW}, Cause.CONTENT_POLICY, False),
        ({Cause.RATE_LIMIT, Cause.TIMEOUT}, Cause.TIMEOUT, True),
    ],
)
def test_a_fallback_is_asked_for_its_causes(causes: set[Cause], cause: str, falls_back: bool):
    first = group(fallbacks=(Fallback("f", frozenset(causes)),))
    world = World(Provider(**{"m-0": [failure(400, cause)]}), first, group("f"))
    if falls_back:
        served = world.ask()
        assert (served.runtime.group.name, served.fell_back) == ("f", True)
    else:
        with pytest.raises(UpstreamError):
            world.ask()


def test_fallbacks_are_asked_in_order():
    """The client gets the first model's error."""
    first = group(fallbacks=tuple(Fallback(name, frozenset({Cause.ERROR})) for name in ("f", "g")))
    errors = {"m-0": [failure(500)], "f-0": [failure(502)], "g-0": [failure(504)]}
    world = World(Provider(**errors), first, group("f"), group("g"))
    with pytest.raises(UpstreamError) as raised:
        world.ask()
    assert world.provider.ids == ["m-0", "f-0", "g-0"]
    assert raised.value.status == 500


def test_two_models_that_back_each_other_up_are_asked_once_each():
    ours, theirs = (group(a, fallbacks=(Fallback(b, frozenset({Cause.ERROR})),)) for a, b in (("m", "f"), ("f", "m")))
    world = World(Provider(**{"m-0": [failure()] * 3, "f-0": [failure()] * 3}), ours, theirs)
    with pytest.raises(UpstreamError):
        world.ask()
    assert world.provider.ids == ["m-0", "f-0"]


def test_a_fallback_gets_one_attempt_whatever_its_own_policy():
    first = group(fallbacks=(Fallback("f", frozenset({Cause.ERROR})),))
    world = World(Provider(**{"m-0": [failure()], "f-0": [failure()] * 5}), first, group("f", retries=RETRIES))
    with pytest.raises(UpstreamError):
        world.ask()
    assert world.provider.ids == ["m-0", "f-0"]


def test_a_client_may_ask_for_no_fallbacks():
    first = group(fallbacks=(Fallback("f", frozenset({Cause.ERROR})),))
    world = World(Provider(**{"m-0": [failure()]}), first, group("f"))
    with pytest.raises(UpstreamError):
        world.ask(uses_fallbacks=False)


def test_an_answer_names_the_model_that_was_asked_for():
    """A fallback's answer names its own."""
    first = group(fallbacks=(Fallback("f", frozenset({Cause.ERROR})),))
    world = World(Provider(**{"m-0": [failure()]}), first, group("f"))
    world.ask()
    assert [request.shown_model for _, request in world.provider.asked] == ["m", ""]


def test_resources_that_share_a_name_stand_in_for_each_other():
    world = World(Provider(**{"m-0": [failure()]}), group("m"), group("n"))
    served = world.ask("m", "n")
    assert (served.runtime.group.name, served.fell_back) == ("n", False)


def test_a_wrong_request_is_not_sent_to_the_other_resource_of_that_name():
    world = World(Provider(**{"m-0": [failure(400, CLIENT_ERROR)]}), group("m"), group("n"))
    with pytest.raises(UpstreamError):
        world.ask("m", "n")
    assert world.provider.ids == ["m-0"]


def test_a_fallback_that_is_not_served_or_the_model_itself_is_passed_over():
    names = ("gone", "m", "f")
    first = group(fallbacks=tuple(Fallback(name, frozenset({Cause.ERROR})) for name in names))
    world = World(Provider(**{"m-0": [failure()]}), first, group("f"))
    assert world.ask().runtime.group.name == "f"
    assert world.provider.ids == ["m-0", "f-0"]


def test_a_models_own_limit_is_answered_by_the_other_resource_of_that_name():
    limited = group("m", limits=Limits(requests_per_minute=1, wait=0.0))
    world = World(Provider(), limited, group("n"))
    assert [world.ask("m", "n").runtime.group.name for _ in range(2)] == ["m", "n"]


def test_a_limit_that_is_reached_is_429_with_its_name_and_asks_nobody():
    world = World(Provider(), group(limits=Limits(requests_per_minute=1, wait=0.0)))
    world.ask()
    with pytest.raises(UpstreamError) as raised:
        world.ask()
    error = raised.value
    assert (error.status, error.param, error.code) == (429, "rateLimits.requestsPerMinute", "rate_limit_exceeded")
    assert (error.type, error.cause, error.reached) == ("rate_limit_error", Cause.RATE_LIMIT, False)
    assert str(error).startswith("m: rateLimits.requestsPerMinute is reached; retry in ")
    assert error.retry_after
    assert len(world.provider.asked) == 1


def test_an_attempt_that_reached_nobody_counts_against_no_limit():
    lost = UpstreamError(FailureKind.CONNECTION, 503, "unreachable", cause=Cause.SERVER_ERROR, reached=False)
    world = World(Provider(**{"m-0": [lost]}), group(limits=Limits(requests_per_minute=1, wait=0.0)))
    with pytest.raises(UpstreamError):
        world.ask()
    assert world.ask().answer.body == b"{}"


async def _events(*events: bytes) -> AsyncIterator[bytes]:
    for event in events:
        yield event


STREAM = Call(Route.CHAT, "m", Resolved(("m",), "m"), QUESTION, stream=True)


def one_stream_at_a_time() -> World:
    """Return a dispatcher of a model that answers one request at a time, the first with a stream."""
    stream = Answer(events=_events(b"data: 1\n\n", b"data: 2\n\n"), account=Account())
    return World(Provider(**{"m-0": [stream]}), group(limits=Limits(concurrent_requests=1, wait=0.0)))


def test_a_stream_holds_its_place_until_its_last_event():
    world = one_stream_at_a_time()

    async def run() -> None:
        served = await world.dispatcher.serve(STREAM, SILENT)
        with pytest.raises(UpstreamError, match="concurrentRequests"):
            await world.dispatcher.serve(STREAM, SILENT)
        assert served.answer.events is not None
        assert [event async for event in served.answer.events] == [b"data: 1\n\n", b"data: 2\n\n"]
        assert (
            served.answer.usage == Usage(served.answer.usage.input_tokens, 7, estimated=True) if served.answer.usage else False
        )
        await world.dispatcher.serve(STREAM, SILENT)

    asyncio.run(run())


@pytest.mark.parametrize("read", [0, 1])
def test_a_client_that_leaves_a_stream_gives_its_place_back(read: int):
    world = one_stream_at_a_time()

    async def run() -> None:
        served = await world.dispatcher.serve(STREAM, SILENT)
        assert served.answer.events is not None
        for _ in range(read):
            await anext(served.answer.events)
        await served.answer.aclose()
        await world.dispatcher.serve(STREAM, SILENT)

    asyncio.run(run())


class Endless:
    """Events that go on until they are closed; `broken` ends them with an error."""

    def __init__(self, broken: UpstreamError | None = None) -> None:
        self.broken = broken
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.broken:
            raise self.broken
        return b"data: 1\n\n"

    async def aclose(self) -> None:
        self.closed += 1


def test_a_client_that_leaves_a_stream_ends_the_providers_work_once():
    events = Endless()
    world = World(Provider(**{"m-0": [Answer(events=events, account=Account())]}), group(limits=Limits(concurrent_requests=9)))

    async def run() -> None:
        served = await world.dispatcher.serve(STREAM, SILENT)
        state = world.runtimes["m"].endpoints.states[0]
        assert state.in_flight == 1
        for _ in range(2):
            await served.answer.aclose()
            assert state.in_flight == 0

    asyncio.run(run())
    assert events.closed >= 1


def test_a_stream_that_breaks_is_the_endpoints_failure_and_says_which():
    broken = failure(502, Cause.SERVER_ERROR)
    world = World(Provider(**{"m-0": [Answer(events=Endless(broken), account=Account())]}), group())

    async def run() -> None:
        served = await world.dispatcher.serve(STREAM, SILENT)
        assert served.answer.events is not None
        with pytest.raises(UpstreamError):
            await anext(served.answer.events)
        state = world.runtimes["m"].endpoints.states[0]
        assert (state.failures, state.in_flight) == (1, 0)
        assert state.error is not None
        assert state.error[:2] == (Cause.SERVER_ERROR, 502)

    asyncio.run(run())


def test_a_client_that_leaves_before_the_answer_gives_its_place_back():
    world = World(Provider(**{"m-0": [asyncio.CancelledError]}), group(limits=Limits(concurrent_requests=1, wait=0.0)))
    with pytest.raises(asyncio.CancelledError):
        world.ask()
    assert world.ask().answer.body == b"{}"


def test_an_answer_without_usage_counts_by_estimate():
    said = b'{"choices": [{"message": {"content": "%s"}}]}' % (b"x" * 400)
    world = World(Provider(**{"m-0": [Answer(body=said)]}), group(limits=Limits(tokens_per_minute=50, wait=0.0)))
    served = world.ask()
    assert served.answer.usage is not None
    assert served.answer.usage.estimated
    assert served.answer.usage.output_tokens == 100
    with pytest.raises(UpstreamError, match="tokensPerMinute"):
        world.ask()


def used_for(route: Route, question: dict[str, Any], answer: Answer) -> Usage | None:
    """Return the usage of an answer, a stream's when its client has it all."""
    world = World(Provider(**{"m-0": [answer]}), group())

    async def run() -> Usage | None:
        served = await world.dispatcher.serve(Call(route, "m", Resolved(("m",), "m"), question), SILENT)
        if served.answer.events is not None:
            assert [event async for event in served.answer.events]
        return served.answer.usage

    return asyncio.run(run())


def test_speech_is_counted_by_its_characters():
    """What was spoken is no text of tokens, and its price is for each character."""
    spoken = used_for(
        Route.SPEECH, {"input": "x" * 40, "voice": "alloy"}, Answer(events=_events(b"\xff" * 40_000), is_binary=True)
    )
    assert spoken is not None
    assert (spoken.characters, spoken.output_tokens) == (40, 0)


def test_pictures_are_counted_and_no_tokens():
    body = b'{"data": [{"b64_json": "%s"}, {"b64_json": "%s"}]}' % (b"A" * 100_000, b"B" * 100_000)
    drawn = used_for(Route.IMAGES, {"prompt": "a house"}, Answer(body=body))
    assert drawn is not None
    assert (drawn.images, drawn.total) == (2, 0)


def test_a_usage_of_nothing_is_estimated():
    """Some servers report 0 for everything: a limit of tokens would not see their answers."""
    answer = Answer(body=b'{"choices": [{"message": {"content": "yes, indeed"}}]}', usage=Usage())
    found = used_for(Route.CHAT, QUESTION, answer)
    assert found is not None
    assert found.estimated
    assert found.output_tokens > 0
