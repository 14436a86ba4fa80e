"""The id of a request, in its answer's header and in the log: a random UUID. The uuid module takes six times as long."""

from __future__ import annotations

from random import getrandbits

VARIANTS = "89ab"  # RFC 9562, 4.1: the two highest bits of this digit are 10


def new() -> str:
    """Return a UUID of version 4. It names a request and guards nothing, so it is not a secret."""
    digits = f"{getrandbits(128):032x}"
    variant = VARIANTS[getrandbits(2)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
