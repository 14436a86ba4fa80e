"""The body of a request: read within limits, parsed, and checked against the schema of its route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from langop_model.gateway.access import request_schemas
from langop_model.gateway.access.body_memory import CLOSE, MAX_BODY_SIZE, BodyMemory
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.request_schemas import RequestSchema
from langop_model.gateway.asgi import Receive
from langop_model.gateway.deadline import Deadline
from langop_model.gateway.upstreams.base import File

MAX_BODY_DEPTH = 100  # arrays and objects within each other; JSON schemas of tools need a few dozen
MAX_MEMBERS = 100_000  # of all objects together; parsed they take 25 MiB
MAX_PARTS = 100  # of a form
JSON = b"application/json"
BODY_TIMEOUT = 60.0  # seconds until a body is complete


class ClientDisconnectedError(Exception):
    """The client closed its connection before its request was complete."""


@dataclass(slots=True)
class Body:
    """A parsed body, never changed: its members, and the files of a form."""

    members: dict[str, Any]
    files: tuple[File, ...] = ()


memory = BodyMemory()
WholeBody = Callable[[], bytes | None]


def take_whole(whole: WholeBody | None) -> bytes | None:
    """Return a body that has arrived, and take its size of `memory`; None for one to `read`. Raises APIError (413, 503)."""
    arrived = whole() if whole is not None else None
    if arrived is not None:
        if len(arrived) > MAX_BODY_SIZE:
            raise _too_large()
        memory.take(len(arrived))
    return arrived


async def read(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """Return the whole body, and take its size of `memory`, which is given back when the request has been answered.

    Raises APIError (413, 408, 503) when it is too large or too slow, and ClientDisconnectedError.
    """
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY_SIZE:
        raise _too_large()
    parts: list[bytes] = []
    size, more = 0, True
    try:
        with Deadline(BODY_TIMEOUT):
            while more:
                message = await _next(receive)
                part = message.get("body", b"")
                more = message.get("more_body", False)
                if size + len(part) > MAX_BODY_SIZE:
                    raise _too_large()
                memory.take(len(part))
                size += len(part)
                parts.append(part)
    except BaseException as problem:
        memory.give_back(size)
        if isinstance(problem, TimeoutError):
            raise APIError(408, f"the body was not complete within {BODY_TIMEOUT:.0f} s", headers=CLOSE) from None
        raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _next(receive: Receive) -> Mapping[str, Any]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnectedError
    return message


def _too_large() -> APIError:
    return APIError(413, f"the body is larger than {MAX_BODY_SIZE // 2**20} MiB", "request_too_large", headers=CLOSE)


def parse(body: bytes, headers: Mapping[bytes, bytes], schema: RequestSchema) -> Body:
    """Return a body that fits its schema. Raises APIError (400, 415) that says what is wrong, and with which member."""
    if schema.is_form:
        parsed = _form(body, headers, schema)
        request_schemas.check({**parsed.members, **{file.field: file for file in parsed.files}}, schema)
        return parsed
    members = _json(body, headers)
    request_schemas.check(members, schema)
    return Body(members)


def _json(body: bytes, headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    media_type = headers.get(b"content-type", JSON)
    if media_type != JSON and media_type.partition(b";")[0].strip().lower() != JSON:
        raise APIError(415, "the body must be JSON, and its Content-Type application/json")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        # Its message ends with the place; the text itself is not repeated.
        message = f"the body is not valid JSON: line {problem.lineno}, column {problem.colno}"
        raise APIError(400, message, "invalid_json") from None
    if not isinstance(found, dict):
        raise APIError(400, "the body must be a JSON object", "invalid_json")
    # Most bodies have too few brackets and colons to break a limit, whatever their texts are.
    if body.count(b"[") + body.count(b"{") > MAX_BODY_DEPTH and is_deeper(found, MAX_BODY_DEPTH):
        raise APIError(400, f"the body has more than {MAX_BODY_DEPTH} arrays and objects within each other", "invalid_json")
    if len(body) > MAX_MEMBERS and body.count(b":") > MAX_MEMBERS and members_of(found) > MAX_MEMBERS:
        raise APIError(400, f"the objects of the body have more than {MAX_MEMBERS} members", "invalid_json")
    return found


def is_deeper(value: Any, most: int) -> bool:
    """Whether more than `most` arrays and objects are within each other."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def members_of(value: Any) -> int:
    """Return how many members all objects in `value` have."""
    count, level = 0, [value]
    while level:
        count += sum(len(outer) for outer in level if isinstance(outer, dict))
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return count


def _form(body: bytes, headers: Mapping[bytes, bytes], schema: RequestSchema) -> Body:
    """Read multipart/form-data. A member `name[]` that appears several times becomes a list."""
    content_type = headers.get(b"content-type", b"")
    if not content_type.lower().startswith(b"multipart/form-data"):
        raise APIError(415, "the body must be a form, and its Content-Type multipart/form-data")
    members: dict[str, Any] = {}
    files: list[File] = []
    for part in _parts(body, content_type):
        name = part.name.removesuffix("[]")
        is_file = name in schema.only_files
        if is_file is not (part.file_name is not None):
            shown = name[:100]
            raise APIError(400, f"{shown!a} must be {'a file' if is_file else 'text'}", "invalid_type", shown)
        if is_file:
            files.append(File(name, part.file_name or name, part.content_type, bytes(part.content)))
        elif part.name.endswith("[]"):
            members.setdefault(name, []).append(part.text)
        else:
            members[name] = part.text
    return Body(members, tuple(files))


def _parts(body: bytes, content_type: bytes) -> list[Any]:
    from langop_model.gateway.access import multipart

    try:
        return multipart.parse(body, content_type, MAX_PARTS)
    except ValueError:
        raise APIError(400, "the body is not valid multipart/form-data", "invalid_form") from None
