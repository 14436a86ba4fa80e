"""Values of a YAML text as PyYAML's safe loader gives them, in half its time: most nodes are maps and lists of texts."""

from __future__ import annotations

from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_TEXT, _MAP, _LIST = f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"


def load(text: str, loader: Any) -> Any:
    """Return what `yaml.load(text, loader)` returns, for a safe loader. Raises yaml.YAMLError as it does."""
    reading = loader(text)
    try:
        node = reading.get_single_node()
        return None if node is None else construct(node, reading)
    finally:
        reading.dispose()


def construct(node: Any, loader: Any) -> Any:
    """Return the value of a node that `loader` has read: anything but maps, lists and texts is the loader's own business."""
    tag = node.tag
    if tag == _TEXT and isinstance(node, yaml.ScalarNode):
        return node.value
    if tag == _MAP and isinstance(node, yaml.MappingNode) and all(key.tag == _TEXT for key, _ in node.value):
        return {key.value: construct(value, loader) for key, value in node.value}
    if tag == _LIST and isinstance(node, yaml.SequenceNode):
        return [construct(item, loader) for item in node.value]
    return loader.construct_object(node, deep=True)
