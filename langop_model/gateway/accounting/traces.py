"""Spans of OpenTelemetry: one for a request, one for each attempt at a provider. No content, no key, no address is in them.

Attributes are those of the GenAI semantic conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
OpenTelemetry is imported where traces are on, and there only. `Traces` is made in a worker, after the fork: its exporter has a
thread, which a fork would not take along.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langop_model.gateway.accounting import trace_context
from langop_model.gateway.accounting.metrics import operation
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.accounting.trace_context import TraceContext

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span
    from opentelemetry.sdk.trace.export import SpanExporter

PROTOCOL, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
GRPC, HTTP = "grpc", "http/protobuf"
GRPC_EXPORTER = "opentelemetry.exporter.otlp.proto.grpc"
SERVICE_NAME = "langop-model"
# Providers of LiteLLM whose name in the conventions is another one:
# https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-provider-name
PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
SCOPE = "langop_model.gateway"
EXPORT_TIMEOUT = 3.0  # seconds that the end of a worker waits for its last spans


class TracesError(Exception):
    """What OTEL_EXPORTER_OTLP_PROTOCOL asks for can't be done; the message says what is allowed."""


def are_on(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is somewhere to send spans to."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(name) for name in ENDPOINTS)


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Raise TracesError for a protocol that is unknown or not installed. Imports nothing."""
    protocol = _protocol(environment)
    if protocol not in (GRPC, HTTP):
        raise TracesError(f"{PROTOCOL} is {protocol!r}; it is {HTTP} or {GRPC}")
    if protocol == GRPC and not _is_installed(GRPC_EXPORTER):
        raise TracesError(
            f"{PROTOCOL} is {GRPC}, and its exporter is not installed: "
            f"use {HTTP}, or install opentelemetry-exporter-otlp-proto-grpc"
        )


class Traces:
    """Makes and exports the spans of one worker. `exporter` is the one that the environment asks for, unless it is given."""

    def __init__(
        self,
        service_name: str = "",
        environment: Mapping[str, str] = os.environ,
        exporter: SpanExporter | None = None,
    ) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        check(environment)
        self._trace = trace
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come first, as everywhere.
        named = environment.get("OTEL_SERVICE_NAME") or service_name or SERVICE_NAME
        self._provider = TracerProvider(resource=Resource.create({"service.name": named}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(environment)))
        self._tracer = self._provider.get_tracer(SCOPE)

    def begin(self, record: RequestRecord, parent: TraceContext | None) -> Span:
        """Begin the span of a request, in the client's trace if it named one."""
        context = None
        if parent is not None:
            flags = self._trace.TraceFlags(trace_context.SAMPLED if parent.sampled else 0)
            remote = self._trace.SpanContext(
                int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags
            )
            context = self._trace.set_span_in_context(self._trace.NonRecordingSpan(remote))
        name = record.method if record.route is None else operation(record.route)  # a path may be anything
        return self._tracer.start_span(name, context=context, kind=self._trace.SpanKind.SERVER)  # type: ignore[return-value]

    def begin_attempt(self, record: RequestRecord, provider: str) -> Span:
        """Begin the span of a request's attempt at a provider, which LiteLLM calls so."""
        context = self._trace.set_span_in_context(record.span)  # type: ignore[arg-type]
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation(record.route),
            "gen_ai.provider.name": PROVIDERS.get(provider, provider),
            "gen_ai.request.model": record.deployed_model,
            "langop.endpoint": record.endpoint,
            "langop.attempt": record.attempts,
        }
        name = f"{operation(record.route)} {record.served_by}"
        return self._tracer.start_span(name, context, self._trace.SpanKind.CLIENT, attributes)  # type: ignore[return-value]

    def end_attempt(self, span: Span, outcome: str, status: int | None = None) -> None:
        """End the span of an attempt; `outcome` is success, left, or a cause."""
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        self._end(span, outcome not in ("success", "left"), outcome)

    def end(self, record: RequestRecord) -> None:
        """End the span of a request with what is known by then."""
        span = record.span
        if span is None:
            return
        group, usage = record.group, record.usage
        attributes: dict[str, Any] = {
            "http.request.method": record.method,
            "http.response.status_code": record.status,
            "langop.call_id": record.call_id,
        }
        if group is not None:
            span.update_name(f"{operation(record.route)} {group.name}")
            attributes |= {"gen_ai.operation.name": operation(record.route), "gen_ai.request.model": group.name}
            attributes |= {"langop.attempts": record.attempts, "langop.cache": record.cache, "langop.fallback": record.fallback}
        if usage is not None:
            attributes |= {"gen_ai.usage.input_tokens": usage.input_tokens, "gen_ai.usage.output_tokens": usage.output_tokens}
            attributes |= {"langop.usage.estimated": True} if usage.estimated else {}
        if record.cost is not None:
            attributes["langop.cost_usd"] = record.cost
        span.set_attributes({name: value for name, value in attributes.items() if value not in ("", None)})
        self._end(span, record.status >= 500 or bool(record.error and record.status < 400), record.error)

    def header(self, span: Span) -> str:
        """Return the traceparent for what this span asks."""
        context = span.get_span_context()
        return trace_context.write(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)

    def trace_id(self, span: Span) -> str:
        """Return a span's trace by its id, as logs and exemplars have it."""
        return f"{span.get_span_context().trace_id:032x}"

    def shutdown(self) -> None:
        """Export what is left, and end the exporter's thread."""
        self._provider.shutdown()

    async def aclose(self) -> None:
        """Export what is left, for EXPORT_TIMEOUT at most: a receiver that is down must not keep a worker from ending."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def export() -> None:
            self.shutdown()
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(over.set)

        threading.Thread(target=export, daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXPORT_TIMEOUT):
                await over.wait()

    def _end(self, span: Span, has_failed: bool, error: str) -> None:
        if has_failed:
            span.set_attribute("error.type", error or "error")
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


def _protocol(environment: Mapping[str, str]) -> str:
    return environment.get(TRACES_PROTOCOL) or environment.get(PROTOCOL) or HTTP


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    """Return the exporter of the protocol; it reads address, headers and time-outs from the environment."""
    if _protocol(environment) == GRPC:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its library writes lines of its own; the exporter logs what fails
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        grpc: SpanExporter = GrpcExporter()
        return grpc
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    http: SpanExporter = OTLPSpanExporter()
    return http


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
