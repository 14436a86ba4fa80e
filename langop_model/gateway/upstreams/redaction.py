"""What a provider's text must not tell a client: keys, addresses and accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST_KEY = 8  # characters; a shorter "key" would redact ordinary words
KEY = b"[key]"
# Names of accounts as providers write them into their errors: OpenAI's organizations and projects, AWS accounts in ARNs and
# IAM users, Google's projects, Azure's subscriptions.
ACCOUNTS = re.compile(
    rb"\b(?:org|proj)[-_][A-Za-z0-9]{8,}\b"
    rb"|arn:aws[\w-]*:[\w-]*:[\w-]*:\d{12}:[\w./:@+=,-]*"
    rb"|(?<=account )\d{12}\b|(?<=account: )\d{12}\b"
    rb"|projects/[a-z0-9-]+(?=[/\"' ])|(?<=project )\d{8,}"
    rb"|/subscriptions/[0-9a-fA-F-]{36}[\w/.-]*"
)
# A key that a provider repeats in part: OpenAI writes "sk-ab***yz".
PARTS_OF_KEYS = re.compile(rb"\b(?:sk|pk|gsk|xai|key)-?[A-Za-z0-9_-]*\*{3,}[A-Za-z0-9_-]*")
ADDRESS = re.compile(rb"https?://[^\s\"'<>\\)]+")


def redact(text: bytes, keys: Iterable[str], host: str = "") -> bytes:
    """Return a provider's text without these keys, without accounts, and without the addresses of its `host`.

    Links to a provider's documentation stay: they have another host.
    """
    for key in keys:
        if len(key) >= SHORTEST_KEY:
            text = text.replace(key.encode(), KEY)
    text = PARTS_OF_KEYS.sub(KEY, ACCOUNTS.sub(b"[account]", text))
    if host:
        address = host.encode()
        text = ADDRESS.sub(lambda match: b"[address]" if address in match[0] else match[0], text).replace(address, b"[address]")
    return text
