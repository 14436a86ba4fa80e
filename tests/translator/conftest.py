"""One stand-in, one event loop and LiteLLM set up as in the translator's process, for all tests of this folder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.translator.wire import TranslatedWire
from tests.wire.conftest import LEAK, variables_with_credentials
from tools.stand_in import StandIn

_CHANGED = (
    "aclient_session", "cache", "disable_hf_tokenizer_download", "disable_token_counter", "drop_params", "in_memory_llm_clients_cache",
    "modify_params", "num_retries", "suppress_debug_info", "turn_off_message_logging", "user_url_validation",
    "use_chat_completions_url_for_anthropic_messages",
)  # fmt: skip


@pytest.fixture(scope="session")
def provider() -> Iterator[StandIn]:
    with StandIn() as provider:
        yield provider


@pytest.fixture(scope="package")
def runner() -> Iterator[asyncio.Runner]:
    """An event loop in which LiteLLM is set up as the translator does it, and afterwards as it was."""
    pytest.importorskip("litellm")
    import litellm

    from langop_model.translator import clients, settings

    before = {name: getattr(litellm, name) for name in _CHANGED}
    settings.apply()
    clients.install()
    with asyncio.Runner() as runner:
        yield runner
    for name, value in before.items():
        setattr(litellm, name, value)


@pytest.fixture
def wire(
    provider: StandIn, runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TranslatedWire]:
    """A wire to the stand-in, in a process whose environment has a key for every provider."""
    for name in variables_with_credentials():
        monkeypatch.setenv(name, LEAK)
    provider.reset()
    with contextlib.closing(contextlib.ExitStack()):
        yield TranslatedWire(provider, tmp_path, runner, monkeypatch)
    assert LEAK not in str([(seen.headers, seen.body, seen.query) for seen in provider.requests])
