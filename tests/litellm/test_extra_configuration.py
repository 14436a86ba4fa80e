"""The table of the extra configuration has every key that the installed LiteLLM looks up by name in its own source."""

from __future__ import annotations

from tests.support.extra_keys import without_a_row
from tools import extra_configuration


def test_every_key_that_litellm_looks_up_has_a_row():
    keys = extra_configuration.looked_up_keys()
    assert without_a_row(keys) == []
    assert {
        "guardrails",
        "mcp_servers",
        "enable_jwt_auth",
        "general_settings.enable_jwt_auth",
        "litellm_settings.scim_upsert_user",
    } <= keys
