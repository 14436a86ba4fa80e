"""How the keys of a Secret are named. The renderer writes such names, and the gateway looks for them."""

from __future__ import annotations


def spelt(name: str) -> str:
    """Return the spelling in which names are compared: AWS-ACCESS-KEY-ID is aws_access_key_id."""
    return name.lower().replace("-", "_")
