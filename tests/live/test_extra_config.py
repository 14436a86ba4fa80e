"""LANGOP_GATEWAY_EXTRA_CONFIG at work: a model that is written by hand, retries, fallbacks, names and the key for clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stand_in import StandIn
from tests.live.laboratory import PATIENCE, question
from tests.support import plain_http
from tools.processes import Gateway

if TYPE_CHECKING:
    import httpx

EXTRA = """
litellm_settings: {num_retries: 1}
router_settings:
  retry_after: 0.01
  fallbacks: [{rendered: [by-hand]}]
  model_group_alias: {quick: by-hand}
general_settings: {master_key: os.environ/THEIR_KEY}
model_list:
  - model_name: by-hand
    litellm_params: {model: openai/their-model, api_base: BASE, api_key: os.environ/OPENAI_API_KEY, temperature: 0.5}
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(provider: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("extra")
    model = folder / "model.json"
    spec = {"provider": "openai-compatible", "modelName": "rendered", "endpoint": provider.base("rendered")}
    model.write_text(json.dumps(spec), encoding="utf-8")
    environment = {
        "LANGOP_GATEWAY_EXTRA_CONFIG": EXTRA.replace("BASE", provider.base("by-hand")),
        "THEIR_KEY": "sk-clients",
        "OPENAI_API_KEY": "sk-provider",
    }
    with Gateway(model, folder, folder, environment=environment) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def quiet(provider: StandIn) -> None:
    provider.reset()
    provider.clear()


def ask(gateway: Gateway, model: str, key: str = "sk-clients") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return plain_http.post(f"{gateway.url}/v1/chat/completions", json=question(model), headers=headers, timeout=PATIENCE)


def asked(provider: StandIn) -> list[str]:
    return [seen.endpoint for seen in provider.requests]


@pytest.mark.parametrize("name", ["by-hand", "quick"])
def test_a_model_that_is_written_by_hand_is_served(name: str, gateway: Gateway, provider: StandIn):
    assert ask(gateway, name).status_code == 200
    (seen,) = provider.requests
    assert (seen.endpoint, seen.headers["authorization"]) == ("by-hand", "Bearer sk-provider")
    assert (seen.body["model"], seen.body["temperature"]) == ("their-model", 0.5)


def test_a_model_without_policies_is_retried_and_falls_back(gateway: Gateway, provider: StandIn):
    provider.behave("rendered", status=503)
    assert ask(gateway, "rendered").status_code == 200
    assert asked(provider) == ["rendered", "rendered", "by-hand"]


def test_the_key_for_clients_is_that_of_the_variable(gateway: Gateway, provider: StandIn):
    assert ask(gateway, "by-hand", key="sk-another").status_code == 401
    assert asked(provider) == []
