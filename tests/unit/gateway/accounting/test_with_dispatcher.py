"""What the application and the dispatcher say of a request, with the real dispatcher and a provider whose answers are given."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from langop_model.contract.settings import Cause, Endpoint, Fallback, Group, Limits, Retries, Upstream
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Deployment, Prices
from langop_model.gateway.accounting.recorder import Accounting, Recorder
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.dispatcher import Call, Dispatcher, Served
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import Answer, FailureKind, Route, UpstreamError, UpstreamRequest, Usage
from langop_model.log_format import JsonFormatter

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
RELAYED = Upstream("m", {"chat": "/chat/completions"})


def group(name: str = "m", **more: Any) -> Group:
    return Group(name, name, (Endpoint(f"{name}/0"),), upstream=RELAYED, **more)


def broken(status: int = 500) -> UpstreamError:
    return UpstreamError(FailureKind.HTTP, status, "broken", cause=Cause.SERVER_ERROR)


class Provider:
    """An upstream that answers with what it was given, in order."""

    def __init__(self, *outcomes: Answer | UpstreamError) -> None:
        self.outcomes = list(outcomes)

    async def send(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:  # noqa: ARG002
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, UpstreamError):
            raise outcome
        return outcome

    async def aclose(self) -> None: ...


class DispatchedRequests:
    """A dispatcher with an accounting."""

    def __init__(self, provider: Provider, *groups: Group) -> None:
        self.stream = io.StringIO()
        self.metrics = Metrics(groups)
        deployed = {f"{each.name}/0": Deployment("openai/x", {"input_cost_per_token": 1.0}) for each in groups}
        self.accounting = Accounting(self.metrics, RequestLog("INFO", self.stream, JsonFormatter()), Prices(deployed))
        self.runtimes = {
            each.name: GroupRuntime(each, Admission(each.limits), Endpoints(each), provider, provider) for each in groups
        }
        self.groups = groups

    def ask(self, stream: bool = False) -> Recorder:
        """Serve a request as the application does."""
        record = self.accounting.begin("POST", "/v1/chat/completions", Route.CHAT, call_id="call")
        record.agent = "clerk"
        record.asked(self.groups[0], BODY, "m", stream)

        async def run() -> None:
            async def sleep(_: float) -> None: ...

            dispatcher = Dispatcher(self.runtimes, sleep)
            call = Call(Route.CHAT, "m", Resolved(("m",), "m"), BODY, stream=stream)
            try:
                served = await dispatcher.serve(call, record)
            except UpstreamError as error:
                record.finished(error.status, failure=error)
                return
            failure = await self._sent(record, served)
            record.finished(served.answer.status, served.answer.usage, failure)

        asyncio.run(run())
        return record

    async def _sent(self, record: Recorder, served: Served) -> str:
        if served.answer.events is None:
            return ""
        record.first_event()
        try:
            async for event in served.answer.events:
                record.event(event)
        except UpstreamError as error:
            return error.cause
        return ""

    def line(self) -> Mapping[str, Any]:
        lines: list[dict[str, Any]] = [json.loads(each) for each in self.stream.getvalue().splitlines()]
        assert len(lines) == 1
        return lines[0]

    def count(self, family: str, *labels: str) -> float:
        return float(getattr(self.metrics, family).labels(*labels).value)


def whole() -> Answer:
    return Answer(body=b'{"choices": []}', usage=Usage(5, 2))


async def events(error: UpstreamError | None = None) -> AsyncIterator[bytes]:
    yield b'data: {"choices": []}\n\n'
    if error is not None:
        raise error


def test_a_whole_answer():
    lab = DispatchedRequests(Provider(whole()), group())
    lab.ask()
    line = lab.line()
    assert (line["status"], line["attempts"], line["cost"], line["agent"]) == ("success", 1, 5.0, "clerk")
    assert lab.count("attempts_of_endpoint", "m", "m/0", "", "success") == 1
    assert lab.count("in_flight", "m") == lab.count("endpoint_in_flight", "m", "m/0", "") == 0


def test_a_stream():
    lab = DispatchedRequests(Provider(Answer(events=events(), usage=Usage(5, 2))), group())
    lab.ask(stream=True)
    line = lab.line()
    assert (line["stream"], line["cost"], line["completion_tokens"]) == (True, 5.0, 2)
    assert line["ttft"] >= 0


def test_a_stream_that_breaks_is_a_failure():
    lab = DispatchedRequests(Provider(Answer(events=events(broken()), usage=Usage(5, 2))), group())
    lab.ask(stream=True)
    assert (lab.line()["level"], lab.line()["status"], lab.line()["error"]) == ("ERROR", "failure", "server_error")
    assert lab.count("requests", "m", "failure") == 1
    assert lab.count("attempts_of_endpoint", "m", "m/0", "", "server_error") == 1
    assert lab.count("attempts_of_endpoint", "m", "m/0", "", "success") == 0


def test_a_retry_is_an_attempt_of_its_own():
    lab = DispatchedRequests(Provider(broken(), whole()), group(retries=Retries(1, status_codes=frozenset({500}))))
    lab.ask()
    assert (lab.line()["level"], lab.line()["attempts"]) == ("WARNING", 2)
    assert lab.count("provider_errors", "m", "m/0", "", "500") == 1


def test_a_fallback_that_answers():
    other = Fallback("other", frozenset({"error"}))
    lab = DispatchedRequests(Provider(broken(), whole()), group(fallbacks=(other,)), group("other"))
    lab.ask()
    assert (lab.line()["model_group"], lab.line()["fallback"], lab.line()["endpoint"]) == ("m", "other", "other/0")
    assert lab.count("fallbacks", "m", "other", "server_error", "success") == 1
    assert lab.count("cost", "other", "other/0", "") == 5.0


def test_a_limit_that_refuses():
    lab = DispatchedRequests(Provider(whole()), group(limits=Limits(requests_per_minute=1, wait=0.0)))
    lab.ask()
    lab.stream.truncate(0)
    lab.stream.seek(0)
    lab.ask()
    line = lab.line()
    assert (line["level"], line["status_code"], line["limit"], line["attempts"]) == (
        "INFO",
        429,
        "rateLimits.requestsPerMinute",
        0,
    )
    assert line["error_message"].startswith("m: rateLimits.requestsPerMinute is reached")
    assert lab.count("refusals", "m", "rateLimits.requestsPerMinute") == 1
    assert sum(lab.metrics.queue_wait.labels("m").counts) == 1


def test_a_provider_that_could_not_be_asked_is_no_mistake_of_the_client():
    lab = DispatchedRequests(Provider(), group())
    record = lab.accounting.begin("POST", "/v1/chat/completions", Route.CHAT)
    record.asked(lab.groups[0], BODY)
    record.finished(503)
    assert (lab.line()["level"], lab.line()["error"]) == ("ERROR", "server_error")
