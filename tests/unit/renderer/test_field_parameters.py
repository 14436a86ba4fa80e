"""Parameters by LiteLLM's names that mean what a field of the spec means."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer.rendering import Rendering
from tests.unit.specs import a_spec, codes, parameters, refusal, render, render_gateway, with_parameters

MEANT = [
    ("timeout", 2.5, {"timeout": "2.5s"}),
    ("request_timeout", 30, {"timeout": "30s"}),
    ("num_retries", 2, {"retryPolicy": {"maxAttempts": 2}}),
    ("max_retries", 2, {"retryPolicy": {"maxAttempts": 2}}),
    ("max_parallel_requests", 4, {"rateLimits": {"concurrentRequests": 4}}),
    ("rpm", 60, {"rateLimits": {"requestsPerMinute": 60}}),
    ("tpm", 9000, {"rateLimits": {"tokensPerMinute": 9000}}),
    ("api_base", "http://other:8000/v1", {"endpoint": "http://other:8000/v1"}),
    ("base_url", "http://other:8000/v1", {"endpoint": "http://other:8000/v1"}),
]


def said(result: Rendering, code: str) -> list[str]:
    return [finding.message for finding in result.findings if finding.code == code]


@pytest.mark.parametrize(("name", "value", "fields"), MEANT)
def test_a_parameter_is_the_field_that_it_means(name: str, value: Any, fields: dict[str, Any]):
    result = render(a_spec(params={name: value}))
    assert result.config == render(a_spec(**fields)).config
    (message,) = said(result, "LM140")
    assert message.startswith(f"spec.params.{name} is read as spec.")


@pytest.mark.parametrize(("name", "value", "fields"), MEANT)
def test_so_it_is_as_a_text(name: str, value: Any, fields: dict[str, Any]):
    assert render(with_parameters(**{name: str(value)})).config == render(a_spec(**fields)).config


def test_a_timeout_for_streams_is_passed_on():
    assert parameters(render(a_spec(params={"stream_timeout": 7})))["stream_timeout"] == 7


def test_params_win_over_the_field_which_is_named():
    result = render(a_spec(params={"rpm": 5}, rateLimits={"requestsPerMinute": 9, "tokensPerMinute": 7}))
    limits = result.config["callback_settings"]["langop"]["models"]["llama"]["limits"]
    assert (limits["requests_per_minute"], limits["tokens_per_minute"]) == (5, 7)
    assert said(result, "LM415") == ["spec.rateLimits.requestsPerMinute is not used: spec.params.rpm sets the same"]


def test_params_win_over_additional_parameters_which_are_named():
    result = render(a_spec(params={"timeout": 5}, configuration={"additionalParameters": {"timeout": "9"}}))
    assert parameters(result)["timeout"] == 5
    (message,) = said(result, "LM415")
    assert message.startswith("spec.configuration.additionalParameters.timeout is not used")


def test_of_two_names_of_one_field_the_other_is_named():
    result = render(a_spec(params={"max_retries": 1, "num_retries": 2}))
    assert result.config["callback_settings"]["langop"]["models"]["llama"]["retries"]["attempts"] == 2
    assert said(result, "LM415") == ["spec.params.max_retries is not used: spec.params.num_retries sets the same"]


@pytest.mark.parametrize("bare", [True, False])
def test_a_bare_spec_means_the_same(bare: bool):
    spec = a_spec(params={"num_retries": 2, "timeout": 5})
    assert render(spec, bare=bare).config == render(a_spec(retryPolicy={"maxAttempts": 2}, timeout="5s")).config


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("rpm", 0, "at least 1"),
        ("rpm", "many", "integer"),
        ("num_retries", 50, "at most 10"),
        ("timeout", "5m", "number of seconds"),
        ("timeout", 1e-9, "a duration from 1ms"),
        ("api_base", "ftp://x", "http:// or https://"),
        ("weight", 0.5, "integer"),
    ],
)
def test_a_wrong_value_is_refused_at_the_parameter(name: str, value: Any, allowed: str):
    findings = [finding for finding in refusal(a_spec(params={name: value})) if finding.level == "error"]
    assert [(finding.code, finding.path) for finding in findings] == [("LM208", ("spec", "params", name))]
    assert allowed in findings[0].message


def test_weight_and_order_are_the_share_among_resources_of_one_name():
    result = render_gateway(a=a_spec(params={"weight": 3, "order": 2}), b=a_spec())
    models = result.config["callback_settings"]["langop"]["models"]
    assert (models["llama@a"]["weight"], models["llama@a"]["priority"]) == (3, 2)
    assert "weight" not in models["llama@b"]
    assert "weight" not in parameters(result)


def test_a_share_of_a_name_that_nothing_else_has_is_reported():
    result = render(a_spec(params={"weight": 3}))
    assert "LM431" in codes(result.findings)
    assert result.config == render(a_spec()).config


@pytest.mark.parametrize("name", ["itpm", "tags", "retry_policy", "silent_model"])
def test_a_parameter_of_litellms_router_is_refused(name: str):
    """It would have no effect."""
    values: dict[str, Any] = {"itpm": 5, "tags": ["a"], "retry_policy": {}, "silent_model": "x"}
    findings = refusal(a_spec(params={name: values[name]}))
    assert "LM218" in codes(findings)


@pytest.mark.parametrize("name", ["model", "model_name", "custom_llm_provider"])
def test_what_names_the_model_stays_a_field(name: str):
    assert codes(refusal(a_spec(params={name: "x"}))) == ["LM207"]
