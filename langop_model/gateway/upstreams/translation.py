"""Asking a provider through the translator: a call over its unix socket, its answer or its events, and every way it may fail.

The limits of time are kept here: when one is over the connection is closed, and the translator ends the provider's work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp

from langop_model.contract.settings import Cause, Endpoint, Group
from langop_model.gateway.deadline import Deadline
from langop_model.gateway.upstreams import answers, error_body, events, redaction
from langop_model.gateway.upstreams.base import (
    CLIENT_ERROR,
    Answer,
    FailureKind,
    UpstreamError,
    UpstreamRequest,
)
from langop_model.gateway.upstreams.deployments import Deployments, NoDeploymentError
from langop_model.gateway.upstreams.failure_causes import status_within_answer
from langop_model.gateway.upstreams.stream_usage import StreamUsage
from langop_model.gateway.upstreams.translator_protocol import (
    DROPPED_HEADER,
    FAILED,
    FRAME,
    PATH,
    STATUS_IN_BODY,
    STREAM_TYPE,
    USAGE_HEADER,
    Call,
    Failure,
    Frame,
    InvalidCallError,
    dump_call,
    load_failure,
    load_usage,
)

LOOK_AGAIN = 0.05  # seconds between two attempts to reach a translator that is starting
MARGIN = 5.0  # seconds that LiteLLM's own timeout is longer: the limit here is the one that counts

Classify = Callable[[int, bytes], str]


def by_status(status: int, _: bytes) -> str:
    """Return the cause of a failure by its status alone."""
    if status == 429:
        return Cause.RATE_LIMIT
    if status in (408, 504):
        return Cause.TIMEOUT
    return Cause.SERVER_ERROR if status >= 500 else CLIENT_ERROR


class Translation:
    """The upstream for what is not relayed. `sockets` are those of the translators: the least busy one is asked.

    `classify` says the cause of a provider's error. `drop`: hints that a model does not take are dropped. `wake` is called when
    no translator answers: it is started then.
    """

    def __init__(
        self,
        sockets: Sequence[str],
        deployments: Deployments,
        *,
        classify: Classify = by_status,
        drop: bool = True,
        wake: Callable[[], None] = lambda: None,
        metadata: Callable[[Group, UpstreamRequest], dict[str, Any]] | None = None,
    ) -> None:
        self.translators = [_Translator(path) for path in sockets]
        self.deployments = deployments
        self.classify = classify
        self.drop = drop
        self.wake = wake
        self.metadata = metadata or _metadata

    async def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:
        """Ask an endpoint once. Raises UpstreamError."""
        call, secrets = self._call(group, endpoint, request)
        exchange = _Exchange(self, call, secrets, request.timeout)
        return await exchange.begin(min(self.translators, key=lambda each: each.in_flight))

    async def aclose(self) -> None:
        """Close the connections to the translators."""
        for translator in self.translators:
            await translator.aclose()

    def _call(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> tuple[Call, tuple[str, ...]]:
        try:
            parameters, variables = self.deployments.parameters(group, endpoint, request)
        except NoDeploymentError:
            raise UpstreamError(
                FailureKind.UNSUPPORTED, 500, "this endpoint has no deployment", cause=Cause.SERVER_ERROR, reached=False
            ) from None
        native = None if group.upstream is None else request.route.value in group.upstream.routes
        body = dict(request.body)
        if request.strips_usage:
            body.pop("stream_options", None)  # the translator asks by itself, and shows the usage to who asked
        call = Call(
            route=request.route,
            parameters=parameters,
            body=body,
            stated=tuple(name for name, value in group.defaults.items() if name in body and body[name] == value),
            asked=request.shown_model,
            variables=variables,
            stream=request.stream,
            native=native,
            drop=self.drop,
            timeout=request.timeout + MARGIN,
            call_id=request.call_id,
            headers=dict(request.headers),
            metadata=self.metadata(group, request),
            files=request.files,
        )
        return call, redaction.secrets_of(parameters, variables.values())


def _metadata(group: Group, request: UpstreamRequest) -> dict[str, Any]:
    """What LiteLLM's callbacks learn of a request, under the names that its proxy gives it."""
    tags = [f"namespace:{group.namespace}", f"model:{group.resource}"]
    known: dict[str, Any] = {"model_group": group.name, "tags": tags, "litellm_trace_id": request.call_id}
    if request.agent:
        known.update(user_api_key_end_user_id=request.agent, user_api_key_alias=request.agent)
    return known


class _Translator:
    """One translator, and the connections to it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.in_flight = 0
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Return the session, which is made in the event loop of the first request."""
        if self._session is None:
            connector = aiohttp.UnixConnector(self.path, limit=0)
            none = aiohttp.ClientTimeout(total=None)
            self._session = aiohttp.ClientSession(connector=connector, timeout=none, auto_decompress=False)
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Exchange:
    """One call and what comes back."""

    def __init__(self, translation: Translation, call: Call, secrets: tuple[str, ...], timeout: float) -> None:
        self.translation = translation
        self.call = call
        self.secrets = secrets
        self.timeout = timeout
        self.account = StreamUsage(call.route)
        self.response: aiohttp.ClientResponse | None = None
        self.translator: _Translator | None = None

    async def begin(self, translator: _Translator) -> Answer:
        """Make the call, and return the answer when it is whole, or its first event is here."""
        self.translator = translator
        translator.in_flight += 1
        try:
            with Deadline(self.timeout):
                self.response = response = await self._reach(translator)
                if response.headers.get("content-type") == STREAM_TYPE:
                    return await self._streamed(response)
                answer = self._whole(response, await response.read())
                self._end()
                return answer
        except TimeoutError:
            self._end()
            raise self._error(Failure(FailureKind.TIMEOUT, 504, f"no answer within {self.timeout:g} seconds")) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as problem:
            self._end()
            raise self._died() from problem
        except BaseException:
            self._end()
            raise

    async def _reach(self, translator: _Translator) -> aiohttp.ClientResponse:
        """Make the call; wait as long as the translator is starting, or starting again."""
        data = dump_call(self.call)
        woken = False
        while True:
            try:
                return await translator.session().post(f"http://translator{PATH}", data=data)
            except (aiohttp.ClientConnectorError, FileNotFoundError, ConnectionRefusedError):
                if not woken:
                    self.translation.wake()
                    woken = True
                await asyncio.sleep(LOOK_AGAIN)

    def _whole(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        if response.status == FAILED:
            raise self._error(_loaded(body))
        if response.status != 200:
            raise self._died()
        said = response.headers.get(USAGE_HEADER)
        usage = load_usage(said) if said else None
        content_type = response.headers.get("content-type", "application/json")
        return Answer(200, content_type, body=body, usage=usage, dropped=_dropped(response))

    async def _streamed(self, response: aiohttp.ClientResponse) -> Answer:
        answer = Answer(200, events.MEDIA_TYPE, dropped=_dropped(response), account=self.account)
        first = await self._event(response, answer)
        if first is None:
            raise self._error(Failure(FailureKind.MALFORMED, 502, "the provider's stream is empty"))
        answer.events = self._events(response, answer, first)
        return answer

    async def _events(self, response: aiohttp.ClientResponse, answer: Answer, first: bytes) -> AsyncIterator[bytes]:
        """Yield the events; the wait for each is bounded."""
        try:
            event: bytes | None = first
            while event is not None:
                yield event
                try:
                    with Deadline(self.timeout):
                        event = await self._event(response, answer)
                except TimeoutError:
                    message = f"the stream stalled for {self.timeout:g} seconds"
                    raise self._error(Failure(FailureKind.TIMEOUT, 504, message)) from None
                except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as problem:
                    raise self._died() from problem
        finally:
            self._end()

    async def _event(self, response: aiohttp.ClientResponse, answer: Answer) -> bytes | None:
        """Return the next event; None at the proper end. Raises UpstreamError for a failure."""
        while True:
            kind, length = FRAME.unpack(await response.content.readexactly(FRAME.size))
            data = await response.content.readexactly(length)
            if kind == Frame.EVENT:
                self.account.feed(data)
                return data
            if kind == Frame.USAGE:
                answer.usage = load_usage(data)
            elif kind == Frame.FAILURE:
                raise self._error(_loaded(data))
            else:
                return None

    def _end(self) -> None:
        """Give the connection back, or close it where something is still to come: the translator stops then."""
        translator, self.translator = self.translator, None
        if translator is not None:
            translator.in_flight -= 1
        if self.response is not None:
            response, self.response = self.response, None
            with contextlib.suppress(Exception):
                answers.leave(response)

    def _error(self, failure: Failure) -> UpstreamError:
        """Return a failure as the dispatcher and the client shall see it."""
        body = redaction.redacted(failure.body, self.secrets).encode()
        kind = FailureKind(failure.kind)
        details = error_body.details_of(body)
        status = status_within_answer(details) if failure.status == STATUS_IN_BODY else failure.status
        causes = {FailureKind.TIMEOUT: Cause.TIMEOUT, FailureKind.UNSUPPORTED: CLIENT_ERROR}
        cause = causes.get(kind) or self.translation.classify(status, body or failure.message.encode())
        return UpstreamError(
            kind,
            status,
            details.message or redaction.redacted(failure.message, self.secrets),
            cause=cause,
            body=body,
            type=details.type,
            code=details.code,
            param=details.param,
            retry_after=failure.retry_after,
            reached=failure.reached,
        )

    def _died(self) -> UpstreamError:
        return UpstreamError(FailureKind.TRANSLATOR, 502, "the translator ended before it answered", cause=Cause.SERVER_ERROR)


def _loaded(data: bytes) -> Failure:
    try:
        return load_failure(data)
    except InvalidCallError:
        return Failure(FailureKind.TRANSLATOR, 502, "the translator's answer could not be read")


def _dropped(response: aiohttp.ClientResponse) -> tuple[str, ...]:
    names = response.headers.get(DROPPED_HEADER)
    return tuple(names.split(",")) if names else ()
