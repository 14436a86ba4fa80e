"""The upstream for providers that speak the client's protocol.

A request goes out with the specification's model and key, and the answer comes back as the provider gave it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from langop_model.contract.settings import Cause, Check, Endpoint, Group, Upstream
from langop_model.gateway.deadline import Deadline
from langop_model.gateway.upstreams import answers, error_body, events, redaction, retry_after, whole_streams
from langop_model.gateway.upstreams.base import Answer, CheckFailedError, FailureKind, Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.binary_streams import BinaryStream
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.failure_causes import cause_of, status_within_answer
from langop_model.gateway.upstreams.http_client import HTTPClient, Response, Target
from langop_model.gateway.upstreams.streams import RelayedStream

MAX_ANSWER_SIZE = 64 * 2**20  # bytes; pictures in base64 are the largest
MAX_ERROR_SIZE = 256 * 1024  # bytes
MAX_DESTINATIONS = 1_000  # of 3.1 KB each: a group that serves any model may be asked for any name
_Kind = tuple[str, Route, bool]  # of requests that go to the same place: the endpoint's id, the route, whether for a stream
FORMS = (Route.TRANSCRIPTIONS, Route.IMAGE_EDITS)
# Anthropic's protocol wants its version, which not all clients say: https://platform.claude.com/docs/en/api/versioning
VERSIONED = (Route.MESSAGES, Route.COUNT_TOKENS)
VERSION = {"anthropic-version": "2023-06-01"}


class Relay:
    """The upstream of endpoints that have a URL, for the routes that their group's provider serves itself."""

    def __init__(self, deployments: Deployments) -> None:
        self.deployments = deployments
        self.client = HTTPClient()
        self._destinations: dict[_Kind, _Destination] = {}
        self._of_models: dict[tuple[_Kind, str], _Destination] = {}  # of paths that name a model which the client chooses

    def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Coroutine[Any, Any, Answer]:
        """Return what asks an endpoint once. It raises UpstreamError."""
        upstream = group.upstream
        assert upstream is not None  # noqa: S101 - the dispatcher sends only such groups here
        key = self.deployments.key(group, endpoint, upstream.key.parameter) if upstream.key else ""
        kind = (endpoint.id, request.route, request.stream)
        destination = self._destinations.get(kind) or self._destination(kind, endpoint, upstream, request)
        return _Exchange(self.client, request, key, endpoint.url).answer(destination, upstream)

    def _destination(self, kind: _Kind, endpoint: Endpoint, upstream: Upstream, request: UpstreamRequest) -> _Destination:
        """Return where requests of a kind go that has none yet, or one for each model."""
        route = request.route
        path = upstream.streams[route] if request.stream and route in upstream.streams else upstream.routes[route]
        model = upstream_model(upstream, request.model)
        by_model = "{model}" in path and "*" in upstream.model
        found = self._of_models.get((kind, model)) if by_model else None
        if found is None:
            found = _Destination(self.client.target(_url(endpoint, upstream, path, model)), _headers(upstream, request))
            if not by_model:
                self._destinations[kind] = found
            elif len(self._of_models) < MAX_DESTINATIONS:
                self._of_models[kind, model] = found
        return found

    async def check(self, check: Check, key: str) -> None:
        """Ask for the health of an endpoint. Raises CheckFailedError where it is down."""
        headers = {**check.headers, **({check.key_header: f"{check.key_prefix}{key}"} if key else {})}
        try:
            status = await self.client.get(check.url, headers)
        except aiohttp.ClientConnectorCertificateError as problem:
            reason = f"certificate can't be verified: {_verdict(problem.certificate_error)}"
            raise CheckFailedError(reason) from None
        except (aiohttp.ClientError, OSError):
            raise CheckFailedError("no connection") from None
        # A server without this path answers 404: it is up. A key that is refused would be refused for a request too.
        if status >= 500 or status in (401, 403):
            raise CheckFailedError(f"status {status}", status)

    async def aclose(self) -> None:
        await self.client.aclose()


def upstream_model(upstream: Upstream, model: str) -> str:
    """Return the provider's name of the model that a client asked for; `*` in it is that name, for a group that serves any."""
    return upstream.model.replace("*", model)


@dataclass(slots=True)
class _Destination:
    """What all requests of one kind have in common: where they go, and their headers beside the key and the client's."""

    target: Target
    headers: dict[str, str]


def _url(endpoint: Endpoint, upstream: Upstream, path: str, model: str) -> URL:
    place = path.replace("{model}", quote(model, safe=""))
    url = URL(endpoint.url.rstrip("/") + place if place.startswith("/") else place, encoded=True)
    if upstream.query and "?" not in path:  # a path may have a query of its own
        url = url.update_query(upstream.query)
    return url


def _headers(upstream: Upstream, request: UpstreamRequest) -> dict[str, str]:
    headers = {**VERSION, **upstream.headers} if request.route in VERSIONED else dict(upstream.headers)
    if request.route not in FORMS:
        headers["Content-Type"] = "application/json"
    if request.stream:
        headers["Accept"] = events.MEDIA_TYPE
    return headers


def _payload(upstream: Upstream, request: UpstreamRequest) -> bytes | aiohttp.FormData:
    """Return the body: JSON, or the form that the client sent."""
    if request.route is Route.GENERATE_CONTENT:
        return orjson.dumps({**request.body, **upstream.extra_body})
    body = {**request.body, **upstream.extra_body, "model": upstream_model(upstream, request.model)}
    if request.route not in FORMS:
        return orjson.dumps(body)
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            form.add_field(f"{name}[]" if isinstance(value, list) else name, str(each))
    for file in request.files:
        form.add_field(file.field, file.content, filename=file.name, content_type=file.content_type)
    return form


class _Exchange:
    """One request and its answer."""

    def __init__(self, client: HTTPClient, request: UpstreamRequest, key: str, address: str) -> None:
        self.client = client
        self.request = request
        self.key = key
        self.address = address

    async def answer(self, destination: _Destination, upstream: Upstream) -> Answer:
        """Return the answer when it is whole, or when the first event of a stream has arrived."""
        response: Response | None = None
        try:
            with Deadline(self.request.timeout):
                headers = {**destination.headers, **self.request.headers}
                if upstream.key is not None and self.key:
                    headers[upstream.key.name] = upstream.key.prefix + self.key
                response = await self.client.post(destination.target, headers, _payload(upstream, self.request))
                return await self._read(response)
        except TimeoutError:
            raise self._timed_out() from None
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise self._unreachable(problem, response) from None
        except BaseException:
            if response is not None:
                response.close()
            raise

    async def _read(self, response: Response) -> Answer:
        status, media_type = response.status, response.headers.get("Content-Type", "")
        kind, route = _without_parameters(media_type), self.request.route
        if status >= 300:
            raise await self._refused(response)
        if kind == "text/html":
            raise self._malformed("the provider did not answer in its protocol")
        begun = await _beginning(response) if self.request.stream and kind != events.MEDIA_TYPE else b""
        if kind == events.MEDIA_TYPE or (begun and events.begins(begun)):
            if not self.request.stream and (route in answers.EXPECTED or route is Route.GENERATE_CONTENT):
                raise self._malformed("the provider answered with a stream, which this request did not ask for")
            stream = RelayedStream(response, self.request, self._event_failed, begun)
            await stream.begin()
            return Answer(status, media_type, events=aiter(stream), account=stream.account)
        if route is Route.SPEECH and "json" not in kind:
            parts = BinaryStream(response, self.request, begun)
            await parts.begin()
            return Answer(status, media_type, events=aiter(parts), is_binary=True)
        body = await answers.read(response, MAX_ANSWER_SIZE, begun=begun)
        if self.request.stream and not body:
            raise self._malformed("the provider did not answer in its protocol")
        if "json" not in kind and route is Route.TRANSCRIPTIONS:
            return Answer(status, media_type, body=body)
        answer = answers.whole(status, body, self.request, self._event_failed)
        return whole_streams.of(answer, self.request) if self.request.stream else answer

    async def _refused(self, response: Response) -> UpstreamError:
        """Return the error that a provider answered with."""
        status = response.status
        body = b""
        with contextlib.suppress(aiohttp.ClientError, answers.MalformedAnswerError):  # without its body it is an error still
            body = await answers.read(response, MAX_ERROR_SIZE, cut=True)
        waits = retry_after.seconds_of(response.headers)
        if status < 400:
            message = "the provider redirects this request; redirects are not followed"
            return UpstreamError(FailureKind.MALFORMED, 502, message, cause=Cause.SERVER_ERROR)
        return self._failure(status, body, waits)

    def _event_failed(self, body: bytes, status: int | None = None) -> UpstreamError:
        """Return the error that a provider said within an answer with status 200."""
        found = status or status_within_answer(error_body.details_of(body))
        return self._failure(found, body, None, FailureKind.STREAM)

    def _failure(self, status: int, body: bytes, waits: float | None, kind: FailureKind = FailureKind.HTTP) -> UpstreamError:
        keys = [self.key] if len(self.key) >= redaction.SHORTEST else []
        host = URL(self.address).host or ""
        body = redaction.redacted(body.decode("utf-8", "replace"), keys, host).encode()
        details = error_body.details_of(body)
        return UpstreamError(
            kind,
            status,
            details.message or f"the provider answered with status {status}",
            cause=cause_of(status, details),
            body=body if details.message else b"",
            type=details.type,
            code=details.code,
            param=details.param,
            retry_after=waits,
        )

    def _malformed(self, message: str) -> UpstreamError:
        return UpstreamError(FailureKind.MALFORMED, 502, message, cause=Cause.SERVER_ERROR)

    def _timed_out(self) -> UpstreamError:
        message = f"the provider did not answer within {self.request.timeout:g} s"
        return UpstreamError(FailureKind.TIMEOUT, 504, message, cause=Cause.TIMEOUT)

    def _unreachable(self, problem: Exception, response: Response | None) -> UpstreamError:
        if response is not None:
            response.close()
        if isinstance(problem, answers.AnswerTooLargeError | answers.MalformedAnswerError):
            return self._malformed(str(problem))
        if isinstance(problem, aiohttp.ClientResponseError):
            return self._malformed("the provider did not answer in its protocol")
        if isinstance(problem, aiohttp.ServerTimeoutError):
            return UpstreamError(
                FailureKind.CONNECTION, 503, "no connection to the provider in time", cause=Cause.SERVER_ERROR, reached=False
            )
        if isinstance(problem, aiohttp.ClientConnectorCertificateError):
            return UpstreamError(
                FailureKind.CERTIFICATE,
                503,
                f"the provider's certificate can't be verified: {_verdict(problem.certificate_error)}",
                cause=Cause.SERVER_ERROR,
                reached=False,
            )
        reached = response is not None
        message = "the connection to the provider broke" if reached else "the provider can't be reached"
        return UpstreamError(
            FailureKind.CONNECTION, 502 if reached else 503, message, cause=Cause.SERVER_ERROR, reached=reached
        )


def _verdict(problem: Exception) -> str:
    """Return what OpenSSL says against a certificate, without the address that it names behind a comma."""
    return str(getattr(problem, "verify_message", "") or "not trusted").partition(",")[0]


@lru_cache(maxsize=64)
def _without_parameters(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


async def _beginning(response: Response) -> bytes:
    """Return what has arrived of a body, enough to tell a stream of events: some servers name it plain text, or not at all."""
    begun = b""
    while len(begun) < events.LONGEST_FIELD and (more := await response.content.readany()):
        begun += more
    return begun
