"""region, project, location, apiVersion and params, from a spec to the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from langop_model.renderer.findings import SpecError
from stand_in import Seen
from tests.unit.specs import codes
from tests.wire.wire import ANSWER, KEY, Wire, nothing_leaves_this_machine

ONE = {"apiKeySecretRef": {"name": "secret"}}


def ask(wire: Wire, spec: Mapping[str, Any], path: str = "/v1", **more: Any) -> Seen:
    base = wire.provider.base("fields")
    wire.provider.behave("fields", text=ANSWER)
    result = wire.rendered({"modelName": "some-model", "endpoint": base + path, **ONE, **spec}, {"secret": {"api-key": KEY}})
    with nothing_leaves_this_machine():
        wire.chat(wire.deploy(result), **more)
    return wire.asked


def said(wire: Wire, **spec: Any) -> list[str]:
    return codes(wire.rendered({"modelName": "some-model", **ONE, **spec}, {}).findings)


# Fields with a name of their own.


def test_litellms_own_name_of_a_provider_is_as_good_as_ours(wire: Wire):
    assert ask(wire, {"litellmProvider": "groq"}, "/openai/v1").path == "/openai/v1/chat/completions"


def test_the_version_of_azures_api_is_in_the_query(wire: Wire):
    seen = ask(wire, {"provider": "azure", "apiVersion": "2024-10-21"}, "")
    assert seen.query["api-version"] == "2024-10-21"


def test_the_project_of_watsonx_is_in_the_body(wire: Wire):
    wire.monkeypatch.setenv("WATSONX_IAM_URL", f"{wire.provider.url}/identity/token")
    assert ask(wire, {"provider": "watsonx", "project": "some-project"}, "").body["project_id"] == "some-project"


def test_the_region_of_aws_is_signed(wire: Wire):
    secret = {"secret": {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": KEY}}
    spec = {"provider": "bedrock", "modelName": "anthropic.claude-3-5-sonnet-20240620-v1:0", "region": "ap-south-1"}
    result = wire.rendered(
        {**spec, "endpoint": wire.provider.base("fields"), "credentialsSecretRef": {"name": "secret"}}, secret
    )
    wire.chat(wire.deploy(result))
    assert "/ap-south-1/bedrock/aws4_request" in wire.asked.headers["authorization"]


# Addresses as people copy them.


def test_what_the_portal_of_azure_shows_is_asked_as_it_is_written(wire: Wire):
    path = "/openai/deployments/some-model/chat/completions"
    seen = ask(wire, {"provider": "azure"}, f"{path}?api-version=2024-10-21")
    assert (seen.path, seen.query) == (path, {"api-version": "2024-10-21"})


@pytest.mark.parametrize(
    ("named", "path"),
    [("openai-compatible", "/v1/chat/completions"), ("anthropic", "/v1/messages"), ("ollama_chat", "/api/chat")],
)
def test_the_url_of_a_request_is_asked_as_it_is_written(named: str, path: str, wire: Wire):
    assert ask(wire, {"provider": named}, path).path == path


def test_a_server_without_a_path_is_asked_below_v1(wire: Wire):
    result = wire.rendered(
        {"provider": "custom", "modelName": "some-model", "endpoint": wire.provider.url, **ONE}, {"secret": {"api-key": KEY}}
    )
    wire.chat(wire.deploy(result))
    assert wire.asked.path == "/v1/chat/completions"


def test_a_model_with_its_providers_name_is_asked_without(wire: Wire):
    seen = ask(wire, {"provider": "azure", "modelName": "azure/some-model"}, "")
    assert seen.path == "/openai/deployments/some-model/chat/completions"


@pytest.mark.parametrize("field", ["region", "project", "location", "apiVersion"])
def test_a_field_that_the_provider_does_not_have_is_named(field: str, wire: Wire):
    assert said(wire, provider="groq", **{field: "x"}) == ["LM414"]


def test_the_region_of_an_endpoint_comes_before_that_of_the_spec(wire: Wire):
    regions = {"regions": [{"name": "eu-west-1"}]}
    result = wire.rendered({"provider": "bedrock", "modelName": "m", "region": "us-east-1", **ONE, **regions}, {})
    assert result.config["model_list"][0]["litellm_params"]["aws_region_name"] == "eu-west-1"
    assert codes(result.findings) == ["LM415"]


def test_what_a_provider_can_not_do_without_is_asked_for(wire: Wire):
    with pytest.raises(SpecError, match="predibase needs predibase_tenant_id"):
        wire.rendered({"provider": "predibase", "modelName": "m", **ONE}, {})


# params.


def test_parameters_arrive_with_their_types(wire: Wire):
    params = {"top_k": 40, "logprobs": True, "seed": 7, "my_own": {"deep": [1, "two"]}}
    body = ask(wire, {"provider": "openai-compatible", "params": params}).body
    assert {name: body[name] for name in params} == params


def test_a_parameter_comes_before_the_field_that_sets_the_same(wire: Wire):
    spec = {"provider": "openai-compatible", "params": {"temperature": 0.2}, "configuration": {"temperature": 0.9}}
    assert ask(wire, spec).body["temperature"] == 0.2


def test_the_client_comes_before_a_parameter(wire: Wire):
    assert (
        ask(wire, {"provider": "openai-compatible", "params": {"temperature": 0.2}}, temperature=0.7).body["temperature"] == 0.7
    )


def test_a_parameter_comes_before_the_region_of_the_spec(wire: Wire):
    spec = {"provider": "bedrock", "modelName": "m", "region": "us-east-1", "params": {"aws_region_name": "eu-west-1"}, **ONE}
    result = wire.rendered(spec, {})
    assert result.config["model_list"][0]["litellm_params"]["aws_region_name"] == "eu-west-1"
    assert codes(result.findings) == ["LM415"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("api_key", KEY, "LM206"),
        ("aws_secret_access_key", KEY, "LM206"),
        ("extra_headers", {"Authorization": KEY}, "LM206"),
        ("user_config", {}, "LM211"),
        ("seed", "forty-two", "LM208"),
        ("user", "os.environ/HOME", "LM108"),
    ],
)
def test_a_parameter_that_can_not_be_is_refused(name: str, value: Any, code: str, wire: Wire):
    with pytest.raises(SpecError) as caught:
        wire.rendered({"provider": "openai", "modelName": "m", "params": {name: value}, **ONE}, {})
    assert codes(caught.value.findings) == [code]
    assert KEY not in str(caught.value)
