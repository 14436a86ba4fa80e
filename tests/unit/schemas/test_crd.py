"""`schema crd`: what an API server with this definition would say, over the same corpus as `render`."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import re2
import yaml
from click.testing import CliRunner

from langop_model.cli import main
from langop_model.schemas import crd
from tests.conftest import ROOT
from tests.unit import crd as older
from tests.unit.schemas import api_server
from tests.unit.schemas.api_server import Server
from tests.unit.schemas.manifests import HEADER_CODES, errors_of, manifests
from tests.unit.specs import a_manifest, a_spec
from tools import cel_cost

# What an API server can't check, beside what it prunes: docs/schemas.md says the same.
UNCHECKED = {
    "LM101": "unknown fields are pruned",
    "LM106": "control characters in the name of a parameter",
    "LM108": "network rules, of any size, and spec.params",
    "LM120": "addresses in spec.params: any may be one",
    "LM205": "addresses in spec.params: any may be one",
    "LM206": "names of credentials: patterns on the keys of a map",
    "LM207": "names in spec.params",
    "LM208": "types of parameters",
    "LM216": "addresses in spec.params",
    "LM217": "names in spec.params",
    "LM218": "names in spec.params",
    "LM230": "a URL compared with modelName",
    "LM231": "a URL compared with another field",
    "LM233": "whose protocol a URL's path belongs to",
    "LM234": "the paths that a provider's host has",
    "LM236": "two parts of one URL",
}
SCHEMA = api_server.schema()


@cache
def server() -> Server:
    return Server()


def known(manifest: dict[str, Any]) -> bool:
    """Whether a manifest has the kind and group that the definition is about, which an API server knows from the address."""
    return not errors_of(manifest) & HEADER_CODES


def nodes(node: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    inner = [(f"{path}.{name}", child) for name, child in node.get("properties", {}).items()]
    inner += [(f"{path}[]", node["items"])] if "items" in node else []
    inner += [(f"{path}{{}}", node["additionalProperties"])] if "additionalProperties" in node else []
    return [(path, node), *(found for name, child in inner for found in nodes(child, name))]


def test_what_the_server_refuses_render_refuses_too():
    assert [each for each in manifests() if known(each) and server().refusals(each) and not errors_of(each)] == []


def test_what_the_server_accepts_render_accepts():
    """But for what the server can't check."""
    accepted = [errors_of(each) for each in manifests() if known(each) and not server().refusals(each)]
    assert {code for codes in accepted for code in codes} <= set(UNCHECKED)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (a_spec(litellmProvider="openai"), "provider and litellmProvider are both set"),
        (a_spec(provider=None), "provider is missing"),
        (a_spec(endpoint=None), "no public address"),
        ({"provider": "openai", "modelName": "gpt-4o"}, "needs a key"),
        (a_spec(regions=[{"name": "eu", "enabled": False}]), "every region is disabled"),
        (a_spec(fallbacks=[{"modelRef": "a"}, {"modelRef": "a", "conditions": ["timeout"]}]), "named twice"),
        (a_spec(fallbacks=[{"modelRef": "model"}]), "names the model itself"),
        (a_spec(timeout="99999999h"), "must be a duration"),
        (a_spec(configuration={"stopSequences": ["os.environ/HOME"]}), "os.environ/"),
        (a_spec(configuration={"additionalParameters": {"temperature": "1"}}), "has its own field"),
    ],
)
def test_a_rule_between_fields_has_a_message(spec: dict[str, Any], message: str):
    assert any(message in refusal for refusal in server().refusals(a_manifest(spec)))


@pytest.mark.parametrize(("path", "node"), nodes(SCHEMA), ids=[path or "." for path, _ in nodes(SCHEMA)])
def test_it_is_structural(path: str, node: dict[str, Any]):
    """See Kubernetes' documentation of CustomResourceDefinitions, "Specifying a structural schema"."""
    assert not node.keys() & {"$ref", "$defs", "if", "then", "not", "allOf", "anyOf", "oneOf", "const", "propertyNames",
                              "patternProperties", "uniqueItems", "examples"}  # fmt: skip
    assert "type" in node or node.get(crd.PRESERVED) is True
    assert not ("properties" in node and "additionalProperties" in node)
    assert node.get("additionalProperties") is not False
    assert path != ".metadata" or node == {"type": "object"}


def test_its_patterns_are_those_of_re2():
    patterns = [node["pattern"] for _, node in nodes(SCHEMA) if "pattern" in node]
    assert len(patterns) > 20
    for pattern in patterns:
        re2.compile(pattern)


def test_a_default_is_a_value_that_its_field_accepts():
    for path, node in nodes(SCHEMA):
        if "default" in node:
            assert "enum" not in node or node["default"] in node["enum"], path


def test_the_server_fills_in_the_defaults_of_the_resource():
    stored = api_server.stored_form(SCHEMA, a_manifest(a_spec(retryPolicy={})))
    assert stored["spec"]["retryPolicy"] == {
        "maxAttempts": 3, "initialBackoff": "1s", "maxBackoff": "30s", "backoffMultiplier": 2,
    }  # fmt: skip


def test_each_rule_costs_less_than_a_tenth_of_the_limit():
    dear = [
        (rule["rule"], cost)
        for node, rule, times in cel_cost.rules(SCHEMA)
        if (cost := cel_cost.estimate(rule["rule"], node) * times) > cel_cost.RULE_LIMIT / 10
    ]
    assert dear == []


def test_all_rules_together_cost_less_than_a_tenth_of_the_limit():
    costs = [cel_cost.estimate(rule["rule"], node) * times for node, rule, times in cel_cost.rules(SCHEMA)]
    assert len(costs) > 40
    assert sum(costs) < cel_cost.DEFINITION_LIMIT / 10


def test_a_rule_over_an_unbounded_list_would_be_too_dear():
    """The estimate can fail: without maxItems the same rule is above the limit."""
    node = {"type": "array", "items": {"type": "string"}}
    rule = "self.all(one, self.exists_one(other, other == one))"
    assert cel_cost.estimate(rule, node) > cel_cost.RULE_LIMIT
    assert cel_cost.estimate(rule, {"type": "array", "maxItems": 8, "items": {"type": "string", "maxLength": 9}}) < 2000


def test_the_older_resource_has_the_same_names():
    """The definition that is generated replaces the older one: the same group, kind, version, scope and columns."""
    made, spec = crd.definition(), older.definition()["spec"]
    assert made["metadata"]["name"] == older.definition()["metadata"]["name"]
    assert {**made["spec"], "versions": 0} == {**spec, "versions": 0}
    (new,), (old,) = made["spec"]["versions"], spec["versions"]
    assert {**new, "schema": 0} == {**old, "schema": 0}


def test_the_command_prints_it_as_yaml():
    assert yaml.safe_load(CliRunner().invoke(main, ["schema", "crd"]).stdout) == crd.definition()


def test_the_documentation_names_what_is_not_checked():
    text = (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8")
    assert [code for code in UNCHECKED if code not in text] == []
