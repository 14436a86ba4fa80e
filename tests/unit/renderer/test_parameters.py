"""spec.configuration.additionalParameters: texts that get the type LiteLLM gives the parameter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer.findings import Findings
from langop_model.renderer.parameters import known, typed
from tests.unit.specs import codes, parameters, refusal, render, with_parameters, words


def typed_as(name: str, text: str) -> tuple[Any, list[str]]:
    """Return what one parameter becomes, and the codes of what is said about it."""
    found = Findings()
    return typed({name: text}, found).get(name), codes(found.items)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "42", 42),
        ("seed", "-1", -1),
        ("parallel_tool_calls", "false", False),
        ("parallel_tool_calls", "true", True),
        ("extra_headers", '{"x-team": "search"}', {"x-team": "search"}),
        ("logit_bias", '{"50256": -100}', {"50256": -100}),
        ("api_version", "2024-10-21", "2024-10-21"),
        ("api_version", "1", "1"),
        ("api_version", "true", "true"),
        ("user", "[1]", "[1]"),
        ("user", "{{ 7*7 }}", "{{ 7*7 }}"),
        ("reasoning_effort", "low", "low"),
    ],
)
def test_a_parameter_that_litellm_knows_gets_its_type(name: str, text: str, value: Any):
    assert repr(typed_as(name, text)) == repr((value, []))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("terse", "terse"),
        ("5", 5),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("True", "True"),
        ("null", "null"),
        ("", ""),
        ("{not json", "{not json"),
        ('{"a": [1, "b", null, false]}', {"a": [1, "b", None, False]}),
        ("007", "007"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("2024-10-21", "2024-10-21"),
        (" 5", " 5"),
        ("5\n", "5\n"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
    ],
)
def test_an_unknown_parameter_becomes_what_it_looks_like(text: str, value: Any):
    """It is named in a finding, too."""
    assert repr(typed_as("house_style", text)) == repr((value, ["LM313"]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seed", "forty-two"),
        ("seed", "1.5"),
        ("seed", ""),
        ("seed", "true"),
        ("seed", "1e400"),
        ("parallel_tool_calls", "yes"),
        ("parallel_tool_calls", "1"),
        ("extra_headers", "x-team: search"),
        ("extra_headers", "[1]"),
        ("extra_headers", '{"x-team": 1}'),
        ("extra_body", "{"),
        ("reasoning_effort", "enormous"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, text: str):
    _, said = typed_as(name, text)
    assert said == ["LM208"]


@pytest.mark.parametrize("text", ["1e400", "[1e400]", "[NaN]", '{"a": Infinity}', "-1e400"])
def test_a_number_beyond_json_never_reaches_the_configuration(text: str):
    """It stays the text that it is, or it is refused; inf and nan are no values of JSON or of LiteLLM."""
    value, said = typed_as("house_style", text)
    assert value == text or "LM208" in said


@pytest.mark.parametrize(
    "text", ["[" * 300 + "]" * 300, "[" * 600 + "]" * 600, "[" * 100_000, '{"a":' * 100_000], ids=["300", "600", "[", "{"]
)
@pytest.mark.parametrize("name", ["house_style", "extra_body"])
def test_nesting_without_end_is_refused(name: str, text: str):
    findings = refusal(with_parameters(**{name: text}))
    assert "LM208" in codes(findings)
    assert len(words(findings)) < 2_000


@pytest.mark.parametrize("text", [r'{"a": "\ud800"}', r'["\udfff"]'])
def test_half_a_surrogate_pair_is_refused(text: str):
    assert "LM208" in codes(refusal(with_parameters(house_style=text)))


def test_a_key_that_stands_twice_in_a_parameter_is_refused():
    assert "LM208" in codes(refusal(with_parameters(extra_body='{"a": 1, "a": 2}')))


def test_a_long_value_is_not_repeated_in_full():
    assert len(words(refusal(with_parameters(seed="x" * 10_000)))) < 1_000


NUMBERS = st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,3})?", fullmatch=True)
JSON_TEXTS = st.recursive(
    st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
).map(json.dumps)


@given(st.text() | NUMBERS | JSON_TEXTS)
def test_a_value_is_the_text_itself_or_what_it_says_in_json(text: str):
    value, said = typed_as("house_style", text)
    assert "LM208" in said or value == text or value == json.loads(text)


# Names.


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "API_KEY", "apikey", "x-api-key", "openai-api-key", "aws_secret_access_key", "azure_ad_token",
        "azure_password", "client_secret", "vertex_credentials", "aws_session_token", "authorization", "oci_key",
        "arize_space_key", "signoz_ingestion_key",
    ],
)  # fmt: skip
def test_a_name_of_a_credential_is_refused(name: str):
    assert codes(refusal(with_parameters(**{name: "x"}))) == ["LM206"]


PRICES = [name for name, schema in known().items() if "cost_per" in name and schema.get("type") == "number"]


@pytest.mark.parametrize("name", sorted({*PRICES} - {"input_cost_per_token", "output_cost_per_token"}))
def test_a_price_is_no_credential_although_it_ends_in_token(name: str):
    assert parameters(render(with_parameters(**{name: "0.001"})))[name] == 0.001


@pytest.mark.parametrize("name", ["max_completion_tokens", "truncate_input_tokens", "prompt_cache_key", "top_logprobs"])
def test_a_harmless_name_is_right(name: str):
    text = "5" if known()[name].get("type") == "integer" else "x"
    assert name in parameters(render(with_parameters(**{name: text})))


@pytest.mark.parametrize(
    "name", ["model", "model_name", "custom_llm_provider", "temperature", "max_tokens", "stop", "cache", "fallbacks"]
)
def test_a_parameter_that_is_a_field_of_the_spec_is_refused(name: str):
    assert codes(refusal(with_parameters(**{name: "1"}))) == ["LM207"]


@pytest.mark.parametrize(
    "name", ["mock_response", "configurable_clientside_auth_params", "litellm_credential_name", "model_info"]
)
def test_a_parameter_that_reaches_around_the_gateway_is_refused(name: str):
    assert "LM211" in codes(refusal(with_parameters(**{name: "1"})))


@pytest.mark.parametrize(
    "value",
    [
        '{"Authorization": "x"}',
        '{"x-api-key": "x"}',
        '{"X-Auth-Token": "x"}',
        '{"Ocp-Apim-Subscription-Key": "x"}',
        '{"Cookie": "x"}',
        '{"a": [{"client_secret": "x"}]}',
    ],
)
@pytest.mark.parametrize("name", ["extra_headers", "extra_body", "house_style"])
def test_a_credential_inside_a_parameter_is_refused(name: str, value: str):
    assert "LM206" in codes(refusal(with_parameters(**{name: value})))


def test_a_name_too_long_for_a_key_of_yaml_is_refused_by_its_field():
    findings = refusal(with_parameters(**{"x" * 2_000: "a"}))
    assert findings[0].path[:3] == ("spec", "configuration", "additionalParameters")


def test_the_finding_names_the_parameter():
    (finding,) = refusal(with_parameters(seed="x"))
    assert finding.path == ("spec", "configuration", "additionalParameters", "seed")


@pytest.mark.parametrize(
    ("provider", "name", "code", "routes"),
    [
        ("petals", "extra_headers", "", ""),
        ("hosted_vllm", "extra_headers", "", ""),
        ("aiohttp_openai", "extra_headers", "LM312", ""),
        ("maritalk", "extra_headers", "LM324", "completions, responses, messages, generate_content"),  # its chat is relayed
        ("minimax", "extra_body", "LM324", "speech"),
    ],
)
def test_a_parameter_that_litellm_does_not_hand_on_is_named(provider: str, name: str, code: str, routes: str):
    where = ({"params": {name: {"x-team": "a"}}}, {"configuration": {"additionalParameters": {name: '{"x-team": "a"}'}}})
    for fields in where:
        result = render({"provider": provider, "modelName": "m", "endpoint": "https://example.com/v1", **fields})
        said = [each for each in result.findings if each.code in ("LM312", "LM324")]
        place = f"spec.params.{name}" if "params" in fields else f"spec.configuration.additionalParameters.{name}"
        assert [(each.code, ".".join(map(str, each.path))) for each in said] == ([(code, place)] if code else [])
        assert all(routes in each.message for each in said)
