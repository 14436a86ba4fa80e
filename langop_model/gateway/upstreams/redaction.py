"""A provider's error as a client may see it: without keys, addresses, accounts and file names.

Providers repeat the key that they were given, name the account that it belongs to, and proxies before them say their addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"
SHORTEST = 6  # characters; a shorter credential (`none`, `x`) is no secret, and would be found in ordinary words

_CREDENTIAL_NAMES = ("key", "token", "secret", "password", "credential", "auth")
_ADDRESS = re.compile(r"(?:https?|wss?)://[^\s\"'<>\\)\]}]+")
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\barn:[\w-]+:[^\s\"'<>\\)\]}]+",
        r"\b(?:sk|pk|rk|gsk|xai|pplx|hf|nvapi|key)[-_][A-Za-z0-9*._-]{6,}",
        r"\bAIza[\w-]{20,}|\bAKIA[A-Z0-9]{12,}",
        r"\b(?:org|proj|user|acct)[-_][A-Za-z0-9]{8,}",
        r"(?i)\bbearer\s+[\w.~+/*-]{6,}=*",
        r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b",
        r"\bprojects/[\w.-]+",
        r"(?<!\d)\d{12}(?!\d)",  # an account of AWS, a project of Google's
        r"(?:/[\w.-]+){2,}\.py\b(?:\", line \d+)?",
    )
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)[^\"]*")


def secrets_of(parameters: Mapping[str, Any], variables: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the values among a deployment's parameters that are credentials or its address, the longest first."""
    found = {value for value in variables if len(value) >= SHORTEST}
    for name, value in parameters.items():
        if name == "extra_headers" and isinstance(value, Mapping):
            found.update(str(each) for each in value.values())
        elif name == "api_base" and isinstance(value, str):
            found.update({value, value.partition("://")[2].partition("/")[0]})
        elif isinstance(value, str) and any(word in name.lower() for word in _CREDENTIAL_NAMES):
            found.update({value, *_lines(value)})
    return tuple(sorted((each for each in found if len(each) >= SHORTEST), key=len, reverse=True))


def _lines(value: str) -> list[str]:
    """The lines of a key in several of them: an error may repeat one."""
    return [line.strip() for line in value.splitlines() if len(line.strip()) >= 20]


def redacted(text: str, secrets: Iterable[str] = (), host: str | None = None) -> str:
    """Return `text` without `secrets`, and without what looks like a key, an address or an account.

    With `host` only its addresses are hidden, and links to a provider's documentation stay.
    """
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = _ADDRESS.sub(lambda match: HIDDEN if host is None or host in match[0] else match[0], text)
    if host:
        text = text.replace(host, HIDDEN)
    text = _TRACEBACK.sub(HIDDEN, text)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text
