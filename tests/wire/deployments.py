"""The deployments of the cases: from a case's spec to what is asked on the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from langop_model.gateway.upstreams.base import Route, UpstreamError
from tests.wire.cases import CASES, Case
from tests.wire.wire import ANSWER, KEY, QUESTION, Wire, nothing_leaves_this_machine

if TYPE_CHECKING:
    import httpx

    from langop_model.translator.failures import RefusedRequestError  # imports LiteLLM
    from stand_in.answer import Answer

DEFAULTS = {
    "temperature": 0.31, "maxTokens": 4177, "topP": 0.62,
    "frequencyPenalty": 0.43, "presencePenalty": 0.54, "stopSequences": ["the-end"],
}  # fmt: skip
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
TRANSLATED = [case for case in CASES if case.provider.relay is None]  # the others speak OpenAI's protocol
MESSAGE = {"messages": [{"role": "user", "content": QUESTION}]}
OVER_CHAT: dict[Route, dict[str, Any]] = {
    Route.COMPLETIONS: {"prompt": QUESTION},
    Route.RESPONSES: {"input": QUESTION},
    Route.MESSAGES: {**MESSAGE, "max_tokens": 9},
    Route.GENERATE_CONTENT: {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]},
}


def spec_of(case: Case, base: str, *, endpoint: bool) -> dict[str, Any]:
    """Return the spec of a case; with an endpoint, it is at `base`."""
    spec: dict[str, Any] = {
        "provider": case.name,
        "modelName": case.model,
        "configuration": DEFAULTS,
        **case.spec(base),
    }
    if endpoint:
        spec["endpoint"] = base + case.base
    return spec


def mounted(case: Case, wire: Wire, base: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return how the spec names its Secret, and the Secret: one key, or all that the provider has."""
    whole = case.secret(wire, base)
    if whole:
        return {"credentialsSecretRef": {"name": "secret"}}, dict(whole)
    one = {"apiKeySecretRef": {"name": "secret"}} if case.provider.key and case.provider.main_credential else {}
    return one, {"api-key": KEY}


@contextlib.contextmanager
def asked(
    case: Case, wire: Wire, *, endpoint: bool = True, params: Mapping[str, Any] | None = None
) -> Iterator[tuple[Any, list[httpx.URL]]]:
    """Yield a case's deployment, and what was asked of other hosts: it goes to the stand-in, or the test fails.

    `params` are parameters that its spec has beside its own.
    """
    endpoint = endpoint and not (case.redirected or case.provider.endpoint_locked)
    base = wire.provider.base(f"at-{case.name}")
    wire.provider.behave(f"at-{case.name}", text=ANSWER)
    for name, value in case.environment(base).items():
        wire.monkeypatch.setenv(name, value)
    reference, secret = mounted(case, wire, base)
    spec = spec_of(case, base, endpoint=endpoint)
    if params:
        spec["params"] = {**spec.get("params", {}), **params}
    result = wire.renderings.of({**spec, **reference}, {"secret": secret})
    none: list[httpx.URL] = []
    redirected: AbstractContextManager[list[httpx.URL]] = contextlib.nullcontext(none)
    if not endpoint:
        redirected = wire.redirecting(base)
    with redirected as meant, nothing_leaves_this_machine(case.provider.extra_hosts):
        yield wire.deploy(result), meant


@contextlib.contextmanager
def answering(name: str, wire: Wire, answer: Answer) -> Iterator[Any]:
    """Yield the deployment of the case `name`, whose provider gives this answer."""
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=answer)
        yield deployed


def more(case: Case) -> dict[str, Any]:
    """Return what a question must say otherwise for a case, as members of a body."""
    return {"messages": [{"role": "user", "content": case.question}]} if case.question else {}


def refused(asking: Callable[[], object]) -> RefusedRequestError | UpstreamError | None:
    """Return why a request was refused; None if it was answered."""
    from langop_model.translator.failures import RefusedRequestError

    try:
        asking()
    except (RefusedRequestError, UpstreamError) as refusal:
        return refusal
    return None
