"""What the dispatcher and the two upstreams say to each other: a request for one attempt, its answer, and its failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from langop_model.contract.settings import Cause, Endpoint, Group

CLIENT_ERROR = "client_error"  # beside the values of Cause: another endpoint or model would refuse the request too


class Route(StrEnum):
    """What a client asks a model for, whatever the path and the protocol."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    GENERATE_CONTENT = "generate_content"
    MODERATIONS = "moderations"
    IMAGES = "images"
    IMAGE_EDITS = "image_edits"
    TRANSCRIPTIONS = "transcriptions"
    SPEECH = "speech"
    RERANK = "rerank"


class FailureKind(StrEnum):
    """What failed: the provider's answer, or what kept it from coming."""

    HTTP = "http"  # the provider answered with an error
    CONNECTION = "connection"  # no connection, or it broke before an answer
    CERTIFICATE = "certificate"  # no connection, because nobody who is trusted vouches for the provider
    TIMEOUT = "timeout"
    MALFORMED = "malformed"  # an answer that is not what the protocol says
    STREAM = "stream"  # the first event of a stream is an error
    RATE_LIMITED = "rate_limited"  # the gateway's own limit; no provider was asked
    UNSUPPORTED = "unsupported"  # the provider has no such route or parameter; it was not asked
    TRANSLATOR = "translator"  # the translator died or could not be reached


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form: the name of its field, its own name, its media type and its bytes."""

    field: str
    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)  # a frozen one takes five times as long to make
class Usage:
    """What an answer used, never changed once it is known; its tokens are `estimated` where the provider did not report them.

    `cached_tokens` and `cache_creation_tokens` are part of the input, `reasoning_tokens` of the output, and
    `cache_creation_hour_tokens`, which stay in the provider's cache for an hour, of `cache_creation_tokens`.
    Where something else than tokens has a price: `images` and rerank `queries` are numbers, `seconds` are those of the audio,
    and `characters` those that were spoken. `tier` is the service tier that the provider names, empty for its standard one.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_creation_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    estimated: bool = False
    cache_creation_hour_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    characters: int = 0
    queries: int = 0
    tier: str = ""

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(slots=True)  # as above
class UpstreamRequest:
    """What an attempt asks, never changed: `body` as the client wrote it, with the defaults of the specification.

    `model` is the name that the client asked for; of a group that serves any, what follows the group's own name. `headers`
    are those of the client that the provider gets (`anthropic-beta`, `traceparent`). `timeout` bounds a whole answer, and the
    wait for the first event of a stream and for each next one, in seconds. `agent` is the caller's name, if it has one.

    An answer names `shown_model`, or the provider's own name where that is empty. `strips_usage`: the client did not ask for
    the usage of its stream, but the gateway does.
    """

    route: Route
    model: str
    body: Mapping[str, Any]
    stream: bool = False
    files: tuple[File, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 300.0
    call_id: str = ""
    agent: str | None = None
    shown_model: str = ""
    strips_usage: bool = False


class StreamAccount(Protocol):
    """What is known of a stream from the events that have passed."""

    @property
    def is_complete(self) -> bool:
        """Whether the stream has ended as its protocol says, without an error."""

    def usage(self) -> Usage | None:
        """Return what the provider reported; None if it did not."""

    def estimate(self, question: int) -> Usage:
        """Return an estimate for a stream whose provider reported nothing; `question` in tokens."""


class Answer:
    """A successful answer that has begun: whole in `body`, or as `events` whose first one has arrived.

    `usage` is known at once for a whole answer, and for a stream when its events are exhausted.
    An event is one complete server-sent event with the blank line at its end; of an answer that is no such stream (`is_binary`,
    audio for example) it is any part. Iterating `events` raises UpstreamError when the stream breaks, ends without its end, or
    says an error. `account` follows the events of a stream. `dropped` are hints that this model does not
    take, as far as only the translator could tell.
    """

    __slots__ = ("account", "body", "content_type", "dropped", "events", "is_binary", "status", "usage")

    def __init__(  # noqa: PLR0913 - most answers have few of these
        self,
        status: int = 200,
        content_type: str = "application/json",
        *,
        body: bytes | None = None,
        events: AsyncIterator[bytes] | None = None,
        usage: Usage | None = None,
        dropped: tuple[str, ...] = (),
        is_binary: bool = False,
        account: StreamAccount | None = None,
    ) -> None:
        self.status = status
        self.content_type = content_type
        self.body = body
        self.events = events
        self.usage = usage
        self.dropped = dropped
        self.is_binary = is_binary
        self.account = account

    def copy(self) -> Answer:
        """Return another answer with the same events or body."""
        return Answer(
            self.status,
            self.content_type,
            body=self.body,
            events=self.events,
            usage=self.usage,
            dropped=self.dropped,
            is_binary=self.is_binary,
            account=self.account,
        )

    async def aclose(self) -> None:
        """End the provider's work on the answer: the client has left, or has it all."""
        close = getattr(self.events, "aclose", None)
        if close is not None:
            await close()


class CheckFailedError(Exception):
    """A health check has found an endpoint down: why, and the HTTP status, 0 where it did not answer."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class UpstreamError(Exception):
    """An attempt that failed. `status` and `body` are what the client gets where no other attempt succeeds.

    `body` is the provider's own, without keys, addresses and accounts; empty where there is none, then `message` says what
    happened. `type`, `code` and `param` are those of OpenAI's errors, where the provider says them. `cause` is a value of
    Cause, or CLIENT_ERROR. `retry_after` is the provider's, in seconds. `reached`: the provider has answered, be it with an
    error; an attempt that reached nobody counts against no limit.
    """

    def __init__(  # noqa: PLR0913 - each is what a failure may say
        self,
        kind: FailureKind,
        status: int,
        message: str,
        *,
        cause: Cause | str,
        body: bytes = b"",
        type: str | None = None,  # noqa: A002 - OpenAI's name
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message
        self.cause = str(cause)
        self.body = body
        self.type = type
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self.reached = reached

    def forget_frames(self) -> None:
        """Forget through which functions it came: they know the request, which may know this error."""
        self.__traceback__ = self.__context__ = self.__cause__ = None


class Upstream(Protocol):
    """A way to ask a provider."""

    async def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:
        """Ask an endpoint of a group once: exactly one request to the provider. Raises UpstreamError."""

    async def aclose(self) -> None:
        """Close connections."""
