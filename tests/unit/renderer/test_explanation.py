"""`explain`: what became of each field, where it shows, and how faithfully it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import explanation
from langop_model.renderer.comparison import Change
from langop_model.renderer.explanation import Explanation, alternatives, explain
from langop_model.renderer.findings import Finding, Path, SpecError
from tests.unit.specs import EAST, SETTINGS, WEST, a_resource, a_spec, balanced, with_parameters


def rows(spec: dict[str, Any]) -> dict[Path, Explanation]:
    return {row.path[1:]: row for row in explain(a_resource(spec), SETTINGS)}


def fidelity(spec: dict[str, Any], *path: str | int) -> str:
    return rows(spec)[path].fidelity


def places(spec: dict[str, Any], *path: str | int) -> list[str]:
    return [change.place for change in rows(spec)[path].changes]


def test_every_leaf_of_the_spec_has_a_row_in_the_order_of_the_source():
    spec = a_spec(fallbacks=[{"modelRef": "a"}], caching={})
    paths = [row.path for row in explain(a_resource(spec), SETTINGS)]
    assert paths == [
        ("spec", "provider"),
        ("spec", "modelName"),
        ("spec", "endpoint"),
        ("spec", "fallbacks", 0, "modelRef"),
        ("spec", "caching"),
    ]


def test_a_field_shows_where_it_stands_in_the_configuration():
    assert places(a_spec(), "endpoint") == [
        "model_list[model/endpoint-0].litellm_params.api_base",
        "callback_settings.langop.models.llama.endpoints[0].url",
    ]
    assert places(a_spec(caching={"enabled": True, "ttl": "1m"}), "caching", "ttl") == [
        "callback_settings.langop.models.llama.caching.ttl",
        "litellm_settings.cache_params.ttl",
    ]


def test_a_field_shows_in_every_deployment():
    spec = balanced({**EAST, "region": "east"}, {**WEST, "region": "west"}, configuration={"temperature": 1})
    assert places(spec, "configuration", "temperature") == [
        *(f"model_list[model/{name}].litellm_params.temperature" for name in ("east", "west")),
        "callback_settings.langop.models.llama.defaults.temperature",
    ]


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        (a_spec(), ("endpoint",), "exact"),
        (a_spec(rateLimits={"tokensPerMinute": 100}), ("rateLimits", "tokensPerMinute"), "approximate"),
        (a_spec(caching={"enabled": True, "maxSize": 5}), ("caching", "maxSize"), "exact"),
        (a_spec(caching={"enabled": True, "backend": "redis", "maxSize": 5}), ("caching", "maxSize"), "unsupported"),
        (a_spec(caching={"enabled": False, "ttl": "1m"}), ("caching", "ttl"), "unsupported"),
        (a_spec(egress=[{"to": {"cidr": "10.0.0.0/8"}}]), ("egress", 0, "to", "cidr"), "elsewhere"),
        (a_spec(apiKeySecretRef={"name": "a", "namespace": "b"}), ("apiKeySecretRef", "namespace"), "elsewhere"),
        (a_spec(costTracking={"enabled": True, "currency": "EUR"}), ("costTracking", "currency"), "approximate"),
        (with_parameters(house_style="terse"), ("configuration", "additionalParameters", "house_style"), "approximate"),
        (with_parameters(seed="42"), ("configuration", "additionalParameters", "seed"), "exact"),
        (a_spec(fallbacks=[{"modelRef": "a", "conditions": []}]), ("fallbacks", 0, "conditions"), "exact"),
    ],
)
def test_a_field_is_kept_as_faithfully_as_it_says(spec: dict[str, Any], path: Path, expected: str):
    assert fidelity(spec, *path) == expected


def test_a_finding_about_an_object_is_about_its_fields():
    spec = a_spec(regions=[{"name": "a"}, {"name": "b", "enabled": False, "priority": 3}])
    row = rows(spec)["regions", 1, "name"]
    assert (row.fidelity, [finding.code for finding in row.findings]) == ("unsupported", ["LM409"])


def test_a_refusal_of_another_value_does_not_hide_a_field_without_effect():
    """A value that the schema refuses proves nothing about the field: half of a weight is no weight."""
    spec = balanced({**EAST, "weight": 5}, {**WEST, "weight": 7}, strategy="random")
    assert fidelity(spec, "loadBalancing", "endpoints", 0, "weight") == "unsupported"


def test_an_odd_number_is_explained_like_any_other():
    spec = balanced({**EAST, "weight": 4}, {**WEST, "weight": 4}, strategy="random", rateLimits={"concurrentRequests": 6})
    assert rows(spec)["rateLimits", "concurrentRequests"].changes


def test_a_wrong_spec_is_refused():
    with pytest.raises(SpecError):
        list(explain(a_resource(a_spec(timeout="soon")), SETTINGS))


def test_the_resource_is_left_as_it_is():
    resource = a_resource(a_spec(caching={"enabled": True}))
    list(explain(resource, SETTINGS))
    assert resource.manifest["spec"] == a_spec(caching={"enabled": True})


CHANGE = Change("a", 1, 2)


def said(fidelity: str) -> Finding:
    return Finding("LM000", "warning", "", fidelity=fidelity)


@pytest.mark.parametrize(
    ("changes", "findings", "expected"),
    [
        ((CHANGE,), (), "exact"),
        ((CHANGE,), (said("approximate"),), "approximate"),
        ((CHANGE,), (said(""),), "exact"),
        ((), (said("unsupported"),), "unsupported"),
        ((), (said("elsewhere"),), "elsewhere"),
        ((), (said(""),), "refused"),
        ((), (), "silent"),
    ],
)
def test_fidelity_follows_from_what_shows_and_what_is_said(
    changes: tuple[Change, ...], findings: tuple[Finding, ...], expected: str
):
    assert Explanation((), None, changes, findings).fidelity == expected


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "boolean"}, True),
        ({"type": "integer"}, 5),
        ({"type": "number"}, 0.5),
        ({"format": "go-duration"}, "7m"),
        ({"format": "http-url"}, "https://a"),
        ({"type": "string"}, "a"),
        ({"type": "string"}, "42"),
        ({"type": "string"}, "true"),
        ({"type": "string"}, '{"a": 1}'),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "object"}, {}),
    ],
)
def test_the_alternatives_of_a_value_are_others(node: dict[str, Any], value: Any):
    others = alternatives(node, value)
    assert others
    assert value not in others


def test_the_schema_of_a_field_is_found_also_behind_a_reference():
    assert explanation._node(("spec", "egress", 0, "to", "podSelector", "matchLabels", "x")) == {"type": "string"}


def test_lint_does_not_say_what_became_of_a_field():
    """A rule speaks of a value: a field that shows nowhere is silent all the same."""
    by_lint, refused = Finding("LM613", "warning", "", path=("spec", "timeout")), Finding("LM106", "error", "")
    assert Explanation(("spec", "timeout"), "1ms", (), (by_lint,)).fidelity == "silent"
    assert Explanation(("spec", "timeout"), "1ms", (), (by_lint, refused)).fidelity == "refused"
