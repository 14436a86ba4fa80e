"""Sets of providers for whom a rule of schema/input-rules.json holds, taken from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider


def _needs_several_keys(provider: Provider) -> bool:
    """Whether apiKeySecretRef can't be all that the provider needs (renderer/credentials.py, LM215)."""
    main = provider.main_credential
    return not main or bool(provider.credential_sets and (main,) not in provider.credential_sets)


_SETS: dict[str, Callable[[Provider], bool]] = {
    "without-address": lambda provider: not provider.address,
    "needing-a-key": lambda provider: provider.needs_key,
    "needing-several-keys": _needs_several_keys,
    "with-a-fixed-address": lambda provider: provider.endpoint_locked,
    "without-api-version": lambda provider: "api_version" not in provider.parameters,
}


def names_of(wanted: str | Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the providers of a set, or of a list of names: as spec.provider says them, and as spec.litellmProvider does."""
    if isinstance(wanted, str):
        chosen = [provider for provider in catalogue.usable() if _SETS[wanted](provider)]
    else:
        chosen = [catalogue.named(name) for name in wanted]
    by_litellm = catalogue.litellm_names()
    return [provider.name for provider in chosen], [
        provider.litellm for provider in chosen if by_litellm[provider.litellm] == provider.name
    ]
