"""The CustomResourceDefinition, made of the input schema: what the API server can check before anything is stored.

It is structural (no $ref, a type everywhere, nothing that the API server forbids), its patterns are RE2's, and rules between
fields are CEL (schema/input-rules.json). What is refused here is refused by `render` too; what the API server can't check is
listed in docs/schemas.md.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer.extra import table
from langop_model.resources import load_json
from langop_model.schemas import patterns, rules

VALIDATIONS = "x-kubernetes-validations"
PRESERVED = "x-kubernetes-preserve-unknown-fields"
# The keywords of JSON Schema that a structural schema has; the others are not for the API server.
_KEPT = frozenset(
    {"description", "type", "required", "enum", "default", "minimum", "maximum", "minLength", "maxLength", "minItems",
     "maxItems", "maxProperties"}
)  # fmt: skip
_NO_REFERENCE = {
    "rule": f"!self.startsWith('{REFERENCE}')",
    "message": "a text that starts with os.environ/ would be replaced with a variable of LiteLLM's process",
}
_UNCHECKED = ("egress",)  # the operator's own, of any size: no rule iterates there


@cache
def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition. It is shared: treat it as read-only."""
    made: dict[str, Any] = copy.deepcopy(load_json("languagemodel.crd.json"))
    made["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": _resource()}
    return made


def text() -> str:
    """Return the CustomResourceDefinition in YAML."""
    import yaml

    return yaml.safe_dump(definition(), sort_keys=False, allow_unicode=True, width=120)


def _resource() -> dict[str, Any]:
    source = load_json("languagemodel.schema.json")
    spec = _structural(source["properties"]["spec"], source["$defs"])
    spec[VALIDATIONS] = list(rules.in_cel())
    fields = spec["properties"]
    fields["params"][PRESERVED] = True
    fields["configuration"]["properties"]["additionalParameters"][VALIDATIONS] = list(_names_of_parameters(source))
    return {
        "description": source["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": {"type": "object", "description": source["properties"]["status"]["description"], PRESERVED: True},
        },
        VALIDATIONS: [
            {
                "rule": "!has(self.spec.fallbacks) || self.spec.fallbacks.all(one, one.modelRef != self.metadata.name)",
                "message": "a fallback names the model itself",
            }
        ],
    }


def _structural(node: dict[str, Any], definitions: dict[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the structural schema of a node, which is at `path` of the spec."""
    if "$ref" in node:
        node = definitions[node["$ref"].rsplit("/", 1)[-1]]
    plain = {**node, **node.get("x-strict", {})}
    made = {key: value for key, value in plain.items() if key in _KEPT}
    if "type" not in made:
        return {"description": node.get("description", ""), PRESERVED: True}
    if made["type"] == "string":
        _add_text_rules(made, plain, path)
    if "properties" in plain:
        children = plain["properties"].items()
        made["properties"] = {name: _structural(child, definitions, (*path, name)) for name, child in children}
    if "items" in plain:
        made["items"] = _structural(plain["items"], definitions, (*path, "[]"))
    if isinstance(plain.get("additionalProperties"), dict):
        made["additionalProperties"] = _structural(plain["additionalProperties"], definitions, (*path, "{}"))
    return made


def _add_text_rules(made: dict[str, Any], plain: dict[str, Any], path: tuple[str, ...]) -> None:
    """Add the pattern of a text in RE2, and rules in CEL for what RE2 can't say."""
    said = []
    pattern = plain.get("pattern")
    wanted = rules.data()["formats"].get(plain.get("format"))
    if wanted:
        pattern = pattern or wanted["pattern"]
        made["maxLength"] = wanted["maxLength"]
        said += [{"rule": wanted["cel"], "message": f"must be {plain['x-allowed']}"}] if "cel" in wanted else []
    for entry in rules.data()["re2"]:
        if pattern == entry["pattern"]:
            pattern = entry["re2"]
            said.append({"rule": entry["cel"], "message": f"must be {plain['x-allowed']}"})
    if pattern:
        made["pattern"] = patterns.in_re2(pattern)
    if "enum" not in made and (not path or path[0] not in _UNCHECKED) and not _excludes_references(made):
        said.append(_NO_REFERENCE)
    if said:
        made[VALIDATIONS] = said


def _excludes_references(made: dict[str, Any]) -> bool:
    """Whether the pattern of a text accepts no reference; one with an escape of RE2 is about control characters only."""
    pattern = made.get("pattern", "")
    return bool(pattern) and "\\x{" not in pattern and not re.search(pattern, f"{REFERENCE}A")


def _names_of_parameters(source: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the rules about names of additional parameters that a list can say.

    Names of credentials (LM206) are patterns: on the keys of a map, whose length has no bound, the API server's estimate of
    their cost is above its limit.
    """
    node = source["properties"]["spec"]["properties"]["configuration"]["properties"]["additionalParameters"]
    made = [
        (rule["not"]["enum"], _MESSAGES[rule["x-message"]])
        for rule in node["propertyNames"]["x-strict"]["allOf"]
        if "enum" in rule["not"]
    ]
    prefix = "model_list[].litellm_params."
    refused = [
        key.removeprefix(prefix) for key, row in table.by_key().items() if key.startswith(prefix) and row.effect == "refused"
    ]
    made.append((refused, _MESSAGES["LM218"]))
    yield {
        "rule": "self.all(name, name.size() > 0 && name.size() <= 128)",
        "message": "the name of a parameter has 1 to 128 characters",
    }
    yield from ({"rule": f"self.all(name, !(name in {json.dumps(names)}))", "message": message} for names, message in made)


_MESSAGES = {
    "LM207": "a parameter has its own field in the spec: use that field",
    "LM211": "a parameter would let a request bypass the gateway: remove it",
    "LM218": "a parameter would have no effect: docs/extra-configuration.md says why, and what to do instead",
}
