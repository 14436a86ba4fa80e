"""Two ways to ask the same: what the provider got, what the client got, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any

import orjson

from langop_model.gateway.upstreams import whole_answer
from langop_model.gateway.upstreams.base import Answer, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.events import data_of
from tests.translator.scripted import Asked

HEADERS = ("authorization", "api-key", "x-api-key", "anthropic-version", "content-type")
FORM = "multipart/form-data"
VOLATILE = frozenset({"id", "created", "item_id"})  # made for each answer
Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A member that differs, or that one way alone has: `side` is relay, translation or both."""

    kind: str
    case: str
    at: str
    side: str
    relay: Any
    translation: Any

    def __str__(self) -> str:
        values = {"relay": f"{self.relay!r}", "translation": f"{self.translation!r}"}
        both = f"relay {self.relay!r}, translation {self.translation!r}"
        return f"{self.kind} {self.case}: {self.at} ({self.side}: {values.get(self.side, both)})"


def members(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of a JSON value with its path. Null, and what is empty, is as if it was not there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in VOLATILE:
                yield from members(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from members(inner, f"{path}.{number}")
    elif value is not None:
        yield path, value


def sent(asked: list[Asked]) -> Members:
    """Return what the provider got."""
    if not asked:
        return {"requests": 0}
    first = asked[0]
    headers = {name.lower(): value for name, value in first.headers.items()}
    found = {f"header {name}": headers[name] for name in HEADERS if name in headers}
    body = first.body
    if headers.get("content-type", "").startswith(FORM):
        body = _form(headers["content-type"], body)
        found["header content-type"] = FORM  # its boundary is made up for each request
    return {"requests": len(asked), "path": first.path, **found, **dict(members(body, "body"))}


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a form; a file as its name, its type and its content."""
    form = BytesParser(policy=policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found: dict[str, Any] = {}
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        value: Any = content.decode("latin-1")
        if part.get_filename() is not None:
            value = {"file": part.get_filename(), "type": part.get_content_type(), "content": value}
        found.setdefault(name, []).append(value)
    return found


async def got(asking: Any, request: UpstreamRequest) -> Members:
    """Return what the client gets, an answer, whole or assembled from its events, or an error, and what counts as used."""
    try:
        answer: Answer = await asking
        if answer.events is None:
            found = {"status": answer.status, **dict(members(_parsed(answer.body), "body"))}
        else:
            found = {"status": answer.status, **await _assembled(answer)}
        usage = whole_answer.of(request, answer)
        counted = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.images, usage.seconds)
        return {**found, "usage": ("estimated", *counted) if usage.estimated else counted}
    except UpstreamError as error:
        return _failed(error)


def _parsed(body: bytes | None) -> Any:
    try:
        return orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return (body or b"").decode("latin-1")


def _failed(error: UpstreamError) -> Members:
    found = {"status": error.status, "cause": error.cause, "retry_after": error.retry_after, "message": error.message}
    said = {"type": error.type, "code": error.code, "param": error.param}
    return {name: value for name, value in {**found, **said}.items() if value is not None}


async def _assembled(answer: Answer) -> Members:
    """Return what a stream amounts to: the number and size of its events are nobody's business."""
    found: Members = {}
    text: dict[str, str] = {}
    assert answer.events is not None
    if answer.is_binary:
        return {"body": b"".join([part async for part in answer.events]).decode("latin-1")}
    try:
        async for event in answer.events:
            data = data_of(event)
            if data == b"[DONE]":
                found["done"] = True
                continue
            for path, value in members(orjson.loads(data)):
                if isinstance(value, str) and ("delta" in path) and not path.endswith(("role", "type", "name")):
                    text[path] = text.get(path, "") + value
                else:
                    found[path] = value
    except UpstreamError as error:
        found.update({f"error {name}": value for name, value in _failed(error).items()})
    return {**found, **text}


def differences(kind: str, case: str, where: str, relay: Mapping[str, Any], translation: Mapping[str, Any]) -> list[Difference]:
    """Return where two results differ, member by member; only by their status or number of requests where those differ."""
    for path in ("status", "error status", "requests"):
        if relay.get(path) != translation.get(path):
            return [Difference(kind, case, f"{where} {path}", "both", relay.get(path), translation.get(path))]
    found = []
    for path in sorted({*relay, *translation}):
        one, other = relay.get(path), translation.get(path)
        if one == other:
            continue
        side = "both" if path in relay and path in translation else "relay" if path in relay else "translation"
        found.append(Difference(kind, case, f"{where} {path}", side, one, other))
    return found
