"""What the gateway does not do again for each request (repeated.py) has the result that it has in LiteLLM and its libraries.

When one of them differs here, read its change and decide whether the work can still be left out.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import litellm
import openai
import pytest
import typing_extensions as typing
from openai._utils import PropertyInfo
from openai.types.beta.response_create_params import ResponseCreateParamsNonStreaming
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming

from langop_model.gateway.internals import repeated

Function = Callable[..., Any]


class Place:
    """A function as its library has it, how often it is called, and what repeated.py makes of it."""

    def __init__(self, name: str) -> None:
        ((owner, without),) = [(owner, without) for owner, each, without in repeated.places() if each == name]
        found = getattr(owner, name)
        self.original: Function = inspect.unwrap(found)
        self.calls = 0
        self.replacement: Function = without(self._counted)

    def _counted(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.original(*args, **kwargs)


def test_each_place_is_where_its_library_has_it():
    for owner, name, _ in repeated.places():
        assert callable(inspect.unwrap(getattr(owner, name)))


def test_a_function_is_replaced_once_and_stays_what_it_was_of_its_class(monkeypatch: pytest.MonkeyPatch):
    class Owner:
        @staticmethod
        def name() -> str:
            return "LiteLLM's"

    monkeypatch.setattr(repeated, "places", lambda: ((Owner, "name", lambda original: lambda: f"not {original()}"),))
    install = functools.cache(repeated.install.__wrapped__)
    install()
    install()
    assert Owner().name() == Owner.name() == "not LiteLLM's"


# Which paths are for administrators.


def test_which_paths_are_for_administrators_is_answered_as_before():
    place = Place("is_management_route")
    paths = ["/v1/chat/completions", "/key/generate", "/team/new", "/v1/models", "/model/new"]
    before = [place.original(path) for path in paths]
    assert [place.replacement(path) for _ in range(2) for path in paths] == [*before, *before]
    assert before == [False, True, True, False, True]
    assert place.calls == len(paths)


# What is known of a model.


def test_a_models_facts_are_looked_for_once_and_nobody_changes_those_of_the_next_request():
    place = Place("get_model_info_helper")
    for _ in range(2):
        found = place.replacement(model="gpt-4o", custom_llm_provider="openai")
        assert found == place.original(model="gpt-4o", custom_llm_provider="openai")
        found["mode"] = "changed"
    assert place.calls == 1


def test_that_nothing_is_known_of_a_model_is_found_once_and_said_each_time():
    place = Place("get_model_info_helper")
    with pytest.raises(Exception, match="isn't mapped"):
        place.original(model="my-own", custom_llm_provider="openai")
    for _ in range(2):
        with pytest.raises(LookupError, match="isn't mapped"):
            place.replacement(model="my-own", custom_llm_provider="openai")
    assert place.calls == 1


def test_a_model_that_is_registered_later_is_known_then():
    place = Place("get_model_info_helper")
    with pytest.raises(LookupError):
        place.replacement(model="registered", custom_llm_provider="openai")
    litellm.register_model({"openai/registered": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 5}})
    try:
        assert place.replacement(model="registered", custom_llm_provider="openai")["max_tokens"] == 5
    finally:
        litellm.model_cost.pop("openai/registered")


def test_litellm_asks_for_a_models_facts_to_choose_between_two_apis_and_for_nothing_else():
    import litellm.main

    assert inspect.getsource(litellm.main).count("get_model_info_helper(") == 1
    assert "get_model_info_helper(" in inspect.getsource(litellm.main.responses_api_bridge_check)


# The provider that a name says.


def test_that_a_name_says_no_provider_is_found_once_and_said_each_time():
    place = Place("get_llm_provider")
    said = []
    for ask in (place.original, *[place.replacement] * 3):
        with pytest.raises(litellm.BadRequestError) as refusal:
            ask(model="my-own")
        said.append((str(refusal.value), vars(refusal.value).keys()))
    assert said == [said[0]] * 4
    assert place.calls == 1


@pytest.mark.parametrize(
    "about",
    [
        {"model": "gpt-4o"},
        {"model": "groq/llama"},
        {"model": "my-own", "custom_llm_provider": "openai"},
        {"model": "my-own", "api_base": "https://api.groq.com/openai/v1"},
    ],
)
def test_a_provider_that_is_said_is_litellms_to_find(about: dict[str, Any]):
    place = Place("get_llm_provider")
    for _ in range(2):
        assert place.replacement(**about) == place.original(**about)
    assert place.calls == 2


# The address of an answer.


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        ({"model": "openai/m", "api_base": "http://provider/v1", "temperature": 1}, 0),
        ({"api_base": "http://provider/v1"}, 0),
        ({"model": "openai/gpt-4o", "api_base": None}, 1),
        ({"model": "openai/gpt-4o", "base_url": "http://provider/v1"}, 1),
        ({"model": "gemini/gemini-pro"}, 1),
    ],
)
def test_the_address_of_an_answer_is_the_one_that_is_given_or_else_litellms(parameters: dict[str, Any], asked: int):
    place = Place("get_api_base")
    model = parameters.get("model", "openai/m")
    assert place.replacement(model=model, optional_params=parameters) == place.original(model, parameters)
    assert place.calls == asked


# Why an answer cost nothing.


class Log:
    """What is looked at of LiteLLM's log of one request."""

    def __init__(self) -> None:
        self.model_call_details: dict[str, Any] = {}


def test_why_an_answer_cost_nothing_is_asked_once_in_a_request():
    place, log = Place("_record_zero_cost_diagnostic"), Log()
    place.original = lambda log, *_, **__: log.model_call_details.update(zero_cost_diagnostic=None)
    place.replacement(log, "answer", 0.0, litellm_model_name="m", router_model_id="1")  # for the header
    place.replacement(log, "answer", 0.0)  # for the log
    assert place.calls == 1
    place.replacement(log, "answer", 0.0, litellm_model_name="m", router_model_id="2")  # the next attempt
    assert place.calls == 2
    place.replacement(Log(), "answer", 0.0)  # where no header was asked for
    assert place.calls == 3


def test_litellm_asks_for_the_log_without_saying_more_of_the_model():
    from litellm.litellm_core_utils.litellm_logging import Logging

    source = inspect.getsource(Logging._process_hidden_params_and_response_cost)
    assert 'self._record_zero_cost_diagnostic(logging_result, hidden_params["response_cost"])' in source
    assert 'self.model_call_details["zero_cost_diagnostic"] =' in inspect.getsource(
        inspect.unwrap(Logging._record_zero_cost_diagnostic)
    )


# The error of an answer.


def test_an_answer_without_an_error_is_described_as_before_and_once():
    place = Place("get_error_information")
    for _ in range(2):
        described = place.replacement(original_exception=None)
        assert described == place.original(original_exception=None)
        described["error_class"] = "changed"
    assert place.calls == 1


@pytest.mark.parametrize(
    "arguments", [{"original_exception": ValueError("no")}, {"original_exception": None, "traceback_str": "at"}]
)
def test_an_error_is_litellms_to_describe(arguments: dict[str, Any]):
    place = Place("get_error_information")
    assert place.replacement(**arguments) == place.original(**arguments)


# What an automatic choice has saved.


@pytest.mark.parametrize("decision", [None, {}, {"savings_baseline_model": None}, {"savings_baseline_model": "gpt-4o"}])
def test_what_an_automatic_choice_has_saved_is_nothing_where_there_was_none(decision: dict[str, Any] | None):
    place = Place("autorouter_savings_for_request")
    usage = {"prompt_tokens": 1_000, "completion_tokens": 1_000, "total_tokens": 2_000}
    about = {"model": "gpt-4o-mini", "custom_llm_provider": "openai", "usage_object": usage}
    assert place.replacement(routing_decision=decision, **about) == place.original(routing_decision=decision, **about)
    assert place.calls == bool(decision)


def test_litellm_names_the_choice_when_it_asks():
    from litellm.proxy.spend_tracking import savings

    assert "routing_decision=" in inspect.getsource(savings.autorouter_savings_for_logging_payload)


# The parameters of a chat completion.


def test_openais_client_has_no_names_to_translate_in_a_chat_completion():
    assert _translated(CompletionCreateParamsNonStreaming) == _translated(CompletionCreateParamsStreaming) == []
    assert _translated(ResponseCreateParamsNonStreaming)  # the beta of another API has one: they are found


async def _parameters(function: Function, parameters: Any) -> Any:
    return await function(parameters, CompletionCreateParamsNonStreaming)


def test_openais_client_sends_the_parameters_that_are_given():
    place = Place("async_maybe_transform")
    parameters = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "temperature": openai.omit,
        "seed": None,
    }
    sent = asyncio.run(_parameters(place.replacement, parameters))
    assert sent == asyncio.run(_parameters(place.original, parameters))
    assert "temperature" not in sent


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


# Addresses.


def test_a_client_asks_at_its_own_address_however_many_there_are():
    place = Place("_prepare_url")
    clients = [openai.AsyncOpenAI(api_key="k", base_url=f"http://provider-{number}/v1") for number in range(3)]
    for _ in range(2):
        for client in clients:
            for path in ("/chat/completions", "/embeddings", "http://elsewhere/v2"):
                assert place.replacement(client, path) == place.original(client, path)
    assert place.calls == 9


def test_a_client_whose_address_changes_asks_at_the_new_one():
    place, client = Place("_prepare_url"), openai.AsyncOpenAI(api_key="k", base_url="http://provider/v1")
    place.replacement(client, "/chat/completions")
    client.base_url = "http://another/v1"
    assert str(place.replacement(client, "/chat/completions")) == "http://another/v1/chat/completions"


# Answers.

MESSAGE = {"role": "assistant", "content": "Hello!"}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}


def _answer(message: Any, **more: Any) -> dict[str, Any]:
    return {**ANSWER, "choices": [{"index": 0, "finish_reason": "stop", "message": message}], **more}


ANSWERS: dict[str, Any] = {
    "a text": _answer(MESSAGE),
    "tool calls": _answer({**MESSAGE, "content": None, "tool_calls": [CALL, CALL]}),
    "a tool call of another kind": _answer({**MESSAGE, "tool_calls": [{**CALL, "type": "own"}]}),
    "tokens": _answer(MESSAGE, usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    "more of the tokens": _answer(
        MESSAGE,
        usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
    ),
    "members of the provider's own": _answer({**MESSAGE, "reasoning_content": "Hm"}, timings={"a": 1}),
    "a log of probabilities": _answer(MESSAGE, service_tier="default", system_fingerprint="f"),
    "another reason to finish": {**ANSWER, "choices": [{"index": 0, "finish_reason": "eos", "message": MESSAGE}]},
    "numbers as texts": _answer(MESSAGE, created="1", usage={"prompt_tokens": "1"}),
    "a number with a point": _answer(MESSAGE, created=1.0),
    "nothing": {},
    "no choices": {**ANSWER, "choices": None},
    "a message that is a text": _answer("Hello!"),
    "a list": [1],
    "a number": 1,
    "null": None,
}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of what is not valid, either way
@pytest.mark.parametrize("cast_to", [ChatCompletion, ChatCompletionChunk], ids=["answer", "part"])
@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_the_one_that_openais_client_makes_of_it(data: Any, cast_to: Any):
    if cast_to is ChatCompletionChunk and isinstance(data, dict):
        data = json.loads(json.dumps(data).replace('"message"', '"delta"').replace("chat.completion", "chat.completion.chunk"))
    place, client = Place("_process_response_data"), openai.AsyncOpenAI(api_key="k")
    response = httpx.Response(200)
    made = place.replacement(client, data=data, cast_to=cast_to, response=response)
    expected = place.original(client, data=data, cast_to=cast_to, response=response)
    assert made == expected
    assert json.dumps(_dumped(made)) == json.dumps(_dumped(expected))


def test_an_answer_as_openai_describes_it_is_not_built_in_python():
    place = Place("_process_response_data")
    for name in ("a text", "tool calls", "more of the tokens", "members of the provider's own"):
        place.replacement(None, data=ANSWERS[name], cast_to=ChatCompletion, response=None)
    assert place.calls == 0


def _dumped(answer: Any) -> Any:
    return answer.model_dump() if hasattr(answer, "model_dump") else answer


# Cookies.


@pytest.mark.parametrize("headers", [[], [("set-cookie", "a=1")], [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/v1")]])
def test_cookies_are_kept_where_a_provider_sets_them(headers: list[tuple[str, str]]):
    place = Place("extract_cookies")
    response = httpx.Response(200, headers=headers, request=httpx.Request("POST", "http://provider/v1/chat/completions"))
    kept, expected = httpx.Cookies(), httpx.Cookies()
    place.replacement(kept, response)
    place.original(expected, response)
    assert [str(each) for each in kept.jar] == [str(each) for each in expected.jar]
    assert len(kept.jar) == len(headers)
    assert place.calls == bool(headers)


# Providers' names.


def test_a_providers_name_is_its_value_and_the_list_of_providers_is_the_same():
    from litellm.types.utils import LlmProviders

    before = {provider.name: provider.value for provider in LlmProviders}
    for _ in range(2):
        repeated._list_the_providers_once()
        assert {provider.name: provider.value for provider in LlmProviders} == before
    assert LlmProviders("openai") is LlmProviders.OPENAI
    assert LlmProviders.OPENAI == "openai"
    assert LlmProviders.OPENAI in LlmProviders
    assert len(LlmProviders) == len(before)
    with pytest.raises(ValueError, match="nobody"):
        LlmProviders("nobody")


# Steps of a request.


@pytest.mark.parametrize(("callbacks", "told"), [([], 0), (["prometheus_system"], 1)])
def test_how_long_a_step_took_is_told_where_somebody_listens(monkeypatch: pytest.MonkeyPatch, callbacks: list[str], told: int):
    async def listen(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(litellm, "service_callback", callbacks)
    place = Place("async_service_success_hook")
    place.original = listen
    asyncio.run(place.replacement(None, service="auth", call_type="", duration=0.1))
    assert place.calls == told
