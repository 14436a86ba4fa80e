"""The input schema with everything that `render` checks and JSON Schema can say, for editors and for check-jsonschema.

What it can't say: where a URL belongs to another provider or model, the sum of a duration's parts, references between
resources, and whatever a YAML parser refuses. tests/unit/schemas/test_strict.py lists that, code by code.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import parameters
from langop_model.renderer.durations import LONGEST, SHORTEST
from langop_model.renderer.extra import table
from langop_model.resources import load_json
from langop_model.schemas import hover, patterns, rules

ID = "https://langop.io/schema/languagemodel.strict.schema.json"
_REFERENCE = f"^{REFERENCE.replace('.', chr(92) + '.')}"
_NO_REFERENCE = {
    "not": {"pattern": _REFERENCE},
    "errorMessage": "A text that starts with os.environ/ would be replaced with a variable of LiteLLM's process.",
}
_TEXTS = {"integer": "-?(0|[1-9][0-9]*)", "number": "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?", "boolean": "true|false",
          "array": "\\s*\\[[\\s\\S]*", "object": "\\s*\\{[\\s\\S]*"}  # fmt: skip


@cache
def schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12. It is shared: treat it as read-only."""
    made: dict[str, Any] = _node(load_json("languagemodel.schema.json"))
    made.pop("$comment")
    made["$id"] = ID
    spec = made["properties"]["spec"]
    spec["allOf"] = [*rules.in_json_schema(), *rules.names_in_json_schema()]
    fields = spec["properties"]
    _close_parameters(fields["params"], _values())
    _close_parameters(fields["configuration"]["properties"]["additionalParameters"], _texts())
    fields["fallbacks"]["uniqueItems"] = True
    for name in ("networkPolicies", "clusterRef"):  # any value, but no reference
        fields[name] |= {"$ref": "#/$defs/anything"}
    made["$defs"] |= _definitions()
    return made


def _node(node: Any) -> Any:
    if isinstance(node, list):
        return [_node(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {**{key: value for key, value in node.items() if key != "x-strict"}, **node.get("x-strict", {})}
    made = {key: _members(key, value) for key, value in plain.items() if not key.startswith("x-") and key != "format"}
    if "pattern" in made:
        made["pattern"] = patterns.in_ecmascript(made["pattern"])
    if "format" in node:
        made["pattern"] = rules.data()["formats"][node["format"]]["pattern"]
    if "x-allowed" in node:
        made["patternErrorMessage"] = f"This must be {node['x-allowed']}."
    if "description" in node and "type" in node:
        made["description"] = hover.text(node)
        examples = hover.examples(node)
        if examples:
            made["examples"] = examples
    if made.get("type") == "string" and "enum" not in made:
        made |= _NO_REFERENCE
    return made


def _members(key: str, value: Any) -> Any:
    """Return a keyword's value: names of properties are no keywords, and examples are no schemas."""
    if key in ("properties", "$defs"):
        return {name: _node(child) for name, child in value.items()}
    return value if key in ("default", "examples", "enum", "required") else _node(value)


def _close_parameters(node: dict[str, Any], values: dict[str, Any]) -> None:
    """Give parameters their types, and refuse the names that would have no effect (LM218)."""
    refused = [name for name, row in _rows().items() if row.effect == "refused"]
    node["propertyNames"]["allOf"] += [{"not": {"enum": refused}, "errorMessage": "This parameter would have no effect here."}]
    node["properties"] = {name: value for name, value in values.items() if name not in refused}
    others = node.get("additionalProperties", True)
    node["additionalProperties"] = {**(others if isinstance(others, dict) else {}), "$ref": "#/$defs/anything"}


def _rows() -> dict[str, table.Row]:
    prefix = "model_list[].litellm_params."
    return {key.removeprefix(prefix): row for key, row in table.by_key().items() if key.startswith(prefix)}


def _values() -> dict[str, Any]:
    """Return the schema of each parameter of spec.params that LiteLLM knows, or that a field of the spec means."""
    known = {name: {"allOf": [node, {"$ref": "#/$defs/anything"}]} for name, node in parameters.known().items()}
    meant = load_json("languagemodel.schema.json")["properties"]["spec"]["properties"]["params"]["x-fields"]
    return {**known, **{name: _field(entry) for name, entry in meant.items()}}


def _field(entry: dict[str, str]) -> dict[str, Any]:
    if entry.get("convert") == "seconds":
        return {"type": "number", "minimum": SHORTEST, "maximum": LONGEST}
    node: Any = load_json("languagemodel.schema.json")["properties"]["spec"]
    for name in entry["field"].split("."):
        node = node["properties"][name]
    field: dict[str, Any] = _node(node)
    return field


def _texts() -> dict[str, Any]:
    """Return the schema of each parameter of additionalParameters: a text that its type can be read from."""
    fields = load_json("languagemodel.schema.json")["properties"]["spec"]["properties"]["params"]["x-fields"]
    made = {name: _text(node) for name, node in parameters.known().items()}
    for name, entry in fields.items():
        if entry["field"] == "endpoint":
            made[name] = _field(entry)
        elif entry.get("convert") == "seconds":
            made[name] = {"type": "string", "pattern": f"^(?=.*[1-9])({_TEXTS['number'].removeprefix('-?')})$"}
        else:
            least = _field(entry)["minimum"]
            made[name] = {"type": "string", "pattern": "^[1-9][0-9]*$" if least else "^(0|[1-9][0-9]*)$"}
    return made


def _text(node: dict[str, Any]) -> dict[str, Any]:
    types = _kinds(node)
    if "enum" in node:
        return {"enum": [value for value in node["enum"] if isinstance(value, str)]}
    return {"$ref": f"#/$defs/{_name_of_text(types) if types and 'string' not in types else 'text'}"}


def _kinds(node: dict[str, Any]) -> list[str]:
    types = node.get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _name_of_text(types: list[str]) -> str:
    return f"text-of-{'-or-'.join(types)}"


def _definitions() -> dict[str, Any]:
    """Return the recursive rules about values of any shape: no reference, and no credential by its name (LM206)."""
    types = {name: kinds for name, node in parameters.known().items() if (kinds := _kinds(node)) and "string" not in kinds}
    texts = {
        _name_of_text(kinds): {
            "type": "string",
            "pattern": f"^({'|'.join(_TEXTS[kind] for kind in kinds)})$",
            "patternErrorMessage": f"This must be the text of {' or '.join(kinds)}.",
        }
        for kinds in types.values()
    }
    return {
        **texts,
        "text": {"type": "string", **_NO_REFERENCE},
        "litellmName": {"pattern": rules.litellm_names()},
        "anything": {
            "allOf": [
                {"not": {"type": "string", "pattern": _REFERENCE}, "errorMessage": _NO_REFERENCE["errorMessage"]},
                {"items": {"$ref": "#/$defs/anything"}, "additionalProperties": {"$ref": "#/$defs/anything"}},
            ]
        },
    }
