"""The keys of a rendering, loaded as `launch` loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from langop_model.launch.provider_credentials import ProviderKeys
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.rendering import Rendering


def load_keys(result: Rendering, say: Callable[[Iterable[Finding]], None] = lambda _: None) -> dict[str, str]:
    """Return the keys that the configuration refers to, by the variable that LiteLLM reads them from.

    Raises SpecError with the errors of ProviderKeys.check; `say` gets its warnings.
    """
    keys = ProviderKeys()
    found = list(dict.fromkeys(finding for model in result.models for finding in keys.check(model)))
    say(finding for finding in found if finding.level != "error")
    if errors := [finding for finding in found if finding.level == "error"]:
        raise SpecError(errors)
    return keys.of(result.models)
