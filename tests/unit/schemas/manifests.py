"""Manifests that the generated schemas and `render` are compared on, and what `render` says about each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from langop_model.renderer import manifest as reading
from langop_model.renderer import rendering, source
from langop_model.renderer.findings import SpecError
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document
from tests.conftest import ROOT
from tests.unit.crd_corpus import corpus
from tests.unit.specs import a_manifest, a_spec

HEADER_CODES = {"LM009", "LM010", "LM014", "LM103"}  # another kind or group
SETTINGS = Settings(redis=True, memcached=True)
KEYED = {"apiKeySecretRef": {"name": "keys"}}
REGION = {"name": "eu"}
ENDPOINT = {"url": "https://eu.example.com/v1"}


def text_parameters(**values: str) -> dict[str, Any]:
    """Return the member of a spec with additional parameters."""
    return {"configuration": {"additionalParameters": values}}


BETWEEN_FIELDS: list[dict[str, Any]] = [
    a_spec(provider=None),
    a_spec(litellmProvider="openai"),
    a_spec(endpoint=None),
    a_spec(endpoint=None, params={"api_base": "https://llm.example.com/v1"}),
    a_spec(endpoint=None, configuration={"additionalParameters": {"base_url": "https://llm.example.com/v1"}}),
    a_spec(endpoint=None, regions=[REGION]),
    a_spec(endpoint=None, regions=[{**REGION, "endpoint": "https://eu.example.com/v1"}]),
    a_spec(endpoint=None, regions=[{**REGION, "endpoint": "https://eu.example.com/v1"}, {"name": "us"}]),
    a_spec(endpoint=None, regions=[{**REGION, "endpoint": "https://eu.example.com/v1"}, {"name": "us", "enabled": False}]),
    a_spec(endpoint=None, loadBalancing={"endpoints": [ENDPOINT]}),
    a_spec(endpoint=None, loadBalancing={"endpoints": []}),
    a_spec(regions=[{**REGION, "enabled": False}]),
    a_spec(regions=[]),
    {"provider": "openai", "modelName": "gpt-4o"},
    {"provider": "openai", "modelName": "gpt-4o", **KEYED},
    {"provider": "openai", "modelName": "gpt-4o", "credentialsSecretRef": {"name": "keys"}},
    {"provider": "openai", "modelName": "gpt-4o", "endpoint": "https://llm.example.com/v1"},
    {"litellmProvider": "openai", "modelName": "gpt-4o"},
    {"provider": "openai", "modelName": "anthropic/claude", **KEYED},
    {"provider": "openai", "modelName": "openai/gpt-4o", **KEYED},
    {"provider": "openai", "modelName": "anthropic/claude", **KEYED, "endpoint": "https://llm.example.com/v1"},
    {"provider": "sagemaker", "modelName": "endpoint", "region": "eu-west-1", **KEYED},
    {"provider": "replicate", "modelName": "owner/model", **KEYED},
    {"provider": "replicate", "modelName": "owner/model", **KEYED, "endpoint": "https://llm.example.com/v1"},
    {"provider": "replicate", "modelName": "owner/model", **KEYED, "params": {"api_base": "https://llm.example.com/v1"}},
    {"provider": "oci", "modelName": "cohere.command", "credentialsSecretRef": {"name": "keys"}},
    {"provider": "oci", "modelName": "c", "credentialsSecretRef": {"name": "keys"}, "params": {"oci_compartment_id": "x"}},
    {"provider": "oci", "modelName": "c", "endpoint": ENDPOINT["url"], **text_parameters(seed="1")},
    {"provider": "oci", "modelName": "c", "endpoint": ENDPOINT["url"], **text_parameters(oci_compartment_id="x")},
    {"provider": "gdc", "modelName": "c", "endpoint": ENDPOINT["url"], "location": "l", **text_parameters(seed="1")},
    {"provider": "gdc", "modelName": "c", **text_parameters(vertex_project="p", vertex_location="l")},
    *({"provider": "watsonx", "modelName": "c", "endpoint": ENDPOINT["url"], **KEYED, **each} for each in (
        {}, {"project": "p"}, {"modelName": "deployment/d"}, {"params": {"space_id": "s"}},
        text_parameters(project_id="p"), text_parameters(seed="1"),
    )),
    {"provider": "openai", "modelName": "gpt-4o", "params": {}},
    {"provider": "azure", "modelName": "d", **KEYED, "params": {}},
    a_spec(params={"model": "x"}),
    a_spec(endpoint="https://llm.example.com/v1?api-version=2024-10-21"),
    a_spec(endpoint="https://llm.example.com/v1?api-version=2024-10-21", loadBalancing={"endpoints": [ENDPOINT]}),
    a_spec(endpoint="https://llm.example.com/v1?api-version=2024-10-21", regions=[{**REGION, "endpoint": ENDPOINT["url"]}]),
    a_spec(endpoint="https://llm.example.com/v1?api-version=2024-10-21", regions=[REGION]),
    a_spec(endpoint="https://llm.example.com/v1?api-version=2024-10-21", params={"api_base": "https://llm.example.com/v1"}),
    {"provider": "azure", "modelName": "d", **KEYED, "endpoint": "https://r.openai.azure.com?api-version=2024-10-21"},
    a_spec(fallbacks=[{"modelRef": "a"}, {"modelRef": "a", "conditions": ["timeout"]}]),
    a_spec(fallbacks=[{"modelRef": "a"}, {"modelRef": "b"}]),
    a_spec(fallbacks=[{"modelRef": f"m{index}"} for index in range(65)]),
    a_spec(params={"top_k": 4, "seed": "x"}),
    a_spec(params={"seed": 4}),
    a_spec(params={"api_key": "x"}),
    a_spec(params={"extra_headers": {"x": "os.environ/HOME"}}),
    a_spec(params={"tags": ["a"]}),
    a_spec(params={"rpm": 0}),
    a_spec(params={"rpm": 5}),
    a_spec(params={"timeout": "5m"}),
    a_spec(params={"timeout": 0.5}),
    a_spec(params={"acme_cache_key": "x"}),
    a_spec(params={"acme_key": "x"}),
    a_spec(params={"max_token": 1}),
    a_spec(params={"acme_token": "x"}),
    *(a_spec(configuration={"additionalParameters": each}) for each in (
        {"seed": "x"}, {"seed": "4"}, {"seed": "4.5"}, {"top_k": "4"}, {"rpm": "0"}, {"rpm": "9"}, {"acme_token": "x"},
        {"OPENAI_API_KEY": "x"}, {"prompt_cache_key": "x"}, {"input_cost_per_token": "1"}, {"temperature": "1"},
        {"extra_body": "{}"}, {"extra_body": "x"}, {"stream_timeout": "2"}, {"tags": "[]"}, {"user": "os.environ/HOME"},
        {"x-jwt": "a"}, {"cost_per_token": "1"}, {"a\nb": "1"},
    )),
]  # fmt: skip


@cache
def manifests() -> tuple[dict[str, Any], ...]:
    """Return every example that parses, right and wrong, the corpus of the cluster's schema, and the cases of rules."""
    return (*_examples(), *(a_manifest(spec) for _, _, spec in corpus()), *(a_manifest(spec) for spec in BETWEEN_FIELDS))


def documents(path: Path) -> list[dict[str, Any]]:
    """Return the LanguageModels in a file; none where it does not parse."""
    try:
        values = [document.value for document in source.read(str(path))]
    except SpecError:
        return []
    return [each for each in values if isinstance(each, dict) and each.get("kind") == "LanguageModel"]


def _examples() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        yield from documents(path)


def errors_of(manifest: dict[str, Any]) -> frozenset[str]:
    """Return the codes of the errors that `render` gives for a manifest."""
    return _errors_of(json.dumps(manifest))


@cache
def _errors_of(text: str) -> frozenset[str]:
    manifest = json.loads(text)
    try:
        read = reading.collect("m.yaml", [Document("m.yaml", "", manifest)], SETTINGS)
        rendering.render(read.resources, SETTINGS)
    except SpecError as problem:
        return frozenset(finding.code for finding in problem.findings if finding.level == "error")
    return frozenset()
