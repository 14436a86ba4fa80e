"""Fallbacks to other models, and the names that clients may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import rendering
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.plan import Model
from langop_model.renderer.settings import Settings
from tests.unit.specs import SETTINGS, a_resource, a_spec, codes, refusal, render, render_gateway


def alone(*fallbacks: dict[str, Any], settings: Settings = SETTINGS) -> Model:
    (model,) = rendering.check([a_resource(a_spec(fallbacks=list(fallbacks)))], settings)
    return model


def to(*names: str) -> dict[str, Any]:
    """Return a spec with fallbacks to `names`."""
    return a_spec(fallbacks=[{"modelRef": name} for name in names])


def gateway_refusal(**specs: Any) -> tuple[Finding, ...]:
    with pytest.raises(SpecError) as caught:
        render_gateway(**specs)
    return caught.value.findings


# One model alone.


def test_the_fallback_of_one_model_is_its_siblings_proxy():
    (fallback,) = alone({"modelRef": "other"}).fallbacks
    assert fallback.url == "http://other.default.svc.cluster.local:4000/v1"
    assert (fallback.ref, fallback.group, fallback.index) == ("other", "fallback/other", 0)


def test_the_siblings_address_follows_the_settings():
    settings = Settings(sibling_url="https://{ref}-{namespace}.example.com/{ref}")
    assert alone({"modelRef": "b"}, settings=settings).fallbacks[0].url == "https://b-default.example.com/b"


def test_fallbacks_keep_their_order():
    assert [fallback.ref for fallback in alone({"modelRef": "c"}, {"modelRef": "a"}, {"modelRef": "b"}).fallbacks] == [
        "c",
        "a",
        "b",
    ]


@pytest.mark.parametrize("entry", [{}, {"conditions": []}])
def test_a_fallback_without_conditions_is_for_every_error(entry: dict[str, Any]):
    assert alone({"modelRef": "b", **entry}).fallbacks[0].conditions == ["error"]


def test_a_fallback_to_the_model_itself_is_refused():
    (finding,) = refusal(to("model"))
    assert (finding.code, finding.path) == ("LM203", ("spec", "fallbacks", 0, "modelRef"))


def test_a_fallback_that_is_named_twice_is_refused_at_its_second_place():
    (finding,) = refusal(to("a", "b", "a"))
    assert (finding.code, finding.path) == ("LM212", ("spec", "fallbacks", 2, "modelRef"))


def test_a_sibling_is_asked_by_its_resources_name_and_must_not_fall_back_or_retry_itself():
    sibling = render(to("other")).config["model_list"][1]
    assert sibling["litellm_params"]["model"] == "openai/other"
    assert sibling["litellm_params"]["extra_body"] == {"disable_fallbacks": True, "num_retries": 0}


# A gateway.


def test_the_fallback_in_a_gateway_is_another_of_its_models():
    result = render_gateway(a=to("b") | {"modelName": "model-a"}, b=a_spec(modelName="model-b"))
    models = result.config["callback_settings"]["langop"]["models"]
    assert models["model-a"]["fallbacks"] == [{"group": "model-b", "causes": ["error"]}]
    assert len(result.config["model_list"]) == 2


def test_a_fallback_to_a_model_that_the_gateway_lacks_is_refused_with_what_was_meant():
    (finding,) = gateway_refusal(a=to("mistrall") | {"modelName": "a"}, mistral=a_spec(modelName="b"))
    assert (finding.code, finding.path, finding.resource) == ("LM204", ("spec", "fallbacks", 0, "modelRef"), "a")
    assert "Did you mean mistral?" in finding.message


@pytest.mark.parametrize(
    "circle",
    [
        {"a": to("b") | {"modelName": "x"}, "b": to("a") | {"modelName": "y"}},
        {"a": to("b") | {"modelName": "x"}, "b": to("c") | {"modelName": "y"}, "c": to("a") | {"modelName": "z"}},
        {"d": to("a") | {"modelName": "w"}, "a": to("b") | {"modelName": "x"}, "b": to("a") | {"modelName": "y"}},
    ],
    ids=["two", "three", "behind another"],
)
def test_fallbacks_in_a_circle_are_refused_once(circle: dict[str, Any]):
    assert codes(gateway_refusal(**circle)) == ["LM203"]


def test_a_circle_is_told_from_its_start_to_its_end():
    (finding,) = gateway_refusal(a=to("b") | {"modelName": "x"}, b=to("a") | {"modelName": "y"})
    assert "a -> b -> a" in finding.message


def test_two_ways_to_one_model_are_no_circle():
    specs = {"a": to("b", "c"), "b": to("d"), "c": to("d"), "d": a_spec()}
    result = render_gateway(**{name: spec | {"modelName": f"model-{name}"} for name, spec in specs.items()})
    fallbacks = result.config["callback_settings"]["langop"]["models"]["model-a"]["fallbacks"]
    assert [entry["group"] for entry in fallbacks] == ["model-b", "model-c"]


def test_a_long_chain_is_no_circle():
    count = 400
    specs = {f"m{n}": to(f"m{n + 1}") | {"modelName": f"x{n}"} for n in range(count)} | {f"m{count}": a_spec(modelName="last")}
    models = [a_resource(spec, name) for name, spec in specs.items()]
    assert len(rendering.check(models, SETTINGS, gateway=True)) == count + 1


# Names.


def test_two_resources_of_one_name_are_refused():
    resources = [a_resource(a_spec(modelName=model), "same") for model in ("x", "y")]
    with pytest.raises(SpecError) as caught:
        rendering.render(resources, SETTINGS, gateway=True)
    assert codes(caught.value.findings) == ["LM201"]


def test_a_name_that_is_the_model_of_another_is_refused():
    (finding,) = gateway_refusal(a=a_spec(modelName="b"), b=a_spec(modelName="c"))
    assert (finding.code, finding.resource) == ("LM202", "b")


def test_a_resource_may_be_named_like_its_own_model():
    assert render_gateway(a=a_spec(modelName="a"), b=a_spec(modelName="b")).config


def test_two_resources_that_serve_one_model_are_refused():
    (finding,) = gateway_refusal(a=a_spec(modelName="x"), b=a_spec(modelName="x"))
    assert (finding.code, finding.resource, finding.path) == ("LM213", "b", ("spec", "modelName"))
