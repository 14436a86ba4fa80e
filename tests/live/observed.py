"""The gateway that most of these tests ask: one process, a model for each thing to show, every provider played by one stand-in.

tests/live/conftest.py gives it to the test modules, and ends it with the last of them.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from stand_in import Seen, StandIn
from tests.support import plain_http
from tests.support.waiting import eventually
from tools.processes import Gateway, free_port

if TYPE_CHECKING:
    import httpx
    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from prometheus_client.samples import Sample

KEY = "not-a-real-key-4711"
REDIS_PASSWORD = "not-a-real-password-0815"
TTL = 8.0  # seconds that the observed gateway keeps an answer
_numbers = itertools.count()


def question(about: str = "What is the capital of France?") -> str:
    """Return a question that nobody has asked before."""
    return f"{about} ({next(_numbers)})"


def model(name: str, endpoint: str, **spec: Any) -> dict[str, Any]:
    """Return a LanguageModel of an OpenAI-compatible server with a key; `spec` replaces and adds fields."""
    return {
        "apiVersion": "langop.io/v1alpha1",
        "kind": "LanguageModel",
        "metadata": {"name": name},
        "spec": {
            "provider": "openai-compatible",
            "modelName": name,
            "endpoint": endpoint,
            "apiKeySecretRef": {"name": "credentials"},
            "timeout": "30s",
            **spec,
        },
    }


def mount(folder: Path, models: list[dict[str, Any]]) -> tuple[Path, Path]:
    """Mount models and their key as the operator does for a gateway; return both folders."""
    mounted, secrets = folder / "models", folder / "secrets"
    mounted.mkdir()
    for each in models:
        (mounted / f"model__{each['metadata']['name']}.json").write_text(json.dumps(each), encoding="utf-8")
    (secrets / "credentials").mkdir(parents=True)
    (secrets / "credentials" / "api-key").write_text(f"{KEY}\n", encoding="utf-8")
    return mounted, secrets


def request_lines(output: str) -> list[dict[str, Any]]:
    """Return the lines of the request log among all that a gateway has written."""
    return [line for line in json_lines(output) if line.get("event") == "request"]


def json_lines(output: str) -> list[dict[str, Any]]:
    """Return the lines of JSON among all that a gateway has written."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{") and line.endswith("}")]


@dataclass
class ObservedGateway:
    """A running gateway and the provider behind it."""

    gateway: Gateway
    provider: StandIn

    @property
    def openai(self) -> OpenAI:
        """The gateway as OpenAI's own client sees it."""
        url = f"{self.gateway.url}/v1"
        return OpenAI(base_url=url, api_key="not-needed", max_retries=0, http_client=plain_http.client)

    def post(self, model: str, text: str, headers: Mapping[str, str] | None = None, **body: Any) -> httpx.Response:
        """Ask a model; return the whole answer, also of a failure or of a stream."""
        messages = body.pop("messages", [{"role": "user", "content": text}])
        return plain_http.post(
            f"{self.gateway.url}/v1/chat/completions",
            json={"model": model, "messages": messages, **body},
            headers={"Authorization": "Bearer not-needed", **(headers or {})},
            timeout=60,
        )

    def said(self, model: str, text: str, **body: Any) -> str:
        """Ask a model; return what it says."""
        answer = self.post(model, text, **body)
        assert answer.status_code == 200, answer.text
        content: str = answer.json()["choices"][0]["message"]["content"]
        return content

    def streamed(self, model: str, text: str, **body: Any) -> str:
        """Ask a model for a stream; return what it says."""
        answer = self.post(model, text, stream=True, **body)
        assert answer.status_code == 200, answer.text
        parts = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        return "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"])

    def seen(self, text: str) -> list[Seen]:
        """Return the requests of the provider that hold this text."""
        return [seen for seen in self.provider.requests if text in json.dumps(seen.body)]

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels; 0 where there is none."""
        return sum(sample.value for sample in self.samples(name) if labels.items() <= sample.labels.items())

    def samples(self, name: str = "") -> list[Sample]:
        """Return what GET /metrics says: all of it, or the samples of this name."""
        answer = plain_http.get(f"{self.gateway.url}/metrics", timeout=60)
        assert answer.status_code == 200
        lines = [line for line in answer.text.splitlines(keepends=True) if line.startswith(name)]
        found = [sample for family in text_string_to_metric_families("".join(lines)) for sample in family.samples]
        return [sample for sample in found if name in ("", sample.name)]

    def output(self) -> str:
        """Return everything that the gateway has written to its standard output and error."""
        return self.gateway.log.read_text(encoding="utf-8")

    def lines(self, model: str, count: int, **members: Any) -> list[dict[str, Any]]:
        """Return the lines of the request log for a model, once there are `count` of them with these members."""

        def found() -> list[dict[str, Any]]:
            wanted = {"model_group": model, **members}
            return [line for line in request_lines(self.output()) if wanted.items() <= line.items()]

        return eventually(found, lambda lines: len(lines) >= count)


@dataclass(frozen=True)
class Exported:
    """A span as it was exported, and the attributes of the service that made it."""

    span: Span
    resource: dict[str, str]


class Collector:
    """Receives traces as OTLP over HTTP, in protobuf."""

    def __init__(self) -> None:
        self.port = free_port()
        self.exported: list[Exported] = []
        self.bodies: list[bytes] = []
        self.server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to hold."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.receive(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Receiver)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def receive(self, path: str, body: bytes) -> None:
        """Keep what an export holds."""
        assert path == "/v1/traces"
        request = ExportTraceServiceRequest.FromString(body)
        self.bodies.append(body)
        for part in request.resource_spans:
            resource = {each.key: each.value.string_value for each in part.resource.attributes}
            self.exported.extend(Exported(span, resource) for scope in part.scope_spans for span in scope.spans)

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def _models(provider: StandIn) -> list[dict[str, Any]]:
    def at(name: str, **spec: Any) -> dict[str, Any]:
        return model(name, f"{provider.base(name)}/v1", **spec)

    def logged(name: str, requests: bool, responses: bool) -> dict[str, Any]:
        return at(name, observability={"logging": {"level": "info", "logRequests": requests, "logResponses": responses}})

    cached = {"enabled": True, "backend": "memory", "ttl": f"{TTL:g}s", "maxSize": 1}
    prices = {"inputTokenCost": 0.5, "outputTokenCost": 1.5}
    silent = {"metrics": True, "logging": {"logRequests": False, "logResponses": False}}
    return [
        at("cached", caching=cached, costTracking={"enabled": True, **prices}, observability=silent),
        at("cached-too", caching=cached, observability=silent),
        model(
            "cached-at-two",
            provider.url,
            caching=cached,
            loadBalancing={"endpoints": [{"url": f"{provider.base(name)}/v1"} for name in ("first", "second")]},
            observability=silent,
        ),
        at("not-cached", observability=silent),
        logged("logs-nothing", requests=False, responses=False),
        logged("logs-questions", requests=True, responses=False),
        logged("logs-answers", requests=False, responses=True),
        logged("logs-both", requests=True, responses=True),
        at("priced", costTracking={"enabled": True, **prices}),
        at("listed", modelName="gpt-4o"),
        at("listed-disabled", modelName="gpt-4o-mini", costTracking={"enabled": False}),
        at("limited", rateLimits={"requestsPerMinute": 1}, timeout="2s"),
        at("narrow", rateLimits={"concurrentRequests": 1}),
        at("patient", retryPolicy={"maxAttempts": 2, "initialBackoff": "10ms", "maxBackoff": "10ms"}),
        at("regional", regions=[{"name": "eu-central-1", "enabled": True}]),
        at("named-otherwise", modelName="its-model-name", observability={"logging": {"logRequests": True}}),
        at("traced", observability={"metrics": True, "tracing": True}),
        at(
            "tuned",
            configuration={
                "temperature": 0.25,
                "maxTokens": 123,
                "topP": 0.5,
                "frequencyPenalty": 0.75,
                "presencePenalty": -0.5,
                "stopSequences": ["END", "\n\n"],
                "additionalParameters": {
                    "seed": "7",
                    "parallel_tool_calls": "true",
                    "logit_bias": '{"50256": -100}',
                    "user": "4711",
                    "allowed_openai_params": '["user"]',
                    "repetition_penalty": "1.5",
                    "min_p": "0",
                    "guided_choice": '["yes", "no"]',
                },
            },
        ),
        model(
            "claude",
            provider.base("claude"),
            provider="anthropic",
            configuration={
                "temperature": 0.25,
                "frequencyPenalty": 0.75,
                "presencePenalty": 0.5,
                "stopSequences": ["END"],
                "additionalParameters": {"top_k": "40"},
            },
        ),
        model(
            "azure",
            f"{provider.base('azure')}/",
            provider="azure",
            configuration={"additionalParameters": {"api_version": "2024-10-21"}},
        ),
    ]


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    collector = Collector()
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="package")
def observed_gateway(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[ObservedGateway]:
    folder = tmp_path_factory.mktemp("observed")
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LANGOP_MODEL_NAME": "the-gateway",
    }
    with StandIn() as provider:
        mounted, secrets = mount(folder, _models(provider))
        with Gateway(mounted, secrets, folder, environment=environment) as gateway:
            yield ObservedGateway(gateway, provider)


@pytest.fixture(scope="package")
def debugged_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedGateway]:
    """A gateway at level debug without metrics; its traces have no receiver, and its redis is unreachable when it starts."""
    with StandIn() as provider:
        models = [
            model(
                "debugged",
                f"{provider.base('debugged')}/v1",
                caching={"enabled": True, "backend": "redis", "ttl": "1h"},
                observability={"metrics": False, "tracing": True, "logging": {"level": "debug", "logRequests": False}},
            )
        ]
        folder = tmp_path_factory.mktemp("debugged")
        mounted, secrets = mount(folder, models)
        environment = redis_environment(free_port())
        with Gateway(mounted, secrets, folder, environment=environment) as gateway:
            yield ObservedGateway(gateway, provider)


@pytest.fixture
def observed(observed_gateway: ObservedGateway) -> ObservedGateway:
    """The observed gateway, in front of a provider that behaves normally."""
    observed_gateway.provider.reset()
    return observed_gateway


@pytest.fixture
def debugged(debugged_gateway: ObservedGateway) -> ObservedGateway:
    """The debugged gateway, in front of a provider that behaves normally."""
    debugged_gateway.provider.reset()
    return debugged_gateway


def redis_environment(port: int) -> dict[str, str]:
    """Return what a pod with a redis has in its environment."""
    return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_PASSWORD": REDIS_PASSWORD}
