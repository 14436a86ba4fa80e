"""Embeddings of providers that chat and of some that don't: the configuration is the same."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import catalogue
from tests.wire.wire import KEY, Wire, nothing_leaves_this_machine

INPUT = "a text to embed"


@pytest.mark.parametrize("name", ["openai", "openai-compatible", "voyage", "jina_ai", "mistral", "together_ai", "infinity"])
def test_a_text_is_embedded(name: str, wire: Wire):
    provider = catalogue.named(name)
    assert provider.serves("embeddings")
    spec: dict[str, Any] = {
        "provider": name,
        "modelName": f"embedder-of-{name}",
        "endpoint": f"{wire.provider.base(f'at-{name}')}/v1",
        "apiKeySecretRef": {"name": "secret"},
    }
    with nothing_leaves_this_machine():
        deployed = wire.deploy(wire.rendered(spec, {"secret": {"api-key": KEY}}))
        embedding = wire.embed(deployed, INPUT)
    (seen,) = wire.seen
    assert seen.path == "/v1/embeddings"
    assert seen.body["model"] == f"embedder-of-{name}"
    assert seen.body["input"] == [INPUT]
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert len(embedding) > 1
