"""Whole Secrets as they are mounted, and what a provider must not find in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from langop_model.launch.provider_credentials import pod_identity_variables, variables_to_withhold
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.support.provider_keys import load_keys
from tests.unit.specs import codes, render, render_gateway

KEY = "not-a-real-key-4711"
WHOLE = {"modelName": "m", "credentialsSecretRef": {"name": "secret"}}


class MountedSecret:
    """A folder of Secrets, with one that is called `secret`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[Finding] = []

    def mount(self, **keys: str) -> None:
        (self.folder / "secret").mkdir(exist_ok=True)
        for name, text in keys.items():
            (self.folder / "secret" / name.replace("DOT", ".")).write_text(f"{text}\n", encoding="utf-8")

    def load(self, **spec: Any) -> dict[str, str]:
        return load_keys(render({**WHOLE, **spec}, Settings(secrets_folder=str(self.folder))), self.said.extend)

    def refusal(self, **spec: Any) -> tuple[Finding, ...]:
        with pytest.raises(SpecError) as caught:
            self.load(**spec)
        return caught.value.findings


@pytest.fixture
def mounted(tmp_path: Path) -> MountedSecret:
    return MountedSecret(tmp_path)


@pytest.mark.parametrize("name", ["api-key", "API_KEY", "api_key", "GROQ_API_KEY", "groq-api-key"])
def test_a_key_is_found_by_any_of_its_names_in_any_spelling(name: str, mounted: MountedSecret):
    mounted.mount(**{name: KEY})
    assert mounted.load(provider="groq") == {"LANGOP_SECRET_SECRET__API_KEY": KEY}
    assert mounted.said == []


def test_of_several_names_the_parameters_own_comes_first(mounted: MountedSecret):
    mounted.mount(GROQ_API_KEY="another", api_key=KEY)
    assert mounted.load(provider="groq") == {"LANGOP_SECRET_SECRET__API_KEY": KEY}


def test_what_may_be_absent_may_be_absent(mounted: MountedSecret):
    mounted.mount(aws_access_key_id="id", aws_secret_access_key=KEY)
    loaded = mounted.load(provider="bedrock", region="eu-west-1")
    assert loaded == {"LANGOP_SECRET_SECRET__AWS_ACCESS_KEY_ID": "id", "LANGOP_SECRET_SECRET__AWS_SECRET_ACCESS_KEY": KEY}


def test_a_key_that_is_missing_is_named_with_those_that_would_do(mounted: MountedSecret):
    mounted.mount(aws_access_key_id="id")
    (finding,) = mounted.refusal(provider="bedrock", region="eu-west-1")
    assert (finding.code, finding.path) == ("LM707", ("spec", "credentialsSecretRef"))
    assert finding.message.endswith(": aws_secret_access_key")
    assert "api_key, or aws_access_key_id and aws_secret_access_key" in finding.fix


def test_a_key_that_the_provider_does_not_use_is_named_and_does_no_harm(mounted: MountedSecret):
    mounted.mount(api_key=KEY, colour="blue")
    mounted.load(provider="groq")
    (finding,) = mounted.said
    assert (finding.code, finding.level) == ("LM708", "warning")
    assert "colour" in finding.message
    assert KEY not in f"{finding.message}{finding.fix}"


def test_what_kubernetes_itself_writes_into_a_mounted_secret_is_no_key(mounted: MountedSecret):
    mounted.mount(api_key=KEY, DOTDOTdata="link")
    mounted.load(provider="groq")
    assert mounted.said == []


def test_an_empty_key_of_a_whole_secret_is_told(mounted: MountedSecret):
    mounted.mount(api_key="")
    assert codes(mounted.refusal(provider="groq")) == ["LM702", "LM707"]


def test_a_secret_that_is_not_mounted_is_told_once_for_each_of_its_places(mounted: MountedSecret):
    findings = mounted.refusal(provider="groq")
    assert codes(findings) == ["LM701"]
    assert str(mounted.folder / "secret") in findings[0].message


def test_a_service_account_is_exported_as_its_path(mounted: MountedSecret):
    mounted.mount(**{"service-accountDOTjson": "{}"})
    assert list(mounted.load(provider="vertex").values()) == [str(mounted.folder / "secret" / "service-account.json")]


def test_a_folder_of_tokens_is_exported_as_a_copy_that_can_be_written(mounted: MountedSecret):
    mounted.mount(**{"access-token": KEY})
    copy = Path(mounted.load(provider="github_copilot")["GITHUB_COPILOT_TOKEN_DIR"])
    assert (copy / "access-token").read_text(encoding="utf-8") == f"{KEY}\n"
    assert copy.parent != mounted.folder
    assert copy.stat().st_mode & 0o077 == 0


# The environment.

KEYED = {"modelName": "m", "provider": "groq", "apiKeySecretRef": {"name": "a", "key": "b"}}
AMBIENT = {"modelName": "n", "provider": "bedrock", "region": "eu-west-1"}


def kept(result: Rendering, *names: str) -> list[str]:
    environment = dict.fromkeys(names, "x")
    return [
        name
        for name in names
        if name not in variables_to_withhold(environment) or name in pod_identity_variables(result, environment)
    ]


def test_a_provider_finds_no_key_or_address_of_another_in_the_environment():
    names = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GROQ_API_KEY", "AWS_ACCESS_KEY_ID", "AZURE_AD_TOKEN", "WATSONX_TOKEN")
    assert kept(render(KEYED), *names) == []


def test_what_is_no_providers_stays():
    names = ("PATH", "LITELLM_MASTER_KEY", "REDIS_PASSWORD", "LANGOP_MODEL_NAME", "AWS_REGION")
    assert kept(render(KEYED), *names) == list(names)


def test_what_a_pod_has_instead_of_a_key_reaches_the_translator():
    """As EKS gives it to a pod (IRSA). Nothing else of the environment does."""
    identity = {
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
        "AWS_REGION": "eu-west-1",
    }
    environment = {**identity, "OPENAI_API_KEY": "x", "PATH": "/bin"}
    assert pod_identity_variables(render(AMBIENT), environment) == identity
    assert pod_identity_variables(render(KEYED), environment) == {}


def test_the_identity_of_a_pod_stays_where_a_model_relies_on_it():
    assert kept(render(AMBIENT), "AWS_ACCESS_KEY_ID", "OPENAI_API_KEY") == ["AWS_ACCESS_KEY_ID"]
    assert kept(render_gateway(a=KEYED, b=AMBIENT), "AWS_ACCESS_KEY_ID", "OPENAI_API_KEY") == ["AWS_ACCESS_KEY_ID"]
