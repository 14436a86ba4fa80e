"""Entries of model_list that are written by hand, beside those of the LanguageModels."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.unit.renderer.extra.renderings import about_extra, gateway, refusal, rendered, section
from tests.unit.specs import a_spec


def extra(*entries: dict[str, Any], **sections: Any) -> str:
    return yaml.safe_dump({"model_list": list(entries), **sections})


def entry(name: str = "claude", model: str = "anthropic/claude-x", **parameters: Any) -> dict[str, Any]:
    own = {"api_key": "os.environ/THEIR_KEY", **parameters}
    return {
        "model_name": name,
        "litellm_params": {"model": model, **{key: value for key, value in own.items() if value is not None}},
    }


def deployments(result: Any, name: str) -> list[dict[str, Any]]:
    return [each for each in result.config["model_list"] if each["model_name"] == name]


def test_it_stands_beside_the_rendered_ones_with_a_section_of_its_own():
    result = rendered(extra(entry(top_k=5)))
    (deployment,) = deployments(result, "claude")
    expected = {"model": "anthropic/claude-x", "api_key": "os.environ/THEIR_KEY", "top_k": 5, "timeout": 300}
    assert deployment["litellm_params"] == expected
    found = section(result, "claude")
    assert (found["resource"], found["namespace"], found["timeout"]) == ("claude", "default", 300)
    assert [endpoint["id"] for endpoint in found["endpoints"]] == ["claude/endpoint-0"]
    assert len(deployments(result, "llama")) == 1
    assert result.variables == {"THEIR_KEY": "THEIR_KEY"}


def test_it_is_served_without_any_language_model():
    result = gateway(extra(entry(), litellm_settings={"cache": True, "callbacks": ["prometheus"]}))
    assert [each["model_name"] for each in result.config["model_list"]] == ["claude"]
    assert result.config["litellm_settings"]["cache_params"]["type"] == "local"
    assert "prometheus" in result.config["litellm_settings"]["callbacks"]


def test_what_litellm_reads_for_limits_and_retries_is_the_gateways_own():
    result = rendered(extra(entry(rpm=10, tpm=1000, max_parallel_requests=3, num_retries=2, timeout=20, stream_timeout=5)))
    (deployment,) = deployments(result, "claude")
    assert deployment["litellm_params"].keys() == {"model", "api_key", "timeout", "stream_timeout"}
    limits = {"requests_per_minute": 10, "tokens_per_minute": 1000, "concurrent_requests": 3, "wait": 20}
    assert section(result, "claude")["limits"] == limits
    assert section(result, "claude")["retries"]["attempts"] == 2


def test_entries_of_one_name_share_its_requests():
    result = rendered(extra(entry(rpm=10, weight=1, order=1), entry(model="openai/gpt-x", rpm=5, weight=3, order=2)))
    found = section(result, "claude")
    assert found["endpoints"] == [
        {"id": "claude/endpoint-0", "weight": 1, "requests_per_minute": 10, "priority": 1},
        {"id": "claude/endpoint-1", "weight": 3, "requests_per_minute": 5, "priority": 2},
    ]
    assert (found["strategy"], found["limits"]["requests_per_minute"]) == ("weighted", 15)


def test_it_is_asked_without_litellm_as_a_language_model_is():
    """The same provider, model and parameters, once written by hand and once as a LanguageModel."""
    spec = {"provider": "groq", "modelName": "g-1", "apiKeySecretRef": {"name": "k"}, "params": {"top_k": 5}}
    result = gateway(extra(entry("own", "groq/g-1", top_k=5)), a=spec)
    own, rendered_one = section(result, "own"), section(result, "g-1")
    assert own["upstream"] == rendered_one["upstream"]
    assert own["defaults"] == rendered_one["defaults"] == {"top_k": 5}
    assert own["endpoints"][0]["url"] == rendered_one["endpoints"][0]["url"]


@pytest.mark.parametrize("second", [entry("own", "openai/g-1"), entry("own", "groq/g-1", top_k=9)])
def test_entries_that_differ_are_asked_through_litellm(second: dict[str, Any]):
    found = section(rendered(extra(entry("own", "groq/g-1", top_k=5), second)), "own")
    assert "upstream" not in found
    assert "url" not in found["endpoints"][0]


def test_entries_that_differ_in_address_and_key_are_asked_without_litellm():
    pair = [entry("own", "openai/m", api_base=f"http://{host}/v1", api_key=f"os.environ/{host}", rpm=5) for host in ("A", "B")]
    found = section(rendered(extra(*pair)), "own")
    assert [endpoint["url"] for endpoint in found["endpoints"]] == ["http://A/v1", "http://B/v1"]
    assert found["upstream"]["model"] == "m"


@pytest.mark.parametrize("first", [{"rpm": 10}, {"order": 1}, {"num_retries": 1}])
def test_entries_of_one_name_agree(first: dict[str, Any]):
    (finding,) = refusal(extra(entry(**first), entry(model="openai/gpt-x")))
    assert (finding.code, finding.path) == ("LM751", ("model_list", 0))
    assert next(iter(first)) in finding.message


def test_it_gets_what_the_extra_configuration_says_for_all():
    sections = {
        "router_settings": {
            "num_retries": 4,
            "timeout": 7,
            "cooldown_time": 9,
            "fallbacks": [{"claude": ["llama"]}, {"llama": ["claude"]}],
        },
        "general_settings": {"background_health_checks": True, "health_check_interval": 60},
    }
    result = rendered(extra(entry(), **sections))
    found = section(result, "claude")
    assert (found["retries"]["attempts"], found["cooldown"], found["health_check"]["interval"]) == (4, {"seconds": 9}, 60)
    assert found["fallbacks"] == [{"group": "llama", "causes": ["error"]}]
    assert section(result)["fallbacks"] == [{"group": "claude", "causes": ["error"]}]
    (deployment,) = deployments(result, "claude")
    assert deployment["litellm_params"]["timeout"] == 7
    assert deployment["model_info"]["health_check"]["url"] == "https://api.anthropic.com/v1/models"


def test_an_alias_of_it():
    result = rendered(extra(entry(), router_settings={"model_group_alias": {"smart": "claude"}}))
    assert result.config["router_settings"]["model_group_alias"]["smart"] == "claude"


def test_a_providers_variable_gets_another_name():
    """LiteLLM would read it for a provider by itself."""
    result = rendered(extra(entry(api_key="os.environ/ANTHROPIC_API_KEY")))
    (deployment,) = deployments(result, "claude")
    assert deployment["litellm_params"]["api_key"] == "os.environ/LANGOP_ENVIRONMENT_ANTHROPIC_API_KEY"
    assert result.variables == {"LANGOP_ENVIRONMENT_ANTHROPIC_API_KEY": "ANTHROPIC_API_KEY"}


def test_a_server_without_a_key_needs_none():
    result = rendered(extra(entry("own", "openai/own", api_key=None, api_base="http://vllm:8000/v1/")))
    (deployment,) = deployments(result, "own")
    assert deployment["litellm_params"]["api_key"] == "not-needed"
    assert deployment["litellm_params"]["api_base"] == "http://vllm:8000/v1"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry(api_key=None)], "needs api_key: os.environ/NAME"),
        ([entry(model="azure/gpt-x")], "needs api_base"),
        ([entry("cla*ude")], "model_name: NAME/*"),
    ],
)
def test_what_can_not_be_served_is_refused_with_a_reason(entries: list[dict[str, Any]], words: str):
    (finding,) = refusal(extra(*entries))
    assert (finding.code, finding.path[0]) == ("LM751", "model_list")
    assert words in finding.message


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"custom_llm_provider": "openai"}, "model: provider/model"),
        ({"mock_response": "x"}, "reach around"),
        ({"tags": ["a"]}, "LiteLLM's proxy or Router"),
        ({"cooldown_time": 5}, "the gateway's own"),
    ],
)
def test_a_parameter_without_effect_is_refused(parameters: dict[str, Any], words: str):
    (finding,) = refusal(extra(entry(**parameters)))
    assert (finding.code, finding.path[:3]) == ("LM750", ("model_list", 0, "litellm_params"))
    assert words in f"{finding.message} {finding.fix}"


def test_a_price_is_read_from_litellm_params_only():
    (finding,) = refusal(extra({**entry(), "model_info": {"input_cost_per_token": 1}}))
    assert (finding.code, "litellm_params" in finding.fix) == ("LM750", True)


@pytest.mark.parametrize("name", ["llama", "model"])
def test_a_name_that_a_language_model_has_already_stays_its(name: str):
    result = rendered(extra(entry(name)))
    assert about_extra(result) == [("LM758", "model_list.0")]
    assert result.config == rendered("").config


def test_a_model_without_a_cache_beside_one_with():
    result = rendered(extra(entry()), caching={"enabled": True})
    (deployment,) = deployments(result, "claude")
    assert deployment["litellm_params"]["cache"] == {"no-cache": True, "no-store": True}
    (cached,) = deployments(rendered(extra(entry(), litellm_settings={"cache": True})), "claude")
    assert "cache" not in cached["litellm_params"]


def test_a_name_written_like_yaml_is_only_a_name():
    name = 'a: b # "c"'
    assert section(rendered(extra(entry(name))), name)["resource"] == name


def test_the_same_input_is_the_same_text():
    assert rendered(extra(entry(rpm=5)), **a_spec()).text == rendered(extra(entry(rpm=5)), **a_spec()).text
