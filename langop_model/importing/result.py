"""The import as a whole: a configuration in, manifests, what stays for the gateway, and everything there is to say out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from langop_model.importing import agentgateway, credential_list, groups, sections, table
from langop_model.importing.entries import Reader
from langop_model.importing.groups import Made
from langop_model.importing.secrets import SecretKey, Secrets
from langop_model.renderer import rendering, source
from langop_model.renderer.extra.wanted import VARIABLE
from langop_model.renderer.findings import Finding, Findings, Located, SpecError, make
from langop_model.renderer.manifest import Resource
from langop_model.renderer.plan import ANY
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document

CONFIG_MAP = "gateway-extra-configuration"
HELM_VALUE = "proxy_config"  # where the values of LiteLLM's Helm chart hold the configuration


@dataclass(frozen=True, slots=True)
class Imported:
    """LanguageModels, in the order of model_list; the text that stays for the gateway; Secrets to create; findings."""

    models: tuple[Made, ...]
    remaining: str
    secrets: tuple[SecretKey, ...]
    findings: tuple[Finding, ...]

    def texts(self) -> dict[str, str]:
        """Return each manifest in YAML, by the name of its file."""
        texts = {made.name: _yaml(made.manifest) for made in self.models}
        if self.remaining:
            data = {VARIABLE: self.remaining}
            header = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAP}}
            texts[CONFIG_MAP] = _yaml({**header, "data": data})
        return texts


def read(name: str, variables: Mapping[str, str] | None = None) -> Imported:
    """Return the import of the file `name` (`-`: standard input). Raises SpecError for what is no configuration."""
    document, *others = source.read(name)
    if others:
        raise SpecError([make("LM021", count=len(others) + 1).replace(file=document.name)])
    document = _unwrapped(document)
    value = document.value
    if agentgateway.is_one(value):
        return _of_agentgateway(document, value, variables or {})
    if not _is_configuration(value):
        raise SpecError([make("LM809").replace(file=document.name)])
    return convert(document, value, variables or {})


def _unwrapped(document: Document) -> Document:
    """Return the configuration inside a ConfigMap, or inside the values of LiteLLM's Helm chart; else the document itself.

    Raises SpecError (LM021) for a ConfigMap of several, and for one whose entry is no YAML.
    """
    value = document.value
    if not isinstance(value, dict):
        return document
    if _is_configuration(value.get(HELM_VALUE)):
        return document.part(HELM_VALUE)
    if value.get("kind") != "ConfigMap" or not isinstance(value.get("data"), dict):
        return document
    texts = {key: text for key, text in value["data"].items() if isinstance(text, str) and "model_list" in text}
    found = [each for key, text in texts.items() for each in source.embedded(document, text, "data", key)]
    found = [each for each in found if _is_configuration(each.value)]
    if len(found) > 1:
        raise SpecError([make("LM021", count=len(found)).replace(file=document.name)])
    return found[0] if found else document


def _is_configuration(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("model_list"), list)


def _of_agentgateway(document: Document, value: dict[str, Any], variables: Mapping[str, str]) -> Imported:
    """Return the import of a configuration of agentgateway, whose findings speak of its own keys."""
    origin = agentgateway.Origin(document.name, document)
    said = Findings(origin)
    imported = convert(origin, agentgateway.as_model_list(value, origin, said), variables)
    renamed = [origin.renamed(finding) for finding in imported.findings if finding.code != "LM807"]
    for finding in renamed:
        said.record(finding)
    return replace(imported, findings=tuple(said.in_order))


def convert(document: Located, value: dict[str, Any], variables: Mapping[str, str]) -> Imported:
    """Return the import of a configuration, whose places are those of `document`."""
    found, secrets = Findings(document), Secrets()
    value = credential_list.resolved(value, found)
    reader = Reader(found, secrets, variables)
    read_sections = sections.read(value, found)
    drafts = [draft for index, entry in enumerate(value["model_list"]) if (draft := reader.read(index, entry)) is not None]
    made = groups.models(drafts, read_sections.strategy, found)
    sections.apply(read_sections, made, found)
    _say_names(value["model_list"], made, found)
    _prove(made, read_sections.remaining, found)
    _say_defaults(value, found)
    text = _yaml(read_sections.remaining) if read_sections.remaining else ""
    return Imported(tuple(made), text, tuple(secrets.keys), tuple(found.in_order))


def render(made: list[Made], remaining: str = "") -> rendering.Rendering:
    """Return the gateway of the imported models. Raises SpecError."""
    resources = []
    for each in made:
        document = Document(f"{each.name}.yaml", _yaml(each.manifest), each.manifest)
        resources.append(Resource(each.name, "default", each.manifest, document))
    settings = Settings(extra_config=remaining, redis=True, memcached=True, trace_endpoint=True)
    return rendering.render(resources, settings, gateway=True)


def _say_names(entries: list[Any], made: list[Made], found: Findings) -> None:
    """Say for each model_name under which name clients find it."""
    for each in made:
        for index in each.entries:
            name = entries[index]["model_name"]
            path = ("model_list", index, "model_name")
            if each.spec["modelName"] == ANY and name != f"{each.name}/*":
                difference = f"clients ask for {each.name}/MODEL"
                found.add("LM802", *path, target=f"metadata.name {each.name}", difference=difference)
            elif name in (each.name, each.spec["modelName"], f"{each.name}/*"):
                found.add("LM801", *path, target="metadata.name" if name != each.spec["modelName"] else "spec.modelName")
            elif name in each.spec.get("aliases", []):
                found.add("LM801", *path, target="an entry of spec.aliases")
            elif other := _falls_back(made, name, each):
                difference = "it answers only when that one fails"
                found.add("LM802", *path, target=f"a fallback of {other.name}", difference=difference)
            else:
                because = f"another LanguageModel answers to {name}, and this one to {each.name}"
                found.add("LM804", *path, because=because, instead="rename one of them, and tell its clients")


def _falls_back(made: list[Made], name: str, to: Made) -> Made | None:
    """Return the LanguageModel that answers to `name` and has `to` as a fallback."""
    for each in made:
        answers = name in (each.name, each.spec["modelName"], *each.spec.get("aliases", []))
        if answers and any(fallback["modelRef"] == to.name for fallback in each.spec.get("fallbacks", [])):
            return each
    return None


def _prove(made: list[Made], remaining: dict[str, Any], found: Findings) -> None:
    """Render the result once: whatever is an error there, or would leave a name without effect, is said of its entry."""
    by_name = {each.name: each for each in made}
    try:
        findings: tuple[Finding, ...] = render(made, _yaml(remaining) if remaining else "").findings if made else ()
    except SpecError as problem:
        findings = problem.findings
    for finding in findings:
        each = by_name.get(finding.resource)
        path = ("model_list", each.entries[0]) if each else ()
        if finding.level == "error":
            found.add("LM808", *path, reason=f"{finding.code}: {finding.message}")
        elif finding.code in ("LM416", "LM418", "LM757"):
            found.add("LM804", *path, because=finding.message, instead=finding.fix)


def _say_defaults(value: dict[str, Any], found: Findings) -> None:
    for row in table.data()["defaults"]:
        if not any(_has(value, key) for key in row["unless"]):
            found.add("LM807", litellm=row["litellm"], here=row["here"], write=row["write"])


def _has(value: Any, key: str) -> bool:
    name, _, rest = key.partition(".")
    if name.endswith("[]"):
        entries = value.get(name.removesuffix("[]"))
        return any(_has(entry, rest) for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else False
    inner = value.get(name) if isinstance(value, dict) else None
    return inner is not None if not rest else _has(inner, rest)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
