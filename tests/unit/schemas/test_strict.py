"""`schema input --strict` accepts what `render` accepts, as far as JSON Schema can say it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import regress
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from langop_model.cli import main
from langop_model.renderer import catalogue
from langop_model.schemas import rules, strict
from tests.conftest import ROOT
from tests.unit.schemas.manifests import documents, errors_of, manifests

# What JSON Schema has no words for.
UNSAID = {
    "LM106": "the sum of a duration's parts: 1ns is too short, 99999999h too long",
    "LM203": "a reference to metadata.name, from another branch of the document",
    "LM212": "one member of items that differ otherwise",
    "LM230": "a URL compared with modelName",
    "LM231": "a URL compared with another field",
    "LM233": "whose protocol a URL's path belongs to",
    "LM234": "the paths that a provider's host has",
    "LM236": "two parts of one URL",
}
VALIDATOR = Draft202012Validator(strict.schema())
SPEC = strict.schema()["properties"]["spec"]


def test_what_it_refuses_render_refuses_too():
    assert [each for each in manifests() if not VALIDATOR.is_valid(each) and not errors_of(each)] == []


def test_what_it_accepts_render_accepts_but_for_what_has_no_words():
    accepted = [errors_of(each) for each in manifests() if VALIDATOR.is_valid(each)]
    assert {code for codes in accepted for code in codes} <= set(UNSAID)


def test_no_wrong_example_passes():
    """16 of them once did."""
    passing: set[str] = set()
    for path in sorted((ROOT / "examples" / "wrong").glob("*.yaml")):
        found = documents(path)
        passing |= {path.name} if found and all(VALIDATOR.is_valid(each) for each in found) else set()
    assert passing == set()


def fields(node: dict[str, Any] = SPEC, path: str = "spec") -> list[tuple[str, dict[str, Any]]]:
    """Return path and schema of each leaf of the spec that the operator's own network rules are not."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, child in node.get("properties", {}).items():
        inner = child.get("items", child) if "properties" in child.get("items", {}) else child
        closed = name in ("params", "additionalParameters", "egress")
        found += [(f"{path}.{name}", child)] if closed or "properties" not in inner else fields(inner, f"{path}.{name}")
    return found


@pytest.mark.parametrize("node", [node for _, node in fields()], ids=[path for path, _ in fields()])
def test_a_field_has_two_examples_that_it_accepts(node: dict[str, Any]):
    assert len(node["examples"]) == 2
    validator = VALIDATOR.evolve(schema=node)
    assert [each for each in node["examples"] if not validator.is_valid(each)] == []


@pytest.mark.parametrize(("path", "node"), fields(), ids=[path for path, _ in fields()])
def test_hover_text_has_sentence_unit_and_default(path: str, node: dict[str, Any]):
    assert len(node["description"]) > 10
    assert "default" not in node or f"Default: {json.dumps(node['default'])}." in node["description"]
    if node.get("type") in ("integer", "number") and "configuration." not in path:
        assert "Unit:" in node["description"]


def test_a_pattern_has_a_sentence():
    silent = [path for path, node in fields() if "pattern" in node and "patternErrorMessage" not in node]
    assert silent == []


def patterns_of(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for item in node for text in patterns_of(item)]
    if not isinstance(node, dict):
        return []
    own = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
    return own + [text for item in node.values() for text in patterns_of(item)]


def test_every_pattern_is_one_that_an_editor_can_read():
    for pattern in set(patterns_of(strict.schema())):
        regress.Regex(pattern, "u")


def test_every_provider_that_requires_a_parameter_has_a_rule():
    ruled = {name for rule in rules.data()["rules"] if rule["finding"] == "LM217" for name in rule["providers"]}
    by_template = {"watsonx"}  # whose models need it, but for those that are called deployment/ID
    assert ruled == {provider.name for provider in catalogue.usable() if provider.requires} | by_template


def test_its_identity_is_stable():
    assert strict.schema()["$id"] == "https://langop.io/schema/languagemodel.strict.schema.json"


def test_it_is_a_schema_of_2020_12():
    Draft202012Validator.check_schema(strict.schema())
    assert strict.schema()["$schema"].endswith("2020-12/schema")


def test_check_jsonschema_reads_it(tmp_path: Path):
    schema = tmp_path / "schema.json"
    schema.write_text(CliRunner().invoke(main, ["schema", "input", "--strict"]).stdout, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema)]
    right = subprocess.run([*command, "examples/every-field.yaml"], cwd=ROOT, capture_output=True, text=True, check=False)
    wrong = subprocess.run([*command, "examples/wrong/no-key.yaml"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (right.returncode, wrong.returncode) == (0, 1), right.stdout + wrong.stdout


def test_strict_is_a_rule_of_the_input_only():
    assert CliRunner().invoke(main, ["schema", "output", "--strict"]).exit_code == 2


def test_the_documentation_names_what_has_no_words():
    text = (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8").partition("## In a cluster")[0]
    assert [code for code in UNSAID if code not in text] == []
