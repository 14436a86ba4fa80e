"""LiteLLM's view of the clients' keys (authentication.py), for as long as its proxy serves them."""

from __future__ import annotations

import functools
import os
from typing import Any

from langop_model.gateway.access.authentication import KEY_HEADERS as HEADERS
from langop_model.gateway.access.authentication import ClientKeys as Keys
from langop_model.gateway.access.authentication import offered_keys as offered

__all__ = ["HEADERS", "Keys", "accepted", "litellm_user", "offered"]


@functools.cache
def accepted() -> Keys:
    """Return the keys of this process."""
    return Keys.from_environment(os.environ)


async def litellm_user(request: Any, api_key: str) -> Any:  # noqa: ARG001 - LiteLLM's names
    """LiteLLM's `general_settings.custom_auth`: the same keys once more, and the agent as the user that callbacks account to.

    Raises fastapi.HTTPException with 401: LiteLLM answers 500 to any other error.
    """
    from fastapi import HTTPException
    from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

    caller = accepted().caller(api_key or "")
    if caller is None:
        raise HTTPException(401, "this gateway needs a key")
    return UserAPIKeyAuth(user_id=caller.agent, user_role=LitellmUserRoles.INTERNAL_USER)
