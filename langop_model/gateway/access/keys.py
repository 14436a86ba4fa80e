"""Who may ask: the master key, and a key for each agent that needs no list of keys.

An agent's key is `sk-langop-<agent id>.<signature>`: the signature is the first 32 hexadecimal digits of HMAC-SHA256 of the
agent id with LANGOP_GATEWAY_HMAC_SECRET, as the language-operator makes it. Both secrets are read once: a new one needs a
restart.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "sk-langop-"
SIGNATURE = 32  # hexadecimal digits
LONGEST = 512  # letters of a key; an agent id is a UUID or a name
BEARER = b"bearer "
HEADERS = (b"authorization", b"x-api-key", b"api-key", b"x-litellm-api-key")  # OpenAI's, Anthropic's, Azure's, LiteLLM's


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `agent` is None for the master key."""

    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are accepted; without `master` and `secret` none is needed."""

    master: str = ""
    secret: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Keys:
        """Return the keys of LITELLM_MASTER_KEY and LANGOP_GATEWAY_HMAC_SECRET, without white space around them."""
        master, secret = (environment.get(name, "").strip() for name in ("LITELLM_MASTER_KEY", "LANGOP_GATEWAY_HMAC_SECRET"))
        return cls(master, secret)

    @property
    def needed(self) -> bool:
        """Whether a caller needs a key."""
        return bool(self.master or self.secret)

    def caller(self, key: str) -> Caller | None:
        """Return whose a key is; None where it is nobody's. A near miss takes as long as any other."""
        if not key or len(key) > LONGEST:
            return None
        if self.master and hmac.compare_digest(key.encode(), self.master.encode()):
            return Caller()
        agent, dot, signed = key.removeprefix(PREFIX).rpartition(".")
        if not (self.secret and dot and agent and key.startswith(PREFIX)):
            return None
        return Caller(agent) if hmac.compare_digest(signed.encode(), signature(self.secret, agent).encode()) else None


def signature(secret: str, agent: str) -> str:
    """Return what stands behind the dot in an agent's key."""
    return hmac.new(secret.encode(), agent.encode(), hashlib.sha256).hexdigest()[:SIGNATURE]


def offered(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return the keys in the headers of a request, in the order of HEADERS."""
    found = [(HEADERS.index(name), value) for name, value in headers if name in HEADERS]
    texts = (_text(value) for _, value in sorted(found))
    return [text for text in texts if text]


def _text(value: bytes) -> str:
    bare = value[len(BEARER) :] if value[: len(BEARER)].lower() == BEARER else value
    return bare.decode("utf-8", "replace").strip()


@functools.cache
def accepted() -> Keys:
    """The keys of this process."""
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
