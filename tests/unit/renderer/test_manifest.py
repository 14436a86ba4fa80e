"""Which LanguageModels a source holds, and what they are called."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from langop_model.renderer import manifest
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.manifest import Resource
from langop_model.renderer.settings import Settings
from langop_model.resources import load_json
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
def test_a_name_that_kubernetes_does_not_allow_is_refused(write: Write, key: str):
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


# A bare spec may have a field that a resource has too.

SPEC_NODE = load_json("languagemodel.schema.json")["properties"]["spec"]["properties"]
SAMPLES = {"string": "2025-04-01-preview", "object": {}, "array": []}
FIELDS = {name: SAMPLES[node.get("type", "object")] for name, node in SPEC_NODE.items()}
AZURE = {
    "provider": "azure",
    "modelName": "prod-chat",
    "endpoint": "https://r.openai.azure.com",
    "apiVersion": "2025-04-01-preview",
    "apiKeySecretRef": {"name": "azure-credentials", "key": "api-key"},
}


def config_map(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"model__a.json": json.dumps(spec)}}


FORMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "model.json": ("model.json", lambda spec: spec),
    "model__a.json": ("model__a.json", lambda spec: spec),
    "a YAML file": ("spec.yaml", lambda spec: spec),
    "a ConfigMap": ("map.yaml", config_map),
    "a List": ("list.json", lambda spec: {"apiVersion": "v1", "kind": "List", "items": [spec]}),
    "a List of ConfigMaps": ("list.json", lambda spec: {"apiVersion": "v1", "kind": "List", "items": [config_map(spec)]}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_a_spec_makes_a_bare_spec_something_else(write: Write, field: str, form: str):
    name, wrap = FORMS[form]
    spec = {**SPEC, field: FIELDS[field]}
    result = manifest.read(write(json.dumps(wrap(spec)), name), Settings())
    assert [(resource.bare, resource.manifest["spec"]) for resource in result.resources] == [(True, spec)]
    assert result.findings == []


def test_a_bare_spec_on_standard_input_may_have_an_api_version(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(AZURE).encode())))
    assert read("-")[0].bare


@pytest.mark.parametrize("field", ["metadata", "data", "items", "status", "name", "labels"])
def test_an_unknown_field_of_a_bare_spec_is_one(write: Write, field: str):
    """A newer operator's field must not turn a spec into another resource."""
    (resource,) = read(write(json.dumps({**SPEC, field: {}})))
    assert (resource.bare, field in resource.manifest["spec"]) == (True, True)


def test_what_distinguishes_a_resource_is_no_field_of_a_spec():
    assert not {"kind", "spec", "metadata", "items", "data", "status"} & FIELDS.keys()


def test_a_bare_spec_with_an_api_version_is_rendered_as_its_manifest_is(write: Write):
    from langop_model.renderer import rendering

    whole = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "prod"}, "spec": AZURE}
    (bare,) = rendering.render_file(write(json.dumps(AZURE), "model__prod.json"), Settings())
    (full,) = rendering.render_file(write(json.dumps(whole), "manifest.json"), Settings())
    assert bare.text == full.text
    assert bare.config["model_list"][0]["litellm_params"]["api_version"] == "2025-04-01-preview"


@pytest.mark.parametrize("header", ["apiVersion: langop.io/v1alpha1\n", "metadata: {name: a}\n", ""])
def test_a_resource_without_kind_is_recognised_by_its_spec(write: Write, header: str):
    result = manifest.read(write(f"{header}spec: {BARE}\n"), Settings())
    assert (result.resources[0].bare, codes(result.findings)) == (False, ["LM017"])


def test_our_group_marks_a_resource_that_lacks_its_kind(write: Write):
    """No version of Azure's API starts like that: the fields were not indented below spec."""
    (resource,) = read(write(f"apiVersion: langop.io/v1alpha1\n{yaml.safe_dump(SPEC)}"))
    assert not resource.bare


# What is no LanguageModel.

OTHERS = {
    "a Service": "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n",
    "a kustomization": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
    "a kustomization without kind": "resources:\n- a.yaml\nnamespace: models\nimages: []\n",
    "values of Helm": "image: {tag: latest}\nreplicaCount: 2\nresources: {}\n",
    "a ConfigMap": CONFIG_MAP + "  README: text\n",
    "another kind of the operator": "apiVersion: langop.io/v1alpha1\nkind: LanguageTool\nspec: {image: x}\n",
    "a future kind of the operator": "apiVersion: langop.io/v1alpha1\nkind: LanguageQuota\nspec: {limit: 1}\n",
    "a resource without kind": "apiVersion: apps/v1\nspec: {replicas: 1}\n",
    "a List of others": "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret}]\n",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_document_is_skipped_with_an_info(write: Write, tmp_path: Path, other: str):
    """In a file and in a folder."""
    in_file = manifest.read(write(a_model("a") + "---\n" + other), Settings())
    Path(write(other, "other.yaml"))
    write(a_model("a"), "spec.yaml")
    in_folder = manifest.read_all(str(tmp_path), Settings())
    for result in (in_file, in_folder):
        assert names(result.resources) == ["a"]
        assert [finding.level for finding in result.findings] == ["info"]


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_document_alone_is_refused(write: Write, tmp_path: Path, other: str):
    path = write(other)
    refused(path)
    with pytest.raises(SpecError) as caught:
        manifest.read_all(str(tmp_path), Settings())
    assert codes(caught.value.findings)[-1] == "LM019"


@pytest.mark.parametrize("kind", ["LanguageModell", "LanguageModle", "languageModel", "Languagemodels", "LangModel"])
def test_a_misspelt_kind_of_our_group_is_an_error_beside_others_too(write: Write, tmp_path: Path, kind: str):
    write(a_model("a"), "a.yaml")
    write(a_model("b").replace("LanguageModel", kind), "b.yaml")
    with pytest.raises(SpecError) as caught:
        manifest.read_all(str(tmp_path), Settings())
    assert codes(caught.value.findings) == ["LM009"]


@pytest.mark.parametrize("content", ["providr: openai\nmodelname: gpt-4o\n", "model: gpt-4o\n", "model_name: a\n"])
def test_a_spec_of_which_every_field_is_misspelt_is_never_skipped(write: Write, content: str):
    assert read(write(content))[0].bare


ENTRY = {"model_name": "a", "litellm_params": {"model": "openai/gpt-4o", "api_key": "os.environ/KEY"}}
LITELLM = {
    "model_list": [ENTRY],
    "litellm_settings": {"drop_params": True},
}


@pytest.mark.parametrize(
    "content", [LITELLM, {"litellm_settings": {}}, {"router_settings": {"num_retries": 2}}, ENTRY], ids=str
)
def test_a_configuration_of_litellm_is_recognised_in_one_error(write: Write, content: Any):
    (finding,) = refused(write(json.dumps(content), "config.yaml"))
    assert finding.code == "LM018"
    assert str(next(iter(content))) in finding.message


def test_no_field_of_a_spec_is_a_section_of_litellms_configuration():
    assert not FIELDS.keys() & {*load_json("litellm-config.schema.json")["properties"], "litellm_params"}


@pytest.mark.parametrize(("items", "code"), [("[null]", "LM011"), ("null", "LM102"), ("text", "LM102"), ("[[]]", "LM011")])
def test_a_list_of_a_wrong_shape_is_refused_in_words(write: Write, items: str, code: str):
    (finding,) = refused(write(f"apiVersion: v1\nkind: List\nitems: {items}\n"))
    assert finding.code == code


def test_a_config_map_inside_a_config_map_is_no_model(write: Write):
    """Else each level would cost a level of the stack, and a file holds more of them than the stack."""
    inner = json.dumps({"kind": "ConfigMap", "data": {"model.json": BARE}})
    assert codes(refused(write(json.dumps({"kind": "ConfigMap", "data": {"model.json": inner}})))) == ["LM014"]


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
