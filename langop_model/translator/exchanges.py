"""What passes between a call and its provider, seen by hooks of the HTTP clients, which are httpx's.

Hooks are public in httpx, and so is the stream of a response: each part is looked at on its way to LiteLLM. Headers are added
here, because some of LiteLLM's functions send none but their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

from langop_model.translator.cohere_events import Lines
from langop_model.translator.provider_answer import STREAMS, ProviderAnswer

OF_THE_BODY = frozenset({"content-length", "content-type", "transfer-encoding"})  # who wrote a body knows these


class Exchange:
    """What the provider has answered to one call. `answer` is its last answer that is no error, None where none was seen.

    `headers` go with each request to it: those of the specification, and the trace. `lines` is what makes of its stream what
    LiteLLM can read, None where it can.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.headers = headers or {}
        self.answer: ProviderAnswer | None = None
        self.response: httpx.Response | None = None
        self.lines: Lines | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the provider has accepted the request: what fails from then on is its answer."""
        return self.answer is not None

    @property
    def has_begun(self) -> bool:
        """Whether the provider has said something of its answer, as far as that can be seen."""
        return self.answer is None or self.answer.has_begun

    @property
    def said_error(self) -> bool:
        """Whether the answer is an error, whatever its status."""
        return self.answer is not None and self.answer.error is not None

    async def aclose(self) -> None:
        """Close the connection of an answer that is not read to its end: LiteLLM does not do it in all of its streams."""
        if self.response is not None and not self.response.is_closed:
            await self.response.aclose()


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def watch(headers: Mapping[str, str] | None = None) -> Exchange:
    """Return the exchange of the call that is made in this task."""
    exchange = Exchange(headers)
    _exchange.set(exchange)
    return exchange


def complete(request: httpx.Request) -> None:
    """Add the headers of the call to a request: a hook of a client that waits for nothing."""
    exchange = _exchange.get()
    for name, value in exchange.headers.items() if exchange is not None else ():
        if name.lower() not in OF_THE_BODY or name not in request.headers:
            request.headers[name] = value


async def complete_async(request: httpx.Request) -> None:
    """Add the headers of the call to a request."""
    complete(request)


def note(response: httpx.Response) -> None:
    """Look at an answer: a hook of a client that waits for nothing."""
    answer = _answer(response)
    if answer is not None:
        response.stream = _Seen(response.stream, answer)


async def note_async(response: httpx.Response) -> None:
    """Look at an answer."""
    answer = _answer(response)
    if answer is not None:
        response.stream = _AsyncSeen(response.stream, answer, _lines(response, answer))


def _lines(response: httpx.Response, answer: ProviderAnswer) -> Lines | None:
    """Return what makes lines of an answer that is a stream; one in an encoding stays as it is."""
    exchange = _exchange.get()
    is_stream = answer.content_type in STREAMS and "content-encoding" not in response.headers
    return exchange.lines if exchange is not None and is_stream else None


def _answer(response: httpx.Response) -> ProviderAnswer | None:
    exchange = _exchange.get()
    if exchange is None or response.status_code >= 400:
        return None
    headers = response.headers
    exchange.response = response
    exchange.answer = ProviderAnswer(headers.get("content-type", ""), headers.get("content-encoding", ""))
    return exchange.answer


@contextmanager
def _watched(answer: ProviderAnswer) -> Iterator[None]:
    """Note how the reading of an answer ends: with a failure, or whole. One that is given up is neither."""
    try:
        yield
    except Exception as problem:
        answer.broke = problem
        raise
    answer.end()


class _AsyncSeen(httpx.AsyncByteStream):
    def __init__(self, stream: object, answer: ProviderAnswer, lines: Lines | None) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - the client is an AsyncClient
        self.stream = stream
        self.answer = answer
        self.lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _watched(self.answer):
            async for part in self.stream:
                self.answer.feed(part)
                if self.lines is None:
                    yield part
                elif lines := self.lines.feed(part):
                    yield lines
        if self.lines is not None and (last := self.lines.end()):
            yield last

    async def aclose(self) -> None:
        await self.stream.aclose()


class _Seen(httpx.SyncByteStream):
    def __init__(self, stream: object, answer: ProviderAnswer) -> None:
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 - the client is a Client
        self.stream = stream
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _watched(self.answer):
            for part in self.stream:
                self.answer.feed(part)
                yield part

    def close(self) -> None:
        self.stream.close()
