"""LANGOP_GATEWAY_EXTRA_CONFIG: merged last, and checked like the rest."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_spec, render

EXTENSION = "langop_model.gateway.extension.callback"


def rendered(extra: str, **fields: Any) -> Rendering:
    return render(a_spec(**fields), Settings(extra_config=extra))


def refusals(extra: str) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(finding.code, finding.path) for finding in refusal(extra)]


def refusal(extra: str) -> tuple[Finding, ...]:
    with pytest.raises(SpecError) as caught:
        rendered(extra)
    return caught.value.findings


def test_without_it_nothing_changes():
    assert rendered("").text == rendered("{}").text


def test_a_map_is_merged_and_what_it_does_not_name_stays():
    before = rendered("").config["litellm_settings"]
    assert rendered("litellm_settings: {request_timeout: 7}").config["litellm_settings"] == {**before, "request_timeout": 7}


def test_a_list_replaces():
    extra = f"litellm_settings: {{callbacks: [langsmith, {EXTENSION}]}}"
    assert rendered(extra).config["litellm_settings"]["callbacks"] == ["langsmith", EXTENSION]


def test_a_plain_value_replaces():
    assert rendered("router_settings: {num_retries: 2}").config["router_settings"]["num_retries"] == 2


def test_it_may_refer_to_the_environment():
    extra = "general_settings: {master_key: os.environ/PROXY_KEY}"
    assert rendered(extra).config["general_settings"]["master_key"] == "os.environ/PROXY_KEY"


def test_sections_that_it_leaves_alone_keep_their_comments():
    before, after = rendered("").text, rendered("router_settings: {num_retries: 2}").text
    for section in ("environment_variables", "model_list", "callback_settings", "litellm_settings", "general_settings"):
        assert part(after, section) == part(before, section)
    assert "# with LANGOP_GATEWAY_EXTRA_CONFIG:\nrouter_settings:\n" in after


def part(text: str, section: str) -> str:
    """Return a section of a configuration as it is written."""
    return text.partition(f"\n{section}:")[2].partition("\n\n")[0]


def test_the_text_is_the_data():
    result = rendered("litellm_settings: {request_timeout: 1.0e-05, cache_params: {type: redis, namespace: 'a: b # c'}}")
    assert yaml.safe_load(result.text) == result.config


def test_the_same_input_is_the_same_text():
    extra = "general_settings: {alerting: [slack]}\nlitellm_settings: {request_timeout: 7}"
    assert rendered(extra).text == rendered(extra).text


@pytest.mark.parametrize("extra", ["[]", "5", "text", "a: 1\n---\nb: 2"])
def test_what_is_no_map_is_refused(extra: str):
    assert refusals(extra) == [("LM730", ())]


@pytest.mark.parametrize("extra", ["a: [", "a: 1\na: 2", "a: !!python/object:os.system {}", "a: &a [*a]"])
def test_what_is_no_plain_yaml_is_refused_with_its_line(extra: str):
    (finding,) = refusal(extra)
    assert (finding.code, finding.file) == ("LM730", "LANGOP_GATEWAY_EXTRA_CONFIG")
    assert "line " in finding.message


def test_a_key_that_litellm_does_not_read_is_refused_by_name_with_its_neighbour():
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
        ("litellm_settings: {cache_params: {namespace: many}}", ("litellm_settings", "cache_params")),
        ("environment_variables: {LD_PRELOAD: /tmp/x.so}", ("environment_variables",)),
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
        ("litellm_settings: {default_headers: {X-Api-Key: hunter2}}", ("litellm_settings", "default_headers", "X-Api-Key")),
    ],
)
def test_a_secret_is_refused_and_not_repeated(extra: str, path: tuple[str, ...]):
    (finding,) = refusal(extra)
    assert (finding.code, finding.path) == ("LM732", path)
    assert not any(secret in finding.message for secret in ("sk-1", "hunter2", "ls-1"))


def test_a_number_of_tokens_is_no_secret():
    assert rendered("litellm_settings: {max_tokens: 5}").config["litellm_settings"]["max_tokens"] == 5


def test_the_extension_that_keeps_the_limits_can_not_be_left_out():
    assert refusals("litellm_settings: {callbacks: [langsmith]}") == [("LM733", ("litellm_settings", "callbacks"))]
    assert refusals("litellm_settings: null") == [("LM733", ("litellm_settings", "callbacks"))]


def test_the_deployments_that_the_limits_belong_to_can_not_be_left_out():
    extra = "model_list: [{model_name: other, litellm_params: {model: openai/other}}]"
    assert refusals(extra) == [("LM734", ("model_list",))]


def test_a_parameter_that_only_the_provider_knows_is_still_allowed_beside_it():
    configuration = {"additionalParameters": {"their_own": "1"}}
    result = rendered("router_settings: {num_retries: 2}", configuration=configuration)
    assert result.config["model_list"][0]["litellm_params"]["their_own"] is not None


def test_the_variable_comes_in_with_the_settings():
    environment = {"LANGOP_GATEWAY_EXTRA_CONFIG": "\n  {}\n"}
    assert Settings.from_environment(environment).extra_config == "{}"
