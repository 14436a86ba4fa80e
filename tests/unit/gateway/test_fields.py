"""Which fields of a request are LiteLLM's settings, by the installed LiteLLM's own lists."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from openai.types import (
    completion_create_params,
    embedding_create_params,
    image_edit_params,
    image_generate_params,
)
from openai.types.audio import speech_create_params, transcription_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

from langop_model.gateway.access import fields
from langop_model.gateway.access.request_schemas import SCHEMAS

OPENAIS: dict[str, Any] = {
    "chat": chat_create_params.CompletionCreateParamsBase,
    "completion": completion_create_params.CompletionCreateParamsBase,
    "embedding": embedding_create_params.EmbeddingCreateParams,
    "response": response_create_params.ResponseCreateParamsBase,
    "speech": speech_create_params.SpeechCreateParams,
    "transcription": transcription_create_params.TranscriptionCreateParamsBase,
    "image": image_generate_params.ImageGenerateParamsBase,
    "image_edit": image_edit_params.ImageEditParamsBase,
}
ANTHROPICS = (
    "model messages max_tokens metadata stop_sequences stream system temperature thinking tool_choice tools top_k top_p "
    "service_tier container mcp_servers context_management output_config cache_control"
)
PROVIDERS = (
    "min_p top_k guided_choice guided_json repetition_penalty chat_template_kwargs add_generation_prompt ignore_eos "
    "stop_token_ids provider transforms route models plugins usage reasoning safe_prompt options keep_alive think format "
    "skip_special_tokens use_beam_search length_penalty structured_outputs enable_thinking search_parameters input_type"
)
STEERING = (
    "api_key api_base base_url user_config extra_headers headers extra_body extra_query default_headers api_version "
    "aws_access_key_id aws_bedrock_runtime_endpoint aws_anything_new vertex_project vertex_credentials azure_ad_token "
    "litellm_credential_name litellm_anything_new model_list fallbacks context_window_fallbacks mock_response mock_anything "
    "custom_llm_provider organization timeout num_retries max_retries tags guardrails prompt_id routing_strategy "
    "specific_deployment input_cost_per_token langfuse_host callbacks cache_key caching no-log client http_client "
    "proxy_server_request secret_fields user_api_key_dict _anything API_BASE Api_Key api_base[0] litellm_metadata "
    "disable_fallbacks deployment_id use_litellm_proxy ssl_verify logger_fn allowed_openai_params drop_params"
)


@pytest.mark.parametrize("shape", OPENAIS)
def test_a_field_of_openais_api_passes(shape: str):
    assert [
        name for name in get_type_hints(OPENAIS[shape]) if fields.is_setting(name) and name not in SCHEMAS[shape].fields
    ] == []


@pytest.mark.parametrize("name", ANTHROPICS.split())
def test_a_field_of_anthropics_api_passes(name: str):
    assert not fields.is_setting(name) or name in SCHEMAS["message"].fields


@pytest.mark.parametrize("name", PROVIDERS.split())
def test_a_field_that_only_a_provider_knows_passes(name: str):
    assert not fields.is_setting(name)


@pytest.mark.parametrize("name", STEERING.split())
def test_what_litellm_reads_is_a_setting(name: str):
    assert fields.is_setting(name)


def test_the_shapes_let_only_those_settings_through_that_ask_for_less():
    named = {name for shape in SCHEMAS.values() for name in shape.fields}
    assert {name for name in named if fields.is_setting(name)} == {
        "cache",  # its kind lets no-cache and no-store through
        "disable_fallbacks",
        "metadata",  # without the members that are LiteLLM's
        "num_retries",  # the gateway takes it if it is lower than the LanguageModel's
    }


@pytest.mark.parametrize("name", ["user_id", "session_id", "order_id", "team", "purpose", "topic", "client_id", "weight"])
def test_a_member_of_metadata_that_means_nothing_to_litellm_passes(name: str):
    assert not fields.is_setting_in_metadata(name)


@pytest.mark.parametrize(
    "name", ["tags", "model_info", "user_api_key_user_id", "langfuse_host", "api_base", "headers", "deployment", "_x", "Tags"]
)
def test_a_member_of_metadata_that_litellm_reads_is_a_setting(name: str):
    assert fields.is_setting_in_metadata(name)
