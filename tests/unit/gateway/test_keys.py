"""What LiteLLM learns of a client's key."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException

from langop_model.gateway.access import keys
from langop_model.gateway.access.keys import Keys

# Made with: printf agent-7 | openssl dgst -sha256 -hmac s3cret | cut -c1-32
AGENTS_KEY = "sk-langop-agent-7.ac4ba17a6c90cba071f7dd2d50caf946"
KEYS = Keys(master="sk-master", secret="s3cret")


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(keys, "accepted", lambda: KEYS)
    return SimpleNamespace()


def test_litellm_gets_the_agent_as_its_user(process: Any):
    assert asyncio.run(keys.litellm_user(process, AGENTS_KEY)).user_id == "agent-7"
    assert asyncio.run(keys.litellm_user(process, "sk-master")).user_id is None


@pytest.mark.parametrize("key", ["wrong", "", None])
def test_litellm_is_told_401_of_any_other_key(process: Any, key: Any):
    with pytest.raises(HTTPException) as caught:
        asyncio.run(keys.litellm_user(process, key))
    assert caught.value.status_code == 401
    assert "wrong" not in str(caught.value.detail)
