"""How the keys of a Secret are compared: the renderer writes their names, and the gateway looks for their files."""

from __future__ import annotations


def normalize_secret_key(name: str) -> str:
    """Return the form in which names are compared: AWS-ACCESS-KEY-ID is aws_access_key_id."""
    return name.lower().replace("-", "_")
