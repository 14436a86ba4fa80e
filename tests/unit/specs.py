"""What the tests of the renderer share: small specifications, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from langop_model.renderer import rendering
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.manifest import Resource
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document

SETTINGS = Settings()
EAST = {"url": "https://east.example.com/v1"}
WEST = {"url": "https://west.example.com/v1"}


def a_spec(**fields: Any) -> dict[str, Any]:
    """Return a right spec that needs nothing else: a self-hosted server. A field that is None is dropped."""
    spec = {"provider": "openai-compatible", "modelName": "llama", "endpoint": "https://llm.example.com/v1", **fields}
    return {name: value for name, value in spec.items() if value is not None}


def balanced(*endpoints: dict[str, Any], strategy: str = "weighted", **fields: Any) -> dict[str, Any]:
    """Return a right spec with `endpoints`."""
    return a_spec(endpoint=None, loadBalancing={"strategy": strategy, "endpoints": list(endpoints)}, **fields)


def with_parameters(**parameters: str) -> dict[str, Any]:
    """Return a right spec with additional parameters."""
    return a_spec(configuration={"additionalParameters": parameters})


def a_manifest(spec: Any, name: str = "model") -> dict[str, Any]:
    metadata = {"metadata": {"name": name}} if name else {}
    return {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", **metadata, "spec": spec}


def a_resource(spec: Any, name: str = "model", *, bare: bool = False) -> Resource:
    """Return the resource that the source reader would make of `spec`."""
    manifest = {"spec": spec} if bare else a_manifest(spec, name)
    document = Document("spec.json", json.dumps(spec if bare else manifest), manifest, stands_for=("spec",) if bare else ())
    return Resource(name, "default", manifest, document, bare)


def render(spec: Any, settings: Settings = SETTINGS, *, name: str = "model", bare: bool = False) -> Rendering:
    return rendering.render([a_resource(spec, name, bare=bare)], settings)


def render_gateway(settings: Settings = SETTINGS, /, **specs: Any) -> Rendering:
    """Return the rendering of a gateway; each argument is a resource's name and spec."""
    resources = [a_resource(spec, name.replace("_", "-")) for name, spec in specs.items()]
    return rendering.render(resources, settings, gateway=True)


def refusal(spec: Any, settings: Settings = SETTINGS, *, bare: bool = False) -> tuple[Finding, ...]:
    """Return the findings with which `spec` is refused."""
    with pytest.raises(SpecError) as caught:
        render(spec, settings, bare=bare)
    return caught.value.findings


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def parameters(result: Rendering, index: int = 0) -> dict[str, Any]:
    """Return the litellm_params of a deployment."""
    found: dict[str, Any] = result.config["model_list"][index]["litellm_params"]
    return found


def words(findings: Iterable[Finding]) -> str:
    """Return everything that `findings` say, as one text."""
    return "\n".join(f"{finding.message} {finding.fix} {finding.path}" for finding in findings)
