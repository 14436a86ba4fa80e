"""A whole answer to a request for a stream, as some servers give it: what it says, as the events of a stream.

A client that has asked for a stream reads events; in an answer without any it finds nothing, and most say nothing of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson

from langop_model.gateway.upstreams import events
from langop_model.gateway.upstreams.answers import MalformedAnswerError
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamRequest
from langop_model.gateway.upstreams.stream_usage import StreamUsage

OBJECTS = {Route.CHAT: "chat.completion.chunk", Route.COMPLETIONS: "text_completion"}
# Their streams are made of more than parts of the whole answer, and every server that has these routes streams them.
OTHERS = (Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT)


def of(answer: Answer, request: UpstreamRequest) -> Answer:
    """Return the stream that says what a whole answer does; the answer itself on routes whose streams are optional.

    Raises MalformedAnswerError where there is no such stream.
    """
    if request.route in OTHERS:
        raise MalformedAnswerError("the provider answered a request for a stream with a whole answer")
    if request.route not in OBJECTS or answer.body is None:
        return answer
    account = StreamUsage(request.route)
    shown: list[bytes] = []
    for part in _parts(orjson.loads(answer.body), request.route):
        event = b"data: " + orjson.dumps(part) + events.END
        account.feed(event)
        if part["choices"] or _wants_usage(request):
            shown.append(event)
    account.feed(events.DONE_EVENT)
    return Answer(answer.status, events.MEDIA_TYPE, events=_each([*shown, events.DONE_EVENT]), account=account)


def _parts(body: dict[str, Any], route: Route) -> Iterator[dict[str, Any]]:
    """Yield the chunks: for each choice what it says and why it has ended, then the usage."""
    head = {name: value for name, value in body.items() if name not in ("choices", "usage")} | {"object": OBJECTS[route]}
    choices = [choice for choice in body["choices"] if isinstance(choice, dict)]
    for choice in choices:
        if route is Route.CHAT:
            choice["delta"] = _delta(choice.pop("message", None))
        yield {**head, "choices": [{**choice, "finish_reason": None}]}
    for index, choice in enumerate(choices):
        reason = choice.get("finish_reason") or "stop"
        ended: dict[str, Any] = {"index": choice.get("index", index), "finish_reason": reason}
        if route is Route.CHAT:
            ended["delta"] = {}
        else:
            ended["text"] = ""
        yield {**head, "choices": [ended]}
    if isinstance(body.get("usage"), dict):
        yield {**head, "choices": [], "usage": body["usage"]}


def _delta(message: Any) -> dict[str, Any]:
    """Return a message as a delta, in which a tool call says which one it is."""
    delta = dict(message) if isinstance(message, dict) else {}
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls) if isinstance(call, dict)]
    return delta


def _wants_usage(request: UpstreamRequest) -> bool:
    options = request.body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True and not request.strips_usage


async def _each(found: list[bytes]) -> AsyncIterator[bytes]:
    for event in found:
        yield event
