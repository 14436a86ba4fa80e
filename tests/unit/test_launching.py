"""`launch`, up to the moment in which LiteLLM would be imported: the mounted specification and the mounted keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langop_model import launching
from langop_model.mounted_keys import load_keys
from langop_model.renderer import settings as settings_module
from langop_model.renderer.findings import Finding, SpecError
from tests.unit.specs import a_manifest, a_spec, codes

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
        return load_keys(launching.prepare(self.environment))

    def refusal(self) -> tuple[Finding, ...]:
        with pytest.raises(SpecError) as caught:
            self.keys()
        return caught.value.findings


# The specification.


def test_a_bare_spec_is_rendered(pod: Pod):
    pod.mount(a_spec())
    assert launching.prepare(pod.environment).config["model_list"][0]["model_name"] == "llama"


def test_the_host_name_of_the_pod_names_the_resource(pod: Pod):
    pod.mount(a_spec())
    assert launching.prepare(pod.environment | {"HOSTNAME": "my-model-5d9c7b6f4-abcde"}).name == "my-model"


def test_a_manifest_is_rendered_too(pod: Pod):
    pod.mount(a_manifest(a_spec(), "named"))
    assert launching.prepare(pod.environment).name == "named"


def test_nothing_mounted_is_told(pod: Pod):
    (finding,) = pod.refusal()
    assert (finding.code, finding.file) == ("LM703", pod.environment["LANGOP_MODEL_PATH"])


def test_the_usual_place_is_where_the_operator_mounts_it():
    assert (launching.SPECIFICATION, launching.CONFIGURATION) == ("/etc/langop/model.json", "/app/config.yaml")


def test_a_name_that_no_file_can_have_is_told(pod: Pod):
    pod.environment["LANGOP_MODEL_PATH"] = "x" * 300
    assert {finding.level for finding in pod.refusal()} == {"error"}


def test_an_empty_folder_in_place_of_the_specification_is_told(pod: Pod):
    (pod.folder / "model.json").mkdir()
    assert codes(pod.refusal()) == ["LM012"]


def test_a_field_of_a_newer_operator_is_a_warning(pod: Pod):
    pod.mount(a_spec(fieldOfTomorrow=1, caching={"enabled": True, "shards": 3}))
    found = launching.prepare(pod.environment).findings
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


@pytest.mark.parametrize("variable", ["REDIS_HOST", "REDIS_URL"])
def test_redis_with_an_address_is_right(pod: Pod, variable: str):
    pod.mount(a_spec(caching={"enabled": True, "backend": "redis"}))
    assert (
        launching.prepare(pod.environment | {variable: "redis"}).config["litellm_settings"]["cache_params"]["type"] == "redis"
    )


def test_a_cache_in_memory_needs_no_address(pod: Pod):
    pod.mount(a_spec(caching={"enabled": True}))
    assert launching.prepare(pod.environment).config["litellm_settings"]["cache"] is True


# The keys.


@pytest.mark.parametrize("content", [b"sk-1", b"sk-1\n", b"  sk-1 \r\n", b"\n\tsk-1"])
def test_a_key_is_what_its_file_holds_without_white_space_around_it(pod: Pod, content: bytes):
    pod.mount(KEYED)
    pod.mount_key(content)
    assert pod.keys() == {"LANGOP_KEY_KEYS__ONE": "sk-1"}


def test_the_configuration_refers_to_the_key_and_does_not_hold_it(pod: Pod):
    pod.mount(KEYED)
    pod.mount_key(b"sk-very-secret")
    result = launching.prepare(pod.environment)
    (name,) = load_keys(result)
    assert f"os.environ/{name}" in result.text
    assert "sk-very-secret" not in result.text


def test_without_a_reference_there_are_no_keys(pod: Pod):
    pod.mount(a_spec())
    assert pod.keys() == {}


def test_a_key_that_litellm_reads_from_its_file_is_checked_and_its_path_handed_over(pod: Pod):
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


# The way to LiteLLM.


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, dict[str, str], str, int]]:
    """What would be served; LiteLLM itself is never imported."""
    from langop_model.gateway import launcher

    calls: list[tuple[Path, dict[str, str], str, int]] = []
    monkeypatch.setattr(launcher, "serve", lambda *arguments: calls.append(arguments))
    return calls


def launch(pod: Pod) -> list[Finding]:
    found: list[Finding] = []
    launching.launch(pod.environment, "0.0.0.0", 4000, found.extend)
    return found


def test_litellm_is_served_with_the_written_configuration_the_files_environment_and_the_keys(pod: Pod, served: list[Any]):
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(KEYED)
    pod.mount_key(b"sk-1")
    launch(pod)
    ((config, environment, host, port),) = served
    assert (config, host, port) == (pod.folder / "config.yaml", "0.0.0.0", 4000)
    assert config.read_text(encoding="utf-8") == launching.prepare(pod.environment).text
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


def test_where_the_usual_place_is_read_only_the_configuration_is_written_elsewhere(
    pod: Pod, served: list[Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launching, "CONFIGURATION", str(pod.folder / "missing" / "config.yaml"))
    monkeypatch.setattr("langop_model.launching.tempfile.mkdtemp", lambda **_: str(pod.folder))
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


@pytest.mark.parametrize(
    ("module", "expected"), [("litellm", SpecError), ("uvicorn", SpecError), ("other", ModuleNotFoundError)]
)
def test_a_missing_litellm_is_told_and_another_missing_module_is_a_defect(
    pod: Pod, monkeypatch: pytest.MonkeyPatch, module: str, expected: type[Exception]
):
    from langop_model.gateway import launcher

    def missing(*_: Any) -> None:
        raise ModuleNotFoundError(name=module)

    monkeypatch.setattr(launcher, "serve", missing)
    pod.environment["LANGOP_CONFIG_PATH"] = str(pod.folder / "config.yaml")
    pod.mount(a_spec())
    with pytest.raises(expected):
        launch(pod)
