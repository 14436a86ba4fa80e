"""An error says what is wrong, what is allowed, and what was probably meant; never a secret."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from langop_model.renderer import schema_errors
from langop_model.renderer.findings import Finding
from tests.support import ids
from tests.unit.specs import a_spec, balanced, codes, refusal, with_parameters, words

SECRET = "sk-Proj_AbCdEf0123456789"


def only(spec: Any) -> Finding:
    """Return the one error with which a spec is refused."""
    (finding,) = refusal(spec)
    return finding


# What is wrong, and what was meant.


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("timout", "timeout"),
        ("rateLimit", "rateLimits"),
        ("modelname", "modelName"),
        ("ENDPOINT", "endpoint"),
        ("fallback", "fallbacks"),
    ],
)
def test_an_unknown_field_is_named_with_what_was_probably_meant(field: str, meant: str):
    finding = next(finding for finding in refusal(a_spec(**{field: 1})) if finding.code == "LM101")
    assert finding.path == ("spec", field)
    assert f"Did you mean {meant}?" in finding.message


def test_an_unknown_field_that_is_near_to_none_gets_no_guess_but_the_list():
    finding = only(a_spec(zebra=1))
    assert "Did you mean" not in finding.message
    assert "apiKeySecretRef, apiVersion, caching" in finding.fix


def test_every_unknown_field_is_named():
    paths = [
        finding.path
        for finding in refusal(
            a_spec(zebra=1, caching={"lion": 1}, loadBalancing={"endpoints": [{"url": "http://a", "gnu": 1}]})
        )
    ]
    assert sorted(map(str, paths)) == sorted(
        map(str, [("spec", "zebra"), ("spec", "caching", "lion"), ("spec", "loadBalancing", "endpoints", 0, "gnu")])
    )


def test_every_missing_field_is_named():
    assert {(finding.code, finding.path) for finding in refusal({})} == {
        ("LM104", ("spec", "modelName")),
        ("LM122", ("spec",)),
    }


def test_two_names_of_a_provider_are_one_too_many():
    assert only(a_spec(litellmProvider="groq")).code == "LM121"


@pytest.mark.parametrize("field", ["provider", "litellmProvider"])
def test_a_provider_that_nobody_can_use_is_refused_with_the_reason(field: str):
    finding = only(a_spec(**{"provider": None, field: "vllm"}))
    assert (finding.code, finding.path) == ("LM214", ("spec", field))
    assert "it runs the model inside the gateway; use hosted_vllm" in finding.message


def test_a_misspelt_provider_gets_a_guess_and_no_list_of_all_of_them():
    finding = only(a_spec(provider="fireworks"))
    assert "Did you mean fireworks_ai?" in finding.message
    assert finding.fix == "allowed: langop-model providers lists them"


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"timeout": 5}, "LM102", "spec.timeout is 5, but must be text. Write its unit, such as \"5s\" for seconds."),
        ({"rateLimits": {"tokensPerMinute": "5"}}, "LM102", 'is "5", but must be an integer. Write 5, without quotes.'),
        ({"rateLimits": {"tokensPerMinute": 1.5}}, "LM102", "is 1.5, but must be an integer."),
        ({"caching": {"enabled": "yes"}}, "LM102", 'is "yes", but must be true or false. Write true, without quotes.'),
        ({"caching": []}, "LM102", "spec.caching is [], but must be an object (key: value)."),
        ({"fallbacks": {}}, "LM102", "spec.fallbacks is {}, but must be a list."),
        ({"configuration": {"temperature": None}}, "LM102", "is empty (null), but must be a number."),
        ({"configuration": {"temperature": 2.1}}, "LM105", "is 2.1, but must be at most 2"),
        ({"configuration": {"topP": -1}}, "LM105", "is -1, but must be at least 0"),
        ({"retryPolicy": {"maxAttempts": 11}}, "LM105", "is 11, but must be at most 10"),
        ({"caching": {"backend": "rediss"}}, "LM103", 'is "rediss", which is not an allowed value. Did you mean redis?'),
        ({"modelName": ""}, "LM106", 'spec.modelName is ""'),
        ({"timeout": "5 minutes"}, "LM106", 'spec.timeout is "5 minutes"'),
        ({"endpoint": "llm.example.com"}, "LM106", 'spec.endpoint is "llm.example.com"'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_in_words(fields: dict[str, Any], code: str, message: str):
    finding = only(a_spec(**fields))
    assert finding.code == code
    assert message in finding.message


def test_all_errors_are_told_at_once():
    findings = refusal(a_spec(timeout="soon", zebra=1, caching={"backend": "disk"}, rateLimits={"requestsPerMinute": 0}))
    assert sorted(codes(findings)) == ["LM101", "LM103", "LM105", "LM106"]


def test_a_long_value_is_cut():
    assert len(only(a_spec(timeout="x" * 1_000_000)).message) < 150


def test_a_rule_without_words_of_its_own_is_told_by_its_name():
    error = SimpleNamespace(
        validator="uniqueItems", validator_value=True, absolute_path=["spec"], schema={}, context=[], instance=[1, 1]
    )
    (finding,) = schema_errors.findings(error)
    assert (finding.code, finding.message) == ("LM107", "spec breaks the schema's rule uniqueItems True")


def test_a_guess_ignores_case_and_needs_a_likeness():
    assert schema_errors.did_you_mean("REDIS", ["memory", "redis"]) == " Did you mean redis?"
    assert schema_errors.did_you_mean("zebra", ["memory", "redis"]) == ""
    assert schema_errors.did_you_mean(None, []) == ""


@pytest.mark.parametrize("provider", ["azure", "openai-compatible", "custom"])
@pytest.mark.parametrize(
    "elsewhere", [{}, {"loadBalancing": {}}, {"loadBalancing": {"endpoints": []}}, {"regions": [{"name": "a"}]}]
)
def test_a_provider_without_a_public_address_needs_one(provider: str, elsewhere: dict[str, Any]):
    finding = only(a_spec(provider=provider, endpoint=None, **elsewhere))
    assert finding.code == "LM120"
    assert f"provider {provider}" in finding.message


# Secrets.


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{SECRET}@llm.example.com/v1",
        f"https://{SECRET}@llm.example.com/v1",
        f"https://user:{SECRET}@llm.example.com:port/v1",
        f"https://user:a/{SECRET}@llm.example.com/v1",
        f"https://user:{SECRET}/b@llm.example.com/v1",
        f"https://user:{SECRET}#b@llm.example.com/v1",
        f"https://user:{SECRET}?b@llm.example.com/v1",
        f"https://user:a@{SECRET}@llm.example.com/v1",
        f"https:/user:{SECRET}@llm.example.com/v1",
        f"https:user:{SECRET}@llm.example.com/v1",
        f"user:{SECRET}@llm.example.com/v1",
        f"ftp://user:{SECRET}@llm.example.com/v1",
        f"https://llm.example.com/v1?key={SECRET}",
        f"https://llm.example.com/v1#{SECRET}",
        f"https://[user:{SECRET}@llm.example.com/v1",
        f" https://user:{SECRET}@llm.example.com/v1",
        f"https://user:{SECRET}\n@llm.example.com/v1",
    ],
)
def test_a_password_in_an_address_is_not_repeated(url: str):
    for spec in (a_spec(endpoint=url), balanced({"url": url}), a_spec(regions=[{"name": "a", "endpoint": url}])):
        findings = refusal(spec)
        assert codes(findings) == ["LM106"]
        assert SECRET not in words(findings)


@pytest.mark.parametrize(
    "wrap", [lambda url: [url], lambda url: {"url": url}, lambda url: [[url]]], ids=["list", "object", "lists"]
)
def test_a_password_in_an_address_of_the_wrong_type_is_not_repeated(wrap: Any):
    findings = refusal(a_spec(endpoint=wrap(f"https://user:{SECRET}@llm.example.com")))
    assert codes(findings) == ["LM102"]
    assert SECRET not in words(findings)


@pytest.mark.parametrize(
    "reference",
    [SECRET, [SECRET], {"name": SECRET}, {"name": [SECRET]}, {"name": "a", "key": f"{SECRET}="}, {"name": {"value": SECRET}},
     {"name": "a", "namespace": [SECRET]}, {"name": "a", "value": SECRET}, {"name": "a", "key": {"value": SECRET}}],
    ids=ids.plain,
)  # fmt: skip
def test_a_key_in_place_of_its_reference_is_not_repeated(reference: Any):
    findings = refusal(a_spec(apiKeySecretRef=reference))
    assert SECRET not in words(findings)


def test_what_is_not_repeated_is_told_by_its_kind():
    assert "spec.apiKeySecretRef is text (value hidden)" in only(a_spec(apiKeySecretRef=SECRET)).message
    assert "spec.apiKeySecretRef is a list (value hidden)" in only(a_spec(apiKeySecretRef=[SECRET])).message


@pytest.mark.parametrize("field", ["apiKey", "api_key", "key", "token"])
def test_a_key_under_a_name_of_its_own_is_not_repeated(field: str):
    findings = refusal(a_spec(**{field: SECRET}))
    assert codes(findings) == ["LM101"]
    assert SECRET not in words(findings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", SECRET),
        ("aws_secret_access_key", SECRET),
        ("azure_ad_token", SECRET),
        ("vertex_credentials", f'{{"private_key": "{SECRET}"}}'),
        ("extra_headers", f'{{"Authorization": "Bearer {SECRET}"}}'),
        ("extra_headers", f'{{"Authorization": "Bearer {SECRET}"'),
        ("extra_headers", f'{{"Authorization": "Bearer {SECRET}", "x": 1}}'),
        ("extra_headers", f"Authorization: Bearer {SECRET}"),
        ("extra_body", f'{{"nested": [{{"password": "{SECRET}"}}]}}'),
        ("extra_body", f'[{{"password": "{SECRET}"}}]'),
    ],
)
def test_a_credential_in_an_additional_parameter_is_not_repeated(name: str, value: str):
    assert SECRET not in words(refusal(with_parameters(**{name: value})))
