"""From a call to the arguments of one of LiteLLM's functions. What LiteLLM would drop silently is refused, or named."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langop_model.gateway.upstreams.base import File
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import content, parameters
from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.parameters import HINTS, WITHOUT_EXTRA_BODY, divided

# What LiteLLM's list lacks although the provider documents it: it is passed as it is.
_PASSED = {"mistral": frozenset({"frequency_penalty", "n", "prediction", "presence_penalty"})}
# What LiteLLM puts into `extra_body` by the provider's own name, and loses where there is another one.
_OWN_NAMES = {"mistral": {"seed": "random_seed"}}
_NO_STREAM_OPTIONS = frozenset({"bytez", "oci"})  # LiteLLM raises for them
_NEWER_LIMIT = frozenset({"azure", "openai"})  # where the limit's name is `max_completion_tokens`
_USUAL = (("n", 1), ("tool_choice", "auto"))  # what is meant where it is not said
_JSON_MODE = {"type": "json_object"}
# What JSON mode asks for, as a schema.
ANY_OBJECT = {"name": "response", "schema": {"type": "object", "additionalProperties": True}}
_ALWAYS = frozenset({"messages", "user"})
_ABOUT_THE_CALL = frozenset({"model", "stream", "stream_options"})


Function = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class Request:
    """The arguments for LiteLLM's function, and which hints of the request are not among them.

    `function` is the one that has to be asked where that is not the route's own.
    """

    arguments: dict[str, Any]
    dropped: list[str] = field(default_factory=list)
    function: Function | None = None

    def drop(self, name: str) -> None:
        """Leave a hint out, and remember it."""
        self.arguments.pop(name, None)
        self.dropped.append(name)


Prepare = Callable[[Call, Deployment], Request]


def body_of(call: Call) -> dict[str, Any]:
    """Return the members of a body that are the provider's."""
    return {name: value for name, value in call.body.items() if name not in _ABOUT_THE_CALL}


def require(body: Mapping[str, Any], *names: str) -> None:
    """Raise RefusedRequestError for a member that is missing."""
    for name in names:
        if body.get(name) is None:
            raise RefusedRequestError(f"{name} is missing")


def chat(call: Call, deployment: Deployment) -> Request:
    """Chat completions: OpenAI's parameters as arguments, what else there is in `extra_body`."""
    own, others = divided(body_of(call), parameters.CHAT, call.stated)
    require(own, "messages")
    content.check_messages(own["messages"], deployment)
    content.check_tools(own.get("tools"))
    own["messages"] = content.as_text(own["messages"], deployment)
    request = Request(own)
    _same_limit(own, deployment)
    if deployment.loses_json_mode and own.get("response_format") == _JSON_MODE:
        own["response_format"] = {"type": "json_schema", "json_schema": ANY_OBJECT}
    _judge(request, call, deployment)
    _add(request, others, call, deployment)
    _stream(request, call, deployment)
    return request


def _stream(request: Request, call: Call, deployment: Deployment) -> None:
    """Ask for a stream, and always for its usage."""
    if call.stream:
        request.arguments["stream"] = True
        if deployment.provider not in _NO_STREAM_OPTIONS:
            request.arguments["stream_options"] = {"include_usage": True}


def _same_limit(own: dict[str, Any], deployment: Deployment) -> None:
    """The output's limit has two names: the one that the model takes is used. Of both the newer one is the client's own."""
    supported = deployment.supported()
    newer = deployment.provider in _NEWER_LIMIT and "max_completion_tokens" in supported
    if "max_completion_tokens" in own and "max_tokens" in supported and not newer:
        own["max_tokens"] = own.pop("max_completion_tokens")
    if "max_tokens" in own and "max_tokens" not in supported and "max_completion_tokens" in supported:
        limit = own.pop("max_tokens")
        own.setdefault("max_completion_tokens", limit)


def _judge(request: Request, call: Call, deployment: Deployment) -> None:
    """Drop hints that the model does not take; pass, or refuse, what would change the answer."""
    supported = deployment.supported() | _PASSED.get(deployment.provider, frozenset())
    allowed = [name for name in _PASSED.get(deployment.provider, ()) if name in request.arguments]
    for name in [name for name in request.arguments if name not in supported and name not in _ALWAYS]:
        if name in HINTS:
            drop(request, name, call)
        elif deployment.like_openai and name not in deployment.lost:
            allowed.append(name)
        elif (name, request.arguments[name]) in _USUAL:
            del request.arguments[name]
        else:
            raise RefusedRequestError(f"{name} is not supported by this model")
    if allowed:
        request.arguments["allowed_openai_params"] = allowed


def drop(request: Request, name: str, call: Call) -> None:
    """Drop a hint that the provider does not take, by name. Raises RefusedRequestError where the call wants none dropped."""
    if not call.drop:
        raise RefusedRequestError(f"{name} is not supported by this model")
    request.drop(name)


def _add(request: Request, others: Mapping[str, Any], call: Call, deployment: Deployment) -> None:
    """Add the members that are not OpenAI's, and what the deployment sends with each request."""
    extra = {**others, **deployment.extra_body}
    for name, named in _OWN_NAMES.get(deployment.provider, {}).items():
        if name in request.arguments:
            extra[named] = request.arguments.pop(name)
    if "metadata" in others and not deployment.like_openai and deployment.provider not in WITHOUT_EXTRA_BODY:
        drop(request, "metadata", call)
        del extra["metadata"]
    add_extra(request, extra, call, deployment)


def add_extra(request: Request, extra: Mapping[str, Any], call: Call, deployment: Deployment) -> None:
    """Add the members of a body that LiteLLM has no argument for."""
    is_lost = parameters.loses_others(deployment.provider, call.route)
    if not is_lost and not parameters.takes_arguments(deployment.provider, call.route):
        if extra:
            request.arguments["extra_body"] = dict(extra)
        return
    written = {name for name in (*deployment.extra_body, *call.stated) if not parameters.is_setting(name)}
    for name, value in extra.items():
        if name in written and is_lost:
            request.drop(name)
        elif name in written or name in parameters.SAMPLING:
            request.arguments[name] = value
        elif name in HINTS:
            drop(request, name, call)
        else:
            raise RefusedRequestError(f"{name} is not a parameter of this model's provider")


def completions(call: Call, deployment: Deployment) -> Request:
    """Text completions."""
    own, others = divided(body_of(call), parameters.COMPLETIONS, call.stated)
    require(own, "prompt")
    request = Request(own)
    if not deployment.like_openai:
        supported = deployment.supported()
        for name in [name for name in own if name not in supported and name not in ("prompt", "user")]:
            if name in HINTS:
                drop(request, name, call)
            elif (name, own[name]) not in (("n", 1), ("best_of", 1), ("echo", False)):
                raise RefusedRequestError(f"{name} is not supported by this model")
    _add(request, others, call, deployment)
    _stream(request, call, deployment)
    return request


def simple(known: frozenset[str], *required: str) -> Prepare:
    """Return how a route without streams and tools is prepared."""

    def prepare(call: Call, deployment: Deployment) -> Request:
        if call.stream:
            raise RefusedRequestError("stream is not supported on this route by this model's provider")
        own, others = divided(body_of(call), known, call.stated)
        require(own, *required)
        request = Request(own)
        _add(request, others, call, deployment)
        return request

    return prepare


def narrow(known: frozenset[str], *required: str, adds: bool = False) -> Prepare:
    """Return how a route is prepared whose function takes nothing but its own arguments.

    `adds`: it takes what the deployment sends with each request. Else that is dropped, and named.
    """
    prepare = simple(known, *required)

    def prepare_only(call: Call, deployment: Deployment) -> Request:
        for name in body_of(call):
            if name not in known and call.body[name] is not None:
                raise RefusedRequestError(f"{name} is not supported on this route by this model's provider")
        request = prepare(call, deployment)
        if not adds:
            request.dropped += request.arguments.pop("extra_body", {})
        return request

    return prepare_only


def _opened(file: File) -> io.BytesIO:
    """Return a file as pictures are taken: LiteLLM finds its type out by itself."""
    opened = io.BytesIO(file.content)
    opened.name = file.name
    return opened


def uploads(prepare: Prepare, **fields: bool) -> Prepare:
    """Return how a route with files is prepared: each field by name, and whether there may be several files."""

    def prepare_files(call: Call, deployment: Deployment) -> Request:
        request = prepare(call, deployment)
        for file in call.files:
            name = file.field.removesuffix("[]")
            if name not in fields:
                raise RefusedRequestError(f"{name} is not a file of this route")
            if fields[name]:
                request.arguments.setdefault(name, []).append(_opened(file))
            else:
                request.arguments[name] = _opened(file) if len(fields) > 1 else (file.name, file.content, file.content_type)
        require(request.arguments, next(iter(fields)))
        return request

    return prepare_files
