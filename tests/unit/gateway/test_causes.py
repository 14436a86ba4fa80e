from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import litellm
import pytest

from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.routing import causes
from langop_model.gateway.routing.causes import Refused

REQUEST = httpx.Request("POST", "http://provider")
OF = {"model": "model", "llm_provider": "openai"}


def _answered(status: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError(str(status), request=REQUEST, response=httpx.Response(status, request=REQUEST))


def _after(error: Exception, *before: Exception) -> Exception:
    """Return `error` as it is when it was raised while each of `before` was handled, the first of them first."""

    def handle(earlier: list[Exception]) -> None:
        if not earlier:
            raise error
        try:
            raise earlier[0]
        except Exception:  # noqa: BLE001 - whatever it is, the next one comes while it is handled
            handle(earlier[1:])

    with pytest.raises(type(error)) as raised:
        handle(list(before))
    return raised.value


def _internal() -> Exception:
    error: Exception = litellm.InternalServerError("failed", **OF)
    return error


@pytest.mark.parametrize(
    ("make", "status", "cause"),
    [
        (lambda: _after(_internal(), _answered(500)), 500, "server_error"),
        (lambda: _after(_internal(), _answered(529)), 529, "server_error"),
        (lambda: _after(_internal(), httpx.ReadError("lost")), 503, "server_error"),
        (lambda: _after(_internal(), httpx.ConnectError("refused")), 503, "server_error"),
        (_internal, 500, "server_error"),
        (lambda: _after(litellm.Timeout("late", **OF), _answered(504)), 504, "timeout"),
        (lambda: _after(litellm.Timeout("late", **OF), httpx.ReadTimeout("late")), 408, "timeout"),
        (lambda: _after(litellm.RateLimitError("many", **OF), _answered(429)), 429, "rate_limit"),
        (lambda: _after(litellm.BadRequestError("bad", **OF), _answered(400)), 400, "client_error"),
        (lambda: litellm.ContextWindowExceededError("long", **OF), 400, "context_window"),
        (lambda: litellm.ContentPolicyViolationError("no", **OF), 400, "content_policy"),
        (lambda: Refused("model", RateLimitTimeoutError("rateLimits.requestsPerMinute", 3)), 429, "rate_limit"),
        (lambda: ValueError("a bug"), 500, "server_error"),
    ],
)
def test_a_failure_has_a_status_and_one_cause(make: Callable[[], Exception], status: int, cause: str):
    error = make()
    assert (causes.status_code(error), causes.cause(error)) == (status, cause)


@pytest.mark.parametrize("before", [(httpx.ConnectError("refused"), _internal()), (_answered(529), _internal())])
def test_a_failure_after_another_attempts_failure_is_judged_by_itself(before: Any):
    error = _after(litellm.BadRequestError("bad", **OF), *before)
    assert causes.status_code(error) == 400
    assert causes.cause(error) == "client_error"
    assert not causes.is_connection(error)


@pytest.mark.parametrize(
    ("make", "elsewhere"),
    [
        (lambda: _after(_internal(), _answered(500)), True),
        (lambda: _after(litellm.RateLimitError("many", **OF), _answered(429)), True),
        (lambda: litellm.Timeout("late", **OF), True),
        (lambda: _after(litellm.AuthenticationError("who", **OF), _answered(401)), True),
        (lambda: _after(litellm.NotFoundError("what", **OF), _answered(404)), True),
        (lambda: _after(litellm.BadRequestError("bad", **OF), _answered(400)), False),
        (lambda: litellm.ContextWindowExceededError("long", **OF), False),
        (lambda: Refused("model", RateLimitTimeoutError("rateLimits.requestsPerMinute", 3)), False),
        (KeyboardInterrupt, False),
    ],
)
def test_another_endpoint_is_asked_where_it_may_do_better(make: Callable[[], BaseException], elsewhere: bool):
    assert causes.is_endpoints_fault(make()) is elsewhere


HELLO = [{"role": "user", "content": "Hello"}]
A_FILE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}]
NOWHERE = {"api_base": "http://127.0.0.1:9", "api_key": "not-a-real-key", "num_retries": 0}


def _raised(call: Callable[..., Any], **request: Any) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each of LiteLLM's own
        asyncio.run(call(**request, **NOWHERE))
    return raised.value


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        (litellm.acompletion, {"model": "anthropic/claude-3", "messages": HELLO, "tools": [{"type": "unheard-of"}]}),
        (litellm.acompletion, {"model": "bedrock/anthropic.claude-3-haiku-20240307-v1:0", "messages": A_FILE}),
        (litellm.arerank, {"model": "openai/model", "query": "cat", "documents": ["A cat"]}),
    ],
)
def test_a_request_that_litellm_can_not_translate_is_the_clients_fault(
    call: Any, request_: Any, monkeypatch: pytest.MonkeyPatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    error = _raised(call, **request_)
    assert getattr(error, "status_code", None) == 500  # what LiteLLM makes of it
    assert causes.status_code(error) == 400
    assert not causes.is_endpoints_fault(error)


def test_a_provider_that_can_not_be_reached_is_no_such_request():
    error = _raised(litellm.acompletion, model="openai/model", messages=HELLO, max_retries=0)
    assert causes.untranslatable(error) is None
    assert causes.is_endpoints_fault(error)
