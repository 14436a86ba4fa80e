"""What the gateway leaves out of a chat completion (direct.py, idle_hooks.py) is what LiteLLM has there.

When a new LiteLLM differs here, read its change and decide whether it can be left out too.
"""

from __future__ import annotations

from typing import Any

from langop_model.gateway.internals import direct, idle_hooks

# The direct way.


def test_each_middleware_of_litellm_is_kept_or_left_out_with_a_reason(imported: dict[str, Any]):
    assert set(imported["middleware"]) == direct.KEPT | direct.LEFT_OUT.keys()
    assert not direct.KEPT & direct.LEFT_OUT.keys()


def test_the_direct_way_leads_to_the_function_that_litellm_serves_both_paths_with(imported: dict[str, Any]):
    assert imported["served by"] == dict.fromkeys(direct.PATHS, True)


def test_litellm_asks_for_nothing_before_it_but_who_the_caller_is(imported: dict[str, Any]):
    assert imported["dependencies"] == ["user_api_key_auth"]
    assert imported["chat_completion"] == ["request", "fastapi_response", "model", "user_api_key_dict"]
    assert imported["user_api_key_auth"] == [
        "request", "api_key", "azure_api_key_header", "anthropic_api_key_header", "google_ai_studio_api_key_header",
        "azure_apim_header", "custom_litellm_key_header",
    ]  # fmt: skip


def test_litellm_has_handlers_for_its_errors_and_for_any_other(imported: dict[str, Any]):
    assert {"ProxyException", "HTTPException", "Exception"} <= set(imported["handlers"])


# Hooks.


def test_each_idle_hook_is_one_that_litellm_registers(imported: dict[str, Any]):
    without_database = {"_PROXY_VirtualKeyModelMaxBudgetLimiter"}  # registered at import, before the others
    assert idle_hooks.IDLE.keys() - without_database <= set(imported["registered"])


def test_the_hooks_that_stay_are_known(imported: dict[str, Any]):
    assert set(imported["left"]) == {
        "ServiceLogging", "ResponsesIDSecurity", "SkillsInjectionHook", "_PROXY_SensitiveDataRoutingHandler",
    }  # fmt: skip
