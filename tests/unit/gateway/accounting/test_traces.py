"""Spans: one for a request and one for each attempt, in the client's trace, with nothing that was said."""

from __future__ import annotations

import asyncio
import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ClassVar

import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.accounting import traces
from langop_model.gateway.accounting.exposition import OPENMETRICS
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Deployment, Prices
from langop_model.gateway.accounting.recorder import Accounting, Recorder
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.traces import Traces
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.services import Services
from langop_model.gateway.upstreams.base import FailureKind, Route, UpstreamError, Usage
from langop_model.log_format import JsonFormatter
from tests.conftest import ROOT

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

GROUP = Group("m", "resource", (Endpoint("m/0"),))
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{CALLER}-01"


class Traced:
    """An accounting whose spans can be looked at."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.traces = Traces("the-gateway", {}, self.exporter)
        self.metrics = Metrics([GROUP])
        deployed = {"m/0": Deployment("openai/gpt", {"input_cost_per_token": 1.0})}
        log = RequestLog("INFO", io.StringIO(), JsonFormatter())
        self.accounting = Accounting(self.metrics, log, Prices(deployed), self.traces)

    def begin(self, traceparent: str | None = PARENT) -> Recorder:
        record = self.accounting.begin("POST", "/v1/chat/completions", Route.CHAT, traceparent=traceparent)
        record.asked(GROUP, {"messages": [{"role": "user", "content": "the question"}]})
        return record

    def spans(self) -> list[ReadableSpan]:
        self.traces.shutdown()
        return list(self.exporter.get_finished_spans())


@pytest.fixture
def traced() -> Iterator[Traced]:
    found = Traced()
    yield found
    found.traces.shutdown()


def test_a_request_and_its_attempts_are_spans_of_the_clients_trace(traced: Traced):
    record = traced.begin()
    record.attempt(GROUP, "m/0")
    record.failed(UpstreamError(FailureKind.HTTP, 503, "the answer", cause="server_error"))
    record.attempt(GROUP, "m/0")
    record.finished(200, Usage(7, 9))
    first, second, request = traced.spans()
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER
    assert (request.name, request.kind, first.kind) == ("chat m", SpanKind.SERVER, SpanKind.CLIENT)
    for attempt in (first, second):
        assert attempt.parent is not None
        assert attempt.parent.span_id == request.context.span_id
        assert f"{attempt.context.trace_id:032x}" == TRACE
    assert first.status.status_code is StatusCode.ERROR
    assert dict(first.attributes or {})["error.type"] == "server_error"
    assert dict(first.attributes or {})["http.response.status_code"] == 503
    assert [span.status.status_code for span in (second, request)] == [StatusCode.UNSET, StatusCode.UNSET]
    attributes = dict(request.attributes or {})
    assert attributes["gen_ai.request.model"] == "m"
    assert (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]) == (7, 9)
    assert dict(second.attributes or {})["gen_ai.provider.name"] == "openai"
    assert request.resource.attributes["service.name"] == "the-gateway"


def test_a_request_without_a_trace_begins_its_own(traced: Traced):
    record = traced.begin(None)
    record.finished(200)
    (span,) = traced.spans()
    assert span.parent is None
    assert record.trace_id == f"{span.context.trace_id:032x}"


def test_the_trace_goes_on_to_the_provider(traced: Traced):
    record = traced.begin()
    headers = record.attempt(GROUP, "m/0")
    record.finished(200)
    attempt, _ = traced.spans()
    assert headers == {"traceparent": f"00-{TRACE}-{attempt.context.span_id:016x}-01"}


def test_a_trace_that_the_client_does_not_sample_is_not_exported(traced: Traced):
    record = traced.begin(f"00-{TRACE}-{CALLER}-00")
    headers = record.attempt(GROUP, "m/0")
    assert headers is not None
    assert headers["traceparent"].endswith("-00")
    record.finished(200)
    assert traced.spans() == []
    assert TRACE.encode() not in traced.metrics.text(media_type=OPENMETRICS)


def test_a_provider_has_the_name_of_the_conventions(traced: Traced):
    traced.accounting.prices.deployments["m/0"] = Deployment("bedrock/anthropic.claude", {})
    record = traced.begin()
    record.attempt(GROUP, "m/0")
    record.finished(200)
    attempt, _ = traced.spans()
    assert dict(attempt.attributes or {})["gen_ai.provider.name"] == "aws.bedrock"


def test_a_failure_is_the_spans_status(traced: Traced):
    traced.begin().finished(500, error="server_error")
    (span,) = traced.spans()
    assert span.status.status_code is StatusCode.ERROR


def test_nothing_that_was_said_is_in_a_span(traced: Traced):
    record = traced.begin()
    record.attempt(GROUP, "m/0")
    record.failed(UpstreamError(FailureKind.HTTP, 400, "you said: the question", cause="client_error"))
    record.finished(400)
    spans = traced.spans()
    assert len(spans) == 2
    assert not [span for span in spans if "the question" in span.to_json()]


def test_the_histogram_of_latency_names_a_trace(traced: Traced):
    traced.begin().finished(200)
    assert f'# {{trace_id="{TRACE}"}}'.encode() in traced.metrics.text(media_type=OPENMETRICS)


class Collector(BaseHTTPRequestHandler):
    """Receives spans over HTTP."""

    bodies: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.bodies.append((self.path, self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_spans_reach_a_collector_over_http(monkeypatch: pytest.MonkeyPatch):
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "from-the-environment")
        made = Traces("the-gateway")
        accounting = Accounting(Metrics([GROUP]), RequestLog("ERROR", io.StringIO(), JsonFormatter()), Prices({}), made)
        accounting.begin("POST", "/v1/chat/completions", Route.CHAT, traceparent=PARENT).finished(200)
        made.shutdown()
        server.shutdown()
    ((path, body),) = Collector.bodies
    exported = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    (spans,) = exported.resource_spans
    assert path == "/v1/traces"
    assert spans.scope_spans[0].spans[0].trace_id.hex() == TRACE
    resource = {each.key: each.value.string_value for each in spans.resource.attributes}
    assert resource["service.name"] == "from-the-environment"


def test_spans_reach_a_collector_over_grpc(monkeypatch: pytest.MonkeyPatch):
    received: list[bytes] = []

    def export(request: bytes, _: Any) -> bytes:
        received.append(request)
        return b""

    method = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    service = grpc.method_handlers_generic_handler("opentelemetry.proto.collector.trace.v1.TraceService", method)
    server = grpc.server(ThreadPoolExecutor(1), handlers=[service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    made = Traces("the-gateway")
    accounting = Accounting(Metrics([GROUP]), RequestLog("ERROR", io.StringIO(), JsonFormatter()), Prices({}), made)
    accounting.begin("POST", "/v1/chat/completions", Route.CHAT, traceparent=PARENT).finished(200)
    made.shutdown()
    server.stop(None)
    (spans,) = ExportTraceServiceRequest.FromString(received[0]).resource_spans
    assert spans.scope_spans[0].spans[0].trace_id.hex() == TRACE
    assert {each.key: each.value.string_value for each in spans.resource.attributes}["service.name"] == "the-gateway"


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_on_where_they_have_a_receiver(environment: dict[str, str], on: bool):
    assert traces.are_on(environment) is on


def test_the_last_spans_of_a_worker_are_exported(monkeypatch: pytest.MonkeyPatch):
    """They would be lost at each change of the configuration: a batch is exported after five seconds."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(traces, "_exporter", lambda _: exporter)
    traced_config = {"callback_settings": {"langop": {"models": {}}}, "litellm_settings": {"callbacks": ["otel"]}}

    async def work() -> None:
        services = Services(Configuration.of(traced_config), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
        services.accounting.begin("POST", "/v1/chat/completions", Route.CHAT).finished(404)
        await services.aclose()

    asyncio.run(work())
    assert [span.name for span in exporter.get_finished_spans()] == ["chat"]


def test_a_receiver_that_is_down_does_not_keep_a_worker_from_ending(monkeypatch: pytest.MonkeyPatch):
    hangs = Event()

    class Hanging(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            hangs.wait(60)
            return super().export(spans)

    monkeypatch.setattr(traces, "EXPORT_TIMEOUT", 0.05)
    made = Traces("the-gateway", {}, Hanging())
    made._tracer.start_span("a").end()
    asyncio.run(made.aclose())
    hangs.set()


def test_an_unknown_protocol_says_which_there_are():
    with pytest.raises(traces.TracesError, match="http/protobuf or grpc"):
        traces.check({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})


def test_grpc_without_its_exporter_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traces, "GRPC_EXPORTER", "opentelemetry.exporter.otlp.proto.not_installed")
    with pytest.raises(traces.TracesError, match="opentelemetry-exporter-otlp-proto-grpc"):
        traces.check({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_traces_that_are_off_import_nothing():
    code = (
        "import sys; from langop_model.gateway.accounting import recorder, traces; traces.are_on({}); traces.check({}); "
        "assert not [name for name in sys.modules if name.startswith(('opentelemetry', 'litellm', 'prometheus_client'))]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
