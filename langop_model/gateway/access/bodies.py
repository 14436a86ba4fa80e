"""Reading the body of a request before LiteLLM does: how large, how deep, which fields."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from langop_model.gateway.access import fields, request_schemas
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.request_schemas import RequestSchema
from langop_model.gateway.scope import Message, Receive

LARGEST = 32 * 2**20  # bytes: what Anthropic's API takes; OpenAI's takes files of 25 MB
DEEPEST = 100  # arrays and objects within each other; JSON schemas of tools need a few dozen
WITHIN = 60.0  # seconds until a body is complete
MOST_PARTS = 100  # of a form


class Gone(Exception):
    """The client has left before its request was complete."""


async def read(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """Return the whole body. Raises APIError when it is too large or too slow, and Gone."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > LARGEST:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > LARGEST:
                    raise _too_large()
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise APIError(408, f"the body was not complete within {WITHIN:.0f} s", headers=((b"connection", b"close"),)) from None


def _too_large() -> APIError:
    return APIError(
        413, f"the body is larger than {LARGEST // 2**20} MiB", "request_too_large", headers=((b"connection", b"close"),)
    )


async def check(body: bytes, headers: Mapping[bytes, bytes], shape: RequestSchema) -> dict[str, Any]:
    """Return the fields of a body that LiteLLM may read. Raises APIError that says what is wrong, and with which field."""
    found = await _form(body, headers, shape) if shape.is_form else _json(body, headers)
    for name in found:
        if fields.is_setting(name) and name not in shape.fields:
            raise _setting(name)
    request_schemas.check(found, shape)
    for name in found.get("metadata") or ():
        if fields.is_setting_in_metadata(name):
            raise _setting(f"metadata.{name}")
    return found


def _setting(name: str) -> APIError:
    shown = name[:100]
    return APIError(400, f"{shown!a} is a setting of this gateway: a request can't choose it", "unknown_parameter", shown)


def _json(body: bytes, headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    kind = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise APIError(415, "the body must be JSON, and its Content-Type application/json")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        # Its message ends with the place; the text itself is not repeated.
        raise APIError(400, f"the body is no JSON: line {problem.lineno}, column {problem.colno}", "invalid_json") from None
    if not isinstance(found, dict):
        raise APIError(400, "the body must be a JSON object", "invalid_json")
    if is_deeper(found, DEEPEST):
        raise APIError(400, f"the body has more than {DEEPEST} arrays and objects within each other", "invalid_json")
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


async def _form(body: bytes, headers: Mapping[bytes, bytes], shape: RequestSchema) -> dict[str, Any]:
    """The fields of multipart/form-data, read with the parser that LiteLLM's server has: what it sees, this sees."""
    from starlette.datastructures import Headers, UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    if not headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data"):
        raise APIError(415, "the body must be a form, and its Content-Type multipart/form-data")
    raw = Headers(raw=list(headers.items()))
    try:
        form = await MultiPartParser(raw, _stream(body), max_files=MOST_PARTS, max_fields=MOST_PARTS).parse()
    except (MultiPartException, KeyError, ValueError):
        raise APIError(400, "the body is no form as multipart/form-data has it", "invalid_form") from None
    found: dict[str, Any] = {}
    for name, value in form.multi_items():
        bare = name.removesuffix("[]")
        if isinstance(value, UploadFile) is not (bare in shape.only_files):
            raise APIError(
                400, f"{name[:100]!a} must be {'a file' if bare in shape.only_files else 'a text'}", "invalid_type", name[:100]
            )
        found[bare] = value
    await form.close()
    return found


async def _stream(body: bytes) -> Any:
    yield body


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives LiteLLM the body again, then what the client does next."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
