"""Documents to resources: which LanguageModels does a source hold, and what are they called.

A document with `kind` or `spec` is a resource, whatever else it holds; no spec has a field of that name (a test). Any other one
is a bare spec if it has a field of a spec. `apiVersion` does not distinguish them: Azure's is a field of a spec.
"""

from __future__ import annotations

import os
import re
from typing import Any

from langop_model.renderer import findings, source, wording
from langop_model.renderer.findings import Finding, Path, SpecError
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document
from langop_model.resources import load_json

API_GROUP, API_VERSION, KIND = "langop.io", "langop.io/v1alpha1", "LanguageModel"
# The operator's other kinds: LanguageTool is no misspelt LanguageModel.
_SIBLING_KINDS = frozenset({"LanguageAgent", "LanguageClient", "LanguageCluster", "LanguagePersona", "LanguageTool"})
_MOUNTED_NAME = r"^model__(?P<name>.+)\.json$"
_MODEL_ENTRY = r"^model(__.+)?\.json$"


class Resource(Record):
    """A LanguageModel as it was found: `manifest` is the whole resource, also where the source held a bare spec.

    In a bare spec (`bare`), which the operator writes with Go's omitempty, an absent boolean means false.
    """

    name: str
    namespace: str
    manifest: dict[str, Any]
    document: Document
    bare: bool = False


class Read(Record):
    """What one source held: its resources, and findings about its other documents."""

    resources: list[Resource]
    findings: list[Finding]


def read(name: str, settings: Settings, *, alone: bool = True) -> Read:
    """Return the LanguageModels of one file, or of standard input for `-`.

    Raises SpecError when it can't be read or parsed, and, unless it is one file of several (`alone` is False), when it holds no
    LanguageModel.
    """
    return collect(name, source.read(name), settings, alone=alone)


def read_all(given: str, settings: Settings) -> Read:
    """Return the LanguageModels of a file, of standard input, or of all files of a folder.

    Raises SpecError, with everything that is wrong, as `read` does, and when a folder holds no LanguageModel.
    """
    names = source.expand([given])
    if names == [given]:
        return read(given, settings)
    result, wrong = Read([], []), False
    for name in names:
        try:
            one = read(name, settings, alone=False)
        except SpecError as problem:
            one, wrong = Read([], list(problem.findings)), True
        result.resources.extend(one.resources)
        result.findings.extend(one.findings)
    if wrong:
        raise SpecError(result.findings)
    if not result.resources:
        raise SpecError([*result.findings, none_in(given)])
    return result


def none_in(name: str) -> Finding:
    """Return the finding that the file or folder `name` holds no LanguageModel."""
    return findings.make("LM019").replace(file=name)


def collect(name: str, documents: list[Document], settings: Settings, *, alone: bool = True) -> Read:
    """Return the LanguageModels in the documents of the source `name`. Raises SpecError as `read` does."""
    result = Read([], [])
    for document in documents:
        _collect(document, os.path.basename(name), settings, result)  # noqa: PTH119 - pathlib takes time
    if any(finding.level == "error" for finding in result.findings):
        raise SpecError(result.findings)
    if alone and not result.resources:
        others = [finding.replace(level="error") for finding in result.findings]
        raise SpecError(others or [none_in(documents[0].name)])
    return result


def is_litellm_configuration(value: Any) -> bool:
    """Whether `value` is a configuration of LiteLLM, written by hand or by this program, or an entry of its model_list."""
    return isinstance(value, dict) and not value.keys().isdisjoint(
        [*load_json("litellm-config.schema.json")["properties"], "litellm_params"]
    )


def _collect(document: Document, file_name: str, settings: Settings, result: Read, *, nested: bool = False) -> None:
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(value, dict):
        wrong = _about(document, "LM011", kind=wording.kind_of(value))
        result.findings.append(wrong.replace(path=document.prefix))
    elif kind in ("List", f"{KIND}List"):
        _collect_list(document, settings, result)
    elif kind == "ConfigMap" and not nested:
        _collect_config_map(document, settings, result)
    elif _is_resource(value):
        _collect_manifest(document, settings, result)
    elif not value:
        result.findings.append(_about(document, "LM002"))
    elif not _is_bare_spec(value):
        code = "LM018" if is_litellm_configuration(value) else "LM020"
        result.findings.append(_about(document, code, keys=wording.shortened(", ".join(value))))
    else:
        document.stands_for = ("spec",)
        mounted = re.match(_MOUNTED_NAME, file_name)
        name = mounted["name"] if mounted else settings.model_name
        manifest = {"metadata": {"name": name}, "spec": value} if name else {"spec": value}
        result.resources.append(Resource(name, settings.namespace, manifest, document, bare=True))


def _is_resource(value: dict[str, Any]) -> bool:
    return "kind" in value or "spec" in value or _group(value.get("apiVersion")) == API_GROUP


def _is_bare_spec(value: dict[str, Any]) -> bool:
    """Whether a document has a field of a spec, or probably meant one; apiVersion does not count."""
    node = load_json("languagemodel.schema.json")["properties"]["spec"]
    keys = value.keys() - {"apiVersion"}
    if not keys.isdisjoint(node["properties"]):
        return True
    from langop_model.renderer import hints

    return not is_litellm_configuration(value) and any(hints.resembles(key, node) for key in keys)


def _group(api_version: Any) -> str:
    return api_version.split("/")[0] if isinstance(api_version, str) else ""


def _collect_manifest(document: Document, settings: Settings, result: Read) -> None:
    manifest = document.value
    header = {"kind": KIND, "apiVersion": API_VERSION}
    wrong = [name for name in header if name in manifest and not _is_text(manifest[name])]
    result.findings.extend(_mistyped(document, (name,), manifest[name], header[name]) for name in wrong)
    if wrong:
        return
    kind, version = manifest.get("kind", KIND), manifest.get("apiVersion", API_VERSION)
    if "kind" not in manifest and _group(version) == API_GROUP:
        result.findings.append(_about(document, "LM017"))
    if kind != KIND or _group(version) != API_GROUP:
        result.findings.append(_about_another_kind(document, manifest.get("kind", ""), manifest.get("apiVersion", "")))
        return
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = (value if _is_text(value) else "" for value in (metadata.get("name"), metadata.get("namespace")))
    result.resources.append(Resource(name or settings.model_name, namespace or settings.namespace, manifest, document))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _about_another_kind(document: Document, kind: str, version: str) -> Finding:
    """A LanguageModel of another group, a misspelt one, or a resource of another kind, which is passed over."""
    if kind == KIND:
        return _about(document, "LM010", api_version=wording.shortened(version))
    if _group(version) in ("", API_GROUP) and kind not in _SIBLING_KINDS and _near(kind):
        return _about(document, "LM009", kind=wording.shortened(kind))
    what = f"a resource of kind {wording.shortened(kind)}" if kind else "a resource without kind"
    return _about(document, "LM014", what=f"{what} ({wording.shortened(version)})" if version else what)


def _collect_list(document: Document, settings: Settings, result: Read) -> None:
    items = document.value.get("items", [])
    if not isinstance(items, list):
        result.findings.append(_mistyped(document, ("items",), items, wording.TYPES["array"]))
        return
    for index in range(len(items)):
        _collect(document.part("items", index), "", settings, result)


def _collect_config_map(document: Document, settings: Settings, result: Read) -> None:
    """A ConfigMap as the operator writes it: its entry model.json, or one model__<name>.json for each model."""
    data = document.value.get("data")
    entries = [key for key in data if re.match(_MODEL_ENTRY, str(key))] if isinstance(data, dict) else []
    if not entries:
        result.findings.append(_about(document, "LM014", what="a ConfigMap without model.json or model__NAME.json"))
    for key in entries:
        if not isinstance(data[key], str):
            result.findings.append(_mistyped(document, ("data", key), data[key], wording.TYPES["string"]))
            continue
        for inner in source.embedded(document, data[key], "data", key):
            _collect(inner, key, settings, result, nested=True)


def _mistyped(document: Document, path: Path, value: Any, allowed: str) -> Finding:
    return _about(document, "LM102", path, value=wording.kind_of(value), allowed=allowed, hint="")


def _near(kind: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, kind.lower(), KIND.lower()).ratio() > 0.8


def _about(document: Document, code: str, path: Path = (), **values: Any) -> Finding:
    line, column = document.locate(path)
    return findings.make(code, path, **values).replace(file=document.name, line=line, column=column)
