"""LANGOP_GATEWAY_EXTRA_CONFIG as `launch` sees it: set in the pod, with specifications that are mounted as the kubelet does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from langop_model.gateway.serving import front
from langop_model.launch import command
from langop_model.renderer import settings as settings_module
from langop_model.renderer.findings import Finding, SpecError
from tests.conftest import ROOT
from tests.support.kubelet import Pod
from tests.unit.specs import a_spec, codes

BY_HAND = "{model_name: claude, litellm_params: {model: anthropic/claude-x, api_key: os.environ/ANTHROPIC_API_KEY}}"


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    monkeypatch.setattr(settings_module, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "none")
    pod = Pod(tmp_path)
    pod.mount_models(fast=a_spec(modelName="fast-1", timeout="5m"), slow=a_spec(modelName="slow-1", timeout="20s"))
    return pod


class Launched:
    """What a gateway would serve: its configuration, its variables, and what was said."""

    def __init__(self, pod: Pod, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.variables: dict[str, str] = {}
        self.said: list[Finding] = []
        pod.environment["LANGOP_GATEWAY_EXTRA_CONFIG"] = extra
        for name in pod.environment:
            monkeypatch.setenv(name, pod.environment[name])
        monkeypatch.setattr(front, "serve", self._serve)
        command.launch(pod.environment, "127.0.0.1", 0, self.said.extend)

    def _serve(self, path: Path, start: front.Start, *_: Any) -> int:
        self.variables = dict(start.variables())
        self.config = yaml.safe_load(path.read_text(encoding="utf-8"))
        return 0

    @property
    def langop(self) -> dict[str, Any]:
        section: dict[str, Any] = self.config["callback_settings"]["langop"]
        return section


def test_retries_and_timeouts_hold_for_models_that_do_not_say(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    launched = Launched(pod, "litellm_settings: {num_retries: 2, request_timeout: 30}", monkeypatch)
    assert [launched.langop["models"][name]["retries"]["attempts"] for name in ("fast-1", "slow-1")] == [2, 2]
    assert [entry["litellm_params"]["timeout"] for entry in launched.config["model_list"]] == [30, 20]


def test_fallbacks_strategy_cooldown_and_checks(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    extra = """
router_settings:
  fallbacks: [{fast-1: [slow-1]}]
  context_window_fallbacks: [{slow: [fast]}]
  routing_strategy: least-busy
  allowed_fails: 1
  cooldown_time: 20
general_settings: {background_health_checks: true, health_check_interval: 15}
"""
    models = Launched(pod, extra, monkeypatch).langop["models"]
    assert models["fast-1"]["fallbacks"] == [{"group": "slow-1", "causes": ["error"]}]
    assert models["slow-1"]["fallbacks"] == [{"group": "fast-1", "causes": ["context_window"]}]
    for model in models.values():
        assert model["strategy"] == "least-connections"
        assert model["cooldown"] == {"seconds": 20, "allowed_fails": 1}
        assert model["health_check"]["interval"] == 15


def test_a_cache_in_redis_with_its_password_from_the_pod(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    pod.environment["CACHE_PASSWORD"] = "p-1"
    cache = "{type: redis, host: redis.team.svc, password: os.environ/CACHE_PASSWORD, ttl: 60}"
    launched = Launched(pod, f"litellm_settings: {{cache: true, cache_params: {cache}}}", monkeypatch)
    assert launched.langop["redis"] == {"host": "redis.team.svc", "password": "os.environ/CACHE_PASSWORD"}
    assert launched.variables["CACHE_PASSWORD"] == "p-1"
    assert "LM345" not in codes(launched.said)


def test_a_hand_written_model_with_its_key_from_the_pod(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    pod.environment["ANTHROPIC_API_KEY"] = "sk-1"
    launched = Launched(pod, f"model_list: [{BY_HAND}]", monkeypatch)
    assert [entry["model_name"] for entry in launched.config["model_list"]] == ["fast-1", "slow-1", "claude"]
    assert launched.variables["LANGOP_ENVIRONMENT_ANTHROPIC_API_KEY"] == "sk-1"
    assert "sk-1" not in yaml.safe_dump(launched.config)


def test_the_key_for_clients_from_another_variable(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    pod.environment["PROXY_KEY"] = "sk-2"
    launched = Launched(pod, "general_settings: {master_key: os.environ/PROXY_KEY}", monkeypatch)
    assert launched.variables["LITELLM_MASTER_KEY"] == "sk-2"
    assert "dangerously_permit_weak_or_unset_master_key" not in launched.config["general_settings"]


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_variable_that_is_named_and_not_set_ends_the_start(value: str | None, pod: Pod, monkeypatch: pytest.MonkeyPatch):
    if value is not None:
        pod.environment["ANTHROPIC_API_KEY"] = value
    with pytest.raises(SpecError) as caught:
        Launched(pod, f"model_list: [{BY_HAND}]", monkeypatch)
    assert codes(caught.value.findings) == ["LM755"]
    assert "ANTHROPIC_API_KEY" in caught.value.findings[0].message


def test_without_models_a_hand_written_one_is_served(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    pod.environment["ANTHROPIC_API_KEY"] = "sk-1"
    pod.mount_models(fast=None, slow=None)
    launched = Launched(pod, f"model_list: [{BY_HAND}]", monkeypatch)
    assert list(launched.langop["models"]) == ["claude"]


@pytest.mark.parametrize("extra", ["", "null", "# nothing\n", "{}"])
def test_an_empty_configuration(extra: str, pod: Pod, monkeypatch: pytest.MonkeyPatch):
    assert list(Launched(pod, extra, monkeypatch).langop["models"]) == ["fast-1", "slow-1"]


def test_workers_that_share_an_extra_redis_need_no_warning(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    pod.environment["LANGOP_WORKERS"] = "2"
    assert "LM728" in codes(Launched(pod, "", monkeypatch).said)
    assert "LM728" not in codes(Launched(pod, "router_settings: {redis_host: r}", monkeypatch).said)


def launch(pod: Pod, **variables: str) -> tuple[int, str]:
    """Run the command as the container does; return its exit code and what it said."""
    environment = {**os.environ, **pod.environment, **variables}
    line = [sys.executable, "render.py", "launch", "--port", "0", "--host", "127.0.0.1"]
    process = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return process.returncode, process.stderr


@pytest.mark.parametrize("name", ["LITELLM_MASTER_KEY", "LANGOP_GATEWAY_HMAC_SECRET"])
def test_a_secret_that_holds_nothing_ends_the_start_with_78(name: str, pod: Pod):
    code, said = launch(pod, **{name: ""})
    assert code == 78
    assert f"LM754: {name} is set, but holds nothing" in said
    assert name in pod.termination_message


def test_what_is_refused_ends_the_start_with_78_and_its_path(pod: Pod):
    code, said = launch(pod, LANGOP_GATEWAY_EXTRA_CONFIG="guardrails: []\nlitellm_settings: {max_budget: 5}")
    assert code == 78
    assert "LANGOP_GATEWAY_EXTRA_CONFIG:1:1: LM750: guardrails is refused: " in said
    assert "LANGOP_GATEWAY_EXTRA_CONFIG:2:20: LM750: litellm_settings.max_budget is refused: " in said
    assert "Traceback" not in said
    assert "litellm_settings.max_budget" in pod.termination_message
