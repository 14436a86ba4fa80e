"""Ids of responses as their provider gave them.

LiteLLM makes an id of base64 that holds its provider's name, the deployment's and the real id. A client would learn these, and
a later request that is relayed would carry an id that the provider has never given.
"""

from __future__ import annotations

import base64
import binascii

_PREFIX = "resp_"
_MARK = b"litellm:"
_MEMBER = "response_id:"


def plain(identity: str) -> str:
    """Return the id within one of LiteLLM's, with `resp_` before that of a chat completion, and any other id as it is."""
    encoded = identity.removeprefix(_PREFIX)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return identity
    if not decoded.startswith(_MARK):
        return identity
    _, found, own = decoded.decode("utf-8", "replace").partition(_MEMBER)
    if not found or not own:
        return identity
    return own if own.startswith(_PREFIX) else _PREFIX + own
