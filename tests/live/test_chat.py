"""From a mounted example to an answer in the OpenAI SDK: a real gateway, started as the container starts it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import OpenAI

from stand_in import Seen, StandIn
from tests.conftest import ROOT
from tests.support import plain_http
from tools.processes import Gateway

KEY = "not-a-real-key-4711"
QUESTION = "What is the capital of France?"
_numbers = itertools.count()


@dataclass(frozen=True)
class Case:
    """An example, where its provider is played, and what must arrive there for its model, its key and its defaults."""

    example: str
    base: str
    path: str
    model: str | None
    key_header: tuple[str, str | None]
    defaults: dict[str, Any]
    query: dict[str, str]


CASES = [
    Case(
        "openai-model",
        "/v1",
        "/v1/chat/completions",
        "gpt-4-turbo-preview",
        ("authorization", f"Bearer {KEY}"),
        {"temperature": 0.7, "max_tokens": 4096},
        {},
    ),
    Case(
        "anthropic-model",
        "",
        "/v1/messages",
        "claude-3-5-sonnet-20241022",
        ("x-api-key", KEY),
        {"temperature": 0.5, "max_tokens": 8192, "stop_sequences": ["\n\nHuman:"]},
        {},
    ),
    Case(
        "azure-openai",
        "/",
        "/openai/deployments/gpt-4-deployment/chat/completions",
        "gpt-4-deployment",
        ("api-key", KEY),
        {"max_tokens": 2048},
        {"api-version": "2025-01-01-preview"},
    ),
    Case(
        "ollama-local",
        "/v1",
        "/v1/chat/completions",
        "llama3.2",
        ("authorization", None),
        {},
        {},
    ),
]


@dataclass
class Running:
    case: Case
    client: OpenAI
    provider: StandIn
    spec: dict[str, Any]
    gateway: Gateway

    def ask(self, model: str) -> tuple[str, str, Seen]:
        """Ask a question that no cache knows; return it, its answer, and the request that the provider saw for it."""
        self.provider.clear()
        question = f"{QUESTION} ({next(_numbers)})"
        answer = self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
        (seen,) = self.provider.requests
        return question, answer.choices[0].message.content or "", seen


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.example)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    case: Case = request.param
    folder = tmp_path_factory.mktemp(case.example)
    with StandIn() as provider:
        manifest = yaml.safe_load((ROOT / "examples" / f"{case.example}.yaml").read_text(encoding="utf-8"))
        manifest["spec"]["endpoint"] = provider.url + case.base
        mounted = folder / "model.yaml"
        mounted.write_text(yaml.safe_dump(manifest), encoding="utf-8")
        with Gateway(mounted, _secrets(folder, manifest["spec"]), folder) as gateway:
            client = OpenAI(base_url=f"{gateway.url}/v1", api_key="not-needed", max_retries=0)
            yield Running(case, client, provider, manifest, gateway)


def _secrets(folder: Path, spec: dict[str, Any]) -> Path:
    """Mount KEY as the spec's Secret, with the newline that `kubectl create secret --from-file` leaves at its end."""
    reference = spec.get("apiKeySecretRef")
    if reference:
        mounted = folder / "secrets" / reference["name"] / reference.get("key", "api-key")
        mounted.parent.mkdir(parents=True)
        mounted.write_text(f"{KEY}\n", encoding="utf-8")
    return folder / "secrets"


def test_a_chat_request_is_answered(running: Running):
    question, answer, _ = running.ask(running.spec["spec"]["modelName"])
    assert answer == f"You said: {question}"


def test_a_streamed_chat_request_is_answered_in_pieces(running: Running):
    pieces = [
        piece.choices[0].delta.content
        for piece in running.client.chat.completions.create(
            model=running.spec["spec"]["modelName"],
            messages=[{"role": "user", "content": f"{QUESTION} In one word."}],
            stream=True,
        )
        if piece.choices and piece.choices[0].delta.content
    ]
    assert len(pieces) > 1
    assert "".join(pieces) == f"You said: {QUESTION} In one word."


def test_the_model_answers_to_its_resource_name_too(running: Running):
    question, answer, seen = running.ask(running.spec["metadata"]["name"])
    assert answer == f"You said: {question}"
    assert seen.body["model"] == running.case.model


def test_the_provider_sees_its_own_path_and_model(running: Running):
    _, _, seen = running.ask(running.spec["spec"]["modelName"])
    assert seen.path == running.case.path
    assert running.case.query.items() <= seen.query.items()
    assert seen.body["model"] == running.case.model


def test_the_provider_sees_the_mounted_key_without_its_newline(running: Running):
    _, _, seen = running.ask(running.spec["spec"]["modelName"])
    name, value = running.case.key_header
    assert seen.headers.get(name) == value


def test_the_provider_sees_the_defaults_of_the_spec(running: Running):
    _, _, seen = running.ask(running.spec["spec"]["modelName"])
    sent = {name: seen.body.get(name) for name in running.case.defaults}
    assert sent == running.case.defaults


def test_a_clients_own_value_wins_over_the_default(running: Running):
    running.provider.clear()
    running.client.chat.completions.create(
        model=running.spec["spec"]["modelName"], messages=[{"role": "user", "content": "Hi"}], max_tokens=7
    )
    assert running.provider.requests[-1].body["max_tokens"] == 7


def test_the_key_is_neither_in_the_configuration_nor_in_the_log(running: Running):
    running.ask(running.spec["spec"]["modelName"])
    assert KEY not in running.gateway.config.read_text(encoding="utf-8")
    assert KEY not in running.gateway.log.read_text(encoding="utf-8")


def test_the_provider_is_never_called_unasked(running: Running):
    running.ask(running.spec["spec"]["modelName"])
    assert plain_http.get(f"{running.gateway.url}/health", timeout=30).status_code == 200
    assert [seen.path for seen in running.provider.requests] == [running.case.path]
