"""What a zero means in a bare spec: the operator's Go structs do not tell a 0 or an empty text from a field that is absent.

Where the schema has a use for the zero (`temperature: 0`, `maxAttempts: 0`) it is a value like any other. Elsewhere, as in
`requestsPerMinute: 0`, it is no value: no limit.
"""

from __future__ import annotations

from typing import Any

from langop_model.renderer import specification
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.manifest import Resource


def without_zero_values(resource: Resource, found: Findings) -> Resource:
    """Return a bare resource without the optional fields that hold a zero which the schema refuses; LM141 names each."""
    spec = resource.manifest.get("spec")
    if not resource.bare or not isinstance(spec, dict):
        return resource
    node = specification.schema()["properties"]["spec"]
    return resource.replace(manifest={**resource.manifest, "spec": _without(node, spec, ("spec",), found)})


def _without(node: dict[str, Any], value: Any, path: Path, found: Findings) -> Any:
    if isinstance(value, list) and "items" in node:
        return [_without(node["items"], item, (*path, index), found) for index, item in enumerate(value)]
    if not isinstance(value, dict) or "properties" not in node:
        return value
    kept = {}
    for key, item in value.items():
        child = node["properties"].get(key)
        if (
            child is not None
            and _is_zero(item)
            and key not in node.get("required", ())
            and not specification.accepts(child, item)
        ):
            found.add("LM141", *path, key, value=item)
        else:
            kept[key] = _without(child, item, (*path, key), found) if child is not None else item
    return kept


def _is_zero(value: Any) -> bool:
    return value == "" or (isinstance(value, int | float) and not isinstance(value, bool) and value == 0)
