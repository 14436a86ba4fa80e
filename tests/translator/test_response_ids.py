"""The ids that clients get of responses say nothing but the provider's own id."""

from __future__ import annotations

import base64

import pytest

from langop_model.translator import response_ids


def encoded(own: str) -> str:
    """Return an id as LiteLLM makes it."""
    text = f"litellm:custom_llm_provider:openai;model_id:None;response_id:{own}"
    return "resp_" + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(("own", "shown"), [("resp_abc123", "resp_abc123"), ("chatcmpl-1", "resp_chatcmpl-1")])
def test_an_id_of_litellms_becomes_the_providers_own(own: str, shown: str):
    assert response_ids.plain(encoded(own)) == shown


@pytest.mark.parametrize("identity", ["resp_68a1", "resp_abcd", "", "resp_", "msg_1", encoded("")])
def test_any_other_id_stays(identity: str):
    assert response_ids.plain(identity) == identity
