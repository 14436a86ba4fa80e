"""Streamed answers of a provider: its events as they come, with as little changed as clients need."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import aiohttp
import orjson

from langop_model.contract.settings import Cause
from langop_model.gateway.deadline import Deadlines
from langop_model.gateway.upstreams import answers, events
from langop_model.gateway.upstreams.answers import add_reasoning_content, model_member
from langop_model.gateway.upstreams.base import FailureKind, Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.http_client import Response
from langop_model.gateway.upstreams.stream_usage import StreamUsage

WITH_DONE = (Route.CHAT, Route.COMPLETIONS)
END_TIMEOUT = 0.2  # seconds for a provider to end its answer after the last event; then the connection is not used again

Failed = Callable[[bytes], UpstreamError]


class RelayedStream:
    """One stream. `account` knows its usage and whether it has ended as its protocol says.

    `begun` is what has been read of it. Raises MalformedAnswerError for an encoding that was not asked for.
    """

    def __init__(self, response: Response, request: UpstreamRequest, failed: Failed, begun: bytes = b"") -> None:
        self.response = response
        self.begun = begun
        self.decode = answers.decoder(response)
        self.request = request
        self.failed = failed
        self.account = StreamUsage(request.route, choices_of(request))
        self.splitter = events.EventSplitter()
        self.adapt = Adapter(request)
        self.pending: list[bytes] = []
        self.deadlines = Deadlines()

    async def begin(self) -> None:
        """Wait for the first event. Raises UpstreamError where it is an error, or none of a model, or never comes.

        What comes before it without any data (a comment, `retry:`) says nothing: no client has to see it.
        """
        while not self.pending:
            received = await self._receive()
            if received is None:
                raise self._broken("the provider ended its stream before the first event")
            self.pending = list(itertools.dropwhile(lambda event: not events.data_of(event), received))
        if self.account.error is not None:
            self.response.close()
            raise self.failed(events.data_of(self.account.error))
        said = events.data_of(self.pending[0])
        if said == events.DONE:
            raise self._broken("the provider ended its stream before the first event")
        if not events.holds_object(said):
            raise self._broken("the first event of the provider's stream is not a JSON object")

    async def _receive(self) -> list[bytes] | None:
        """Return the next events, None at the end."""
        data = self.begun or await self.response.content.readany()
        self.begun = b""
        try:
            found = self._split(data) if data else self.splitter.last()
        except events.EventTooLargeError:
            raise self._broken("an event of the provider's stream is too large") from None
        except answers.MalformedAnswerError as problem:
            raise self._broken(str(problem)) from None
        for event in found:
            self.account.feed(event)
        return found if data or found else None

    def _split(self, data: bytes) -> list[bytes]:
        if self.decode is not None:
            data = self.decode(data, events.MAX_EVENT_SIZE + 1)
            if len(data) > events.MAX_EVENT_SIZE:
                raise events.EventTooLargeError
        if not self.account.events:
            data = data.removeprefix(events.BYTE_ORDER_MARK)
        return self.splitter.feed(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the events, the first of which has arrived. Raises UpstreamError where the stream fails or does not end."""
        try:
            received: list[bytes] | None = self.pending
            while received is not None:
                for event in received:
                    if self.account.error is event:
                        raise self.failed(events.data_of(event))
                    adapted = self.adapt(event)
                    if adapted:
                        yield adapted
                received = await self._next()
            if not self.account.is_complete:
                raise self._broken("the provider's stream ended before its end")
            if self.request.route in WITH_DONE and not self.account.ended:
                yield events.DONE_EVENT
        finally:
            self.deadlines.close()
            answers.leave(self.response)

    async def _next(self) -> list[bytes] | None:
        """Return the events that come next; None at the end, or a moment after the last event."""
        seconds = END_TIMEOUT if self.account.ended else self.request.timeout
        try:
            with self.deadlines.within(seconds):
                return await self._receive()
        except TimeoutError:
            if self.account.ended:
                return None
            raise paused(self.request.timeout) from None
        except (aiohttp.ClientError, OSError):
            if self.account.is_complete:
                return None
            raise self._broken("the connection to the provider broke during its stream") from None

    def _broken(self, message: str) -> UpstreamError:
        self.response.close()
        return broken(message)


def choices_of(request: UpstreamRequest) -> int:
    """Return how many choices an answer has."""
    number = request.body.get("n")
    return number if isinstance(number, int) and number > 1 else 1


def broken(message: str) -> UpstreamError:
    """Return the failure of a stream that is not what it should be."""
    return UpstreamError(FailureKind.STREAM, 502, message, cause=Cause.SERVER_ERROR)


def paused(seconds: float) -> UpstreamError:
    """Return the failure of a stream whose next part is late."""
    message = f"the provider's stream paused for more than {seconds:g} s"
    return UpstreamError(FailureKind.TIMEOUT, 504, message, cause=Cause.TIMEOUT)


class Adapter:
    """What is changed in the events of a stream: the model's name, and what clients rely on and some servers omit."""

    __slots__ = ("has_tool_calls", "is_single", "new_model", "old_model", "request", "strips_usage")

    def __init__(self, request: UpstreamRequest) -> None:
        self.request = request
        self.strips_usage = request.strips_usage
        self.has_tool_calls = False
        self.is_single = choices_of(request) == 1  # of several, one may call tools and another stop
        self.new_model = model_member(request.shown_model) if request.shown_model else b""
        self.old_model: bytes | None = None

    def __call__(self, event: bytes) -> bytes:
        """Return an event as the client gets it; empty where it gets none."""
        if self.strips_usage and _is_usage_alone(event):
            return b""
        if self.new_model and b'"model"' in event:
            event = self._renamed(event)
        if self.request.route is Route.CHAT:
            event = self._completed(event)
        return event

    def _renamed(self, event: bytes) -> bytes:
        if self.old_model is None or self.old_model not in event:
            named = _model_in(event)
            if named is None:
                return event
            self.old_model = named
        return event.replace(self.old_model, self.new_model, 1)

    def _completed(self, event: bytes) -> bytes:
        if b'"tool_calls":[{' in event or b'"tool_calls": [{' in event:
            self.has_tool_calls = True
        if self.has_tool_calls and self.is_single and b'"stop"' in event:
            event = event.replace(b'"finish_reason":"stop"', b'"finish_reason":"tool_calls"')
            event = event.replace(b'"finish_reason": "stop"', b'"finish_reason": "tool_calls"')
        if b'"reasoning"' in event and b'"reasoning_content"' not in event:
            event = _with_reasoning_content(event)
        return event


def _is_usage_alone(event: bytes) -> bool:
    """Whether an event holds a usage and no choice. Azure's first one has no choice either, but what it found in the prompt."""
    if b'"usage"' not in event or not (b'"choices":[]' in event or b'"choices": []' in event):
        return False
    return b'"usage":null' not in event and b'"usage": null' not in event


def _model_in(event: bytes) -> bytes | None:
    """Return the member `model` of an event as it is written there; None where it is in no text of the event."""
    at = event.find(b'"model"')
    start = event.find(b'"', at + len(b'"model"'))
    if start < 0 or event[at + len(b'"model"') : start].strip() != b":":
        return None
    end = event.find(b'"', start + 1)
    return event[at : end + 1] if end > start else None


def _with_reasoning_content(event: bytes) -> bytes:
    try:
        found = orjson.loads(events.data_of(event))
        deltas = [choice["delta"] for choice in found["choices"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return event
    changed = [add_reasoning_content(delta) for delta in deltas if isinstance(delta, dict)]
    return b"data: " + orjson.dumps(found) + b"\n\n" if any(changed) else event
