"""Who asks, in LiteLLM's words: found out once for each key, not in each request, where it is an eighth of the CPU.

LiteLLM looks through what a database knows of a key, its team, its user and their budgets. Here is none: its answer is the same
whenever the same key asks. The gate has checked the key of each request before.
The one place that stands in for LiteLLM's auth; tests/litellm/test_caller.py shows that nothing differs behind it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from langop_model.gateway.internals import litellm_proxy

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_KEYS = 1024

# What the templates write into `general_settings` (templates/config.yaml.j2), and nothing of it bears on who asks, but for
# `custom_auth`, which is this package's. Any other setting may: then LiteLLM is asked in each request.
INDIFFERENT = frozenset(
    {
        "cancel_on_disconnect", "custom_auth", "dangerously_permit_weak_or_unset_master_key", "disable_model_info_refresh",
        "health_check_skip_disabled_background_models",
    }
)  # fmt: skip

# Of a path, which LiteLLM's metrics name, and a key.
_known: LRUCache[tuple[str, str | None], _Known] = LRUCache(MOST_KEYS)


async def of(request: Request) -> Any:
    """Return LiteLLM's UserAPIKeyAuth for `request`. Raises what LiteLLM raises for a caller or a body that it refuses."""
    from litellm.proxy.auth.user_api_key_auth import user_api_key_auth
    from litellm.proxy.common_utils.http_parsing_utils import read_request_body

    key = request.headers.get("authorization")
    asking = (request.scope["path"], key)
    is_plain = not request.scope["query_string"] and _is_the_same_for_each_request()
    if is_plain:
        request.state.litellm_received_at = datetime.now(UTC)
        is_plain = not _names_a_user_or_a_rewritten_model(await read_request_body(request))
    if is_plain and asking in _known:
        return _known[asking].copy()
    user = await user_api_key_auth(request, key, None, None, None, None, None)
    if is_plain and not any(getattr(user, name) for name in _containers(user)):
        _known[asking] = _Known(user)
    return user


@functools.cache
def _is_the_same_for_each_request() -> bool:
    """Whether nothing that LiteLLM was configured with makes two requests of one caller differ. A worker never changes that."""
    import litellm

    has_service_log = bool(litellm.service_callback)  # it is told how long each auth took
    return litellm_proxy.general_settings() <= INDIFFERENT and not (litellm_proxy.has_database() or has_service_log)


def _names_a_user_or_a_rewritten_model(body: Mapping[str, Any]) -> bool:
    """Whether LiteLLM's auth takes a user from the body, or has another name for the model."""
    from litellm.proxy.auth.auth_utils import get_end_user_id_from_request_body

    model = body.get("model")
    is_rewritten = not isinstance(model, str) or model.startswith("claude-router-") or model.lower().endswith("[1m]")
    return is_rewritten or get_end_user_id_from_request_body(body) is not None


def _containers(user: Any) -> dict[str, type]:
    """The members that one request could fill, and another see."""
    return {name: type(value) for name, value in vars(user).items() if isinstance(value, (dict, list, set))}


class _Known:
    """A caller as LiteLLM has described it, from which each request gets a copy of its own."""

    def __init__(self, user: Any) -> None:
        self.containers = _containers(user)
        self.user = user.model_copy()  # the first request has the original, and may write into it

    def copy(self) -> Any:
        copy = self.user.model_copy()
        members = vars(copy)
        for name, container in self.containers.items():
            members[name] = container()
        return copy
