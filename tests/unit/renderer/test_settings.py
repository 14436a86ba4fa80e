"""What the renderer takes from the process environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from langop_model.renderer import settings as settings_module
from langop_model.renderer.settings import DEFAULT_SIBLING_URL, Settings


@pytest.fixture
def service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a pod finds its namespace; it does not exist yet."""
    path = tmp_path / "namespace"
    monkeypatch.setattr(settings_module, "SERVICE_ACCOUNT_NAMESPACE", path)
    return path


def test_an_empty_environment_gives_the_defaults():
    expected = Settings(
        "",
        "default",
        DEFAULT_SIBLING_URL,
        "/etc/secrets",
        master_key=False,
        agent_keys=False,
        redis=False,
        memcached=False,
        trace_endpoint=False,
    )
    assert Settings.from_environment({}) == expected == Settings()


@pytest.mark.parametrize(
    "name",
    ["LANGOP_MODEL_NAME", "LANGOP_NAMESPACE", "LANGOP_SIBLING_URL", "LANGOP_SECRETS_PATH", "REDIS_HOST"],
)
def test_an_empty_variable_counts_as_none(name: str):
    assert Settings.from_environment({name: ""}) == Settings()


@pytest.mark.parametrize("name", ["LITELLM_MASTER_KEY", "LANGOP_GATEWAY_HMAC_SECRET"])
@pytest.mark.parametrize("value", ["", " \n"])
def test_a_secret_that_holds_nothing_is_none_and_is_named(name: str, value: str):
    assert Settings.from_environment({name: value}) == Settings(empty_secrets=(name,))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LANGOP_MODEL_NAME", "llama", Settings(model_name="llama")),
        ("LANGOP_NAMESPACE", "team", Settings(namespace="team")),
        ("LANGOP_SIBLING_URL", "http://{ref}:8000/v1", Settings(sibling_url="http://{ref}:8000/v1")),
        ("LANGOP_SECRETS_PATH", "/run/keys", Settings(secrets_folder="/run/keys")),
        ("LITELLM_MASTER_KEY", "x", Settings(master_key=True)),
        ("LANGOP_GATEWAY_HMAC_SECRET", "x", Settings(agent_keys=True)),
        ("REDIS_HOST", "redis", Settings(redis=True)),
        ("REDIS_URL", "redis://x", Settings(redis=True)),
        ("REDIS_SENTINEL_NODES", "h:1", Settings(redis=True)),
        ("REDIS_CLUSTER_NODES", "h:1", Settings(redis=True)),
        ("MEMCACHED_HOST", "h", Settings(memcached=True)),
        ("MEMCACHED_SERVERS", "h:1", Settings(memcached=True)),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x", Settings(trace_endpoint=True)),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://x", Settings(trace_endpoint=True)),
        ("HOSTNAME", "llama-5d9c7b6f4-abcde", Settings()),
        ("ANYTHING_ELSE", "x", Settings()),
    ],
)
def test_a_variable_sets_what_it_is_for(name: str, value: str, expected: Settings):
    assert Settings.from_environment({name: value}) == expected


def test_no_secret_is_kept():
    settings = Settings.from_environment(
        {"LITELLM_MASTER_KEY": "sk-secret", "LANGOP_GATEWAY_HMAC_SECRET": "sk-secret", "REDIS_URL": "redis://:secret@host"}
    )
    assert "secret@" not in repr(settings)
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("llama-5d9c7b6f4-abcde", "llama"),
        ("gpt-4-ha-7f8d9c6b5d-x2x4z", "gpt-4-ha"),
        ("my.model-6b5d7f8d9c-12345", "my.model"),
        ("laptop", ""),
        ("my-laptop", ""),
        ("llama-0", ""),
        ("", ""),
    ],
)
@pytest.mark.usefixtures("service_account")
def test_in_a_pod_the_host_name_tells_the_resources_name(host: str, name: str):
    assert Settings.in_container({"HOSTNAME": host}).model_name == name


@pytest.mark.usefixtures("service_account")
def test_a_name_that_is_given_comes_before_the_host_name():
    assert Settings.in_container({"HOSTNAME": "llama-5d9c7b6f4-abcde", "LANGOP_MODEL_NAME": "given"}).model_name == "given"


def test_in_a_pod_the_service_account_tells_the_namespace(service_account: Path):
    service_account.write_text("team\n", encoding="utf-8")
    assert Settings.in_container({}).namespace == "team"


def test_a_namespace_that_is_given_comes_before_the_service_account(service_account: Path):
    service_account.write_text("team", encoding="utf-8")
    assert Settings.in_container({"LANGOP_NAMESPACE": "given"}).namespace == "given"


@pytest.mark.usefixtures("service_account")
def test_outside_of_a_pod_the_namespace_is_default():
    assert Settings.in_container({}).namespace == "default"


@pytest.mark.parametrize(
    ("environment", "in_pod"), [({}, True), ({"LANGOP_LOCAL": "true"}, False), ({"LANGOP_LOCAL": "false"}, True)]
)
def test_launch_is_in_a_pod_unless_it_is_told_otherwise(environment: dict[str, str], in_pod: bool):
    assert Settings.in_container(environment).in_pod is in_pod
    assert not Settings.from_environment(environment).in_pod
