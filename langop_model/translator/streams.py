"""From LiteLLM's streams to complete server-sent events in the client's protocol, and the usage beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from langop_model.gateway.upstreams.base import Usage
from langop_model.gateway.upstreams.events import DONE, DONE_EVENT
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import response_ids, usage
from langop_model.translator.exchanges import Exchange
from langop_model.translator.failures import MalformedStreamError, UnfinishedStreamError

# Providers whose streams say in no way that they are complete.
NO_END = frozenset({"bytez", "predibase", "sagemaker", "triton"})

_closing: set[asyncio.Task[None]] = set()  # asyncio itself keeps no task alive


class Events:
    """The events of one stream. `usage` is known once they are exhausted."""

    def __init__(
        self, source: Any, call: Call, provider: str, form: Callable[[Events], AsyncIterator[bytes]], exchange: Exchange
    ) -> None:
        self.source = source
        self.call = call
        self.provider = provider
        self.exchange = exchange
        self.usage: Usage | None = None
        self._events = form(self)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events

    async def begin(self) -> list[bytes]:
        """Return the first events, when the provider has said something: until then a stream fails as any answer does.

        Raises MalformedStreamError where it says nothing, and whatever LiteLLM raises.
        """
        first: list[bytes] = []
        try:
            async for event in self._events:
                first.append(event)
                if self.exchange.has_begun:
                    return first
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        raise MalformedStreamError("the provider's stream is empty")

    def check_end(self) -> None:
        """Raise MalformedStreamError or UnfinishedStreamError unless the provider has said that its answer is complete."""
        answer = self.exchange.answer
        if answer is None:
            complete = _ended(self.source)
        elif not answer.has_begun:
            raise MalformedStreamError("the provider did not answer in its protocol")
        else:
            complete = answer.is_complete or (self.provider in NO_END and answer.broke is None and answer.error is None)
        if not complete:
            raise UnfinishedStreamError

    async def aclose(self) -> None:
        """End the provider's work, also where the task of the call is being cancelled: so in a task of its own."""
        closing = asyncio.ensure_future(self._close())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        await asyncio.shield(closing)

    async def _close(self) -> None:
        close = getattr(self._events, "aclose", None)
        for closing in (self.exchange.aclose, close, getattr(self.source, "aclose", None)):
            if closing is not None:
                with contextlib.suppress(Exception):
                    await closing()


def event(content: Any, name: str = "") -> bytes:
    """Return a server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(content) + b"\n\n"


async def chat(events: Events) -> AsyncIterator[bytes]:
    """Chat and text completions. The usage is asked for always, and shown to a client that asked for it."""
    asked = bool((events.call.body.get("stream_options") or {}).get("include_usage"))
    identity: dict[str, Any] = {}
    last: dict[str, Any] | None = None
    async for chunk in events.source:
        part = _dumped(chunk)
        if isinstance(part.get("error"), dict):
            raise MalformedStreamError("the provider's stream holds an error")
        used = usage.taken_from(part, events.call.route)
        said = part.pop("usage", None)
        if used is not None:
            events.usage, last = used, said
        identity = identity or {name: part[name] for name in ("id", "created") if name in part}
        part.update(identity, model=events.call.asked or part.get("model"))
        part.pop("cost", None)
        if any(choice.get("finish_reason") for choice in part.get("choices", [])):
            events.check_end()
        if any(_says_something(choice) for choice in part.get("choices", [])):
            yield event(part)
        head = part
    events.check_end()
    if asked and last is not None:
        yield event({**head, "choices": [], "usage": last})
    yield DONE_EVENT


def _dumped(chunk: Any) -> dict[str, Any]:
    part: dict[str, Any] = chunk.model_dump(exclude_none=True, exclude_unset=True)
    for choice in part.get("choices", []):
        choice.setdefault("index", 0)
        choice.setdefault("finish_reason", None)
    return part


def _says_something(choice: dict[str, Any]) -> bool:
    return bool(choice.get("delta") or choice.get("finish_reason") or choice.get("text"))


def _ended(source: Any) -> bool:
    """Whether the provider said how the answer ended. LiteLLM makes up a `stop` where a stream was cut."""
    inner = getattr(source, "completion_stream", None)
    for wrapper in (source, inner):
        if wrapper is not None and hasattr(wrapper, "received_finish_reason"):
            return bool(wrapper.received_finish_reason or getattr(wrapper, "intermittent_finish_reason", None))
    return True


async def responses(events: Events) -> AsyncIterator[bytes]:
    """OpenAI's responses: each event has its name."""
    ended = False
    async for chunk in events.source:
        part = chunk if isinstance(chunk, dict) else chunk.model_dump(exclude_none=True, mode="json")
        kind = str(part.get("type", ""))
        response = part.get("response")
        if isinstance(response, dict):
            response["model"] = events.call.asked or response.get("model")
            response["id"] = response_ids.plain(str(response.get("id", "")))
            events.usage = usage.taken_from(response, events.call.route) or events.usage
        if kind in ("response.completed", "response.incomplete"):
            events.check_end()
            ended = True
        if kind in ("response.failed", "error"):
            raise MalformedStreamError("the provider's stream holds an error")
        yield event(part, kind)
    if not ended:
        raise UnfinishedStreamError


async def messages(events: Events) -> AsyncIterator[bytes]:
    """Anthropic's messages: LiteLLM gives bytes, which may hold half an event or several."""
    ended = False
    seen: dict[str, Any] = {}
    async for name, part in _events(events.source):
        if isinstance(part.get("message"), dict):
            part["message"]["model"] = events.call.asked or part["message"].get("model")
            seen.update(part["message"].get("usage") or {})
        if isinstance(part.get("usage"), dict):
            seen.update({key: value for key, value in part["usage"].items() if value is not None})
        if part.get("type") == "error":
            raise MalformedStreamError("the provider's stream holds an error")
        if part.get("type") == "message_stop" or (part.get("delta") or {}).get("stop_reason"):
            events.check_end()
            ended = True
        yield event(part, name or str(part.get("type", "")))
    events.usage = usage.tokens({"usage": seen}, events.call.route)
    if not ended:
        raise UnfinishedStreamError


async def generate_content(events: Events) -> AsyncIterator[bytes]:
    """Gemini's format."""
    ended = False
    async for _, part in _events(events.source):
        events.usage = usage.taken_from(part, events.call.route) or events.usage
        if any(candidate.get("finishReason") for candidate in part.get("candidates") or []):
            events.check_end()
            ended = True
        yield event(part)
    if not ended:
        raise UnfinishedStreamError


async def _events(source: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the content of each event in a stream of objects, or of the bytes of events."""
    rest = b""
    async for chunk in source:
        if isinstance(chunk, dict):
            yield "", chunk
            continue
        if not isinstance(chunk, bytes | str):
            yield "", chunk.model_dump(exclude_none=True, mode="json")
            continue
        rest += (chunk.encode() if isinstance(chunk, str) else chunk).replace(b"\r\n", b"\n")
        *whole, rest = rest.split(b"\n\n")
        for text in whole:
            if (found := _parsed(text)) is not None:
                yield found
    if (found := _parsed(rest)) is not None:
        yield found


def _parsed(text: bytes) -> tuple[str, dict[str, Any]] | None:
    name, data = "", []
    for line in text.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode()
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    joined = b"\n".join(data).strip()
    if not joined or joined == DONE:
        return None
    try:
        content = orjson.loads(joined)
    except orjson.JSONDecodeError:
        raise MalformedStreamError("the provider's stream holds an event that is not valid JSON") from None
    return (name, content) if isinstance(content, dict) else None
