"""Documents to resources: which LanguageModels does a source hold, and what are they called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from langop_model.renderer import findings, source
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document

API_GROUP, API_VERSION, KIND = "langop.io", "langop.io/v1alpha1", "LanguageModel"
_MOUNTED_NAME = re.compile(r"^model__(?P<name>.+)\.json$")
_MODEL_ENTRY = re.compile(r"^model(__.+)?\.json$")


@dataclass(slots=True)
class Resource:
    """A LanguageModel as it was found: `manifest` is the whole resource, also where the source held a bare spec.

    In a bare spec (`bare`), which the operator writes with Go's omitempty, an absent boolean means false.
    """

    name: str
    namespace: str
    manifest: dict[str, Any]
    document: Document
    bare: bool = False


@dataclass(slots=True)
class Read:
    """What one source held: its resources, and findings about documents that are none."""

    resources: list[Resource] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read(name: str, settings: Settings) -> Read:
    """Return the LanguageModels of one file, or of standard input for `-`.

    Raises SpecError when it can't be read or parsed, and when it holds no LanguageModel.
    """
    return collect(name, source.read(name), settings)


def collect(name: str, documents: list[Document], settings: Settings) -> Read:
    """Return the LanguageModels in the documents of the source `name`. Raises SpecError as `read` does."""
    result = Read()
    for document in documents:
        _collect(document, FilePath(name).name, settings, result)
    if any(finding.level == "error" for finding in result.findings):
        raise SpecError(result.findings)
    if not result.resources:
        nothing = [_about(documents[0], "LM002")]
        raise SpecError([replace(finding, level="error") for finding in result.findings] or nothing)
    return result


def _collect(document: Document, file_name: str, settings: Settings, result: Read) -> None:
    value = document.value
    if not isinstance(value, dict):
        result.findings.append(_about(document, "LM011", type=type(value).__name__))
    elif value.get("kind") in ("List", f"{KIND}List") and isinstance(value.get("items"), list):
        for index in range(len(value["items"])):
            _collect(document.part("items", index), "", settings, result)
    elif value.get("kind") == "ConfigMap":
        _collect_config_map(document, settings, result)
    elif "kind" in value or "apiVersion" in value:
        _collect_manifest(document, settings, result)
    elif isinstance(value.get("spec"), dict):
        result.findings.append(_about(document, "LM017"))
        _collect_manifest(document, settings, result)
    else:
        document.stands_for = ("spec",)
        mounted = _MOUNTED_NAME.match(file_name)
        name = mounted["name"] if mounted else settings.model_name
        manifest = {"metadata": {"name": name}, "spec": value} if name else {"spec": value}
        result.resources.append(Resource(name, settings.namespace, manifest, document, bare=True))


def _collect_manifest(document: Document, settings: Settings, result: Read) -> None:
    manifest = document.value
    group, kind = str(manifest.get("apiVersion", API_VERSION)).split("/")[0], str(manifest.get("kind", KIND))
    if kind != KIND or group != API_GROUP:
        code = "LM010" if kind == KIND else "LM009" if _near(kind) else "LM014"
        result.findings.append(_about(document, code, kind=kind, api_version=manifest.get("apiVersion", "")))
        return
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or settings.model_name
    namespace = metadata.get("namespace") or settings.namespace
    result.resources.append(Resource(str(name), str(namespace), manifest, document))


def _collect_config_map(document: Document, settings: Settings, result: Read) -> None:
    """A ConfigMap as the operator writes it: its entry model.json, or one model__<name>.json for each model."""
    data = document.value.get("data")
    entries = [key for key in data if _MODEL_ENTRY.match(str(key))] if isinstance(data, dict) else []
    if not entries:
        result.findings.append(_about(document, "LM014", kind="ConfigMap", api_version="v1"))
    for key in entries:
        if not isinstance(data[key], str):
            result.findings.append(replace(_about(document.part("data", key), "LM011", type=type(data[key]).__name__)))
            continue
        for inner in source.embedded(document, data[key], "data", key):
            _collect(inner, key, settings, result)


def _near(kind: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, kind.lower(), KIND.lower()).ratio() > 0.8


def _about(document: Document, code: str, **values: Any) -> Finding:
    line, column = document.locate(())
    return replace(findings.make(code, **values), file=document.name, line=line, column=column)
