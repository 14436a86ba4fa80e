"""What today's operator mounts, as `launch` sees it: a ConfigMap of one model, or of all models of a namespace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from langop_model.launch.config_watcher import ConfigReloader
from langop_model.renderer.findings import Finding, SpecError
from tests.support.kubelet import Pod
from tests.unit.specs import codes

Launch = Callable[[dict[str, Any]], tuple[dict[str, Any], list[str]]]
KEY: dict[str, Any] = {"apiKeySecretRef": {"name": "keys", "key": "one"}}
AZURE = {"provider": "azure", "modelName": "d", **KEY}
SERVER = {"provider": "openai-compatible", "modelName": "llama", "endpoint": "http://llm.example.com/v1"}


@pytest.fixture(params=["model.json", "models/model__<name>.json"])
def launch(request: pytest.FixtureRequest, tmp_path: Path) -> Launch:
    """Return what loads a bare spec in one of the two shapes: the configuration, and the codes of what is said."""

    pod = Pod(tmp_path)
    pod.mount_secret("keys", {"one": "sk-1"})

    def run(spec: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        mount = pod.mount_model if request.param == "model.json" else lambda each: pod.mount_models(model=each)
        mount(spec)
        said: list[Finding] = []
        ConfigReloader(pod.environment, said.extend).first()
        config: dict[str, Any] = yaml.safe_load(Path(pod.environment["LANGOP_CONFIG_PATH"]).read_text(encoding="utf-8"))
        return config, codes(said)

    return run


def parameters(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["model_list"][0]["litellm_params"]
    return found


def section(config: dict[str, Any]) -> dict[str, Any]:
    (found,) = config["callback_settings"]["langop"]["models"].values()
    return dict(found)


def test_a_spec_may_have_a_field_api_version(launch: Launch):
    config, _ = launch({**AZURE, "endpoint": "https://r.openai.azure.com", "apiVersion": "2025-04-01-preview"})
    assert parameters(config)["api_version"] == "2025-04-01-preview"


@pytest.mark.parametrize(
    ("params", "path", "expected"),
    [
        ({"timeout": 7}, ("timeout",), 7),
        ({"stream_timeout": 5}, ("stream_timeout",), 5),
        ({"num_retries": 2}, ("retries", "attempts"), 2),
        ({"max_retries": 2}, ("retries", "attempts"), 2),
        ({"rpm": 6}, ("limits", "requests_per_minute"), 6),
        ({"tpm": 900}, ("limits", "tokens_per_minute"), 900),
        ({"max_parallel_requests": 3}, ("limits", "concurrent_requests"), 3),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_params_have_the_meaning_of_the_older_resources_fields(
    launch: Launch, params: dict[str, Any], path: tuple[str, ...], expected: int
):
    found: Any = section(launch({**SERVER, "params": params})[0])
    for name in path:
        found = found[name]
    assert found == expected


def test_params_may_name_the_address(launch: Launch):
    config, _ = launch(
        {"provider": "openai-compatible", "modelName": "llama", "params": {"api_base": "http://other.example.com/v1"}}
    )
    assert section(config)["endpoints"][0]["url"] == "http://other.example.com/v1"


@pytest.mark.parametrize("name", ["model", "custom_llm_provider"])
def test_params_never_choose_the_model_or_the_provider(launch: Launch, name: str):
    with pytest.raises(SpecError):
        launch({**SERVER, "params": {name: "x"}})


@pytest.mark.parametrize("field", [{"clusterRef": "c"}, {"networkPolicies": {"egress": []}}, {"egress": []}], ids=str)
def test_what_is_the_operators_business_changes_nothing(launch: Launch, field: dict[str, Any]):
    assert section(launch({**SERVER, **field})[0]) == section(launch(SERVER)[0])


@pytest.mark.parametrize("field", [{"rateLimits": {"requestsPerMinute": 0}}, {"rateLimits": {}}, {"retryPolicy": {}}], ids=str)
def test_a_number_that_is_zero_or_absent_means_none(launch: Launch, field: dict[str, Any]):
    found = section(launch({**SERVER, **field})[0])
    assert "requests_per_minute" not in found.get("limits", {})
    assert found.get("retries", {}).get("attempts", 0) == 0


def test_a_server_without_a_path_gets_v1(launch: Launch):
    config, said = launch({**SERVER, "endpoint": "http://ollama.example.com:11434"})
    assert (section(config)["endpoints"][0]["url"], "LM130" in said) == ("http://ollama.example.com:11434/v1", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"},
        {"endpoint": "https://r.openai.azure.com", "params": {"api_version": "api-version=2024-10-21"}},
    ],
    ids=["portal", "text"],
)
def test_what_azures_portal_shows_is_understood(launch: Launch, fields: dict[str, Any]):
    config, _ = launch({**AZURE, **fields})
    assert (parameters(config)["api_base"], parameters(config)["api_version"]) == ("https://r.openai.azure.com", "2024-10-21")


def test_litellms_prefix_of_a_model_is_understood(launch: Launch):
    config, said = launch({"provider": "openai", "modelName": "openai/gpt-4", **KEY})
    assert (parameters(config)["model"], "LM134" in said) == ("openai/gpt-4", True)


@pytest.mark.parametrize("spec", [{"provider": "ollama", "modelName": "llama3"}, {**SERVER, "modelName": "gpt-*"}], ids=str)
def test_what_can_not_be_served_in_a_pod_is_refused(launch: Launch, spec: dict[str, Any]):
    with pytest.raises(SpecError):
        launch(spec)
