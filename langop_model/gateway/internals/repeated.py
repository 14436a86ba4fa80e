"""Work that each request would repeat with the result that is known: a tenth of its CPU.

The one place that touches the two functions; tests/litellm/test_direct.py fails when one is elsewhere, or does more than here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

MOST_PATHS = 256  # the gate lets a few dozen through


def install() -> None:
    """Leave the work out of LiteLLM and of OpenAI's client."""
    _remember_which_paths_are_for_administrators()
    _leave_chat_parameters_as_they_are()


def _remember_which_paths_are_for_administrators() -> None:
    """Compare a path with LiteLLM's 78 patterns once: the answer depends on the path alone."""
    from litellm.proxy.auth.route_checks import RouteChecks

    find = RouteChecks.is_management_route
    if not hasattr(find, "cache_info"):
        RouteChecks.is_management_route = staticmethod(functools.lru_cache(MOST_PATHS)(find))


def _leave_chat_parameters_as_they_are() -> None:
    """Don't look for names to translate in a chat completion's parameters: OpenAI's client has none for them."""
    from openai.resources.chat.completions import completions

    client: Any = completions
    client.async_maybe_transform = _only_given


async def _only_given(data: Mapping[str, Any], expected_type: object) -> dict[str, Any]:  # noqa: ARG001 - OpenAI's name
    """Return the parameters that were given: all that is left of the translation."""
    from openai._utils import is_given

    return {name: value for name, value in data.items() if is_given(value)}
