"""What the tests of the extra configuration share."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_spec, render, render_gateway


def rendered(extra: str, **fields: Any) -> Rendering:
    """Return the rendering of one model, `llama`, with the extra configuration."""
    return render(a_spec(**fields), Settings(extra_config=extra))


def gateway(extra: str, /, **specs: Any) -> Rendering:
    """Return the rendering of a gateway; each argument is a resource's name and spec."""
    return render_gateway(Settings(extra_config=extra), **specs)


def section(result: Rendering, group: str = "llama") -> dict[str, Any]:
    """Return what the contract says about a model group."""
    found: dict[str, Any] = result.config["callback_settings"]["langop"]["models"][group]
    return found


def refusal(extra: str, **fields: Any) -> tuple[Finding, ...]:
    """Return the findings with which the extra configuration is refused."""
    with pytest.raises(SpecError) as caught:
        rendered(extra, **fields)
    return caught.value.findings


def refusals(extra: str) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(finding.code, finding.path) for finding in refusal(extra)]


def about_extra(result: Rendering) -> list[tuple[str, str]]:
    """Return code and path of the findings about the variable."""
    found = [finding for finding in result.findings if finding.file == "LANGOP_GATEWAY_EXTRA_CONFIG"]
    return [(finding.code, ".".join(map(str, finding.path))) for finding in found]
