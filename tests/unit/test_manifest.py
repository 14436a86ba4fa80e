"""Which LanguageModels a source holds, and what they are called."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from langop_model.renderer import manifest
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.manifest import Resource
from langop_model.renderer.settings import Settings
from tests.unit.specs import codes

Write = Callable[..., str]
SPEC = {"provider": "openai", "modelName": "gpt-4o"}
BARE = json.dumps(SPEC)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\ndata:\n"


def a_model(name: str) -> str:
    return f"apiVersion: langop.io/v1alpha1\nkind: LanguageModel\nmetadata: {{name: {name}}}\nspec: {BARE}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str, name: str = "spec.yaml") -> str:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def read(name: str, **settings: str) -> list[Resource]:
    return manifest.read(name, Settings(**settings)).resources  # type: ignore[arg-type]


def names(resources: list[Resource]) -> list[str]:
    return [resource.name for resource in resources]


def refused(name: str) -> tuple[Finding, ...]:
    with pytest.raises(SpecError) as caught:
        manifest.read(name, Settings())
    assert {finding.level for finding in caught.value.findings} == {"error"}
    return caught.value.findings


# Forms of a source.


def test_a_manifest_is_a_resource_with_its_own_name_and_namespace(write: Write):
    text = "apiVersion: langop.io/v1alpha1\nkind: LanguageModel\nmetadata: {name: a, namespace: b}\nspec: {provider: openai}\n"
    (resource,) = read(write(text), model_name="other", namespace="other")
    assert (resource.name, resource.namespace, resource.bare) == ("a", "b", False)
    assert resource.manifest["spec"] == {"provider": "openai"}


def test_each_document_of_a_file_is_a_resource(write: Write):
    assert names(read(write(a_model("a") + "---\n" + a_model("b")))) == ["a", "b"]


@pytest.mark.parametrize("kind", ["List", "LanguageModelList"])
def test_each_item_of_a_list_is_a_resource(write: Write, kind: str):
    items = [{"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": n}, "spec": SPEC} for n in "ab"]
    resources = read(write(json.dumps({"apiVersion": "v1", "kind": kind, "items": items}, indent=1)))
    assert names(resources) == ["a", "b"]
    assert resources[0].document.locate(()) < resources[1].document.locate(())


def test_the_entry_model_json_of_a_config_map_is_a_bare_spec(write: Write):
    (resource,) = read(write(CONFIG_MAP + f"  model.json: '{BARE}'\n  provider: openai\n"))
    assert (resource.manifest, resource.bare, resource.name) == ({"spec": SPEC}, True, "")


def test_each_model_entry_of_a_config_map_is_named_by_its_key(write: Write):
    text = CONFIG_MAP + f"  model__fast.json: '{BARE}'\n  model__slow.one.json: '{BARE}'\n  README: text\n  models.json: '1'\n"
    assert names(read(write(text))) == ["fast", "slow.one"]


def test_a_manifest_in_a_config_map_keeps_its_own_name(write: Write):
    inner = json.dumps({"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "own"}, "spec": SPEC})
    assert names(read(write(CONFIG_MAP + f"  model__other.json: '{inner}'\n"))) == ["own"]


@pytest.mark.parametrize("content", [BARE, "provider: openai\nmodelName: gpt-4o\n"], ids=["JSON", "YAML"])
def test_a_bare_spec_is_a_resource_without_a_name(write: Write, content: str):
    (resource,) = read(write(content))
    assert (resource.manifest, resource.bare, resource.name, resource.namespace) == ({"spec": SPEC}, True, "", "default")


def test_a_mounted_file_name_names_its_bare_spec(write: Write):
    assert names(read(write(BARE, "model__my-model.json"), model_name="other")) == ["my-model"]


def test_the_settings_name_what_does_not_name_itself(write: Write):
    (bare,) = read(write(BARE), model_name="from-settings", namespace="team")
    assert (bare.name, bare.namespace) == ("from-settings", "team")
    (nameless,) = read(write(f"apiVersion: langop.io/v1alpha1\nkind: LanguageModel\nspec: {BARE}"), model_name="from-settings")
    assert nameless.name == "from-settings"


@pytest.mark.parametrize(
    "key", ["model__../../evil.json", "model__a b.json", "model__os.environ/HOME.json", "model__A.json", 'model__a"b.json']
)
def test_a_name_that_kubernetes_does_not_allow_is_refused_wherever_it_comes_from(write: Write, key: str):
    """The name becomes a file's name and a key of the configuration: it must not lead elsewhere."""
    from langop_model.renderer import rendering

    path = write(
        json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": {key: json.dumps({**SPEC, "provider": "bedrock"})}})
    )
    with pytest.raises(SpecError) as caught:
        rendering.render_file(path, Settings())
    assert codes(caught.value.findings) == ["LM106"]


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(a_model("a").encode())))
    assert names(read("-")) == ["a"]


def test_a_resource_without_kind_is_read_with_a_warning(write: Write):
    result = manifest.read(write(f"spec: {BARE}\n"), Settings())
    assert [(finding.code, finding.level) for finding in result.findings] == [("LM017", "warning")]
    assert (result.resources[0].manifest, result.resources[0].bare) == ({"spec": SPEC}, False)


# What is no LanguageModel.


def test_another_kind_alone_is_refused(write: Write):
    (finding,) = refused(write(SECRET))
    assert (finding.code, finding.line) == ("LM014", 1)
    assert "Secret" in finding.message


def test_another_kind_beside_a_right_one_is_an_info(write: Write):
    result = manifest.read(write(SECRET + "---\n" + a_model("a")), Settings())
    assert names(result.resources) == ["a"]
    assert [(finding.code, finding.level) for finding in result.findings] == [("LM014", "info")]


def test_a_misspelt_kind_is_refused_with_what_was_meant(write: Write):
    (finding,) = refused(write(a_model("a").replace("LanguageModel", "languagemodel")))
    assert finding.code == "LM009"
    assert "Did you mean LanguageModel?" in finding.message


def test_a_misspelt_kind_beside_a_right_one_is_an_error_too(write: Write):
    assert codes(refused(write(a_model("a") + "---\n" + a_model("b").replace("LanguageModel", "LanguageModell")))) == ["LM009"]


def test_a_language_model_of_another_group_is_refused(write: Write):
    assert codes(refused(write(a_model("a").replace("langop.io", "example.com")))) == ["LM010"]


@pytest.mark.parametrize("content", ["- a\n- b\n", "hello", "42", "[]"])
def test_what_is_no_object_is_refused(write: Write, content: str):
    assert codes(refused(write(content))) == ["LM011"]


def test_an_empty_list_is_refused(write: Write):
    assert codes(refused(write("apiVersion: v1\nkind: List\nitems: []\n"))) != []


def test_a_config_map_without_a_model_is_refused(write: Write):
    assert codes(refused(write(CONFIG_MAP + "  README: text\n"))) == ["LM014"]


@pytest.mark.parametrize("entry", ["'{'", "''", "'[1]'", "5", "null", "{a: b}"])
def test_a_wrong_model_entry_is_refused_at_its_place(write: Write, entry: str):
    for finding in refused(write(CONFIG_MAP + f"  model.json: {entry}\n")):
        assert (finding.line, finding.column) == (4, 3)


@pytest.mark.parametrize("data", ["data: null", "data: [a]", "data: text", "binaryData: {}"])
def test_a_config_map_of_a_wrong_shape_is_refused(write: Write, data: str):
    assert codes(refused(write(f"apiVersion: v1\nkind: ConfigMap\n{data}\n"))) == ["LM014"]


@pytest.mark.parametrize(
    "line", ["kind: [a]", "kind: null", "kind: 5", "apiVersion: 5", "apiVersion: null", "kind: List\nitems: x"]
)
def test_a_header_of_a_wrong_shape_is_refused(write: Write, line: str):
    assert refused(write(f"{line}\nspec: {BARE}\n"))


@pytest.mark.parametrize("metadata", ["null", "[a]", "text", "{name: null}"])
def test_metadata_of_a_wrong_shape_names_nothing(write: Write, metadata: str):
    text = f"apiVersion: langop.io/v1alpha1\nkind: LanguageModel\nmetadata: {metadata}\nspec: {BARE}\n"
    assert names(read(write(text), model_name="from-settings")) == ["from-settings"]
