"""One stand-in and one event loop for all tests of this folder; what other providers' variables hold must not show up."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.wire.wire import Wire
from tools.stand_in import StandIn

LEAK = "leaked-from-the-environment"
CREDENTIAL = re.compile(r"[\"']([A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|APIKEY|JWT|ACCESS_KEY_ID))[\"']")
# Of a pod's identity, which stands in for a Secret; and what turns LiteLLM's own features on.
OUR_OWN = frozenset({"LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "LITELLM_LICENSE_KEY"})


@pytest.fixture(scope="session")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """An event loop, and LiteLLM as the translator's process sets it up."""
    from langop_model.translator import settings

    if "litellm" not in sys.modules:
        settings.prepare_environment()
    from langop_model.translator import clients

    settings.apply()
    clients.install()
    with asyncio.Runner() as runner:
        yield runner


@cache
def variables_with_credentials() -> frozenset[str]:
    """Return the variables whose names stand in LiteLLM's sources as if they held a provider's credentials."""
    (source,) = importlib.util.find_spec("litellm").submodule_search_locations  # type: ignore[union-attr, misc]
    found: set[str] = set()
    for folder in ("llms", "litellm_core_utils", "secret_managers"):
        for path in (Path(source) / folder).rglob("*.py"):
            found.update(CREDENTIAL.findall(path.read_text(encoding="utf-8")))
    found.update(CREDENTIAL.findall((Path(source) / "main.py").read_text(encoding="utf-8")))
    return frozenset(found) - OUR_OWN


@pytest.fixture
def wire(provider: StandIn, runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A wire to the stand-in, in a process whose environment has a key for every provider."""
    for name in variables_with_credentials():
        monkeypatch.setenv(name, LEAK)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    provider.reset()
    yield Wire(provider, tmp_path, runner, monkeypatch)
    assert LEAK not in str([(seen.headers, seen.body, seen.query) for seen in provider.requests])
