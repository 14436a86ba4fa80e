"""Addresses of providers as a configuration writes them."""

from __future__ import annotations


def without_suffix(url: str, suffixes: tuple[str, ...]) -> str:
    """Return `url` without a slash at its end, and without what LiteLLM appends to its path itself."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    path = f"{slash}{path}".rstrip("/")
    for suffix in suffixes:
        path = path.removesuffix(suffix).rstrip("/")
    return f"{scheme}://{host}{path}"
