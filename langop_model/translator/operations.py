"""The table of operations: which of LiteLLM's public functions serves a route, with what, and what its answer becomes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import litellm
import orjson

from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import (
    bridges,
    chat,
    cohere_events,
    gemini_over_chat,
    known_models,
    parameters,
    requests,
    response_ids,
    settings,
    streams,
    usage,
)
from langop_model.translator.deployment import Deployment, deployment_of
from langop_model.translator.exchanges import Exchange
from langop_model.translator.failures import MalformedStreamError, RefusedRequestError
from langop_model.translator.parameters import HINTS
from langop_model.translator.requests import Function, Prepare, Request
from langop_model.translator.streams import Events

# LiteLLM refuses an argument that it adds itself. What the request says was judged before.
_DROPS_WHAT_LITELLM_ADDS = frozenset({"gradient_ai"})

# Where LiteLLM's own client asks again unless its argument says otherwise; elsewhere the argument would reach the body.
_RETRYING = frozenset({Route.IMAGES, Route.IMAGE_EDITS, Route.SPEECH, Route.TRANSCRIPTIONS})

# LiteLLM writes `extra_headers` into some bodies of these routes and into all of these providers', now and then with the key.
_HEADERS_IN_BODIES_ON = frozenset({Route.IMAGES, Route.TRANSCRIPTIONS})
_HEADERS_IN_BODIES = frozenset({"aiohttp_openai", "azure_ai"})

# LiteLLM makes a function of a schema there, whose call it takes for the answer; but not where the call comes in a stream.
_WHOLE_FORMATS = frozenset({"gigachat"})
_FORMATS = ("response_format", "text", "output_config")  # of chat, of responses, of Anthropic's messages
# Where `metadata` is the provider's, what callbacks want to know of a call has another name.
_METADATA = {Route.MESSAGES: "litellm_metadata", Route.RESPONSES: "litellm_metadata"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole answer, and the hints that were dropped for it."""

    body: bytes
    content_type: str
    usage: Usage | None
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer in events."""

    events: Events
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` makes the arguments of `function`; `form` are a stream's events, where the route has streams."""

    function: Function
    prepare: Prepare
    form: Callable[[Events], AsyncIterator[bytes]] | None = None


OPERATIONS: Mapping[Route, Operation] = {
    Route.CHAT: Operation(chat.complete, requests.chat, streams.chat),
    Route.COMPLETIONS: Operation(litellm.atext_completion, requests.completions, streams.chat),
    Route.RESPONSES: Operation(litellm.aresponses, bridges.responses, streams.responses),
    Route.MESSAGES: Operation(litellm.anthropic_messages, bridges.messages, streams.messages),
    Route.GENERATE_CONTENT: Operation(gemini_over_chat.ask, bridges.generate_content, streams.generate_content),
    Route.EMBEDDINGS: Operation(litellm.aembedding, requests.simple(parameters.EMBEDDINGS, "input")),
    Route.MODERATIONS: Operation(litellm.amoderation, requests.narrow(parameters.MODERATIONS, "input")),
    Route.RERANK: Operation(litellm.arerank, requests.narrow(parameters.RERANK, "query", "documents")),
    Route.IMAGES: Operation(litellm.aimage_generation, requests.simple(parameters.IMAGES, "prompt")),
    Route.IMAGE_EDITS: Operation(
        litellm.aimage_edit, requests.uploads(requests.simple(parameters.IMAGE_EDITS, "prompt"), image=True, mask=False)
    ),
    Route.TRANSCRIPTIONS: Operation(
        litellm.atranscription, requests.uploads(requests.narrow(parameters.TRANSCRIPTIONS, adds=True), file=False)
    ),
    Route.SPEECH: Operation(litellm.aspeech, requests.narrow(parameters.SPEECH, "input", "voice")),
}


async def run(call: Call, exchange: Exchange, *, observed: bool = False) -> Whole | Streamed:
    """Ask the provider once. `exchange` is that of this task; `observed`: LiteLLM's callbacks shall see the call.

    Raises RefusedRequestError, and whatever LiteLLM raises: `failures.failure_of` reads it.
    """
    operation = OPERATIONS.get(call.route)
    if operation is None:
        raise RefusedRequestError(f"{call.route.value} is not served for this model", 404)
    settings.export(call.variables)
    deployment = deployment_of(call.parameters)
    if not observed:  # a callback would be told a price that is not the model's
        known_models.add(deployment.name, deployment.provider)
    request = operation.prepare(call, deployment)
    if call.stream and operation.form is None:
        raise RefusedRequestError("stream is not supported on this route by this model's provider")
    if call.stream:
        _prepare_stream(request, deployment, exchange)
    headers, own_headers = _headers(call, deployment)
    exchange.headers = {**own_headers, **exchange.headers}
    around = _around(call, deployment, headers, observed=observed)
    answer = await _ask(request.function or operation.function, request, around, call)
    dropped = tuple(dict.fromkeys(request.dropped))
    if call.stream and operation.form is not None:
        if not hasattr(answer, "__aiter__"):
            raise MalformedStreamError("the provider answered without a stream")
        return Streamed(Events(answer, call, deployment.provider, operation.form, exchange), dropped)
    return _whole(answer, call, dropped, exchange)


async def _ask(function: Function, request: Request, around: Mapping[str, Any], call: Call) -> Any:
    """Call LiteLLM. It refuses some values of hints before it asks anybody: without them it is called again."""
    while True:
        try:
            return await function(**{**around, **request.arguments})
        except litellm.ImageFetchError:  # settings.py lets LiteLLM download nothing
            raise RefusedRequestError(
                "a part of the type image_url or file refers to an address that the gateway does not download; "
                "send its bytes as a data: URL"
            ) from None
        except litellm.UnsupportedParamsError as refused:
            said = str(refused)
            named = [name for name in request.arguments if name in HINTS and name in said]
            if not named or not call.drop:
                others = [name for name in request.arguments if name in parameters.CHAT and name in said]
                raise RefusedRequestError(
                    f"{' and '.join(named or others) or 'a parameter'} is not supported by this model"
                ) from None
            for name in named:
                request.drop(name)


def _prepare_stream(request: Request, deployment: Deployment, exchange: Exchange) -> None:
    """Let LiteLLM read a stream that it would misread, whatever the route."""
    if deployment.provider in _WHOLE_FORMATS and _has_format(request.arguments):
        request.arguments["fake_stream"] = True  # LiteLLM asks for a whole answer, and makes a stream of it
    if deployment.provider in cohere_events.PROVIDERS:
        exchange.lines = cohere_events.Lines()


def _has_format(arguments: Mapping[str, Any]) -> bool:
    """Whether a request of any route says how its answer must be written."""
    return any(name in arguments for name in _FORMATS) or "responseMimeType" in arguments.get("config", ())


def _headers(call: Call, deployment: Deployment) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the headers that LiteLLM gets, and those that requests get here: it loses them on the way to some providers.

    A client's are LiteLLM's, which hands `anthropic-beta` on in another way where a provider wants that.
    """
    every = {**call.headers, **deployment.extra_headers}
    if call.route in _HEADERS_IN_BODIES_ON or deployment.provider in _HEADERS_IN_BODIES:
        return {}, every
    return every, deployment.extra_headers


def _around(call: Call, deployment: Deployment, headers: Mapping[str, str], *, observed: bool) -> dict[str, Any]:
    """Return what each call gets beside the request: the deployment's settings, no retries, and what callbacks want to know."""
    around: dict[str, Any] = {
        **deployment.settings,
        "model": deployment.model,
        "timeout": call.timeout,
        "num_retries": 0,
        **({"drop_params": True} if deployment.provider in _DROPS_WHAT_LITELLM_ADDS else {}),  # False would reach some bodies
        **({"extra_headers": headers} if headers else {}),
        **({"max_retries": 0} if call.route in _RETRYING else {}),
    }
    if observed:
        trace = call.metadata.get("litellm_trace_id")
        around |= {_METADATA.get(call.route, "metadata"): dict(call.metadata), "litellm_call_id": call.call_id}
        around |= {"litellm_trace_id": trace} if trace else {}
    else:
        around["no-log"] = True
    return around


def _whole(answer: Any, call: Call, dropped: tuple[str, ...], exchange: Exchange) -> Whole:
    """Return the answer as JSON, or the bytes of a binary one."""
    if answer is None or exchange.said_error:
        raise MalformedStreamError("the provider's answer could not be read")
    if call.route is Route.SPEECH:
        content_type = getattr(getattr(answer, "response", None), "headers", {}).get("content-type", "audio/mpeg")
        return Whole(answer.content, content_type, None, dropped)
    content = answer if isinstance(answer, dict) else answer.model_dump(exclude_none=True, mode="json")
    if call.route is Route.TRANSCRIPTIONS and call.body.get("response_format") in ("text", "srt", "vtt"):
        return Whole(str(content.get("text", "")).encode(), "text/plain; charset=utf-8", None, dropped)
    if call.asked and "model" in content:
        content["model"] = call.asked
    if call.route is Route.RESPONSES:
        content["id"] = response_ids.plain(str(content.get("id", "")))
    used = usage.taken_from(content, call.route)
    _check(content, call.route)
    return Whole(orjson.dumps(content), "application/json", used, dropped)


_MEMBERS = {Route.CHAT: "choices", Route.COMPLETIONS: "choices", Route.EMBEDDINGS: "data", Route.RESPONSES: "output"}


def _check(content: Mapping[str, Any], route: Route) -> None:
    """Raise MalformedStreamError for an answer without what its route promises: an error that came with status 200."""
    member = _MEMBERS.get(route)
    if member and (not isinstance(content.get(member), list) or (member == "choices" and not content[member])):
        raise MalformedStreamError(f"the provider's answer has no {member}")
