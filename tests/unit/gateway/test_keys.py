"""Who may ask."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException

from langop_model.gateway.access import keys
from langop_model.gateway.access.keys import Caller, Keys

# Made with: printf agent-7 | openssl dgst -sha256 -hmac s3cret | cut -c1-32
AGENTS_KEY = "sk-langop-agent-7.ac4ba17a6c90cba071f7dd2d50caf946"
KEYS = Keys(master="sk-master", secret="s3cret")


def test_without_secrets_no_key_is_needed():
    assert not Keys.from_environment({}).needed
    assert not Keys.from_environment({"LITELLM_MASTER_KEY": " \n", "LANGOP_GATEWAY_HMAC_SECRET": ""}).needed


def test_white_space_around_a_secret_is_no_part_of_it():
    accepted = Keys.from_environment({"LITELLM_MASTER_KEY": "sk-master\n", "LANGOP_GATEWAY_HMAC_SECRET": " s3cret\n"})
    assert accepted == KEYS


def test_the_master_key_is_good_and_belongs_to_no_agent():
    assert KEYS.caller("sk-master") == Caller(None)


def test_an_agents_key_is_good_and_tells_the_agent():
    assert KEYS.caller(AGENTS_KEY) == Caller("agent-7")
    assert Keys(secret="s3cret").caller(AGENTS_KEY) == Caller("agent-7")


def test_an_agents_id_may_hold_dots_and_dashes():
    agent = "team.a-1.b"
    assert KEYS.caller(f"sk-langop-{agent}.{keys.signature('s3cret', agent)}") == Caller(agent)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sk-langop-",
        "sk-langop-.",
        "sk-maste",
        "sk-master2",
        "SK-MASTER",
        AGENTS_KEY[:-1],
        AGENTS_KEY + "0",
        AGENTS_KEY.replace("agent-7", "agent-8"),
        AGENTS_KEY.removeprefix("sk-langop-"),
        AGENTS_KEY.partition(".")[0],
        f"sk-langop-.{keys.signature('s3cret', '')}",
        f"sk-langop-agent-7.{keys.signature('', 'agent-7')}",
        "sk-langop-agent-7." + "ü" * 32,
        "x" * 100_000,
    ],
)
def test_any_other_key_is_nobodys(key: str):
    assert KEYS.caller(key) is None


def test_an_agents_key_is_nobodys_where_there_is_no_secret():
    assert Keys(master="sk-master").caller(f"sk-langop-agent-7.{keys.signature('', 'agent-7')}") is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"authorization", b"Bearer the-key"),
        (b"authorization", b"bearer  the-key "),
        (b"x-api-key", b"the-key"),
        (b"api-key", b"the-key"),
        (b"x-litellm-api-key", b"Bearer the-key"),
    ],
)
def test_a_key_is_found_in_each_header_that_clients_use(header: bytes, value: bytes):
    assert keys.offered([(b"host", b"x"), (header, value)]) == ["the-key"]


def test_of_several_headers_each_is_tried_in_a_fixed_order():
    assert keys.offered([(b"x-api-key", b"two"), (b"api-key", b""), (b"authorization", b"Bearer one")]) == ["one", "two"]


def test_a_header_that_is_no_text_is_no_error():
    assert KEYS.caller(keys.offered([(b"authorization", b"Bearer \xff\xfe")])[0]) is None


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
