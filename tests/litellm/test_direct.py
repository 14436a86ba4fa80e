"""What the gateway leaves out of a chat completion (direct.py, idle_hooks.py, repeated.py) is what LiteLLM has there.

When a new LiteLLM differs here, read its change and decide whether it can be left out too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typing_extensions as typing
from openai._utils import PropertyInfo
from openai.types.beta.response_create_params import ResponseCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming

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


# Repeated work.


def test_which_paths_are_for_administrators_is_answered_as_before(imported: dict[str, Any]):
    before, first, second = imported["administrators"]
    assert before == first == second == [False, True, True, False, True]


def test_openais_client_has_no_names_to_translate_in_a_chat_completion(imported: dict[str, Any]):
    assert imported["translates"]
    assert _translated(CompletionCreateParamsNonStreaming) == _translated(CompletionCreateParamsStreaming) == []
    assert _translated(ResponseCreateParamsNonStreaming)  # the beta of another API has one: they are found


def _translated(parameters: Any) -> list[PropertyInfo]:
    return [note for note in _notes(parameters, set()) if note.alias is not None or note.format is not None]


def _notes(kind: Any, seen: set[Any]) -> Iterator[PropertyInfo]:
    """Yield what OpenAI's types say about the translation of a parameter, at any depth."""
    if isinstance(kind, PropertyInfo):
        yield kind
    for part in typing.get_args(kind):
        yield from _notes(part, seen)
    if typing.is_typeddict(kind) and kind not in seen:
        seen.add(kind)
        for part in typing.get_type_hints(kind, include_extras=True).values():
            yield from _notes(part, seen)
