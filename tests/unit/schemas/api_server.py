"""What an API server says of a resource: unknown fields pruned, defaults filled in, the schema, then the rules in CEL."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import celpy
import re2
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from langop_model.schemas import crd
from tools import cel_cost

Node = dict[str, Any]
_FIELD = re.compile(r"\bself\.([A-Za-z_]\w*)\b(?!\()")
_extend: Any = extend


def schema() -> Node:
    """Return the schema of the whole resource, as the definition has it."""
    found: Node = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


class Server:
    """An API server with the CustomResourceDefinition installed. Patterns are RE2's, as there."""

    def __init__(self) -> None:
        self._environment = celpy.Environment()
        self._refusals: dict[str, list[str]] = {}
        self._said: dict[tuple[str, str], bool] = {}  # the same few values are everywhere in the corpus
        self._programs = {rule["rule"]: self._program(rule["rule"]) for _, rule, _ in cel_cost.rules(schema())}
        checked: Any = _extend(Draft202012Validator, {"pattern": _pattern})
        self._validator = checked(schema())

    def refusals(self, manifest: Node) -> list[str]:
        """Return why the server refuses to store a manifest; nothing where it accepts it."""
        stored = stored_form(schema(), manifest)
        text = json.dumps(stored, sort_keys=True)
        if text not in self._refusals:
            self._refusals[text] = self._refuse(stored)
        return self._refusals[text]

    def _refuse(self, stored: Node) -> list[str]:
        wrong = [error.message for error in self._validator.iter_errors(stored)]
        return wrong or self._broken(schema(), stored)  # as there: rules only if the schema accepts

    def _program(self, rule: str) -> celpy.Runner:
        return self._environment.program(self._environment.compile(rule))

    def _holds(self, rule: str, value: Any) -> bool:
        try:
            seen = set(_FIELD.findall(rule))  # of an object a rule sees the fields that it names, and no more
            value = {name: each for name, each in value.items() if name in seen} if seen and isinstance(value, dict) else value
            key = (rule, json.dumps(value, sort_keys=True))
            if key not in self._said:
                self._said[key] = bool(self._programs[rule].evaluate({"self": celpy.json_to_cel(value)}))
            return self._said[key]
        except celpy.CELEvalError:  # as there: a rule that can't be evaluated is not fulfilled
            return False

    def _broken(self, node: Node, value: Any) -> list[str]:
        broken = [rule["message"] for rule in node.get("x-kubernetes-validations", []) if not self._holds(rule["rule"], value)]
        if isinstance(value, dict):
            for name, child in node.get("properties", {}).items():
                broken += self._broken(child, value[name]) if name in value else []
            for inner in value.values() if "additionalProperties" in node else ():
                broken += self._broken(node["additionalProperties"], inner)
        if isinstance(value, list) and "items" in node:
            broken += [message for item in value for message in self._broken(node["items"], item)]
        return broken


def stored_form(node: Node, value: Any) -> Any:
    """Return a value as the server stores it: without fields that the schema does not have, and with defaults."""
    if isinstance(value, list) and "items" in node:
        return [stored_form(node["items"], item) for item in value]
    if not isinstance(value, dict) or "properties" not in node:
        return copy.deepcopy(value)
    known = node["properties"]
    kept = {name: item for name, item in value.items() if name in known}
    absent = {name: child["default"] for name, child in known.items() if "default" in child and name not in kept}
    return {name: stored_form(known[name], item) for name, item in {**kept, **absent}.items()}


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Any:
    if isinstance(instance, str) and not re2.search(pattern, instance):
        from jsonschema import ValidationError

        yield ValidationError(f"{instance!r} does not match {pattern!r}")
