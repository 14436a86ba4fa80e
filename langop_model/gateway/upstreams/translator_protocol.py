"""What a worker and the translator say to each other: a call, its answer, and the frames of a streamed one.

A call is a POST to PATH: its body is the length of a JSON object in four bytes, that object, and the bytes of its files. A
whole answer has its usage and the dropped parameters in headers; a failure is a JSON object with the status FAILED. A stream is
a sequence of frames: a type in one byte, a length in four, and so many bytes. Without an END frame it was cut.
"""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any

import orjson

from langop_model.gateway.upstreams.base import FailureKind, File, Route, Usage

PATH = "/translate"
HEALTH = "/health"
STATUS_IN_BODY = 200  # the status of a failure whose own is to be found in its body: an error within a successful answer
FAILED = 502  # the HTTP status of every failure; the failure's own is in its JSON
USAGE_HEADER = "x-usage"
DROPPED_HEADER = "x-dropped"
STREAM_TYPE = "application/x-langop-frames"

_LENGTH = struct.Struct(">I")
FRAME = struct.Struct(">BI")


class Frame(IntEnum):
    """The type of a frame: one event for the client, the stream's usage, a failure that ends it, or its proper end."""

    EVENT = 1
    USAGE = 2
    FAILURE = 3
    END = 4


class InvalidCallError(ValueError):
    """A call that is not what this module writes."""


@dataclass(slots=True)
class Call:
    """One request to one deployment.

    `parameters` are its rendered `litellm_params` with the keys in place, `variables` keys that LiteLLM reads from the process
    only. `stated` names the members of the body that are as the specification states them. `asked` is the name of the model
    that the client asked for. `native`: whether the provider serves the route in the client's protocol; None where nothing is
    declared. `drop`: a parameter that changes no meaning and that the model does not take is dropped; else it is an error.
    `timeout` is in seconds. `metadata` is for LiteLLM's callbacks.
    """

    route: Route
    parameters: dict[str, Any]
    body: dict[str, Any]
    stated: tuple[str, ...] = ()
    asked: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    stream: bool = False
    native: bool | None = None
    drop: bool = True
    timeout: float = 300.0
    call_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()


_MEMBERS = [each.name for each in fields(Call)]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call failed: UpstreamError's members, but for the cause. `body` is the provider's own text, as it came.

    `status` is STATUS_IN_BODY for an error that came within an answer.

    `retry_after` is in seconds.
    """

    kind: str
    status: int
    message: str
    body: str = ""
    content_type: str = "application/json"
    retry_after: float | None = None
    reached: bool = True

    def dump(self) -> bytes:
        return orjson.dumps(asdict(self))


def load_failure(text: bytes) -> Failure:
    """Return the failure that `dump` wrote. Raises InvalidCallError."""
    try:
        failure = Failure(**orjson.loads(text))
        FailureKind(failure.kind)
    except (TypeError, ValueError) as problem:
        raise InvalidCallError(str(problem)) from None
    return failure


def dump_call(call: Call) -> bytes:
    """Return a call as the body of a request."""
    members = {name: getattr(call, name) for name in _MEMBERS}
    members["files"] = [
        {"field": file.field, "name": file.name, "content_type": file.content_type, "size": len(file.content)}
        for file in call.files
    ]
    head = orjson.dumps(members, option=orjson.OPT_NON_STR_KEYS)
    return b"".join([_LENGTH.pack(len(head)), head, *(file.content for file in call.files)])


def load_call(data: bytes | bytearray) -> Call:
    """Return the call that `dump_call` wrote. Raises InvalidCallError."""
    view = memoryview(data)  # a slice of bytes would be a copy
    try:
        (length,) = _LENGTH.unpack_from(view)
        start = _LENGTH.size + length
        members = orjson.loads(view[_LENGTH.size : start])
        files = []
        for each in members.pop("files"):
            end = start + each.pop("size")
            files.append(File(content=bytes(view[start:end]), **each))
            start = end
        return Call(**{**members, "route": Route(members["route"]), "files": tuple(files)})
    except (struct.error, TypeError, KeyError, ValueError) as problem:
        raise InvalidCallError(str(problem)) from None


def dump_frame(kind: Frame, data: bytes = b"") -> bytes:
    """Return a frame."""
    return FRAME.pack(kind, len(data)) + data


def dump_usage(usage: Usage | None) -> bytes:
    """Return a usage as JSON; `null` where there is none."""
    return orjson.dumps(usage)


def load_usage(text: bytes | str) -> Usage | None:
    """Return the usage that `dump_usage` wrote."""
    members = orjson.loads(text)
    return Usage(**members) if members else None
