"""Credentials of every kind, from a mounted Secret to the provider: whole Secrets, single keys, and keys that change."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from stand_in import Seen
from stand_in.tokens import TOKEN
from tests.wire.wire import ANSWER, KEY, Wire, nothing_leaves_this_machine

WHOLE = {"credentialsSecretRef": {"name": "secret"}}
ONE = {"apiKeySecretRef": {"name": "secret"}}
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": KEY}
CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
BEDROCK = {"provider": "bedrock", "modelName": CLAUDE, "region": "eu-west-1"}
AZURE = {"provider": "azure", "modelName": "some-deployment", "apiVersion": "2024-10-21"}


def ask(wire: Wire, spec: Mapping[str, Any], path: str, **secrets: Mapping[str, str]) -> Seen:
    """Ask a question of a provider at `path` of the stand-in, and return the request that held it."""
    base = wire.provider.base("credentials")
    wire.provider.behave("credentials", text=ANSWER)
    result = wire.rendered({**spec, "endpoint": base + path}, secrets)
    with nothing_leaves_this_machine():
        assert wire.chat(wire.deploy(result)) == ANSWER
    return wire.asked


# A whole Secret.


def test_aws_keys_and_a_session_token_sign_a_request(wire: Wire):
    seen = ask(wire, {**BEDROCK, **WHOLE}, "", secret={**AWS, "aws-session-token": "some-session"})
    assert "Credential=AKIDEXAMPLE/" in seen.headers["authorization"]
    assert seen.headers["x-amz-security-token"] == "some-session"


def test_a_bedrock_key_is_sent_as_it_is(wire: Wire):
    assert (
        ask(wire, {**BEDROCK, **WHOLE}, "", secret={"AWS_BEARER_TOKEN_BEDROCK": KEY}).headers["authorization"]
        == f"Bearer {KEY}"
    )


def test_no_key_of_aws_is_in_the_body_for_sagemaker(wire: Wire):
    spec = {"provider": "sagemaker_chat", "modelName": "some-model", "region": "eu-west-1", **WHOLE}
    seen = ask(wire, spec, "/endpoints/some-model/invocations", secret=AWS)
    assert "Credential=AKIDEXAMPLE/" in seen.headers["authorization"]
    assert not any(secret in json.dumps(seen.body) for secret in ("AKIDEXAMPLE", KEY, "aws_secret_access_key"))


def test_a_token_of_azure_ad_is_sent_instead_of_a_key(wire: Wire):
    seen = ask(wire, {**AZURE, **WHOLE}, "", secret={"AZURE_AD_TOKEN": KEY})
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "api-key" not in seen.headers


def test_an_application_of_azure_asks_microsoft_for_a_token(wire: Wire):
    secret = {"tenant_id": "some-tenant", "client-id": "some-client", "AZURE_CLIENT_SECRET": KEY}
    result = wire.rendered({**AZURE, **WHOLE, "endpoint": wire.provider.base("credentials")}, {"secret": secret})
    with nothing_leaves_this_machine(but_for=["login.microsoftonline.com"]) as asked:
        with pytest.raises(Exception, match=r"login\.microsoftonline\.com|Azure"):
            wire.chat(wire.deploy(result))
        assert "login.microsoftonline.com" in asked
    assert wire.seen == []


def test_an_application_of_databricks_exchanges_its_secret_for_a_token(wire: Wire):
    spec = {"provider": "databricks", "modelName": "some-model", **WHOLE}
    seen = ask(
        wire, spec, "/serving-endpoints", secret={"databricks-client-id": "some-client", "DATABRICKS_CLIENT_SECRET": KEY}
    )
    exchange = next(each for each in wire.seen if each.path.endswith("/oidc/v1/token"))
    basic = base64.b64encode(f"some-client:{KEY}".encode()).decode()
    assert exchange.headers["authorization"] == f"Basic {basic}"
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"


def test_a_zen_key_of_watsonx_is_sent_as_it_is(wire: Wire):
    spec = {"provider": "watsonx", "modelName": "some-model", "project": "some-project", **WHOLE}
    assert ask(wire, spec, "", secret={"zen_api_key": KEY}).headers["authorization"] == f"ZenApiKey {KEY}"


def test_a_programmatic_access_token_of_snowflake_is_sent_as_one(wire: Wire):
    seen = ask(wire, {"provider": "snowflake", "modelName": "some-model", **WHOLE}, "", secret={"api_key": f"pat/{KEY}"})
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["x-snowflake-authorization-token-type"] == "PROGRAMMATIC_ACCESS_TOKEN"


# Precedence.


def test_a_key_of_its_own_comes_before_the_whole_secret(wire: Wire):
    spec = {"provider": "groq", "modelName": "some-model", **WHOLE, "apiKeySecretRef": {"name": "own"}}
    seen = ask(wire, spec, "/openai/v1", secret={"GROQ_API_KEY": "not-this-one"}, own={"api-key": KEY})
    assert seen.headers["authorization"] == f"Bearer {KEY}"


# A key that changes is used by the next request.

NEW = "another-key-0815"
KINDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "openai": ({"provider": "openai", "modelName": "m", **ONE}, "/v1", "authorization"),
    "openai-compatible": ({"provider": "openai-compatible", "modelName": "m", **ONE}, "/v1", "authorization"),
    "anthropic": ({"provider": "anthropic", "modelName": "m", **ONE}, "", "x-api-key"),
    "azure": ({**AZURE, **ONE}, "", "api-key"),
    "gemini": ({"provider": "gemini", "modelName": "gemini-2.5-flash", **ONE}, "/v1beta", "x-goog-api-key"),
    "bedrock": ({**BEDROCK, **ONE}, "", "authorization"),
    "cohere": ({"provider": "cohere", "modelName": "m", **ONE}, "/v2/chat", "authorization"),
    "databricks": ({"provider": "databricks", "modelName": "m", **ONE}, "/serving-endpoints", "authorization"),
    "groq": ({"provider": "groq", "modelName": "m", **ONE}, "/openai/v1", "authorization"),
    "ollama_chat": ({"provider": "ollama_chat", "modelName": "m", **ONE}, "", "authorization"),
    "snowflake": ({"provider": "snowflake", "modelName": "m", **ONE}, "", "authorization"),
    "nlp_cloud": ({"provider": "nlp_cloud", "modelName": "m", **ONE}, "/v1/gpu", "authorization"),
    "deployed from a registry": ({"provider": "scaleway", "modelName": "m", **ONE}, "/v1", "authorization"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_key_is_used_by_the_next_request(kind: str, wire: Wire):
    spec, path, header = KINDS[kind]
    base = wire.provider.base("credentials")
    wire.provider.behave("credentials", text=ANSWER)
    with nothing_leaves_this_machine():
        deployed = wire.deploy(wire.rendered({**spec, "endpoint": base + path}, {"secret": {"api-key": KEY}}))
        wire.chat(deployed)
        assert KEY in wire.asked.headers[header]
        (wire.folder / "secret" / "api-key").write_text(f"{NEW}\n", encoding="utf-8")
        wire.chat(deployed)
    assert NEW in wire.asked.headers[header]
    assert KEY not in wire.asked.headers[header]


def test_changed_aws_keys_sign_the_next_request(wire: Wire):
    base = wire.provider.base("credentials")
    deployed = wire.deploy(wire.rendered({**BEDROCK, **WHOLE, "endpoint": base}, {"secret": AWS}))
    wire.chat(deployed)
    (wire.folder / "secret" / "AWS_ACCESS_KEY_ID").write_text("AKIDANOTHER", encoding="utf-8")
    wire.chat(deployed)
    assert "Credential=AKIDANOTHER/" in wire.asked.headers["authorization"]


def test_a_changed_service_account_is_exchanged_for_a_token_of_its_own(wire: Wire):
    spec = {"provider": "vertex", "modelName": "gemini-2.5-flash", "project": "p", "location": "l", **WHOLE}
    base = wire.provider.base("credentials")
    account = wire.provider.service_account("one")
    result = wire.rendered(spec, {"secret": {"service-account.json": account}})
    with wire.redirecting(base), nothing_leaves_this_machine():
        deployed = wire.deploy(result)
        for project in ("one", "two"):
            (wire.folder / "secret" / "service-account.json").write_text(
                wire.provider.service_account(project), encoding="utf-8"
            )
            wire.provider.clear()
            wire.chat(deployed)
            assert wire.seen[0].path == "/token"


def test_a_changed_secret_of_an_application_is_exchanged_next(wire: Wire):
    spec = {
        "provider": "databricks",
        "modelName": "m",
        **WHOLE,
        "endpoint": f"{wire.provider.base('credentials')}/serving-endpoints",
    }
    secret = {"DATABRICKS_CLIENT_ID": "id", "DATABRICKS_CLIENT_SECRET": KEY}
    deployed = wire.deploy(wire.rendered(spec, {"secret": secret}))
    wire.chat(deployed)
    (wire.folder / "secret" / "DATABRICKS_CLIENT_SECRET").write_text(NEW, encoding="utf-8")
    wire.provider.clear()
    wire.chat(deployed)
    assert wire.seen[0].headers["authorization"] == f"Basic {base64.b64encode(f'id:{NEW}'.encode()).decode()}"


def test_a_key_that_is_gone_for_a_moment_stops_no_request(wire: Wire):
    spec, path, header = KINDS["openai"]
    base = wire.provider.base("credentials")
    deployed = wire.deploy(wire.rendered({**spec, "endpoint": base + path}, {"secret": {"api-key": KEY}}))
    wire.chat(deployed)
    (wire.folder / "secret" / "api-key").unlink()
    wire.chat(deployed)
    assert KEY in wire.asked.headers[header]
