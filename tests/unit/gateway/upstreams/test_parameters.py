"""What a model is asked for a client's body."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.contract.settings import Endpoint, Group, ModelRules, UnsupportedDefaults, Upstream
from langop_model.gateway.upstreams import request_members
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, Route, UpstreamError
from langop_model.gateway.upstreams.parameters import Parameters, Prepared, most_tokens

ROUTES = {"chat": "/c", "completions": "/co", "responses": "/r", "messages": "/m", "embeddings": "/e"}
MESSAGES = [{"role": "user", "content": "Hello!"}]


def group(defaults: dict[str, Any] | None = None, **upstream: Any) -> Group:
    accepts = tuple(upstream.pop("accepts", ()))
    routes = upstream.pop("served", None)
    unsupported = tuple(UnsupportedDefaults(match, names) for match, names in upstream.pop("unsupported", {}).items())
    translated = upstream.pop("translated", ())
    own = Upstream("m", {route: path for route, path in ROUTES.items() if route not in translated}, **upstream)
    return Group(
        "m",
        "m",
        (Endpoint("m/0"),),
        upstream=own,
        defaults=defaults or {},
        accepts=accepts,
        routes=routes,
        unsupported_defaults=unsupported,
    )


def prepare(
    body: dict[str, Any],
    defaults: dict[str, Any] | None = None,
    *,
    route: Route = Route.CHAT,
    stream: bool = False,
    model: str = "m",
    refuses: bool = False,
    **upstream: Any,
) -> Prepared:
    return Parameters(group(defaults, **upstream)).prepare(route, body, stream, model, refuses=refuses)


def asked(body: dict[str, Any], defaults: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return prepare(body, defaults, **more).body


def refused(body: dict[str, Any], **more: Any) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        prepare(body, **more)
    assert (caught.value.kind, caught.value.status, caught.value.cause) == (FailureKind.UNSUPPORTED, 400, CLIENT_ERROR)
    assert not caught.value.reached
    return caught.value


# Defaults of the specification.

SPEC = {
    "temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "frequency_penalty": 0.1, "presence_penalty": 0.2, "stop": ["x"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (Route.CHAT, SPEC),
        (Route.COMPLETIONS, SPEC),
        (Route.RESPONSES, {"temperature": 0.5, "max_output_tokens": 9, "top_p": 0.9}),
        (Route.MESSAGES, {"temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "stop_sequences": ["x"]}),
        (
            Route.GENERATE_CONTENT,
            {
                "generationConfig": {
                    "temperature": 0.5, "maxOutputTokens": 9, "topP": 0.9, "frequencyPenalty": 0.1, "presencePenalty": 0.2,
                    "stopSequences": ["x"],
                }
            },
        ),
        (Route.COUNT_TOKENS, {}),
        (Route.EMBEDDINGS, {}),
        (Route.IMAGES, {}),
        (Route.IMAGE_EDITS, {}),
        (Route.TRANSCRIPTIONS, {}),
        (Route.RERANK, {}),
        (Route.MODERATIONS, {}),
    ],
)  # fmt: skip
def test_what_spec_configuration_means_on_each_route(route: Route, expected: dict[str, Any]):
    assert asked({}, SPEC, route=route) == expected


def test_spec_configuration_does_not_reach_speech():
    assert asked({"voice": "alloy"}, SPEC, route=Route.SPEECH) == {"voice": "alloy"}


PARAMS = {
    "dimensions": 8, "encoding_format": "float", "size": "1x1", "quality": "low", "voice": "alloy", "top_n": 3,
    "language": "de", "seed": 7, "input_type": "query", "min_p": 0.1, "house_style": "short", "reasoning_effort": "low",
    "verbosity": "low",
}  # fmt: skip


@pytest.mark.parametrize(
    ("route", "names"),
    [
        (Route.CHAT, {"seed", "min_p", "house_style", "reasoning_effort", "verbosity"}),
        (Route.COMPLETIONS, {"seed", "min_p", "house_style"}),
        (Route.RESPONSES, {"min_p", "house_style", "reasoning", "text"}),
        (Route.EMBEDDINGS, {"dimensions", "encoding_format", "input_type"}),
        (Route.IMAGES, {"size", "quality"}),
        (Route.SPEECH, {"voice", "language"}),
        (Route.TRANSCRIPTIONS, {"language"}),
        (Route.RERANK, {"top_n"}),
        (Route.MODERATIONS, set()),
    ],
)
def test_params_go_where_the_route_has_such_a_member(route: Route, names: set[str]):
    found = asked({}, PARAMS, route=route)
    servers = {"language", "input_type", "top_n", "voice"}  # of servers; text routes get them too
    assert found.keys() - (servers if route in request_members.TEXT_ROUTES else set()) == names


def test_effort_is_a_member_of_reasoning_on_responses():
    assert asked({}, {"reasoning_effort": "low"}, route=Route.RESPONSES) == {"reasoning": {"effort": "low"}}
    body = {"reasoning": {"summary": "auto"}}
    assert asked(body, {"reasoning_effort": "low"}, route=Route.RESPONSES)["reasoning"] == {"summary": "auto", "effort": "low"}
    body = {"reasoning": {"effort": "high"}}
    assert asked(body, {"reasoning_effort": "low"}, route=Route.RESPONSES) == body


def test_effort_is_a_member_of_output_config_on_messages():
    def prepared(effort: str = "low", **body: Any) -> dict[str, Any]:
        return asked({"max_tokens": 1, **body}, {"reasoning_effort": effort}, route=Route.MESSAGES)

    assert prepared() == {"max_tokens": 1, "output_config": {"effort": "low"}}
    assert prepared(output_config={"format": {}})["output_config"] == {"format": {}, "effort": "low"}
    assert prepared(output_config={"effort": "max"})["output_config"] == {"effort": "max"}
    assert "output_config" not in prepared(thinking={"type": "disabled"})


def test_an_effort_that_anthropic_calls_otherwise_has_its_word_for_it():
    def prepared(effort: str, *translated: str) -> Prepared:
        effort_only = {"reasoning_effort": effort}
        return prepare({"max_tokens": 1}, effort_only, route=Route.MESSAGES, translated=translated)

    assert prepared("minimal").body["output_config"] == {"effort": "low"}
    assert prepared("none").body == {"max_tokens": 1}
    assert prepared("none").dropped == ("output_config.effort",)
    assert prepared("minimal", "messages").body["output_config"] == {"effort": "minimal"}  # LiteLLM has the last word


def test_an_effort_that_the_model_does_not_take_alone_is_dropped():
    drops = ("output_config.effort",)
    default = prepare({"max_tokens": 1}, {"reasoning_effort": "low"}, route=Route.MESSAGES, drops=drops)
    assert (default.body, default.dropped) == ({"max_tokens": 1}, drops)
    body: dict[str, Any] = {"max_tokens": 1, "output_config": {"effort": "low", "format": {"type": "json_schema"}}}
    own = prepare(body, route=Route.MESSAGES, drops=drops)
    assert (own.body["output_config"], own.dropped) == ({"format": {"type": "json_schema"}}, drops)
    alone = prepare({"max_tokens": 1, "output_config": {"effort": "low"}}, route=Route.MESSAGES, drops=drops)
    assert (alone.body, alone.dropped) == ({"max_tokens": 1}, drops)
    assert body["output_config"]["effort"] == "low"


@pytest.mark.parametrize(
    ("route", "outer", "more"), [(Route.MESSAGES, "output_config", {"max_tokens": 1}), (Route.RESPONSES, "reasoning", {})]
)
def test_what_a_chat_does_not_take_is_dropped_where_requests_become_one(route: Route, outer: str, more: dict[str, Any]):
    body = {**more, outer: {"effort": "low", "other": 1}}
    drops = ("reasoning_effort",)
    translated = prepare(body, route=route, drops=drops, translated=(route.value,))
    assert (translated.body[outer], translated.dropped) == ({"other": 1}, (f"{outer}.effort",))
    relayed = prepare(body, route=route, drops=drops)
    assert (relayed.body, relayed.dropped) == (body, ())


def test_which_defaults_a_model_takes_that_clients_name():
    unsupported = {"gpt-5-chat.*": (), "gpt-5.*": ("stop",)}
    parameters = Parameters(group({"stop": ["x"], "seed": 1}, unsupported=unsupported))

    def prepared(model: str, route: Route = Route.CHAT, **body: Any) -> Prepared:
        return parameters.prepare(route, body, False, model)

    assert prepared("gpt-4o").body == prepared("gpt-5-chat-latest").body == {"stop": ["x"], "seed": 1}
    assert (prepared("gpt-5.1").body, prepared("gpt-5.1").dropped) == ({"seed": 1}, ("stop",))
    assert prepared("gpt-5.1", Route.MESSAGES, max_tokens=1).dropped == ("stop_sequences",)
    assert prepared("gpt-5.1", Route.EMBEDDINGS).dropped == ()
    own = prepared("gpt-5.1", stop=["y"])  # the provider says what it takes of that
    assert (own.body["stop"], own.dropped) == (["y"], ())


CHATS_ONLY = ("responses", "messages", "generate_content")  # routes that a server of chat completions does not have


@pytest.mark.parametrize(
    ("route", "needs", "stop"), [(Route.RESPONSES, {}, "stop"), (Route.MESSAGES, {"max_tokens": 9}, "stop_sequences")]
)
def test_over_a_chat_go_defaults_that_only_a_chat_has(route: Route, needs: dict[str, Any], stop: str):
    defaults = {"stop": ["x"], "frequency_penalty": 0.5, "seed": 1, "theirs": 2}
    over_a_chat = asked(needs, defaults, route=route, translated=CHATS_ONLY)
    assert over_a_chat == {**needs, stop: ["x"], "frequency_penalty": 0.5, "seed": 1, "theirs": 2}
    assert "frequency_penalty" not in asked(needs, defaults, route=route)  # the provider serves the route itself


def test_over_a_chat_they_have_the_providers_own_names():
    renames = {"seed": "random_seed"}
    body = asked({"max_tokens": 9}, {"seed": 1}, renames=renames, route=Route.MESSAGES, translated=CHATS_ONLY)
    assert body == {"max_tokens": 9, "random_seed": 1}


def test_over_a_chat_go_none_that_its_model_does_not_take():
    found = prepare({"max_tokens": 9}, {"seed": 1}, drops=("seed",), route=Route.MESSAGES, translated=CHATS_ONLY)
    assert (found.body, found.dropped) == ({"max_tokens": 9}, ("seed",))


def test_a_servers_own_default_goes_with_geminis_format_too():
    assert asked({}, {"theirs": 1}, route=Route.GENERATE_CONTENT) == {"theirs": 1}


def test_the_default_limit_has_the_name_that_the_model_takes():
    assert asked({}, {"max_tokens": 9}, renames={"max_tokens": "max_completion_tokens"}) == {"max_completion_tokens": 9}


def test_params_come_before_configuration_under_another_name():
    assert asked({}, {"max_tokens": 9, "max_completion_tokens": 5}) == {"max_completion_tokens": 5}


@pytest.mark.parametrize(
    ("client", "default", "route"),
    [
        ({"max_tokens": 1}, {"max_completion_tokens": 9}, Route.CHAT),
        ({"max_completion_tokens": 1}, {"max_tokens": 9}, Route.CHAT),
        ({"max_output_tokens": 1}, {"max_tokens": 9}, Route.RESPONSES),
        ({"stop_sequences": ["a"], "max_tokens": 1}, {"stop": ["b"]}, Route.MESSAGES),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "high"}, Route.CHAT),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "high"}, Route.CHAT),
        ({"generationConfig": {"stopSequences": ["a"]}}, {"stop": ["b"]}, Route.GENERATE_CONTENT),
        ({"generationConfig": {"max_output_tokens": 1}}, {"max_tokens": 9}, Route.GENERATE_CONTENT),
        ({"temperature": 0}, {"temperature": 1}, Route.CHAT),
    ],
)
def test_a_clients_value_wins_under_any_name(client: dict[str, Any], default: dict[str, Any], route: Route):
    assert asked(client, default, route=route) == client


def test_a_client_that_sends_both_names_gets_what_it_sent():
    both = {"max_tokens": 9, "max_completion_tokens": 9}
    assert asked(both) == both


def test_two_names_that_the_model_calls_alike_must_not_differ():
    renames = {"max_tokens": "max_completion_tokens"}
    error = refused({"max_tokens": 1, "max_completion_tokens": 2}, renames=renames)
    assert (error.param, error.code) == ("max_tokens", "unsupported_parameter")
    assert "max_tokens and max_completion_tokens" in error.message
    assert asked({"max_tokens": 2, "max_completion_tokens": 2}, renames=renames) == {"max_completion_tokens": 2}


def test_a_default_replaces_what_a_client_must_send_otherwise():
    assert asked({"input": "Hi"}, {"voice": "alloy"}, route=Route.SPEECH) == {"input": "Hi", "voice": "alloy"}
    error = refused({"input": "Hi"}, route=Route.SPEECH)
    assert (error.param, error.code) == ("voice", "missing_required_parameter")
    assert refused({"messages": MESSAGES}, route=Route.MESSAGES).param == "max_tokens"


# What a body may hold.

STEERING = (
    "gigachat_auth_url", "gigachat_scope", "model_id", "video_s3_uri", "output_s3_uri", "api_base", "base_url", "api_key",
    "api_version", "extra_headers", "headers", "extra_body", "extra_query", "aws_access_key_id", "aws_region_name",
    "aws_bedrock_runtime_endpoint", "aws_sts_endpoint", "vertex_project", "vertex_credentials", "vertex_location",
    "azure_ad_token", "tenant_id", "client_secret", "organization", "timeout", "request_timeout", "stream_timeout",
    "max_retries", "fallbacks", "context_window_fallbacks", "model_list", "custom_llm_provider", "mock_response", "caching",
    "callbacks", "success_callback", "guardrails", "tags", "priority", "region_name", "deployment_id", "litellm_metadata",
    "ssl_verify", "sagemaker_base_url", "watsonx_url", "project_id", "proxy_server_request", "kv_transfer_params", "lora_path",
    "custom_logit_processor", "bootstrap_host", "logits_processors", "vllm_xargs", "chat_template", "request_id", "id_slot",
    "slot_id", "models", "preset", "http_client", "drop_params", "additional_drop_params", "allowed_openai_params",
    "input_cost_per_token", "rules", "webhook_url", "callback_url", "url", "path", "file_path",
)  # fmt: skip


@pytest.mark.parametrize("route", list(Route))
def test_no_member_is_an_address_a_credential_or_a_setting(route: Route):
    for name in STEERING:
        error = refused({name: "x"}, route=route)
        assert (error.code, error.param) == ("unknown_parameter", name)
        assert repr(name) in error.message
        assert "allowed_openai_params" in error.message


def test_what_the_specification_allows_passes():
    assert asked({"house_style": 1}, accepts=["house_style"]) == {"house_style": 1}
    assert refused({"house_style": 1}).param == "house_style"


def test_a_long_name_is_not_repeated_whole():
    assert len(refused({"x" * 5000: 1}).message) < 400


@pytest.mark.parametrize(
    "name", ["min_p", "guided_json", "repetition_penalty", "top_k", "chat_template_kwargs", "cache_prompt", "safe_prompt"]
)
def test_what_well_known_servers_take_passes(name: str):
    assert asked({name: 1}) == {name: 1}


@pytest.mark.parametrize("name", ["metadata", "dimensions", "verbosity", "thinking", "reasoning"])
def test_what_used_to_vanish_arrives(name: str):
    route = Route.EMBEDDINGS if name == "dimensions" else Route.CHAT
    assert asked({name: {"a": "b"}}, route=route) == {name: {"a": "b"}}


def test_members_of_the_gateway_are_not_the_providers():
    own = {"model": "m", "cache": {"no-cache": True}, "disable_fallbacks": True, "num_retries": 0}
    assert asked({**own, "messages": MESSAGES}) == {"messages": MESSAGES}


def test_null_is_as_if_it_was_not_there():
    assert asked({"messages": [{"role": "assistant", "content": None}], "seed": None, "api_base": None}) == {
        "messages": [{"role": "assistant", "content": None}]
    }


def test_googles_other_spelling_is_known():
    body = {"contents": [], "system_instruction": {"parts": []}, "generation_config": {"topK": 1}}
    expected = {"contents": [], "systemInstruction": {"parts": []}, "generationConfig": {"topK": 1}}
    assert asked(body, route=Route.GENERATE_CONTENT) == expected


# What the model does not take.


def test_a_hint_is_dropped_and_named():
    prepared = prepare({"messages": MESSAGES, "user": "Ann", "seed": 1}, drops=("user", "verbosity"))
    assert (prepared.body, prepared.dropped) == ({"messages": MESSAGES, "seed": 1}, ("user",))


def test_a_hint_is_dropped_for_some_values_only():
    assert prepare({"temperature": 1}, drops=("temperature!=1",)).dropped == ()
    assert prepare({"temperature": 0.5}, drops=("temperature!=1",)).dropped == ("temperature",)


def test_a_default_is_dropped_and_named_too():
    prepared = prepare({}, {"temperature": 0.5}, drops=("temperature!=1",))
    assert (prepared.body, prepared.dropped) == ({}, ("temperature",))


def test_a_default_that_is_dropped_is_not_named_where_the_client_says_it():
    assert prepare({"temperature": 1}, {"temperature": 0.5}, drops=("temperature!=1",)).dropped == ()
    assert prepare({"temperature": 0.7}, {"temperature": 0.5}, drops=("temperature!=1",)).dropped == ("temperature",)


def test_with_drop_params_false_a_default_is_no_mistake_of_the_client():
    prepared = prepare({}, {"temperature": 0.5}, drops=("temperature!=1",), refuses=True)
    assert (prepared.body, prepared.dropped) == ({}, ("temperature",))


def test_with_drop_params_false_a_hint_is_refused():
    error = refused({"user": "Ann", "verbosity": "low"}, drops=("user", "verbosity"), refuses=True)
    assert (error.code, error.param) == ("unsupported_parameter", "user")
    assert error.message.startswith("user, verbosity: ")


def test_thinking_is_no_hint_on_messages():
    body = {"max_tokens": 1, "thinking": {"type": "enabled"}, "temperature": 1}
    prepared = prepare(body, route=Route.MESSAGES, drops=("thinking", "temperature"))
    assert (prepared.body, prepared.dropped) == ({"max_tokens": 1, "thinking": {"type": "enabled"}}, ("temperature",))


def test_a_member_has_another_name():
    assert asked({"seed": 1}, renames={"seed": "random_seed"}) == {"random_seed": 1}
    assert asked({"max_tokens": 1}, route=Route.COMPLETIONS, renames={"max_tokens": "max_completion_tokens"}) == {
        "max_tokens": 1
    }


def test_rules_are_those_of_the_model_that_is_asked():
    models = (ModelRules("gpt-4.*"), ModelRules("gpt-.*", drops=("temperature",), translates=("tools",)))
    parameters = Parameters(group(models=models, drops=("user",)))
    body = {"temperature": 1, "user": "Ann", "tools": []}
    assert parameters.prepare(Route.CHAT, body, False, "gpt-4o").dropped == ("user",)
    assert parameters.prepare(Route.CHAT, body, False, "gpt-5").dropped == ("temperature", "user")
    assert parameters.prepare(Route.CHAT, body, False, "gpt-5").is_translated
    assert not parameters.prepare(Route.CHAT, body, False, "gpt-4o").is_translated


def test_a_body_that_changes_form_is_translated():
    assert prepare({"tools": [{"type": "custom"}]}, translates=("tools.type=custom",)).is_translated
    assert not prepare({"tools": [{"type": "function"}]}, translates=("tools.type=custom",)).is_translated


@pytest.mark.parametrize("route", [Route.RESPONSES, Route.MESSAGES])
def test_a_protocol_of_its_own_is_not_translated_for_a_member_of_chats(route: Route):
    body = {"input": "Hello!", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello!"}]}], "max_tokens": 1}
    body = {name: value for name, value in body.items() if name in request_members.of_route(route)}
    for text in ("*", "content:text", "chat/*"):
        assert not prepare(body, route=route, translates=(text,)).is_translated
    assert prepare(body, route=route, translates=(f"{route}/*",)).is_translated
    assert not prepare({}, translates=(f"{route}/*",)).is_translated


# Roles and streams.


def test_developer_is_called_system_where_it_is_not_known():
    body = {"messages": [{"role": "developer", "content": "Be kind."}, *MESSAGES]}
    assert asked(body)["messages"][0] == {"role": "system", "content": "Be kind."}
    assert asked(body, developer_role=True) == body
    assert body["messages"][0]["role"] == "developer"


def test_the_usage_of_a_stream_is_asked_for():
    prepared = prepare({"stream": True}, stream=True)
    assert prepared.body["stream_options"] == {"include_usage": True}
    assert prepared.strips_usage
    assert not prepare({"stream_options": {"include_usage": True}}, stream=True).strips_usage


def test_usage_is_not_asked_for_where_stream_options_are_refused():
    prepared = prepare({"stream": True, "stream_options": {"include_usage": True}}, stream=True, drops=("stream_options",))
    assert (prepared.body, prepared.dropped, prepared.strips_usage) == ({"stream": True}, ("stream_options",), False)


@pytest.mark.parametrize("refuses", [False, True])
def test_a_translated_request_for_usage_is_never_dropped(refuses: bool):
    options = {"include_usage": True}
    body = {"stream": True, "stream_options": options}
    ways: list[dict[str, Any]] = [{"translates": ("*",)}, {"translated": ("chat",)}]
    for way in ways:
        prepared = prepare(body, stream=True, refuses=refuses, drops=("stream_options",), **way)
        assert (prepared.body, prepared.dropped, prepared.is_translated) == (body, (), True)


# Routes.


@pytest.mark.parametrize("route", [Route.MODERATIONS, Route.IMAGES, Route.SPEECH, Route.EMBEDDINGS])
def test_a_route_that_the_row_does_not_declare_is_refused(route: Route):
    with pytest.raises(UpstreamError) as caught:
        Parameters(group(served=("chat", "transcriptions"))).prepare(route, {}, False, "m")
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "unsupported_route", "model")
    assert "chat, transcriptions, completions, generate_content, messages, responses" in caught.value.message


def test_a_model_that_chats_serves_the_other_text_routes():
    for route in request_members.TEXT_ROUTES:
        body = {"max_tokens": 1} if route is Route.MESSAGES else {}
        assert Parameters(group(served=("chat",))).prepare(route, body, False, "m").body == body


def test_a_model_without_chat_does_not():
    with pytest.raises(UpstreamError, match=r"It serves embeddings$"):
        Parameters(group(served=("embeddings",))).prepare(Route.CHAT, {}, False, "m")


def test_a_sibling_says_itself_what_it_serves():
    body = {"input": "Hello!"}
    assert Parameters(group()).prepare(Route.MODERATIONS, body, False, "m").body == body


# Limits.


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_an_output_limit_bounds_the_tokens(name: str):
    assert most_tokens(Route.CHAT, {name: 100, "messages": MESSAGES}) in range(101, 150)


def test_geminis_limit_is_one_too():
    assert most_tokens(Route.GENERATE_CONTENT, {"generationConfig": {"maxOutputTokens": 100}, "contents": []}) in range(
        100, 150
    )
    assert most_tokens(Route.GENERATE_CONTENT, {"contents": []}) is None
