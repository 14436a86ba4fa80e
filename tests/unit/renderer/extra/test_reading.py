"""LANGOP_GATEWAY_EXTRA_CONFIG: what it may hold, and what is passed on."""

from __future__ import annotations

import pytest
import yaml

from langop_model.renderer.settings import Settings
from tests.unit.renderer.extra.renderings import refusal, refusals, rendered


@pytest.mark.parametrize(
    "extra", ["", "{}", "null", "~", "# only a comment", " \n\t\n", "---\n", "litellm_settings:\nrouter_settings: null"]
)
def test_what_asks_for_nothing_changes_nothing(extra: str):
    assert rendered(extra).text == rendered("").text


@pytest.mark.parametrize("extra", ["[]", "5", "text", "a: 1\n---\nb: 2", '""'])
def test_what_is_no_map_is_refused(extra: str):
    assert refusals(extra) == [("LM730", ())]


@pytest.mark.parametrize("extra", ["a: [", "a: 1\na: 2", "a: !!python/object:os.system {}", "a: &a [*a]"])
def test_what_is_no_plain_yaml_is_refused_with_its_line(extra: str):
    (finding,) = refusal(extra)
    assert (finding.code, finding.file) == ("LM730", "LANGOP_GATEWAY_EXTRA_CONFIG")
    assert "line " in finding.message


def test_a_map_is_merged_and_what_it_does_not_name_stays():
    before = rendered("").config["litellm_settings"]
    assert rendered("litellm_settings: {modify_params: true}").config["litellm_settings"] == {**before, "modify_params": True}


def test_callbacks_are_added():
    before = rendered("", observability={"metrics": True}).config["litellm_settings"]["callbacks"]
    assert before == ["prometheus"]
    after = rendered("litellm_settings: {callbacks: [langsmith]}", observability={"metrics": True}).config["litellm_settings"]
    assert after["callbacks"] == ["langsmith", "prometheus"]


def test_a_plain_value_replaces():
    assert rendered("litellm_settings: {drop_params: false}").config["litellm_settings"]["drop_params"] is False


def test_sections_that_it_leaves_alone_keep_their_comments():
    before, after = rendered("").text, rendered("litellm_settings: {drop_params: false}").text
    for section in ("environment_variables", "model_list", "callback_settings", "router_settings", "general_settings"):
        assert part(after, section) == part(before, section)
    assert "# with LANGOP_GATEWAY_EXTRA_CONFIG:\nlitellm_settings:\n" in after


def part(text: str, section: str) -> str:
    """Return a section of a configuration as it is written."""
    return text.partition(f"\n{section}:")[2].partition("\n\n")[0]


def test_the_text_is_the_data():
    extra = "litellm_settings: {cache: true, cache_params: {namespace: 'a: b # c'}, callbacks: [langfuse]}"
    result = rendered(extra)
    assert yaml.safe_load(result.text) == result.config
    assert result.text == rendered(extra).text


def test_an_unknown_key_is_refused_with_its_neighbour():
    (finding,) = refusal("litellm_settings: {request_timeot: 7}")
    assert (finding.code, finding.path, finding.file) == ("LM731", ("litellm_settings",), "LANGOP_GATEWAY_EXTRA_CONFIG")
    assert "'request_timeot'" in finding.message
    assert "Did you mean request_timeout?" in finding.message


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ("router_settings: {num_retries: many}", ("router_settings", "num_retries")),
        ("router_settings: 5", ("router_settings",)),
        ("nonsense: {}", ()),
        ("litellm_settings: {cache_params: {ttl: many}}", ("litellm_settings", "cache_params", "ttl")),
        ("environment_variables: {LD_PRELOAD: /tmp/many.so}", ("environment_variables",)),
        ("model_list: many", ("model_list",)),
        ("model_list: [{model_name: a}]", ("model_list", 0)),
        (
            "model_list: [{model_name: a, litellm_params: {model: openai/a, nonsense: many}}]",
            ("model_list", 0, "litellm_params"),
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_place_and_not_repeated(extra: str, path: tuple[str, ...]):
    (finding,) = refusal(extra)
    assert (finding.code, finding.path) == ("LM731", path)
    assert "many" not in finding.message


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ("general_settings: {master_key: sk-1}", ("general_settings", "master_key")),
        ("litellm_settings: {cache_params: {password: hunter2}}", ("litellm_settings", "cache_params", "password")),
        ("environment_variables: {LANGSMITH_API_KEY: ls-1}", ("environment_variables", "LANGSMITH_API_KEY")),
        ("litellm_settings: {cache_params: {url: 'redis://:hunter2@redis'}}", ("litellm_settings", "cache_params", "url")),
        (
            "model_list: [{model_name: a, litellm_params: {model: openai/a, api_key: sk-1}}]",
            ("model_list", 0, "litellm_params", "api_key"),
        ),
    ],
)
def test_a_secret_is_refused_and_not_repeated(extra: str, path: tuple[str | int, ...]):
    codes = refusals(extra)
    assert ("LM732", path) in codes
    assert not any(secret in finding.message for finding in refusal(extra) for secret in ("sk-1", "hunter2", "ls-1"))


@pytest.mark.parametrize(
    ("extra", "path", "words"),
    [
        ("guardrails: [{guardrail_name: a}]", "guardrails", "guardrails run inside LiteLLM's proxy"),
        ("litellm_settings: {guardrails: [{a: {}}]}", "litellm_settings.guardrails", "guardrails run inside LiteLLM's proxy"),
        ("general_settings: {enable_jwt_auth: true}", "general_settings.enable_jwt_auth", "JWT"),
        ("enable_jwt_auth: true", "enable_jwt_auth", "JWT"),
        (
            "environment_variables: {LITELLM_JWT_PUBLIC_KEY_URL: 'https://x'}",
            "environment_variables.LITELLM_JWT_PUBLIC_KEY_URL",
            "JWT",
        ),
        ("general_settings: {database_url: os.environ/D}", "general_settings.database_url", "no database"),
        ("general_settings: {store_model_in_db: true}", "general_settings.store_model_in_db", "no database"),
        ("general_settings: {ui_access_mode: all}", "general_settings.ui_access_mode", "no admin UI"),
        ("general_settings: {custom_sso: a.b}", "general_settings.custom_sso", "SSO"),
        ("general_settings: {pass_through_endpoints: []}", "general_settings.pass_through_endpoints", "forwards nothing but"),
        ("mcp_servers: {a: {}}", "mcp_servers", "MCP servers"),
        ("vector_store_registry: []", "vector_store_registry", "vector stores"),
        ("litellm_settings: {max_budget: 5}", "litellm_settings.max_budget", "spec.rateLimits"),
        ("router_settings: {routing_strategy: usage-based-routing-v2}", "router_settings.routing_strategy", "least-busy"),
        ("litellm_settings: {cache_params: {type: s3}}", "litellm_settings.cache_params.type", "spec.caching.backend"),
        ("general_settings: {cancel_on_disconnect: false}", "general_settings.cancel_on_disconnect", "remove it"),
        ("environment_variables: {OPENAI_API_KEY: os.environ/X}", "environment_variables.OPENAI_API_KEY", "apiKeySecretRef"),
        ("litellm_settings: {callbacks: [presidio]}", "litellm_settings.callbacks[0]", "guardrail"),
        ("callback_settings: {langop: {models: {}}}", "callback_settings", "LanguageModels"),
    ],
)
def test_what_can_not_be_is_refused_with_a_reason_and_what_to_do(extra: str, path: str, words: str):
    (finding,) = refusal(extra)
    assert (finding.code, finding.level, finding.file) == ("LM750", "error", "LANGOP_GATEWAY_EXTRA_CONFIG")
    assert finding.message.startswith(f"{path} is refused: ")
    assert words in f"{finding.message} {finding.fix}"


def test_a_finding_has_the_line_and_column_of_its_key():
    text = "litellm_settings:\n  num_retries: 1\n  max_budget: 5\nrouter_settings: {num_retries: 1}\n"
    (finding,) = refusal(text)
    assert finding.where == "LANGOP_GATEWAY_EXTRA_CONFIG:3:3"
    (warning,) = [found for found in rendered(text.replace("  max_budget: 5\n", "")).findings if found.code == "LM753"]
    assert warning.where == "LANGOP_GATEWAY_EXTRA_CONFIG:2:3"


def test_everything_that_is_wrong_is_said_at_once():
    extra = "general_settings: {database_url: os.environ/D}\nlitellm_settings: {num_retries: many, max_budget: 1}\nnonsense: 1"
    assert sorted(code for code, _ in refusals(extra)) == ["LM731", "LM731", "LM750", "LM750"]


@pytest.mark.parametrize(
    "extra",
    ["general_settings: {cancel_on_disconnect: true, user_url_validation: true}", "litellm_settings: {set_verbose: false}"],
)
def test_a_value_that_says_what_is_done_anyway_changes_nothing(extra: str):
    assert rendered(extra).config == rendered("").config


def test_a_providers_own_parameter_is_allowed_beside_it():
    configuration = {"additionalParameters": {"their_own": "1"}}
    result = rendered("litellm_settings: {drop_params: false}", configuration=configuration)
    assert result.config["model_list"][0]["litellm_params"]["their_own"] is not None


def test_the_variable_comes_in_with_the_settings():
    environment = {"LANGOP_GATEWAY_EXTRA_CONFIG": "  a: 1\n  b: 2\n"}
    assert Settings.from_environment(environment).extra_config == "  a: 1\n  b: 2\n"
