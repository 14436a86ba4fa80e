"""`diff` misses nothing: whatever a changed field changes in the configuration is said, in words of people."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer import behaviour, explanation, manifest, rendering
from langop_model.renderer.findings import SpecError, dotted
from langop_model.renderer.manifest import Resource
from langop_model.renderer.source import walk
from tests.conftest import ROOT
from tests.unit.corners import CORNERS
from tests.unit.specs import SETTINGS, a_resource

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
# A place of the file: what is said of one that has no row in schema/changes.json.
RAW = re.compile(r"(callback_settings|litellm_settings|router_settings|general_settings|environment_variables|model_list)\b")


def changed(resource: Resource) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield each leaf of a resource with its configuration, and the one that another value gives."""
    original = rendering.render([resource], SETTINGS).config
    for path, value in walk(resource.manifest["spec"], ("spec",)):
        for other in explanation.alternatives(explanation._node(path), value):
            whole = copy.deepcopy(resource.manifest)
            target: Any = whole
            for segment in path[:-1]:
                target = target[segment]
            target[path[-1]] = other
            try:
                config = rendering.render([resource.replace(manifest=whole)], SETTINGS).config
            except SpecError:
                continue
            yield dotted(path), original, config
            break


def unsaid(resource: Resource) -> list[str]:
    return [leaf for leaf, old, new in changed(resource) if (old != new) != bool(behaviour.compare(old, new))]


def raw(resource: Resource) -> list[str]:
    found = [(leaf, each) for leaf, old, new in changed(resource) for each in behaviour.compare(old, new)]
    return [f"{leaf}: {each.text}" for leaf, each in found if RAW.match(each.text)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_change_of_an_example_is_said(path: Path):
    for resource in manifest.read(str(path.relative_to(ROOT)), SETTINGS).resources:
        assert unsaid(resource) == []
        assert raw(resource) == []


@pytest.mark.parametrize("corner", CORNERS)
def test_every_change_of_a_corner_is_said(corner: str):
    resource = a_resource(CORNERS[corner])
    assert unsaid(resource) == []
    assert raw(resource) == []
