"""The id of a request, in its answer's header and in the log: a random UUID. The uuid module takes six times as long."""

from __future__ import annotations

from random import getrandbits

# RFC 9562, 5.4: the first digit of the third group is the version, 4, and the first of the fourth has the variant's bits, 10.
VARIANTS = "89ab"


def new() -> str:
    """Return a UUID of version 4. It names a request and guards nothing, so it is not a secret."""
    digits = getrandbits(128).to_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANTS[getrandbits(2)]}{digits[17:20]}-{digits[20:]}"
