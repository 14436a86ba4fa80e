"""spec.observability.tracing: spans reach an OpenTelemetry collector, and nothing that was said is in them."""

from __future__ import annotations

import secrets

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.live.observed import KEY, Collector, Exported, ObservedGateway, question
from tests.support import plain_http
from tests.support.waiting import eventually


def trace_of_a_caller() -> tuple[str, str, dict[str, str]]:
    """Return a new trace's id, the id of its caller's span, and the header that says both."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, {"traceparent": f"00-{trace}-{span}-01"}


def spans_of(collector: Collector, trace: str) -> list[Exported]:
    """Return the spans of a trace, once the request's own is among them, which ends last."""

    def found() -> list[Exported]:
        return [each for each in collector.exported if each.span.trace_id.hex() == trace]

    def whole(spans: list[Exported]) -> bool:
        return any(each.span.kind == Span.SPAN_KIND_SERVER for each in spans)

    return eventually(found, whole)


def test_the_spans_of_a_request_continue_the_callers_trace(observed: ObservedGateway, collector: Collector):
    trace, caller, headers = trace_of_a_caller()
    assert observed.post("traced", question(), headers=headers).status_code == 200

    def from_caller(spans: list[Exported]) -> bool:
        known = {each.span.span_id.hex() for each in spans} | {caller}
        return len(spans) >= 2 and all(each.span.parent_span_id.hex() in known for each in spans)

    spans = eventually(lambda: spans_of(collector, trace), from_caller)
    assert caller in {each.span.parent_span_id.hex() for each in spans}
    assert {each.resource["service.name"] for each in spans} == {"the-gateway"}


def test_a_request_without_a_trace_begins_its_own(observed: ObservedGateway, collector: Collector):
    answer = observed.post("traced", question())
    (line,) = observed.lines("traced", 1, call_id=answer.headers["x-langop-call-id"])
    spans = spans_of(collector, line["trace_id"])  # the log names the trace
    assert any(not each.span.parent_span_id for each in eventually(lambda: spans_of(collector, line["trace_id"]), _has_a_root))
    assert len(spans) >= 2


def _has_a_root(spans: list[Exported]) -> bool:
    return any(not each.span.parent_span_id for each in spans)


def test_a_span_says_which_model_answered_with_how_many_tokens(observed: ObservedGateway, collector: Collector):
    trace, _, headers = trace_of_a_caller()
    observed.post("traced", question(), headers=headers)
    span = next(each.span for each in spans_of(collector, trace) if each.span.kind == Span.SPAN_KIND_SERVER)
    attributes = {each.key: each.value for each in span.attributes}
    assert attributes["gen_ai.request.model"].string_value == "traced"
    assert attributes["gen_ai.usage.input_tokens"].int_value == 7
    assert attributes["gen_ai.usage.output_tokens"].int_value == 9
    assert span.end_time_unix_nano > span.start_time_unix_nano


def test_each_attempt_is_a_span_whose_context_the_provider_gets(observed: ObservedGateway, collector: Collector):
    trace, _, headers = trace_of_a_caller()
    text = question()
    observed.post("traced", text, headers=headers)
    (attempt,) = [each.span for each in spans_of(collector, trace) if each.span.kind == Span.SPAN_KIND_CLIENT]
    attributes = {each.key: each.value.string_value for each in attempt.attributes}
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["langop.endpoint"] == "traced/endpoint-0"
    (seen,) = observed.seen(text)
    assert seen.headers["traceparent"] == f"00-{trace}-{attempt.span_id.hex()}-01"


def test_the_histogram_of_latency_names_the_trace(observed: ObservedGateway):
    trace, _, headers = trace_of_a_caller()
    observed.post("traced", question(), headers=headers)
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    page = eventually(
        lambda: plain_http.get(f"{observed.gateway.url}/metrics", headers=accept, timeout=60).text, lambda text: trace in text
    )
    (line, *_) = [line for line in page.splitlines() if trace in line]
    assert line.startswith("gen_ai_server_")


def test_a_failure_is_the_spans_status(observed: ObservedGateway, collector: Collector):
    trace, _, headers = trace_of_a_caller()
    observed.provider.behave("traced", statuses=[500])
    assert observed.post("traced", question(), headers=headers).status_code == 500
    spans = spans_of(collector, trace)
    assert Status.STATUS_CODE_ERROR in {each.span.status.code for each in spans}


def test_nothing_that_was_said_and_no_key_is_in_a_span(observed: ObservedGateway, collector: Collector):
    traces = []
    for ask in (observed.post, lambda *args, **more: observed.post(*args, stream=True, **more)):
        trace, _, headers = trace_of_a_caller()
        observed.provider.behave("traced", text="the answer that only this test knows")
        ask("traced", question("the question that only this test knows"), headers=headers)
        observed.provider.behave("traced", statuses=[500])
        failed, _, headers = trace_of_a_caller()
        ask("traced", question("the question that only this test knows"), headers=headers)
        traces += [trace, failed]
    for trace in traces:
        assert spans_of(collector, trace)
    for body in collector.bodies:
        assert b"only this test knows" not in body
        assert KEY.encode() not in body


def test_requests_are_answered_while_the_collector_is_down(observed: ObservedGateway, collector: Collector):
    collector.stop()
    try:
        for _ in range(5):
            text = question()
            assert observed.said("traced", text) == f"You said: {text}"
    finally:
        collector.start()
    trace, _, headers = trace_of_a_caller()
    observed.post("traced", question(), headers=headers)
    assert spans_of(collector, trace)


def test_without_a_receiver_there_are_no_spans_and_a_finding_says_so(debugged: ObservedGateway):
    debugged.said("debugged", question())
    output = debugged.output()
    assert "LM406 spec.observability.tracing" in output.partition("Started server process")[0]
    assert '"trace_id": "0x' not in output
    assert '"kind": "SpanKind' not in output


def test_probes_and_scrapes_make_no_spans(observed: ObservedGateway, collector: Collector):
    for path in ("/health/liveliness", "/health/readiness", "/health", "/metrics"):
        assert plain_http.get(f"{observed.gateway.url}{path}", timeout=60).status_code == 200
    trace, _, headers = trace_of_a_caller()
    observed.post("traced", question(), headers=headers)
    spans_of(collector, trace)  # spans are exported in the order of their end: those of the probes would be there too
    names = {each.span.name for each in collector.exported}
    assert [name for name in names if "health" in name or "metrics" in name] == []
