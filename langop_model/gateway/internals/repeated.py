"""Work that each request would repeat with the result that is known: a chat completion would need 1.4 times the CPU with it.

The one place that touches these functions; tests/litellm/test_repeated.py fails when one is elsewhere, or does more than here.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import EnumType
from typing import Any

import httpx
import litellm
import pydantic
from cachetools import LRUCache

MOST_PATHS = 256  # the gate lets a few dozen through
MOST_MODELS = 1024  # where a wildcard is served, callers choose the names
MOST_ADDRESSES = 1024

Function = Callable[..., Any]


@functools.cache
def install() -> None:
    """Leave the work out of LiteLLM, of OpenAI's client and of httpx. A second call changes nothing."""
    for owner, name, without in places():
        present = inspect.getattr_static(owner, name)
        is_static = isinstance(present, staticmethod)
        function = present.__func__ if is_static else present
        replacement = functools.update_wrapper(without(function), function)
        setattr(owner, name, staticmethod(replacement) if is_static else replacement)
    _list_the_providers_once()


def places() -> tuple[tuple[Any, str, Callable[[Function], Function]], ...]:
    """Where the work is done: the owner and the name of each function, and what makes another of it."""
    from litellm import main, utils
    from litellm._service_logger import ServiceLogging
    from litellm.litellm_core_utils.litellm_logging import Logging, StandardLoggingPayloadSetup
    from litellm.litellm_core_utils.llm_response_utils import response_metadata
    from litellm.proxy.auth.route_checks import RouteChecks
    from litellm.proxy.spend_tracking import savings
    from openai._base_client import BaseClient
    from openai.resources.chat.completions import completions

    return (
        (RouteChecks, "is_management_route", functools.lru_cache(MOST_PATHS)),  # LiteLLM's 78 patterns; the path alone decides
        (ServiceLogging, "async_service_success_hook", _only_if_somebody_listens),
        (main, "get_model_info_helper", _each_model_once),
        (utils, "get_llm_provider", _each_stranger_once),
        (response_metadata, "get_api_base", _only_if_none_is_given),
        (Logging, "_record_zero_cost_diagnostic", _once_in_a_request),
        (StandardLoggingPayloadSetup, "get_error_information", _of_no_error_once),
        (savings, "autorouter_savings_for_request", _only_if_routed),
        (completions, "async_maybe_transform", _only_what_is_given),
        (BaseClient, "_prepare_url", _each_address_once),
        (BaseClient, "_process_response_data", _in_one_step_if_valid),
        (httpx.Cookies, "extract_cookies", _only_if_one_is_set),
    )


def _only_if_somebody_listens(tell: Function) -> Function:
    """Don't describe how long each of five steps of a request took where nobody is told."""

    async def tell_if_asked(log: Any, *args: Any, **about: Any) -> None:
        if litellm.service_callback:
            await tell(log, *args, **about)

    return tell_if_asked


def _each_model_once(find: Function) -> Function:
    """Look for a model in the 3,000 of the price list once. That it is not there is an answer too: of a model of one's own."""
    known: LRUCache[tuple[str, str | None, int], dict[str, Any] | str] = LRUCache(MOST_MODELS)

    def look_up(model: str, custom_llm_provider: str | None = None) -> dict[str, Any]:
        key = (model, custom_llm_provider, len(litellm.model_cost))  # the list grows where a model is registered
        found = known.get(key)
        if found is None:
            try:
                found = find(model=model, custom_llm_provider=custom_llm_provider)
            except Exception as problem:  # noqa: BLE001 - LiteLLM raises Exception where it knows nothing
                found = str(problem)
            known[key] = found
        if isinstance(found, str):
            raise LookupError(found)
        return dict(found)  # the caller writes into it

    return look_up


def _each_stranger_once(find: Function) -> Function:
    """Find out once that a name says no provider: each request asks that of its modelName, which is one of the spec's own."""
    strangers: LRUCache[tuple[str, int], Exception] = LRUCache(MOST_MODELS)

    def find_or_refuse(model: str, custom_llm_provider: str | None = None, **about: Any) -> Any:
        name = (model, len(litellm.model_cost))
        if custom_llm_provider or about:
            return find(model=model, custom_llm_provider=custom_llm_provider, **about)
        if name in strangers:
            raise _again(strangers[name])
        try:
            return find(model=model)
        except litellm.BadRequestError as problem:
            strangers[name] = _again(problem)
            raise

    return find_or_refuse


def _again(problem: Exception) -> Exception:
    """Return the same error without its traceback, which would keep a request alive."""
    again = type(problem).__new__(type(problem))
    again.args = problem.args
    vars(again).update(vars(problem))
    return again


def _only_if_none_is_given(derive: Function) -> Function:
    """Don't build a model of all parameters to see the address that stands among them."""

    def given_or_derived(model: str, optional_params: Mapping[str, Any]) -> Any:
        given = optional_params.get("api_base")
        return given if given and isinstance(given, str) else derive(model=model, optional_params=optional_params)

    return given_or_derived


def _once_in_a_request(diagnose: Function) -> Function:
    """Don't ask again why an answer cost nothing: for the log, after it was asked for the answer's header."""

    def diagnose_once(log: Any, result: Any, response_cost: float | None, **about: Any) -> None:
        if about or "zero_cost_diagnostic" not in log.model_call_details:
            diagnose(log, result, response_cost, **about)

    return diagnose_once


def _of_no_error_once(describe: Function) -> Function:
    """Don't describe the error of an answer that has none."""
    none = describe(original_exception=None)

    def describe_an_error(original_exception: BaseException | None, traceback_str: str | None = None) -> Any:
        if original_exception is None and not traceback_str:
            return dict(none)
        return describe(original_exception=original_exception, traceback_str=traceback_str)

    return describe_an_error


def _only_if_routed(compute: Function) -> Function:
    """Don't read an answer's tokens to find out what an automatic choice of its model has saved, if nobody chose."""

    def compute_if_routed(*, routing_decision: Mapping[str, Any] | None, **about: Any) -> Any:
        return compute(routing_decision=routing_decision, **about) if routing_decision else None

    return compute_if_routed


def _only_what_is_given(_: Function) -> Function:
    """Don't look for names to translate in a chat completion's parameters: OpenAI's client has none for them."""
    from openai._utils import is_given

    async def given(data: Mapping[str, Any], expected_type: object) -> dict[str, Any]:  # noqa: ARG001 - OpenAI's name
        return {name: value for name, value in data.items() if is_given(value)}

    return given


def _each_address_once(prepare: Function) -> Function:
    """Put a client's address and a path together once. What is kept holds the address, so no other can have its id."""
    known: LRUCache[tuple[int, str], tuple[httpx.URL, httpx.URL]] = LRUCache(MOST_ADDRESSES)

    def look_up(client: Any, url: str) -> httpx.URL:
        base: httpx.URL = client.base_url
        found = known.get((id(base), url))
        if found is None:
            found = known[id(base), url] = (base, prepare(client, url))
        return found[1]

    return look_up


def _in_one_step_if_valid(construct: Function) -> Function:
    """Let pydantic build a valid answer or a part of one. OpenAI's client does it in Python, for those that are not valid."""
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

    def validate_or_construct(client: Any, *, data: object, cast_to: Any, response: httpx.Response) -> Any:
        if cast_to in (ChatCompletion, ChatCompletionChunk):
            with contextlib.suppress(pydantic.ValidationError):
                return cast_to.model_validate(data, strict=True)
        return construct(client, data=data, cast_to=cast_to, response=response)

    return validate_or_construct


def _only_if_one_is_set(extract: Function) -> Function:
    """Don't translate an answer's headers for the cookie jar if there is no cookie in them."""

    def extract_if_set(cookies: httpx.Cookies, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            extract(cookies, response)

    return extract_if_set


class _Listed(EnumType):
    """The class of an Enum whose list of members is there already. Python's own makes it anew, with a function in Python."""

    def __iter__(cls) -> Iterator[Any]:
        """Go through the members."""
        return iter(vars(cls)["listed"])


def _list_the_providers_once() -> None:
    """Make the list of LiteLLM's 166 providers once and `.value` plain attributes: a request goes through them twice."""
    from litellm.types.utils import LlmProviders

    members = tuple(LlmProviders)
    for provider in members:
        vars(provider)["value"] = provider._value_
    LlmProviders.value = None  # else Enum's property would come before what a member holds
    LlmProviders.listed = members
    LlmProviders.__class__ = _Listed
