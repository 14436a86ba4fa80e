"""Client keys."""

from __future__ import annotations

import pytest

from langop_model.gateway.access import authentication
from langop_model.gateway.access.authentication import Caller, ClientKeys

# Made with: printf agent-7 | openssl dgst -sha256 -hmac s3cret | cut -c1-32
AGENTS_KEY = "sk-langop-agent-7.ac4ba17a6c90cba071f7dd2d50caf946"
KEYS = ClientKeys(master="sk-master", secret="s3cret")


def test_without_secrets_no_key_is_needed():
    assert not ClientKeys.from_environment({}).required
    assert not ClientKeys.from_environment({"LITELLM_MASTER_KEY": " \n", "LANGOP_GATEWAY_HMAC_SECRET": ""}).required


def test_white_space_around_a_secret_is_no_part_of_it():
    accepted = ClientKeys.from_environment({"LITELLM_MASTER_KEY": "sk-master\n", "LANGOP_GATEWAY_HMAC_SECRET": " s3cret\n"})
    assert accepted == KEYS


def test_the_master_key_is_good_and_belongs_to_no_agent():
    assert KEYS.caller("sk-master") == Caller(None)


def test_an_agents_key_is_good_and_tells_the_agent():
    assert KEYS.caller(AGENTS_KEY) == Caller("agent-7")
    assert ClientKeys(secret="s3cret").caller(AGENTS_KEY) == Caller("agent-7")


def test_an_agents_id_may_hold_dots_and_dashes():
    agent = "team.a-1.b"
    assert KEYS.caller(f"sk-langop-{agent}.{authentication.signature('s3cret', agent)}") == Caller(agent)


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
        f"sk-langop-.{authentication.signature('s3cret', '')}",
        f"sk-langop-agent-7.{authentication.signature('', 'agent-7')}",
        "sk-langop-agent-7." + "ü" * 32,
        "x" * 100_000,
    ],
)
def test_any_other_key_is_nobodys(key: str):
    assert KEYS.caller(key) is None


def test_an_agents_key_is_nobodys_where_there_is_no_secret():
    assert ClientKeys(master="sk-master").caller(f"sk-langop-agent-7.{authentication.signature('', 'agent-7')}") is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"authorization", b"Bearer the-key"),
        (b"authorization", b"bearer  the-key "),
        (b"x-api-key", b"the-key"),
        (b"api-key", b"the-key"),
        (b"x-litellm-api-key", b"Bearer the-key"),
        (b"x-goog-api-key", b"the-key"),
    ],
)
def test_a_key_is_found_in_each_header_that_clients_use(header: bytes, value: bytes):
    assert authentication.offered_keys([(b"host", b"x"), (header, value)]) == ["the-key"]


def test_of_several_headers_each_is_tried_in_a_fixed_order():
    assert authentication.offered_keys([(b"x-api-key", b"two"), (b"api-key", b""), (b"authorization", b"Bearer one")]) == [
        "one",
        "two",
    ]


def test_a_header_that_is_no_text_is_no_error():
    assert KEYS.caller(authentication.offered_keys([(b"authorization", b"Bearer \xff\xfe")])[0]) is None
