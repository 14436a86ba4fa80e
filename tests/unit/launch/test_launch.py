"""`launch`, up to the moment in which LiteLLM would be imported: the mounted specification and the mounted keys."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langop_model.gateway.serving import front
from langop_model.launch import command, config_watcher, load_config
from langop_model.renderer import findings
from langop_model.renderer import settings as settings_module
from langop_model.renderer.findings import Finding, SpecError
from tests.conftest import ROOT
from tests.support.kubelet import look
from tests.support.provider_keys import load_keys
from tests.unit.specs import a_manifest, a_spec, codes

GOLDENS = sorted((ROOT / "tests" / "golden").glob("*.config.yaml"))
KEYED = a_spec(apiKeySecretRef={"name": "keys", "key": "one"})


@pytest.fixture(autouse=True)
def no_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "none")


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


class Pod:
    """A folder in place of a pod's file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"LANGOP_MODEL_PATH": str(folder / "model.json"), "LANGOP_SECRETS_PATH": str(folder / "secrets")}

    def mount(self, spec: Any, name: str = "model.json") -> None:
        (self.folder / name).write_text(spec if isinstance(spec, str) else json.dumps(spec), encoding="utf-8")

    def mount_key(self, content: bytes, name: str = "keys", key: str = "one") -> Path:
        path = self.folder / "secrets" / name / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def keys(self) -> dict[str, str]:
        return load_keys(load_config.render_mounted(self.environment))

    def refusal(self) -> tuple[Finding, ...]:
        with pytest.raises(SpecError) as caught:
            self.keys()
        return caught.value.findings


# The specification.


def test_a_bare_spec_is_rendered(pod: Pod):
    pod.mount(a_spec())
    assert load_config.render_mounted(pod.environment).config["model_list"][0]["model_name"] == "llama"


def test_the_host_name_of_the_pod_names_the_resource(pod: Pod):
    pod.mount(a_spec())
    assert load_config.render_mounted(pod.environment | {"HOSTNAME": "my-model-5d9c7b6f4-abcde"}).name == "my-model"


def test_a_manifest_is_rendered_too(pod: Pod):
    pod.mount(a_manifest(a_spec(), "named"))
    assert load_config.render_mounted(pod.environment).name == "named"


def test_a_server_that_would_be_in_the_pod_is_refused(pod: Pod):
    pod.mount(a_spec(provider="ollama", endpoint=None))
    assert "LM136" in codes(pod.refusal())


def test_on_a_machine_a_server_may_be_beside_the_gateway(pod: Pod):
    pod.mount(a_spec(provider="ollama", endpoint=None))
    pod.environment["LANGOP_LOCAL"] = "true"
    assert "LM137" in codes(load_config.render_mounted(pod.environment).findings)


def test_an_endpoint_in_the_pod_is_reported(pod: Pod):
    pod.mount(a_spec(endpoint="http://localhost:8000/v1"))
    assert "LM138" in codes(load_config.render_mounted(pod.environment).findings)


def test_lint_is_said_at_the_start_too(pod: Pod):
    pod.mount(a_spec(timeout="1ms"))
    assert "LM613" in codes(load_config.render_mounted(pod.environment).findings)


def test_nothing_mounted_is_told(pod: Pod):
    (finding,) = pod.refusal()
    assert (finding.code, finding.file) == ("LM703", pod.environment["LANGOP_MODEL_PATH"])


def test_the_usual_place_is_where_the_operator_mounts_it():
    assert (load_config.SPECIFICATION, config_watcher.CONFIGURATION) == ("/etc/langop/model.json", "/app/config.yaml")


def test_a_name_that_no_file_can_have_is_told(pod: Pod):
    pod.environment["LANGOP_MODEL_PATH"] = "x" * 300
    assert {finding.level for finding in pod.refusal()} == {"error"}


def test_a_folder_without_a_model_is_a_gateway_that_has_none_yet(pod: Pod):
    (pod.folder / "model.json").mkdir()
    result = load_config.render_mounted(pod.environment)
    assert (result.config["model_list"], codes(result.findings)) == ([], ["LM727"])


@pytest.fixture
def operators_places(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> Pod:
    """The operator's places, below the pod's folder."""
    del pod.environment["LANGOP_MODEL_PATH"]
    monkeypatch.setattr(load_config, "SPECIFICATION", str(pod.folder / "model.json"))
    monkeypatch.setattr(load_config, "SPECIFICATIONS", str(pod.folder / "models"))
    return pod


def served_models(pod: Pod) -> list[str]:
    return [entry["model_name"] for entry in load_config.render_mounted(pod.environment).config["model_list"]]


def test_the_models_of_a_gateway_come_before_a_single_one(operators_places: Pod):
    operators_places.mount(a_spec(modelName="alone"))
    (operators_places.folder / "models").mkdir()
    for name in ("b", "a"):
        operators_places.mount(a_spec(modelName=f"model-{name}"), f"models/model__{name}.json")
    assert served_models(operators_places) == ["model-a", "model-b"]


def test_other_files_in_the_folder_of_models_are_none(operators_places: Pod):
    (operators_places.folder / "models" / "..data").mkdir(parents=True)
    for name in ("..data/model__old.json", ".model__hidden.json", "values.json", "model__a.json"):
        operators_places.mount(a_spec(modelName=Path(name).stem), f"models/{name}")
    assert served_models(operators_places) == ["model__a"]


def test_without_a_model_in_the_folder_the_single_one_is_served(operators_places: Pod):
    (operators_places.folder / "models").mkdir()
    operators_places.mount(a_spec(modelName="alone"))
    assert served_models(operators_places) == ["alone"]


def test_an_empty_folder_of_models_alone_is_a_gateway_that_has_none_yet(operators_places: Pod):
    (operators_places.folder / "models").mkdir()
    assert served_models(operators_places) == []


def test_with_neither_place_mounted_the_single_one_is_asked_for(operators_places: Pod):
    (finding,) = operators_places.refusal()
    assert (finding.code, finding.file) == ("LM703", str(operators_places.folder / "model.json"))


def test_a_field_of_a_newer_operator_is_a_warning(pod: Pod):
    pod.mount(a_spec(fieldOfTomorrow=1, caching={"enabled": True, "shards": 3}))
    found = load_config.render_mounted(pod.environment).findings
    assert [(finding.code, finding.level) for finding in found if finding.code == "LM101"] == [
        ("LM101", "warning"),
        ("LM101", "warning"),
    ]


def test_a_wrong_value_is_an_error_all_the_same(pod: Pod):
    pod.mount(a_spec(timeout="soon", fieldOfTomorrow=1))
    assert {finding.level for finding in pod.refusal()} == {"error", "warning"}


def test_several_models_are_too_many_for_one_proxy(pod: Pod):
    pod.mount({"kind": "List", "items": [a_manifest(a_spec(), "a"), a_manifest(a_spec(), "b")]})
    (finding,) = pod.refusal()
    assert finding.code == "LM706"
    assert "2 LanguageModels" in finding.message


def test_redis_without_an_address_is_an_error(pod: Pod):
    pod.mount(a_spec(caching={"enabled": True, "backend": "redis"}))
    assert [finding.path for finding in pod.refusal() if finding.code == "LM704"] == [("spec", "caching", "backend")]


def test_memcached_without_an_address_is_an_error(pod: Pod):
    pod.mount(a_spec(caching={"enabled": True, "backend": "memcached"}))
    (finding,) = [finding for finding in pod.refusal() if finding.code == "LM704"]
    assert "memcached" in finding.message
    assert "MEMCACHED_SERVERS, MEMCACHED_HOST" in finding.fix


@pytest.mark.parametrize("variable", ["MEMCACHED_HOST", "MEMCACHED_SERVERS"])
def test_memcached_with_an_address_is_right(pod: Pod, variable: str):
    pod.mount(a_spec(caching={"enabled": True, "backend": "memcached"}))
    config = load_config.render_mounted(pod.environment | {variable: "cache"}).config
    assert [model["caching"]["backend"] for model in config["callback_settings"]["langop"]["models"].values()] == ["memcached"]
    assert "cache" not in config["litellm_settings"]


@pytest.mark.parametrize("variable", ["REDIS_HOST", "REDIS_URL", "REDIS_SENTINEL_NODES", "REDIS_CLUSTER_NODES"])
def test_redis_with_an_address_is_right(pod: Pod, variable: str):
    pod.mount(a_spec(caching={"enabled": True, "backend": "redis"}))
    assert (
        load_config.render_mounted(pod.environment | {variable: "redis"}).config["litellm_settings"]["cache_params"]["type"]
        == "redis"
    )


def test_a_cache_in_memory_needs_no_address(pod: Pod):
    pod.mount(a_spec(caching={"enabled": True}))
    assert load_config.render_mounted(pod.environment).config["litellm_settings"]["cache"] is True


# The keys.


@pytest.mark.parametrize("content", [b"sk-1", b"sk-1\n", b"  sk-1 \r\n", b"\n\tsk-1"])
def test_a_key_is_what_its_file_holds_without_white_space_around_it(pod: Pod, content: bytes):
    pod.mount(KEYED)
    pod.mount_key(content)
    assert pod.keys() == {"LANGOP_KEY_KEYS__ONE": "sk-1"}


def test_the_configuration_refers_to_the_key_and_does_not_hold_it(pod: Pod):
    pod.mount(KEYED)
    pod.mount_key(b"sk-very-secret")
    result = load_config.render_mounted(pod.environment)
    (name,) = load_keys(result)
    assert f"os.environ/{name}" in result.text
    assert "sk-very-secret" not in result.text


def test_without_a_reference_there_are_no_keys(pod: Pod):
    pod.mount(a_spec())
    assert pod.keys() == {}


def test_a_key_that_is_passed_as_a_file_is_checked(pod: Pod):
    """LiteLLM gets its path."""
    pod.mount(a_spec(provider="vertex", endpoint=None, apiKeySecretRef={"name": "keys", "key": "one"}))
    assert codes(pod.refusal()) == ["LM701"]
    pod.mount_key(b'{"type": "service_account"}')
    assert list(pod.keys().values()) == [str(pod.folder / "secrets" / "keys" / "one")]


def test_a_missing_key_is_told_with_its_path(pod: Pod):
    pod.mount(KEYED)
    (finding,) = pod.refusal()
    assert (finding.code, finding.path) == ("LM701", ("spec", "apiKeySecretRef"))
    assert str(pod.folder / "secrets" / "keys" / "one") in finding.message
    assert "No such file" in finding.message


def test_a_folder_in_place_of_a_key_is_told(pod: Pod):
    pod.mount(KEYED)
    (pod.folder / "secrets" / "keys" / "one").mkdir(parents=True)
    assert codes(pod.refusal()) == ["LM701"]


def test_a_key_that_is_no_text_is_told_and_not_repeated(pod: Pod):
    pod.mount(KEYED)
    pod.mount_key(b"sk-secret\xff")
    (finding,) = pod.refusal()
    assert finding.code == "LM701"
    assert "sk-secret" not in finding.message


@pytest.mark.parametrize("content", [b"", b"\n", b" \t\r\n"])
def test_an_empty_key_is_told(pod: Pod, content: bytes):
    pod.mount(KEYED)
    pod.mount_key(content)
    assert codes(pod.refusal()) == ["LM702"]


# The way to the gateway.


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would be served."""
    calls: list[tuple[Any, ...]] = []

    def serve(config: Path, start: front.Start, *others: Any) -> int:
        calls.append((config, start.variables(), *others))
        return 0

    monkeypatch.setattr(front, "serve", serve)
    return calls


def launch(pod: Pod) -> list[Finding]:
    found: list[Finding] = []
    command.launch(pod.environment, "0.0.0.0", 4000, found.extend)
    return found


def test_the_gateway_gets_the_configuration_and_the_keys(pod: Pod, served: list[Any]):
    """The written configuration, the variables of the file, and the keys."""
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(KEYED)
    pod.mount_key(b"sk-1")
    launch(pod)
    ((config, environment, host, port, workers, _),) = served
    assert (config, host, port, workers) == (pod.folder / "config.yaml", "0.0.0.0", 4000, 1)
    assert config.read_text(encoding="utf-8") == load_config.render_mounted(pod.environment).text
    assert environment["LANGOP_KEY_KEYS__ONE"] == "sk-1"
    assert environment["LITELLM_MODE"] == "PRODUCTION"


def test_the_warnings_are_said_before_litellm_is_served(pod: Pod, served: list[Any]):
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(a_spec(fieldOfTomorrow=1))
    assert "LM101" in codes(launch(pod))
    assert len(served) == 1


def test_without_its_key_nothing_is_written_and_nothing_is_served(pod: Pod, served: list[Any]):
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(KEYED)
    with pytest.raises(SpecError):
        launch(pod)
    assert not (pod.folder / "config.yaml").exists()
    assert served == []


def test_with_a_read_only_root_the_configuration_is_elsewhere(pod: Pod, served: list[Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(config_watcher, "CONFIGURATION", str(pod.folder / "missing" / "config.yaml"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: str(pod.folder))
    pod.mount(a_spec())
    launch(pod)
    assert served[0][0] == pod.folder / "config.yaml"


def test_a_place_that_was_asked_for_and_can_not_be_written_is_told(pod: Pod, served: list[Any]):
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "missing" / "config.yaml")
    pod.mount(a_spec())
    with pytest.raises(SpecError) as caught:
        launch(pod)
    assert codes(caught.value.findings) == ["LM015"]
    assert served == []


@pytest.mark.parametrize(("text", "workers"), [("", 1), ("1", 1), ("4", 4)])
def test_the_number_of_workers_is_asked_for_in_the_environment(pod: Pod, served: list[Any], text: str, workers: int):
    pod.environment |= {"LANGOP_CONFIG_PATH": str(pod.folder / "config.yaml"), "LANGOP_WORKERS": text}
    pod.mount(a_spec())
    launch(pod)
    assert served[0][4] == workers


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "65", "1e9"])
def test_a_wrong_number_of_workers_is_told(pod: Pod, served: list[Any], text: str):
    pod.environment["LANGOP_WORKERS"] = text
    pod.mount(a_spec())
    with pytest.raises(SpecError) as caught:
        launch(pod)
    assert codes(caught.value.findings) == ["LM729"]
    assert served == []


@pytest.mark.parametrize(("redis", "expected"), [("", ["LM728"]), ("redis", [])])
def test_workers_that_share_no_counters_are_told(pod: Pod, served: list[Any], redis: str, expected: list[str]):
    pod.environment |= {
        "LANGOP_CONFIG_PATH": str(pod.folder / "config.yaml"),
        "LANGOP_WORKERS": "2",
        "REDIS_HOST": redis,
    }
    pod.mount(a_spec())
    assert [code for code in codes(launch(pod)) if code == "LM728"] == expected
    assert len(served) == 1


@pytest.mark.parametrize(("problem", "code"), [("BindError", "LM720"), ("LaunchError", "LM721"), ("CrashLoopError", "LM722")])
def test_what_keeps_litellm_from_serving_is_told_without_a_key(
    pod: Pod, monkeypatch: pytest.MonkeyPatch, problem: str, code: str
):
    def fail(_: Path, start: front.Start, *__: Any) -> None:
        if problem != "BindError":  # which is known before
            start.variables()
        raise getattr(front, problem)("wrong: sk-1")

    monkeypatch.setattr(front, "serve", fail)
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(KEYED)
    pod.mount_key(b"sk-1")
    with pytest.raises(SpecError) as caught:
        launch(pod)
    (finding,) = caught.value.findings
    assert finding.code == code
    assert "wrong: " in finding.message
    assert "sk-1" not in finding.message or code == "LM720"


def test_a_wrong_specification_is_said_before_a_taken_address(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise front.BindError("taken")

    monkeypatch.setattr(front, "serve", fail)
    pod.mount(a_spec(timeout="soon"))
    with pytest.raises(SpecError) as caught:
        launch(pod)
    assert {finding.path for finding in caught.value.findings} == {("spec", "timeout")}


@pytest.mark.usefixtures("served")
def test_findings_are_told_once_and_by_the_launcher_itself(pod: Pod):
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(a_spec(fieldOfTomorrow=1))
    assert codes(launch(pod)) == codes(load_config.render_mounted(pod.environment).findings)


def slow(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which is not done at once."""

    def waits(*arguments: Any) -> Any:
        time.sleep(0.2)
        return function(*arguments)

    return waits


@pytest.mark.parametrize(("debug", "printed"), [("true", True), ("", False), ("false", False)])
def test_debug_prints_the_configuration_without_keys_on_standard_error(
    pod: Pod, served: list[Any], capsys: pytest.CaptureFixture[str], debug: str, printed: bool
):
    pod.environment |= {"LANGOP_CONFIG_PATH": str(pod.folder / "config.yaml"), "DEBUG": debug}
    pod.mount(KEYED)
    pod.mount_key(b"sk-very-secret")
    launch(pod)
    output = capsys.readouterr()
    assert (served[0][0].read_text(encoding="utf-8") in output.err) is printed
    assert output.out == ""
    assert "sk-very-secret" not in output.err


# A change.


class Change:
    """A pod whose gateway serves, and what it receives."""

    def __init__(self, pod: Pod) -> None:
        pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
        self.pod = pod
        self.said: list[Finding] = []
        self.reloader = config_watcher.ConfigReloader(pod.environment, self.said.extend)
        self.first = self.reloader.first()
        self.said.clear()

    def look(self) -> dict[str, str] | None:
        return look(self.reloader)

    @property
    def written(self) -> str:
        return (self.pod.folder / "config.yaml").read_text(encoding="utf-8")


@pytest.fixture
def change(pod: Pod) -> Change:
    pod.mount(KEYED)
    pod.mount_key(b"sk-1")
    return Change(pod)


def test_while_nothing_changes_there_is_nothing_to_do(change: Change):
    assert change.look() is None
    assert change.said == []


def test_a_changed_specification_is_written_and_its_variables_are_returned(change: Change):
    change.pod.mount({**KEYED, "timeout": "7s"})
    assert change.look() == change.first
    assert "timeout: 7\n" in change.written


def test_a_changed_specification_that_means_the_same_changes_nothing(change: Change):
    change.pod.mount(json.dumps(KEYED, indent=1))
    assert change.look() is None
    assert change.said == []


def test_a_changed_key_alone_needs_no_new_worker(change: Change):
    change.pod.mount_key(b"sk-2")
    assert change.look() is None
    assert change.said == []


def test_a_wrong_change_is_told_and_the_configuration_stays(change: Change):
    before = change.written
    change.pod.mount({**KEYED, "timeout": "soon"})
    assert change.look() is None
    assert codes(change.said)[-1] == "LM726"
    assert {finding.path for finding in change.said} >= {("spec", "timeout")}
    assert change.written == before


def test_a_defect_while_a_change_is_rendered_does_not_end_the_gateway(change: Change, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any) -> None:
        raise KeyError("no such template, sk-1")

    monkeypatch.setattr(load_config, "render_mounted", fail)
    change.pod.mount({**KEYED, "timeout": "7s"})
    assert change.look() is None
    assert codes(change.said) == ["LM736"]
    assert "sk-1" not in change.said[0].message


def test_a_wrong_change_is_told_once(change: Change):
    change.pod.mount({**KEYED, "timeout": "soon"})
    change.look()
    told = len(change.said)
    change.look()
    assert len(change.said) == told


def test_a_key_that_a_change_waits_for_is_noticed_when_it_comes(change: Change):
    change.pod.mount({**KEYED, "apiKeySecretRef": {"name": "keys", "key": "two"}})
    assert change.look() is None
    assert "LM701" in codes(change.said)
    change.pod.mount_key(b"sk-2", key="two")
    assert (change.look() or {})["LANGOP_KEY_KEYS__TWO"] == "sk-2"


def test_a_specification_that_disappears_is_reported(change: Change):
    """The configuration stays."""
    (change.pod.folder / "model.json").unlink()
    assert change.look() is None
    assert codes(change.said) == ["LM703", "LM726"]


def test_a_change_that_litellm_can_not_load_is_taken_back_from_the_file(change: Change):
    before = change.written
    change.pod.mount({**KEYED, "timeout": "7s"})
    change.look()
    change.reloader.failed("wrong: sk-1")
    assert change.written == before
    assert codes(change.said)[-1] == "LM725"
    assert "sk-1" not in change.said[-1].message


def test_after_a_change_that_failed_the_former_specification_is_no_change(change: Change):
    change.pod.mount({**KEYED, "timeout": "7s"})
    change.look()
    change.reloader.failed("wrong")
    change.pod.mount(KEYED)
    assert change.look() is None


def test_a_change_that_could_not_be_written_is_tried_until_it_is_served(change: Change, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(config_watcher, "RETRY_INTERVAL", 0.05)
    full = [True, True, False]

    def write(path: Path, text: str) -> None:
        if full.pop(0):
            raise findings.error("LM015", file=str(path), reason="No space left on device")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(config_watcher, "_write", write)
    change.pod.mount({**KEYED, "timeout": "7s"})
    assert change.look() is None
    while change.reloader.next() is None:
        time.sleep(0.01)
    assert "timeout: 7\n" in change.written
    assert [code for code in codes(change.said) if code in ("LM015", "LM726")] == ["LM015", "LM726"]  # once


def test_a_renderer_that_was_killed_is_told_and_tried_again(change: Change, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(config_watcher, "RETRY_INTERVAL", 0.05)
    parent = os.getpid()
    marker = change.pod.folder / "killed"
    real = load_config.render_mounted

    def render(*arguments: Any) -> Any:
        assert os.getpid() != parent
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    monkeypatch.setattr(load_config, "render_mounted", render)
    change.pod.mount({**KEYED, "timeout": "7s"})
    assert change.look() is None
    assert codes(change.said) == ["LM736"]
    while change.reloader.next() is None:
        time.sleep(0.01)
    assert "timeout: 7\n" in change.written


def test_a_change_that_workers_did_not_load_is_tried_again_later(change: Change, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(config_watcher, "LOAD_RETRY_INTERVAL", 0.05)
    change.pod.mount({**KEYED, "timeout": "7s"})
    change.look()
    change.reloader.failed("not ready within 120 seconds")
    while change.reloader.next() is None:
        time.sleep(0.01)
    assert "timeout: 7\n" in change.written


def test_what_a_change_changes_is_told(change: Change):
    change.pod.mount({**KEYED, "timeout": "7s"})
    change.look()
    change.reloader.took_effect()
    assert "timeout 300 s → 7 s (an attempt that takes longer fails)" in change.said[-1].message


def test_a_change_that_is_served_is_told(change: Change):
    change.pod.mount({**KEYED, "timeout": "7s"})
    change.look()
    change.reloader.took_effect()
    assert codes(change.said)[-1] == "LM724"
    change.pod.mount(KEYED)
    assert change.look() is not None


def test_a_worker_that_dies_is_told_without_a_key(change: Change):
    change.reloader.died("SIGKILL by sk-1")
    assert codes(change.said) == ["LM723"]
    assert "sk-1" not in change.said[0].message


@pytest.mark.parametrize("module", ["litellm", "uvicorn", "fastapi.routing"])
def test_a_missing_package_of_the_gateway_is_named(pod: Pod, monkeypatch: pytest.MonkeyPatch, module: str):
    monkeypatch.setattr(front, "serve", without(module))
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(a_spec())
    with pytest.raises(SpecError) as caught:
        launch(pod)
    (finding,) = caught.value.findings
    assert (finding.code, finding.message.split(": ")[1]) == ("LM705", f"{module.split('.', maxsplit=1)[0]} is missing")


def test_a_missing_module_of_our_own_is_a_defect(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(front, "serve", without("langop_model.gateway.gone"))
    pod.mount(a_spec())
    with pytest.raises(ModuleNotFoundError):
        launch(pod)


def test_a_wrong_specification_comes_before_a_missing_package(pod: Pod, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(front, "serve", without("litellm"))
    pod.mount(a_spec(timeout="soon"))
    with pytest.raises(SpecError) as caught:
        launch(pod)
    assert codes(caught.value.findings) == ["LM106"]


def without(module: str) -> Callable[..., None]:
    """Return a launcher that lacks `module`."""

    def serve(*_: Any) -> None:
        raise ModuleNotFoundError(name=module)

    return serve


# From a wheel without the gateway's packages.

WITHOUT_THE_GATEWAY = """
import re, sys
from importlib.metadata import packages_distributions, requires

wanted, known = ["langop-model"], set()
while wanted:
    name = wanted.pop().lower().replace("_", "-")
    if name not in known:
        known.add(name)
        needed = [line for line in requires(name) or () if "extra ==" not in line]
        wanted += [re.match(r"[-_.a-zA-Z0-9]+", line)[0] for line in needed]
blocked = {
    module for module, owners in packages_distributions().items()
    if not {owner.lower().replace("_", "-") for owner in owners} & known and module not in sys.stdlib_module_names
}

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from langop_model.cli import main
main(["launch", "--port", "0"])
"""


def test_a_wheel_without_the_gateways_packages_says_what_to_install(pod: Pod):
    pod.mount(a_spec())
    message = pod.folder / "termination-log"
    message.touch()
    places = {"LANGOP_CONFIG_PATH": str(pod.folder / "config.yaml"), "LANGOP_TERMINATION_LOG": str(message)}
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_GATEWAY], check=False, capture_output=True, text=True, cwd=ROOT, timeout=60,
        env={**os.environ, **pod.environment, **places},
    )  # fmt: skip
    assert ended.returncode == 78, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "error LM705: the gateway's packages are not installed: " in message.read_text(encoding="utf-8")
    assert "install langop-model[gateway]" in ended.stderr
