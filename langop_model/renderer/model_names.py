"""The model that a modelName means: LiteLLM's way to write it, `openai/gpt-4`, names the provider a second time."""

from __future__ import annotations

from collections.abc import Sequence

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.endpoints import host
from langop_model.renderer.findings import Findings, Path

NAME_PATH: Path = ("spec", "modelName")


def read(provider: Provider, name: str, endpoints: Sequence[str | None], found: Findings) -> str:
    """Return the provider's own name of the model `name`, which is asked at `endpoints` (None: the provider's own address).

    Records an info where LiteLLM's name of the provider was cut, and an error where it is that of another provider. At another
    server the same name may be one of its own (OpenRouter has openai/gpt-4), unless a request names the model in its path.
    """
    at_home = all(endpoint is None or host(endpoint) == host(provider.address) for endpoint in endpoints)
    if not (at_home or provider.named_in_path):
        return name
    for prefix in provider.prefixes:
        own = name.removeprefix(prefix)
        if own not in (name, ""):
            found.add("LM134", *NAME_PATH, name=own, prefix=prefix)
            return own
    prefix, slash, _ = name.partition("/")
    if provider.slashless and slash and prefix in catalogue.litellm_names():
        found.add("LM235", *NAME_PATH, model=name, provider=provider.name, prefix=f"{prefix}/")
    return name
