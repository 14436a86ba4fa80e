"""What becomes of a request in the application as it is, with a provider that never finishes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.access import open_routes
from langop_model.gateway.access.open_routes import Purpose
from langop_model.gateway.app import Gateway
from langop_model.gateway.asgi import WHEN_LEFT
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.services import Services
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamRequest
from langop_model.gateway.upstreams.stream_usage import StreamUsage
from langop_model.log_format import JsonFormatter

PRICES = {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}
GROUP = {"resource": "m", "namespace": "d", "endpoints": [{"id": "m/0"}]}
UPSTREAM = {"model": "gpt", "routes": {"chat": "/chat/completions"}}
CONFIG = {
    "callback_settings": {"langop": {"models": {"m": {**GROUP, "upstream": UPSTREAM}}}},
    "litellm_settings": {"callbacks": ["prometheus"]},
    "model_list": [{"litellm_params": {"model": "openai/gpt", **PRICES}, "model_info": {"id": "m/0", "region": "eu"}}],
}
EVENT = b'data: {"choices":[{"delta":{"content":"some words of an answer"}}]}\n\n'
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello there"}], "stream": True}


class Endless:
    """An upstream whose stream has one event and no end; `passed` once the client has it."""

    def __init__(self) -> None:
        self.passed = asyncio.Event()

    async def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:  # noqa: ARG002
        account = StreamUsage(request.route)
        account.feed(EVENT)
        return Answer(events=self.events(), account=account)

    async def events(self) -> AsyncIterator[bytes]:
        yield EVENT
        self.passed.set()
        await asyncio.Event().wait()

    async def aclose(self) -> None: ...


async def ask_and_leave() -> tuple[dict[str, Any], str]:
    """Return the line and the metrics of a client that leaves after the first event."""
    services = Services(Configuration.of(CONFIG), {})
    await services.relay.aclose()
    log = services.accounting.log
    log.form, log.stream = JsonFormatter(), io.StringIO()
    provider = services.runtimes["m"].relay = Endless()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(BODY).encode(), "more_body": False}

    async def send(_: Any) -> None: ...

    calls: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b""}
    more = {"headers": [(b"content-type", b"application/json")], "extensions": {WHEN_LEFT: calls.append}}
    request = asyncio.ensure_future(Gateway(services)({**scope, **more}, receive, send))
    await provider.passed.wait()
    calls[0]()
    await request
    assert calls[1:] == [None]
    services.accounting.settlement.settle()
    return json.loads(log.stream.getvalue()), services.accounting.metrics.text().decode()


async def count_of_one_that_is_over() -> tuple[bytes, bytes]:
    """Return what /metrics says as soon as a request is over, and what a snapshot has when a second one is."""
    services = Services(Configuration.of(CONFIG), {})
    await services.relay.aclose()
    services.accounting.log.stream = io.StringIO()
    metrics = open_routes.find("GET", "/metrics")
    assert metrics is not None

    def finish() -> None:
        record = services.accounting.begin("POST", "/v1/chat/completions", Route.CHAT)
        record.asked(services.runtimes["m"].group)
        record.finished(200)

    finish()
    _, _, page = await services.answer(Purpose.METRICS, metrics, {})
    finish()
    services.snapshot()
    return page, services.accounting.metrics.text()


def test_a_request_that_is_over_is_in_the_metrics_at_once():
    page, snapshot = asyncio.run(count_of_one_that_is_over())
    line = b'langop_requests_total{model="m",outcome="success"} %d\n'
    assert (line % 1 in page, line % 2 in snapshot) == (True, True)


def test_a_client_that_leaves_a_stream_has_used_what_it_had():
    line, metrics = asyncio.run(ask_and_leave())
    assert (line["level"], line["status"], line["status_code"], line["region"]) == ("INFO", "left", 499, "eu")
    assert line["usage_estimated"] is True
    assert line["completion_tokens"] > 0
    assert line["cost"] == line["prompt_tokens"] + line["completion_tokens"]
    labels = 'model="m",endpoint="m/0",region="eu"'
    assert f'langop_attempts_total{{{labels},outcome="left"}} 1\n' in metrics
    assert f"langop_endpoint_requests_in_flight{{{labels}}} 0\n" in metrics
    assert 'langop_requests_in_flight{model="m"} 0\n' in metrics
