"""`make field-reference`: docs/fields.md, each field with its type, default, unit, example, and the lines that it renders to.

The lines are those of the configuration that differ between the field's first example and its second one, or its absence.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from langop_model.renderer import rendering
from langop_model.renderer.findings import SpecError, dotted
from langop_model.renderer.manifest import Resource
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document
from langop_model.resources import load_json
from langop_model.schemas import hover
from tools import field_table, generated
from tools.generated import Section

SETTINGS = Settings(redis=True, memcached=True, trace_endpoint=True)
MAX_LINES = 8
_BASE: dict[str, Any] = {"provider": "openai", "modelName": "gpt-4o", "apiKeySecretRef": {"name": "openai-credentials"}}
_KEYED = {"apiKeySecretRef": {"name": "keys"}}
_ENDPOINTS = [{"url": "https://a.example.com/v1"}, {"url": "https://b.example.com/v1"}]
_REGIONS = [{"name": "eu", "endpoint": "https://a.example.com/v1"}, {"name": "us", "endpoint": "https://b.example.com/v1"}]
_OWN = {"provider": "openai-compatible", "modelName": "llama"}
# A right spec in which a field has an effect, by the beginning of its name; the longest one counts.
_CONTEXTS: dict[str, dict[str, Any]] = {
    "": _BASE,
    "litellmProvider": {"modelName": "gpt-4o", **_KEYED},
    "endpoint": _OWN,
    "region": {"provider": "bedrock", "modelName": "amazon.nova-pro-v1:0", **_KEYED},
    "project": {"provider": "vertex", "modelName": "gemini-2.0-flash", "location": "europe-west4", **_KEYED},
    "location": {"provider": "vertex", "modelName": "gemini-2.0-flash", "project": "my-project", **_KEYED},
    "apiVersion": {"provider": "azure", "modelName": "gpt-4o", "endpoint": "https://my-resource.openai.azure.com", **_KEYED},
    "credentialsSecretRef": {"provider": "bedrock", "modelName": "amazon.nova-pro-v1:0", "region": "eu-west-1"},
    "retryPolicy": {**_BASE, "retryPolicy": {"maxAttempts": 3}},
    "fallbacks": {**_BASE, "fallbacks": [{"modelRef": "claude-eu"}]},
    "loadBalancing": {**_OWN, "loadBalancing": {"strategy": "weighted", "endpoints": _ENDPOINTS}},
    "loadBalancing.healthCheck": {**_OWN, "loadBalancing": {"endpoints": _ENDPOINTS, "healthCheck": {}}},
    "regions": {**_OWN, "regions": _REGIONS},
    "caching": {**_BASE, "caching": {"enabled": True}},
    "costTracking": {**_BASE, "costTracking": {"enabled": True, "inputTokenCost": 0.001, "outputTokenCost": 0.002}},
    "observability": {**_BASE, "observability": {"logging": {}}},
}


def entries() -> Iterator[str]:
    """Yield a section of Markdown for each field, in the order of the schema."""
    for name, node in field_table.fields(load_json("languagemodel.schema.json")["properties"]["spec"]):
        first, *_ = examples = hover.examples(node)
        facts = [f"**Type** {_type(node)}"]
        facts += [f"**default** `{json.dumps(node['default'])}`"] if "default" in node else []
        facts += [f"**unit** {node['x-unit']}"] if "x-unit" in node else []
        facts += [f"**kept** {node['x-fidelity']}"]
        allowed = f" Allowed: {node['x-allowed']}." if "x-allowed" in node else ""
        yield (
            f"## {name}\n\n{node['description']}{allowed}\n\n{'; '.join(facts)}.\n\n```yaml\n{example(name, first)}\n```\n\n"
            f"{_effect(name, examples)}"
        )


def example(name: str, value: Any) -> str:
    """Return the value of a field as it is written in a spec."""
    for part in reversed(name.split(".")):
        value = {part.removesuffix("[]"): [value]} if part.endswith("[]") else {part: value}
    return yaml.safe_dump({"spec": value}, sort_keys=False, allow_unicode=True, width=100).rstrip("\n")


def lines(name: str, values: list[Any]) -> list[str]:
    """Return the lines of the configuration that the first of `values` is seen in."""
    before = _configuration(name, values[1:])
    return [line.strip() for line in _configuration(name, values[:1]).splitlines() if line not in before.splitlines()]


def _effect(name: str, values: list[Any]) -> str:
    found = lines(name, values)
    if found:
        more = [f"# and {len(found) - MAX_LINES} lines more"] if len(found) > MAX_LINES else []
        return "Rendered:\n\n```yaml\n" + "\n".join([*found[:MAX_LINES], *more]) + "\n```"
    said = [
        f"{finding.code}: {finding.message}" for finding in _render(_spec(name, values[:1])).findings if _about(finding, name)
    ]
    return f"Rendered: nothing. {said[0][0].upper()}{said[0][1:]}." if said else "Rendered: nothing of its own."


def _about(finding: Any, name: str) -> bool:
    plain = dotted(finding.path).replace("[0]", "[]").removeprefix("spec.")
    return plain == name or name.startswith(f"{plain}.")


def _configuration(name: str, values: list[Any]) -> str:
    try:
        return _render(_spec(name, values)).text
    except SpecError:
        return _render(_spec(name, [])).text


def _spec(name: str, values: list[Any]) -> dict[str, Any]:
    start = max((each for each in _CONTEXTS if name == each or name.startswith((f"{each}.", f"{each}[")) or not each), key=len)
    spec: dict[str, Any] = copy.deepcopy(_CONTEXTS[start])
    if values:
        _put(spec, name.split("."), values[0])
    return spec


def _put(holder: dict[str, Any], parts: list[str], value: Any) -> None:
    name, *rest = parts
    if not rest:
        holder[name] = value
    elif name.endswith("[]"):
        _put(holder.setdefault(name[:-2], [{}])[0], rest, value)
    else:
        _put(holder.setdefault(name, {}), rest, value)


def _render(spec: dict[str, Any]) -> rendering.Rendering:
    manifest = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "model"}, "spec": spec}
    document = Document("model.yaml", json.dumps(manifest), manifest)
    return rendering.render([Resource("model", "default", manifest, document)], SETTINGS)


def _type(node: dict[str, Any]) -> str:
    kind = str(node.get("type", "any value"))
    if kind == "array":
        return (
            f"list of {node['items'].get('type', 'anything')}s" if node["items"].get("type") != "object" else "list of objects"
        )
    values = node.get("enum", [])
    return f"one of {', '.join(values)}" if 0 < len(values) <= 12 else kind


SECTION = Section(Path("docs/fields.md"), "field-reference", "reference of the fields", lambda: "\n\n".join(entries()))

if __name__ == "__main__":
    generated.main(SECTION)
