"""One stand-in and one event loop for all tests of this folder; what other providers' variables hold must not show up."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from langop_model.translator import settings as translator_settings
from stand_in import StandIn
from tests.wire.wire import Renderings, Wire

# LiteLLM's own, which the translator sets.
CHANGED = (
    "aclient_session", "cache", "disable_hf_tokenizer_download", "disable_token_counter", "drop_params",
    "in_memory_llm_clients_cache", "modify_params", "num_retries", "suppress_debug_info", "turn_off_message_logging",
    "user_url_validation", "use_chat_completions_url_for_anthropic_messages",
)  # fmt: skip
LEAK = "leaked-from-the-environment"
CREDENTIAL = re.compile(r"[\"']([A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|APIKEY|JWT|ACCESS_KEY_ID))[\"']")
# Of a pod's identity, which replaces a Secret; and what turns LiteLLM's own features on.
OUR_OWN = frozenset({"LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "LITELLM_LICENSE_KEY"})


@pytest.fixture(scope="session")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="package")
def runner() -> Iterator[asyncio.Runner]:
    """An event loop in which LiteLLM is set up as the translator does it, and afterwards as it was."""
    import litellm

    from langop_model.translator import clients

    before = {name: getattr(litellm, name) for name in CHANGED}
    models = dict(litellm.model_cost)  # the translator adds those that it is asked for
    translator_settings.apply()
    with asyncio.Runner() as runner:
        session = runner.run(clients.install())
        yield runner
        runner.run(session.close())
    for name, value in before.items():
        setattr(litellm, name, value)
    litellm.model_cost.clear()
    litellm.model_cost.update(models)


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


@pytest.fixture(scope="package")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> Renderings:
    return Renderings(tmp_path_factory.mktemp("renderings"))


@pytest.fixture
def wire(
    provider: StandIn, runner: asyncio.Runner, renderings: Renderings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Wire]:
    """A wire to the stand-in, in a process whose environment has a key for every provider."""
    for name in variables_with_credentials():
        monkeypatch.setenv(name, LEAK)
    provider.reset()
    yield Wire(provider, tmp_path, runner, monkeypatch, renderings)
    assert LEAK not in str([(seen.headers, seen.body, seen.query) for seen in provider.requests])
