"""From an exception of LiteLLM's to a failure: the provider's own status, headers and text, wherever they are in its chain.

LiteLLM rewords messages, and guesses the status by words in them; what the provider really said is in the innermost exception
of its HTTP client.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Iterator

import httpx
import pydantic

from langop_model.gateway.upstreams import retry_after
from langop_model.gateway.upstreams.base import FailureKind
from langop_model.gateway.upstreams.translator_protocol import STATUS_IN_BODY, Failure
from langop_model.translator.exchanges import Exchange
from langop_model.translator.provider_answer import ProviderAnswer

LONGEST_BODY = 64 * 1024  # characters of a provider's error that are passed on
LONGEST_MESSAGE = 600
# What LiteLLM's translation raises for a part of a request that has another shape than it expects.
# Exactly these types: those that libraries derive from them are about credentials or answers.
_WRONG_SHAPE = (KeyError, TypeError, AttributeError, ValueError)
_CREDENTIALS = re.compile(r"api.?key|credential|access.token|\bauth", re.IGNORECASE)


class RefusedRequestError(Exception):
    """The call asks for what this model or its provider does not take; nobody was asked."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class UnfinishedStreamError(Exception):
    """A stream ended without the provider's own end."""


class MalformedStreamError(Exception):
    """An answer that is not what its protocol says."""


def failure_of(error: BaseException, exchange: Exchange) -> Failure:
    """Return what went wrong: what the provider has said, or its HTTP client has seen, comes before LiteLLM's word for it."""
    chain = list(_chain(error))
    known = _of_own(chain, exchange.answer)
    if known is not None:
        return known
    response = next((found for each in reversed(chain) if (found := _response(each)) is not None), None)
    if response is not None:
        return _of_response(response, error)
    return _without_response(chain, error, answered=exchange.is_answered)


def _of_own(chain: list[BaseException], answer: ProviderAnswer | None) -> Failure | None:
    """Return the failure that this package has raised or the provider's answer shows."""
    refused = next((each for each in chain if isinstance(each, RefusedRequestError)), None)
    if refused is not None:
        return Failure(FailureKind.UNSUPPORTED, refused.status, str(refused), reached=False)
    if answer is not None and answer.error is not None:
        return _within_answer(answer.error)
    if answer is not None and answer.broke is not None:
        return _broken(answer.broke)
    if any(isinstance(each, UnfinishedStreamError) for each in chain) or (answer is not None and answer.ended_early):
        return Failure(FailureKind.STREAM, 502, "the provider's stream ended before its end")
    malformed = next((each for each in chain if isinstance(each, MalformedStreamError)), None)
    return Failure(FailureKind.MALFORMED, 502, str(malformed)) if malformed is not None else None


def _within_answer(said: bytes) -> Failure:
    """Return the failure of an answer that is an error although its status is 200; the gateway finds the error's own status."""
    text = said.decode("utf-8", "replace")
    return Failure(FailureKind.STREAM, STATUS_IN_BODY, "the provider answered with an error", text)


def _broken(problem: Exception) -> Failure:
    """Return the failure of an answer that stopped on its way."""
    if isinstance(problem, httpx.TimeoutException | TimeoutError):
        return Failure(FailureKind.TIMEOUT, 504, "the provider's answer stalled")
    return Failure(FailureKind.CONNECTION, 502, "the connection to the provider broke during its answer")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, the innermost last."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _response(error: BaseException) -> httpx.Response | None:
    """Return the provider's answer that an exception holds. LiteLLM's own exceptions hold answers that it made up."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response
    if type(error).__module__.startswith("openai"):
        found = getattr(error, "response", None)
        return found if isinstance(found, httpx.Response) else None
    return None


def _of_response(response: httpx.Response, error: BaseException) -> Failure:
    status = response.status_code
    if 300 <= status < 400:
        return Failure(FailureKind.MALFORMED, 502, "the provider answered with a redirect, which is not followed")
    if status < 400:
        return Failure(FailureKind.MALFORMED, 502, "the provider's answer could not be read")
    try:
        text = response.text
    except (httpx.StreamError, UnicodeError, LookupError):
        text = ""
    if not text:
        text = _text_of(error)
    return Failure(
        FailureKind.HTTP,
        status,
        f"the provider answered with status {status}",
        text[:LONGEST_BODY],
        response.headers.get("content-type", "application/json"),
        retry_after.seconds_of(response.headers),
    )


def _text_of(error: BaseException) -> str:
    """Return the provider's text where an exception of LiteLLM's has kept it apart from its own."""
    for each in _chain(error):
        text = getattr(each, "text", None)
        if isinstance(text, bytes):
            return text.decode("utf-8", "replace")
        if isinstance(text, str) and text:
            return text
    return ""


def _without_response(chain: list[BaseException], error: BaseException, *, answered: bool) -> Failure:
    names = {type(each).__name__ for each in chain}
    if any(isinstance(each, httpx.TimeoutException | TimeoutError | asyncio.TimeoutError) for each in chain) or names & {
        "Timeout",
        "APITimeoutError",
    }:
        return Failure(FailureKind.TIMEOUT, 504, "the provider did not answer in time", reached=False)
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        return Failure(FailureKind.CERTIFICATE, 503, "the provider's certificate can't be verified", reached=False)
    if any(isinstance(each, httpx.TransportError) for each in chain):
        refused = any(isinstance(each, httpx.ConnectError) for each in chain)
        message = "the provider can't be reached" if refused else "the connection to the provider broke"
        return Failure(FailureKind.CONNECTION, 503 if refused else 502, message, reached=False)
    if not answered and any(type(each) in _WRONG_SHAPE and not _CREDENTIALS.search(str(each)) for each in chain):
        message = "the request can't be translated for this model's provider"
        return Failure(FailureKind.UNSUPPORTED, 400, message, reached=False)
    unreadable = any(isinstance(each, json.JSONDecodeError | pydantic.ValidationError) for each in chain)
    if answered or (unreadable and "BadRequestError" not in names):
        return Failure(FailureKind.MALFORMED, 502, "the provider's answer could not be read")
    return _by_status(chain, error, names)


def _by_status(chain: list[BaseException], error: BaseException, names: set[str]) -> Failure:
    """Judge by the status that LiteLLM gives: no HTTP client has raised anything."""
    status = next((found for each in chain if isinstance(found := getattr(each, "status_code", None), int)), 500)
    if "AuthenticationError" in names:
        return Failure(FailureKind.HTTP, 401, "the credentials of this model are missing or can't be used", reached=False)
    if "UnsupportedParamsError" in names or (400 <= status < 500 and "APIConnectionError" not in names):
        return Failure(FailureKind.UNSUPPORTED, 400, plain(str(error)), reached=False)
    return Failure(FailureKind.MALFORMED, 502, "the provider's answer could not be read")


_PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Exception|Timeout)\b[:,\s-]*)+", re.I)
_ADVICE = re.compile(
    r"(?:To drop (?:it|these)|If you want to use these params|Pass `|Set `litellm|Learn more|Please see|See https?:|"
    r"\n?\s*Traceback|Received Model Group|Available Model Group|No fallback|LiteLLM Retried|model=).*",
    re.S,
)
_LINK = re.compile(r"https?://\S+")


def plain(message: str) -> str:
    """Return a message of LiteLLM's without its own names, advice, links and tracebacks."""
    text = _ADVICE.sub("", _PREFIX.sub("", message.strip()))
    text = re.sub(r"\blitellm\b\.?", "the gateway", _LINK.sub("", text), flags=re.I)
    return (
        " ".join(text.split())[:LONGEST_MESSAGE].rstrip(" .,;:") or "the request can't be translated for this model's provider"
    )
