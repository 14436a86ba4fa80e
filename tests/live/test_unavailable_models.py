"""A gateway of several models, one of which can't be served: what clients and operators see of it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stand_in import StandIn
from tests.live.laboratory import PATIENCE, question
from tests.support import plain_http
from tests.support.kubelet import Pod
from tests.support.waiting import eventually
from tools.processes import Gateway

if TYPE_CHECKING:
    import httpx

BAD = {"provider": "openai-compatible", "modelName": "bad-model", "aliases": ["bad-alias"], "timeout": "sk-not-a-duration"}


class Cluster:
    """A running gateway, its pod's mounts, and the stand-in behind it."""

    def __init__(self, folder: Path, provider: StandIn) -> None:
        self.provider = provider
        self.pod = Pod(folder)
        self.pod.mount_models(good=self.spec("good-model"), bad=BAD, keyless=self.spec("keyless-model", keyed=True))
        mounted = Path(self.pod.environment["LANGOP_MODEL_PATH"])
        self.gateway = Gateway(mounted, folder / "secrets", folder, environment=self.pod.environment)

    def spec(self, model: str, *, keyed: bool = False, **fields: Any) -> dict[str, Any]:
        key = {"apiKeySecretRef": {"name": model, "key": "key"}} if keyed else {}
        return {"provider": "openai-compatible", "modelName": model, "endpoint": self.provider.base(model), **key, **fields}

    def ask(self, model: str) -> httpx.Response:
        return plain_http.post(f"{self.gateway.url}/v1/chat/completions", json=question(model), timeout=PATIENCE)

    def health(self) -> dict[str, Any]:
        answer = plain_http.get(f"{self.gateway.url}/health", timeout=PATIENCE)
        assert answer.status_code == 200
        report: dict[str, Any] = answer.json()
        return report

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the request log."""
        lines = [line for line in self.gateway.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with StandIn() as provider:
        cluster = Cluster(tmp_path_factory.mktemp("unavailable"), provider)
        with cluster.gateway:
            yield cluster


def test_the_others_are_served(cluster: Cluster):
    assert cluster.ask("good-model").status_code == 200


@pytest.mark.parametrize("name", ["bad-model", "bad", "bad-alias"])
def test_a_request_by_any_of_its_names_is_answered_503_with_the_reason(cluster: Cluster, name: str):
    answer = cluster.ask(name)
    assert answer.status_code == 503
    message = answer.json()["error"]["message"]
    assert "LanguageModel bad " in message
    assert "spec.timeout" in message
    assert "sk-not-a-duration" not in message


def test_a_model_without_its_key_is_answered_503(cluster: Cluster):
    answer = cluster.ask("keyless-model")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert "spec.apiKeySecretRef" in answer.json()["error"]["message"]


def test_a_name_that_nobody_has_is_still_not_found(cluster: Cluster):
    assert cluster.ask("nobody").status_code == 404


def test_the_list_of_models_holds_those_that_are_served(cluster: Cluster):
    found = plain_http.get(f"{cluster.gateway.url}/v1/models", timeout=PATIENCE).json()
    assert {entry["id"] for entry in found["data"]} == {"good-model", "good"}


def test_health_is_degraded_and_names_it_with_its_reason(cluster: Cluster):
    report = cluster.health()
    assert report["status"] == "degraded"
    assert [(each["resource"], each["namespace"]) for each in report["unavailable"]] == [
        ("bad", "default"),
        ("keyless", "default"),
    ]
    assert "spec.timeout" in report["unavailable"][0]["reason"]


def test_probes_see_a_gateway_that_serves(cluster: Cluster):
    for probe in ("liveliness", "readiness"):
        assert plain_http.get(f"{cluster.gateway.url}/health/{probe}", timeout=PATIENCE).status_code == 200


def test_the_request_log_has_a_line_for_the_refusal(cluster: Cluster):
    cluster.ask("bad-model")
    eventually(lambda: any(line.get("error") == "model_unavailable" for line in cluster.lines()))


def test_standard_error_names_it_with_its_reason(cluster: Cluster):
    """No termination message is written."""
    log = cluster.gateway.log.read_text(encoding="utf-8")
    assert "model__bad.json" in log
    assert "LM760: the LanguageModel bad is not served" in log
    assert cluster.pod.termination_message == ""


def test_changes_are_served_one_model_at_a_time(cluster: Cluster):
    """The last one: it changes what is mounted."""
    cluster.pod.mount_secret("keyless-model", {"key": "sk-late"})
    eventually(lambda: cluster.ask("keyless-model").status_code == 200)
    cluster.pod.mount_models(added=cluster.spec("added-model"), good=cluster.spec("good-model", timeout="soon"))
    eventually(lambda: cluster.ask("added-model").status_code == 200)
    assert cluster.ask("good-model").status_code == 200
    assert [each["resource"] for each in cluster.health()["outdated"]] == ["good"]
    fixed = {**cluster.spec("bad-model"), "aliases": ["bad-alias"]}
    cluster.pod.mount_models(bad=fixed, good=cluster.spec("good-model"))
    eventually(lambda: cluster.ask("bad-alias").status_code == 200)
    assert cluster.health().keys() & {"unavailable", "outdated"} == set()


def test_with_no_model_left_it_ends_with_78_and_says_why_to_kubernetes(tmp_path: Path):
    pod = Pod(tmp_path)
    pod.mount_models(bad=BAD, worse="{")
    gateway = Gateway(Path(pod.environment["LANGOP_MODEL_PATH"]), tmp_path / "secrets", tmp_path, environment=pod.environment)
    gateway.start()
    assert gateway.process is not None
    assert gateway.process.wait(PATIENCE) == 78
    gateway.stop()
    assert "model__bad.json" in pod.termination_message
    assert "model__worse.json" in pod.termination_message
