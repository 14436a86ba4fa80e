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
    assert (fallback.ref, fallback.group, fallback.number) == ("other", "fallback/other", 0)


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


def test_a_sibling_is_asked_by_its_resources_name():
    """It must not fall back or retry by itself."""
    sibling = render(to("other")).config["model_list"][1]
    assert sibling["litellm_params"]["model"] == "openai/other"
    assert sibling["litellm_params"]["extra_body"] == {"disable_fallbacks": True, "num_retries": 0}


# A gateway.


def test_the_fallback_in_a_gateway_is_another_of_its_models():
    result = render_gateway(a=to("b") | {"modelName": "model-a"}, b=a_spec(modelName="model-b"))
    models = result.config["callback_settings"]["langop"]["models"]
    assert models["model-a"]["fallbacks"] == [{"group": "model-b", "causes": ["error"]}]
    assert len(result.config["model_list"]) == 2


def test_a_fallback_to_an_unknown_model_is_refused():
    """The finding says what was probably meant."""
    (finding,) = gateway_refusal(a=to("mistrall") | {"modelName": "a"}, mistral=a_spec(modelName="b"))
    assert (finding.code, finding.path, finding.resource) == ("LM204", ("spec", "fallbacks", 0, "modelRef"), "a")
    assert "Did you mean mistral?" in finding.message


def test_models_of_a_gateway_may_back_each_other_up():
    result = render_gateway(a=to("b") | {"modelName": "x"}, b=to("a") | {"modelName": "y"})
    models = result.config["callback_settings"]["langop"]["models"]
    assert [models[name]["fallbacks"][0]["group"] for name in ("x", "y")] == ["y", "x"]


def test_two_models_may_have_the_same_fallback():
    specs = {"a": to("b", "c"), "b": to("d"), "c": to("d"), "d": a_spec()}
    result = render_gateway(**{name: spec | {"modelName": f"model-{name}"} for name, spec in specs.items()})
    fallbacks = result.config["callback_settings"]["langop"]["models"]["model-a"]["fallbacks"]
    assert [entry["group"] for entry in fallbacks] == ["model-b", "model-c"]


def test_a_chain_may_be_long():
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


def names(**specs: Any) -> tuple[dict[str, str], list[str]]:
    """Return the aliases of a gateway, and what is said."""
    result = render_gateway(**specs)
    return result.config["router_settings"].get("model_group_alias", {}), codes(result.findings)


@pytest.mark.parametrize(("name", "model_name", "aliases"), [("a", "b", {"a": "b"}), ("a", "a", {})])
def test_a_model_answers_to_its_resources_name_where_that_is_another(name: str, model_name: str, aliases: dict[str, str]):
    config = render(a_spec(modelName=model_name), name=name).config
    assert config["router_settings"].get("model_group_alias", {}) == aliases


def test_a_model_answers_to_its_aliases():
    assert names(a=a_spec(modelName="x", aliases=["fast", "cheap"])) == ({"a": "x", "fast": "x", "cheap": "x"}, [])


@pytest.mark.parametrize("alias", ["x", "y", "a", "b"])
def test_an_alias_that_is_a_name_already_is_left_out(alias: str):
    aliases, said = names(a=a_spec(modelName="x", aliases=[alias]), b=a_spec(modelName="y"))
    assert (aliases, said) == ({"a": "x", "b": "y"}, ["LM416"])


def test_an_alias_belongs_to_the_first_that_asks_for_it():
    aliases, said = names(a=a_spec(modelName="x", aliases=["fast"]), b=a_spec(modelName="y", aliases=["fast"]))
    assert (aliases["fast"], said) == ("x", ["LM416"])


def test_a_wildcard_model_serves_all_names_below_its_own():
    """It has no alias."""
    result = render(a_spec(modelName="*", aliases=["fast"]), name="all")
    assert "model_group_alias" not in result.config["router_settings"]
    assert codes(result.findings) == ["LM418"]
    (entry,) = result.config["model_list"]
    assert (entry["model_name"], entry["litellm_params"]["model"]) == ("all/*", "openai/*")


def test_a_model_name_that_two_resources_have_is_shared():
    result = render_gateway(a=a_spec(modelName="x"), b=a_spec(modelName="x"))
    section = result.config["callback_settings"]["langop"]
    assert section["shared"] == {"x": ["x@a", "x@b"]}
    assert list(section["models"]) == ["x@a", "x@b"]
    assert [entry["model_name"] for entry in result.config["model_list"]] == ["x@a", "x@b"]
    assert result.config["router_settings"]["model_group_alias"] == {"x": "x@a", "a": "x@a", "b": "x@b"}
    assert [(finding.code, finding.resource) for finding in result.findings] == [("LM322", "a"), ("LM322", "b")]


def test_a_resource_that_is_named_like_a_shared_model_means_the_shared_one():
    aliases, _ = names(x=a_spec(modelName="x"), b=a_spec(modelName="x"))
    assert aliases == {"x": "x@x", "b": "x@b"}


def test_a_fallback_to_a_resource_of_a_shared_name_means_that_resource():
    result = render_gateway(a=to("c") | {"modelName": "x"}, b=a_spec(modelName="y"), c=a_spec(modelName="y"))
    (entry,) = result.config["callback_settings"]["langop"]["models"]["x"]["fallbacks"]
    assert entry["group"] == "y@c"


def test_where_clients_name_the_models_the_metrics_do_not():
    result = render(a_spec(modelName="*", observability={"metrics": True}), name="all")
    assert codes(result.findings) == ["LM323"]
    assert "requested_model" in result.config["litellm_settings"]["prometheus_exclude_labels"]
