"""What a spec may hold, what its absent fields mean, and that everything the older resource accepts is accepted here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langop_model.renderer import specification
from langop_model.renderer.source import walk
from langop_model.resources import load_json
from tests.conftest import ROOT
from tests.support import ids
from tests.unit import crd
from tests.unit.specs import EAST, a_resource, a_spec, balanced, codes, parameters, refusal, render, with_parameters

OLDER = crd.schema()
# The schema as it stands on disk: x-strict and format are annotations there, as in any other tool that reads it.
OURS = load_json("languagemodel.schema.json")
OLDER_FIELDS = dict(crd.fields(OLDER["properties"]["spec"]))
OUR_FIELDS = dict(crd.fields(OURS["properties"]["spec"], definitions=OURS["$defs"]))
RIGHT = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((ROOT / "examples" / "gateway").glob("*.yaml"))]


def defaults(spec: dict[str, Any], *, bare: bool = False) -> dict[str, Any]:
    return specification.with_defaults(a_resource(spec, bare=bare))


# The superset.


@given(crd.specs())
def test_what_the_older_resource_accepts_is_accepted(spec: dict[str, Any]):
    resource = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "a"}, "spec": spec}
    Draft202012Validator(OLDER).validate(resource)
    Draft202012Validator(OURS).validate(resource)


def each_value() -> list[tuple[crd.Path, Any]]:
    """Return each enum value and each boundary of the older schema with its path."""
    cases: list[tuple[crd.Path, Any]] = []
    for path, node in OLDER_FIELDS.items():
        cases += [(path, value) for value in node.get("enum", [])]
        if node["type"] == "integer":
            cases += [(path, node.get("minimum", crd.INT32[0])), (path, node.get("maximum", crd.INT32[1]))]
        if node["type"] == "boolean":
            cases += [(path, True), (path, False)]
    return cases


def spec_with(path: crd.Path, value: Any) -> Any:
    """Return a spec that has `value` at `path`, and what an object on the way requires."""
    spec = nested(OLDER["properties"]["spec"], path, value)
    return {**spec, "endpoint": "https://llm.example.com", "provider": value if path == ("provider",) else "openai"}


def nested(node: dict[str, Any], path: crd.Path, value: Any) -> Any:
    if not path:
        return value
    if path[0] == "[]":
        return [nested(node["items"], path[1:], value)]
    required = {name: 443 if node["properties"][name]["type"] == "integer" else "x" for name in node.get("required", [])}
    return required | {path[0]: nested(node["properties"][path[0]], path[1:], value)}


@pytest.mark.parametrize(
    ("path", "value"), each_value(), ids=lambda part: ".".join(part) if isinstance(part, tuple) else str(part)
)
def test_each_enum_value_and_boundary_of_the_older_resource_is_accepted(path: crd.Path, value: Any):
    resource = {"spec": spec_with(path, value)}
    Draft202012Validator(OLDER).validate(resource)
    Draft202012Validator(OURS).validate(resource)


@pytest.mark.parametrize("path", [path for path in OLDER_FIELDS if path], ids=".".join)
def test_each_field_of_the_older_resource_is_here(path: crd.Path):
    """With its type, values and default."""
    assert path in OUR_FIELDS
    older, ours = OLDER_FIELDS[path], OUR_FIELDS[path]
    for keyword in ("type", "default"):
        assert ours.get(keyword) == older.get(keyword), keyword
    assert set(older.get("enum", [])) <= set(ours.get("enum", []))
    assert ("enum" in older) == ("enum" in ours)
    assert set(ours.get("required", [])) <= set(older.get("required", []))


def is_older(path: Path) -> bool:
    """Whether an example has only what the older resource has."""
    specs = [resource["spec"] for resource in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    known = OLDER["properties"]["spec"]["properties"]
    return all(spec.keys() <= known.keys() and spec["provider"] in known["provider"]["enum"] for spec in specs)


def test_most_examples_are_of_the_older_resource():
    assert len([path for path in RIGHT if is_older(path)]) > len(RIGHT) / 2


@pytest.mark.parametrize("path", [path for path in RIGHT if is_older(path)], ids=lambda path: path.name)
def test_an_example_of_the_older_resource_is_right_there_and_here(path: Path):
    for resource in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        Draft202012Validator(OLDER).validate(resource)
        Draft202012Validator(OURS).validate(resource)
        assert not list(unknown(resource, OLDER)), "the API server would prune a field"


def unknown(value: Any, node: dict[str, Any], path: str = "") -> list[str]:
    """Return the paths in `value` that the older schema does not know."""
    if isinstance(value, list):
        return [field for item in value for field in unknown(item, node["items"], path)]
    if not isinstance(value, dict) or "properties" not in node:
        return []
    found = []
    for key, item in value.items():
        found += unknown(item, node["properties"][key], f"{path}.{key}") if key in node["properties"] else [f"{path}.{key}"]
    return found


def test_our_schema_is_itself_valid():
    Draft202012Validator.check_schema(OURS)
    Draft202012Validator.check_schema(specification.schema())


def test_the_strict_rules_are_merged_in_and_none_is_left_as_an_annotation():
    temperature = specification.schema()["properties"]["spec"]["properties"]["configuration"]["properties"]["temperature"]
    assert (temperature["minimum"], temperature["maximum"]) == (0, 2)
    assert not [path for path, _ in walk(specification.schema()) if "x-strict" in path]


# Values.

SHORT_TEXTS = st.text(max_size=9)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SHORT_TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SHORT_TEXTS, inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "fields",
    [
        {"timeout": "1h30m"},
        {"timeout": "8760h"},
        {"timeout": "1.5s"},
        {"configuration": {"temperature": 0, "topP": 1, "frequencyPenalty": -2, "presencePenalty": 2, "maxTokens": 1}},
        {"configuration": {"temperature": 2}},
        {"rateLimits": {"requestsPerMinute": 1, "tokensPerMinute": 2147483647, "concurrentRequests": 1}},
        {"retryPolicy": {"maxAttempts": 0}},
        {"retryPolicy": {"maxAttempts": 10, "retryableStatusCodes": [400, 599]}},
        {"endpoint": "http://[::1]:8000/v1"},
        {"endpoint": "HTTPS://LLM.example.com"},
        {"apiKeySecretRef": {"name": "a.b-c", "key": "..data_x"}},
        {"status": None},
    ],
    ids=str,
)
def test_a_value_within_its_bounds_is_right(fields: dict[str, Any]):
    assert render(a_spec(**fields)).config


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"timeout": "5 minutes"}, "LM106"),
        ({"timeout": "1d"}, "LM106"),
        ({"timeout": "1w"}, "LM106"),
        ({"timeout": "0s"}, "LM106"),
        ({"timeout": "-1s"}, "LM106"),
        ({"timeout": "5m\n"}, "LM106"),
        ({"timeout": "5m "}, "LM106"),
        ({"timeout": ""}, "LM106"),
        ({"timeout": "٣s"}, "LM106"),
        ({"timeout": "999us"}, "LM106"),
        ({"timeout": "99999999999999h"}, "LM106"),
        ({"rateLimits": {"requestsPerMinute": 0}}, "LM105"),
        ({"rateLimits": {"requestsPerMinute": 2147483648}}, "LM105"),
        ({"rateLimits": {"requestsPerMinute": True}}, "LM102"),
        ({"retryPolicy": {"backoffMultiplier": 0.5}}, "LM105"),
        ({"retryPolicy": {"retryableStatusCodes": [600]}}, "LM105"),
        ({"costTracking": {"inputTokenCost": -1}}, "LM105"),
        ({"costTracking": {"enabled": True, "inputTokenCost": 10**400}}, "LM105"),
        ({"endpoint": ""}, "LM106"),
        ({"endpoint": "https://"}, "LM106"),
        ({"endpoint": "https://llm.example.com:99999"}, "LM106"),
        ({"endpoint": "https://llm.example.com/a b"}, "LM106"),
        ({"endpoint": "https://llm.example.com/v1?"}, "LM106"),
        ({"endpoint": "https://llm.example.com/v1#"}, "LM106"),
        ({"endpoint": "file:///etc/passwd"}, "LM106"),
        ({"modelName": "a\nb"}, "LM106"),
        ({"modelName": "a\n"}, "LM106"),
        ({"regions": [{"name": "a\n"}]}, "LM106"),
        ({"regions": [{"name": ""}]}, "LM106"),
        ({"apiKeySecretRef": {"name": "a\n"}}, "LM106"),
        ({"apiKeySecretRef": {"name": "../a"}}, "LM106"),
        ({"apiKeySecretRef": {"name": "a", "key": ".."}}, "LM106"),
        ({"apiKeySecretRef": {"name": "a", "key": "a/b"}}, "LM106"),
        ({"apiKeySecretRef": {"name": "a", "key": "a\n"}}, "LM106"),
        ({"fallbacks": [{"modelRef": "A B"}]}, "LM106"),
        ({"fallbacks": [{"modelRef": "a", "conditions": ["always"]}]}, "LM103"),
    ],
    ids=ids.plain,
)
def test_a_value_beyond_its_bounds_is_refused(fields: dict[str, Any], code: str):
    assert codes(refusal(a_spec(**fields))) == [code]


@pytest.mark.parametrize(
    "field",
    ["modelName", "timeout", "endpoint", "provider", "caching", "regions", "fallbacks", "configuration", "apiKeySecretRef"],
)
@given(value=JSON_VALUES)
def test_any_value_of_a_field_is_right_or_refused(field: str, value: Any):
    from langop_model.renderer.findings import SpecError

    try:
        result = render(a_spec(**{field: value}) | {field: value})
    except SpecError as problem:
        assert all(finding.code != "LM601" for finding in problem.findings)  # noqa: PT017 - either is right
    else:
        assert result.config["model_list"]


@pytest.mark.parametrize("number", [100.0, 1e3])
def test_a_whole_number_may_be_written_with_a_point_or_an_exponent(number: float):
    """JSON does not tell 100 from 100.0, and neither does the API server."""
    spec = balanced(
        {**EAST, "weight": number, "priority": number},
        {"url": "https://west.example.com", "weight": number},
        rateLimits={"requestsPerMinute": number, "tokensPerMinute": number, "concurrentRequests": number},
        configuration={"maxTokens": number},
        retryPolicy={"maxAttempts": 2.0, "retryableStatusCodes": [429.0]},
    )
    whole = copy.deepcopy(spec)
    for endpoint in whole["loadBalancing"]["endpoints"]:
        endpoint.update({name: int(value) for name, value in endpoint.items() if name != "url"})
    whole["rateLimits"] = {name: int(value) for name, value in whole["rateLimits"].items()}
    whole["configuration"] = {"maxTokens": int(number)}
    whole["retryPolicy"] = {"maxAttempts": 2, "retryableStatusCodes": [429]}
    assert render(spec).text == render(whole).text


# References to the environment.


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"modelName": "os.environ/X"}, ("modelName",)),
        ({"regions": [{"name": "os.environ/X"}]}, ("regions", 0, "name")),
        ({"configuration": {"stopSequences": ["a", "os.environ/X"]}}, ("configuration", "stopSequences", 1)),
        ({"costTracking": {"currency": "os.environ/X"}}, ("costTracking", "currency")),
        ({"egress": [{"to": {"dns": ["os.environ/X"]}}]}, ("egress", 0, "to", "dns", 0)),
    ],
    ids=str,
)
def test_a_reference_to_the_environment_is_refused_at_any_depth(fields: dict[str, Any], path: tuple[str | int, ...]):
    findings = [finding for finding in refusal(a_spec(**fields)) if finding.code == "LM108"]
    assert [finding.path for finding in findings] == [("spec", *path)]


@pytest.mark.parametrize(
    "text",
    ["os.environ/X", '["os.environ/X"]', '{"a": [{"b": "os.environ/X"}]}', r'["\u006fs.environ/X"]'],
)
@pytest.mark.parametrize("name", ["house_style", "user", "extra_body"])
def test_a_reference_to_the_environment_inside_a_parameter_is_refused(name: str, text: str):
    """LiteLLM replaces it anywhere in the configuration, also in what a parameter says in JSON."""
    if name == "user" and not text.startswith("os."):
        assert parameters(render(with_parameters(user=text)))["user"] == text  # a parameter that is always text
    else:
        assert {"LM108", "LM208"} & set(codes(refusal(with_parameters(**{name: text}))))


def test_a_text_that_only_mentions_the_environment_is_right():
    assert render(with_parameters(user="see os.environ/X")).config


# What absence means.


def test_in_a_manifest_an_absent_field_has_the_resources_default():
    spec = defaults(
        balanced(EAST, retryPolicy={}, caching={}, observability={"logging": {}}, costTracking={}, regions=[{"name": "a"}])
    )
    assert spec["timeout"] == "5m"
    assert spec["retryPolicy"] == {"maxAttempts": 3, "initialBackoff": "1s", "maxBackoff": "30s", "backoffMultiplier": 2}
    assert spec["loadBalancing"]["endpoints"][0]["weight"] == 100
    assert spec["regions"] == [{"name": "a", "enabled": True}]
    assert spec["caching"] == {"enabled": False, "backend": "memory"}
    assert spec["observability"] == {
        "metrics": True,
        "tracing": False,
        "logging": {"level": "info", "logRequests": True, "logResponses": False},
    }
    assert spec["costTracking"] == {"enabled": False, "currency": "USD"}


def test_in_a_bare_spec_what_is_absent_is_false_or_0():
    """The operator writes Go structs with omitempty after the API server has filled in the defaults."""
    spec = defaults(
        balanced(
            EAST, retryPolicy={"initialBackoff": "1s"}, observability={"logging": {"level": "warn"}}, regions=[{"name": "a"}]
        ),
        bare=True,
    )
    assert spec["retryPolicy"]["maxAttempts"] == 0
    assert spec["loadBalancing"]["endpoints"][0]["weight"] == 0
    assert spec["regions"] == [{"name": "a", "enabled": False}]
    assert spec["observability"]["metrics"] is False
    assert spec["observability"]["logging"]["logRequests"] is False


def test_in_a_bare_spec_an_absent_text_has_the_resources_default():
    spec = defaults(balanced(EAST, retryPolicy={"maxAttempts": 1}), bare=True)
    assert (spec["timeout"], spec["retryPolicy"]["initialBackoff"]) == ("5m", "1s")


def test_a_health_check_without_enabled():
    """It is on in a manifest, and off in a bare spec."""
    spec = a_spec(loadBalancing={"healthCheck": {"interval": "5s"}})
    assert defaults(spec)["loadBalancing"]["healthCheck"]["enabled"] is True
    assert defaults(spec, bare=True)["loadBalancing"]["healthCheck"]["enabled"] is False


@pytest.mark.parametrize("bare", [False, True])
def test_an_absent_object_stays_absent(bare: bool):
    assert set(defaults(a_spec(), bare=bare)) == {"provider", "modelName", "endpoint", "timeout"}


@pytest.mark.parametrize("bare", [False, True])
def test_what_is_written_is_never_replaced(bare: bool):
    spec = a_spec(
        timeout="1s",
        retryPolicy={"maxAttempts": 0, "backoffMultiplier": 3},
        caching={"enabled": True, "backend": "redis"},
        observability={"metrics": False},
    )
    filled = defaults(spec, bare=bare)
    assert filled["retryPolicy"]["maxAttempts"] == 0
    assert filled["retryPolicy"]["backoffMultiplier"] == 3
    assert (filled["timeout"], filled["caching"]["backend"], filled["observability"]["metrics"]) == ("1s", "redis", False)


def test_the_resource_itself_is_left_as_it_is():
    resource = a_resource(balanced(EAST))
    before = copy.deepcopy(resource.manifest)
    specification.with_defaults(resource)
    assert resource.manifest == before


# Fields that are somebody else's business.


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"egress": [{"to": {"cidr": "10.0.0.0/8"}}]}, "LM501", ("spec", "egress")),
        ({"apiKeySecretRef": {"name": "a", "namespace": "b"}}, "LM502", ("spec", "apiKeySecretRef", "namespace")),
    ],
)
def test_a_field_for_the_operator_is_named(fields: dict[str, Any], code: str, path: tuple[str, ...]):
    assert (code, path) in [(finding.code, finding.path) for finding in render(a_spec(**fields)).findings]
