"""No member of a request is a setting of LiteLLM's: its own list of names, and those that are not in it."""

from __future__ import annotations

import pytest

from langop_model.gateway.upstreams.base import Route
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import parameters

STEERING = (
    "additional_drop_params", "api_base", "api_key", "api_version", "aws_bedrock_client", "aws_bedrock_runtime_endpoint",
    "base_url", "callbacks", "custom_llm_provider", "extra_headers", "failure_callback", "fake_stream", "gigachat_auth_url",
    "mock_delay", "mock_response", "model_id", "model_list", "output_s3_uri", "sagemaker_base_url", "success_callback",
    "vertex_credentials", "vertex_project", "video_s3_uri",
)  # fmt: skip
# Names that LiteLLM's list has because its functions take them, and that are members of the APIs too.
MEMBERS_TOO = {"metadata"}


def names_of_litellm() -> list[str]:
    types = pytest.importorskip("litellm.types.utils")
    return sorted(set(types.all_litellm_params) - MEMBERS_TOO)


LISTS = {name: value for name, value in vars(parameters).items() if isinstance(value, frozenset) and name not in ("STEERING",)}


@pytest.mark.parametrize("name", LISTS)
def test_no_allow_list_holds_a_setting_of_litellms(name: str):
    assert LISTS[name] & {*names_of_litellm(), *STEERING} <= MEMBERS_TOO


@pytest.mark.parametrize("name", STEERING)
def test_a_steering_name_is_refused_everywhere(name: str):
    from langop_model.translator.deployment import deployment_of
    from langop_model.translator.failures import RefusedRequestError
    from langop_model.translator.operations import OPERATIONS

    bodies = {
        "messages": [],
        "prompt": "x",
        "input": "x",
        "query": "x",
        "documents": [],
        "voice": "x",
        "max_tokens": 9,
        "contents": [],
    }
    for route, operation in OPERATIONS.items():
        call = Call(Route(route), {"model": "openai/m"}, {**bodies, name: "http://elsewhere.example.com"})
        with pytest.raises(RefusedRequestError):
            operation.prepare(call, deployment_of(call.parameters))


def test_what_litellm_reads_as_a_setting_is_refused():
    """Also inside extra_body, from which some of LiteLLM's providers take names out again."""
    assert [name for name in names_of_litellm() if not parameters.is_setting(name)] == []


@pytest.mark.parametrize("name", ["top_k", "min_p", "my_own", "guided_json", "dimensions", "n", "house_style"])
def test_a_parameter_is_no_setting(name: str):
    assert not parameters.is_setting(name)
