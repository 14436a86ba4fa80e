"""Which parameters hold credentials, and in which mounted Secret each of them is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import catalogue, credentials
from langop_model.renderer.credentials import Credential, Credentials
from langop_model.renderer.findings import Findings
from tests.unit.specs import codes


def found(provider: str, **spec: Any) -> tuple[Credentials, list[str]]:
    findings = Findings()
    return credentials.of_spec(catalogue.named(provider), spec, "/etc/secrets", findings), codes(findings.items)


def of_key(name: str, key: str) -> Credential:
    (credential,) = found("openai", apiKeySecretRef={"name": name, "key": key})[0].items
    return credential


def by_parameter(held: Credentials) -> dict[str, Credential]:
    return {credential.parameter: credential for credential in held.items}


# One key.


def test_a_key_is_a_variable_and_a_mounted_file():
    key = of_key("openai-credentials", "api-key")
    assert (key.parameter, key.variable) == ("api_key", "LANGOP_KEY_OPENAI_CREDENTIALS__API_KEY")
    assert key.file == "/etc/secrets/openai-credentials/api-key"
    assert key.reference == "os.environ/LANGOP_KEY_OPENAI_CREDENTIALS__API_KEY"


def test_a_service_account_is_handed_over_as_the_path_of_its_file():
    held, said = found("vertex", apiKeySecretRef={"name": "google", "key": "sa.json"})
    assert [(each.parameter, each.reference) for each in held.items] == [("vertex_credentials", "/etc/secrets/google/sa.json")]
    assert said == []


def test_without_a_reference_there_is_no_credential():
    assert found("openai") == (Credentials(), [])


@pytest.mark.parametrize("provider", ["sagemaker_chat", "oci", "github_copilot"])
def test_one_key_is_refused_where_the_provider_needs_several(provider: str):
    assert found(provider, apiKeySecretRef={"name": "a", "key": "b"})[1] == ["LM215"]


def test_a_key_for_a_provider_that_sends_none_is_named():
    assert found("petals", apiKeySecretRef={"name": "a", "key": "b"}) == (Credentials(), ["LM417"])


NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,4}[a-z0-9])?", fullmatch=True)
KEYS = st.from_regex(r"[-._a-zA-Z0-9]{1,6}", fullmatch=True)


@given(st.tuples(NAMES, KEYS), st.tuples(NAMES, KEYS))
def test_two_keys_never_share_a_variable(one: tuple[str, str], other: tuple[str, str]):
    assert (of_key(*one).variable == of_key(*other).variable) == (one == other)


@given(NAMES, KEYS)
def test_the_variable_of_a_key_is_a_name_that_every_shell_knows(name: str, key: str):
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", of_key(name, key).variable)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a-b", "c"), ("a.b", "c")),
        (("a", "b-c"), ("a-b", "c")),
        (("a", "b"), ("a", "B")),
        (("a--b", "c"), ("a-b", "c")),
        (("a", "_"), ("a", "-")),
    ],
)
def test_names_that_look_alike_get_variables_of_their_own(one: tuple[str, str], other: tuple[str, str]):
    assert of_key(*one).variable != of_key(*other).variable


# A whole Secret.


def test_a_whole_secret_has_a_variable_for_each_parameter():
    """A comment says how its key may be named."""
    held = by_parameter(found("bedrock", credentialsSecretRef={"name": "aws"})[0])
    assert list(held) == ["api_key", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
    assert held["aws_access_key_id"].section == {
        "variable": "LANGOP_SECRET_AWS__AWS_ACCESS_KEY_ID",
        "folder": "/etc/secrets/aws",
        "names": ["aws_access_key_id"],
    }
    assert held["api_key"].names == ("api_key", "aws_bearer_token_bedrock")


def test_a_key_of_its_own_comes_before_the_whole_secret():
    held, _ = found("azure", credentialsSecretRef={"name": "whole"}, apiKeySecretRef={"name": "one", "key": "k"})
    assert by_parameter(held)["api_key"].file == "/etc/secrets/one/k"
    assert by_parameter(held)["tenant_id"].folder == "/etc/secrets/whole"
    assert held.credential_sets == (("api_key",),)


def test_what_litellm_reads_from_its_process_only_stands_in_no_deployment():
    held, _ = found("databricks", credentialsSecretRef={"name": "bricks"})
    assert [each.parameter for each in held.parameters] == ["api_key"]
    assert by_parameter(held)["DATABRICKS_CLIENT_ID"].variable == "DATABRICKS_CLIENT_ID"


def test_a_folder_of_tokens_is_one_credential():
    (folder,) = found("github_copilot", credentialsSecretRef={"name": "copilot"})[0].items
    assert folder.section == {
        "variable": "GITHUB_COPILOT_TOKEN_DIR",
        "folder": "/etc/secrets/copilot",
        "delivery": "folder",
    }


@pytest.mark.parametrize("provider", [provider.name for provider in catalogue.usable()])
def test_no_two_credentials_of_a_provider_have_one_name(provider: str):
    held, _ = found(provider, credentialsSecretRef={"name": "whole"})
    names = [name for credential in held.items for name in credential.names]
    assert len(names) == len(set(names))
    for sufficient in held.credential_sets:
        assert set(sufficient) <= by_parameter(held).keys()
