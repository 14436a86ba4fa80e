"""What the templates need: deployments, their shares, and the key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import plan, rendering
from langop_model.renderer.plan import Deployment, Model
from tests.unit.specs import EAST, SETTINGS, WEST, a_resource, a_spec, balanced, codes, refusal

ONLY_EAST = "https://east.example.com/v1"


def planned(spec: dict[str, Any], name: str = "model", *, bare: bool = False) -> Model:
    (model,) = rendering.check([a_resource(spec, name, bare=bare)], SETTINGS)
    return model


def deployments(spec: dict[str, Any], name: str = "model") -> list[Deployment]:
    return planned(spec, name).deployments


def regional(*regions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return a_spec(provider="bedrock", endpoint=None, regions=list(regions), **fields)


# Endpoints.


def test_a_spec_without_endpoints_is_one_deployment():
    """Its id is no name of a price list."""
    (only,) = deployments(a_spec())
    assert (only.id, only.endpoint, only.path) == ("model/endpoint-0", "https://llm.example.com/v1", ("spec",))


def test_a_spec_without_an_address_means_the_providers_own():
    assert deployments(a_spec(provider="bedrock", endpoint=None))[0].endpoint is None


def test_each_endpoint_is_a_deployment():
    found = deployments(balanced({**EAST, "weight": 70, "region": "east", "priority": 2}, WEST))
    assert [(d.endpoint, d.weight, d.region) for d in found] == [(EAST["url"], 70, "east"), (WEST["url"], 100, None)]


def test_each_enabled_region_is_a_deployment_and_a_disabled_one_is_named():
    model = planned(regional({"name": "a"}, {"name": "b", "enabled": False}, {"name": "c", "endpoint": ONLY_EAST}))
    assert [(d.region, d.endpoint) for d in model.deployments] == [("a", None), ("c", ONLY_EAST)]
    assert [(finding.code, finding.path) for finding in model.findings.items] == [("LM409", ("spec", "regions", 1))]


def test_endpoints_come_before_regions():
    found = deployments(balanced(EAST, regions=[{"name": "a", "endpoint": WEST["url"]}]))
    assert [d.endpoint for d in found] == [EAST["url"], WEST["url"]]


def test_a_region_without_an_endpoint_of_its_own_uses_the_specs():
    assert [d.endpoint for d in deployments(a_spec(regions=[{"name": "a"}]))] == ["https://llm.example.com/v1"]


def test_an_endpoint_of_the_spec_that_is_not_used_is_named():
    of_endpoints, of_regions = balanced(EAST) | {"endpoint": ONLY_EAST}, a_spec(regions=[{"name": "a", "endpoint": ONLY_EAST}])
    for spec, because in ((of_endpoints, "spec.loadBalancing.endpoints"), (of_regions, "each region")):
        (finding,) = planned(spec).findings.items
        assert (finding.code, finding.path) == ("LM403", ("spec", "endpoint"))
        assert f"because {because} names the endpoints" in finding.message


def test_an_endpoint_of_the_spec_that_is_used_is_not_named():
    assert "LM403" not in codes(planned(a_spec(regions=[{"name": "a"}])).findings.items)


def test_an_endpoint_of_weight_0_is_left_out_and_named():
    model = planned(balanced({**EAST, "weight": 0}, WEST))
    assert [d.endpoint for d in model.deployments] == [WEST["url"]]
    assert [(f.code, f.path) for f in model.findings.items] == [("LM408", ("spec", "loadBalancing", "endpoints", 0))]


def test_weights_that_are_all_0_count_as_equal():
    """So an operator writes endpoints without weights: Go leaves a 0 out."""
    assert [d.weight for d in planned(balanced(EAST, WEST), bare=True).deployments] == [1, 1]


def test_a_spec_with_every_region_disabled_is_refused():
    assert "LM210" in codes(refusal(regional({"name": "a", "enabled": False})))


# Order.


def test_without_priorities_there_is_no_order():
    assert [d.priority for d in deployments(balanced(EAST, WEST))] == [None, None]


def test_as_soon_as_one_endpoint_has_a_priority_all_have_an_order():
    """LiteLLM would leave out a deployment without one. An absent priority is 0, as in Go."""
    assert [d.priority for d in deployments(balanced({**EAST, "priority": 3}, WEST))] == [3, 0]


def test_endpoints_and_regions_are_ordered_together():
    spec = balanced(EAST, regions=[{"name": "a", "endpoint": WEST["url"], "priority": 1}])
    assert [d.priority for d in deployments(spec)] == [0, 1]


# Identity.


def test_an_endpoint_is_known_by_its_region():
    assert [d.id for d in deployments(balanced({**EAST, "region": "east"}, {**WEST, "region": "west"}))] == [
        "model/east",
        "model/west",
    ]


def test_endpoints_of_one_region_are_known_by_their_number():
    assert [d.id for d in deployments(balanced({**EAST, "region": "a"}, {**WEST, "region": "a"}))] == [
        "model/endpoint-0",
        "model/endpoint-1",
    ]


@given(
    st.lists(st.sampled_from(["", "a", "b", "endpoint-0", "endpoint-1", "endpoint-2", "fallback-x"]), min_size=1, max_size=4)
)
def test_no_two_deployments_have_the_same_id(regions: list[str]):
    endpoints = [{"url": f"https://{index}.example.com", "region": region} for index, region in enumerate(regions)]
    result = rendering.render([a_resource(balanced(*endpoints, fallbacks=[{"modelRef": "x"}]))], SETTINGS)
    ids = [entry["model_info"]["id"] for entry in result.config["model_list"]]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize(
    ("model_name", "name"),
    [("gpt-4o", "gpt-4o"), ("meta-llama/Llama 3.3", "meta-llama-llama-3.3"), ("../..", "model"), ("…", "model"), ("-a-", "a")],
)
def test_a_resource_without_a_name_is_called_after_its_model(model_name: str, name: str):
    assert plan.resource_name(model_name) == name


@given(st.text(min_size=1))
def test_a_name_that_is_made_is_a_name_of_kubernetes(model_name: str):
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", plan.resource_name(model_name))


def test_the_name_that_was_made_is_told():
    (finding,) = planned(a_spec(modelName="My Model"), name="").findings.items
    assert (finding.code, finding.path, finding.resource) == ("LM504", ("metadata", "name"), "my-model")


# Limits.


def test_the_shares_of_the_requests_per_minute_add_up_to_it():
    limits = {"requestsPerMinute": 101}
    found = deployments(
        balanced({**EAST, "weight": 2}, {**WEST, "weight": 1}, {"url": "https://c.example.com", "weight": 4}, rateLimits=limits)
    )
    assert [d.requests_per_minute for d in found] == [29, 14, 58]


def test_without_limits_there_are_no_shares():
    (only,) = deployments(a_spec())
    assert only.requests_per_minute is None


def test_a_limit_that_is_not_divided_leaves_no_endpoint_without_a_share():
    limits = {"tokensPerMinute": 1, "concurrentRequests": 1}
    assert planned(balanced(EAST, WEST, rateLimits=limits)).findings.items == []


def test_an_endpoint_that_gets_nothing_of_a_limit_is_named():
    model = planned(balanced({**EAST, "region": "east"}, WEST, rateLimits={"requestsPerMinute": 1}))
    (finding,) = model.findings.items
    assert (finding.code, finding.path) == ("LM304", ("spec", "rateLimits", "requestsPerMinute"))
    assert "model/endpoint-1" in finding.message
