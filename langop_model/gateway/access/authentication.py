"""Client keys: the master key, and a key for each agent that needs no list of keys.

An agent's key is `sk-langop-<agent id>.<signature>`: the signature is the first 32 hexadecimal digits of HMAC-SHA256 of the
agent id with LANGOP_GATEWAY_HMAC_SECRET, as the language-operator makes it. Both secrets are read once: a new one needs a
restart.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PREFIX = "sk-langop-"
SIGNATURE_LENGTH = 32  # hexadecimal digits
LONGEST_KEY = 512  # characters; an agent id is a UUID or a name
BEARER = b"bearer "
# OpenAI's, Anthropic's, Azure's, LiteLLM's, and Gemini's.
KEY_HEADERS = (b"authorization", b"x-api-key", b"api-key", b"x-litellm-api-key", b"x-goog-api-key")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client. `agent` is None for the master key, and where no key is required."""

    agent: str | None = None


ANYONE = Caller()


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The keys that are accepted; without `master` and `secret` no key is required."""

    master: str = ""
    secret: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ClientKeys:
        """Return the keys of LITELLM_MASTER_KEY and LANGOP_GATEWAY_HMAC_SECRET, without white space around them."""
        master, secret = (environment.get(name, "").strip() for name in ("LITELLM_MASTER_KEY", "LANGOP_GATEWAY_HMAC_SECRET"))
        return cls(master, secret)

    @property
    def required(self) -> bool:
        """Whether a client needs a key."""
        return bool(self.master or self.secret)

    def authenticate(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller | None:
        """Return who sends a request with these headers; None for a client without a valid key."""
        if not self.required:
            return ANYONE
        return next((caller for key in offered_keys(headers) if (caller := self.caller(key))), None)

    def caller(self, key: str) -> Caller | None:
        """Return the owner of a key; None for an invalid one. Comparing takes as long for a near miss as for any other key."""
        if not key or len(key) > LONGEST_KEY:
            return None
        if self.master and hmac.compare_digest(key.encode(), self.master.encode()):
            return ANYONE
        agent, dot, signed = key.removeprefix(PREFIX).rpartition(".")
        if not (self.secret and dot and agent and key.startswith(PREFIX)):
            return None
        return Caller(agent) if hmac.compare_digest(signed.encode(), signature(self.secret, agent).encode()) else None


def signature(secret: str, agent: str) -> str:
    """Return the part of an agent's key after the dot."""
    return hmac.new(secret.encode(), agent.encode(), hashlib.sha256).hexdigest()[:SIGNATURE_LENGTH]


def offered_keys(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return the keys in the headers of a request, in the order of KEY_HEADERS."""
    found = [(KEY_HEADERS.index(name), value) for name, value in headers if name in KEY_HEADERS]
    texts = (_text(value) for _, value in sorted(found))
    return [text for text in texts if text]


def _text(value: bytes) -> str:
    bare = value[len(BEARER) :] if value[: len(BEARER)].lower() == BEARER else value
    return bare.decode("utf-8", "replace").strip()
