"""How much a source may hold: no specification is larger, and none may exhaust memory or the stack."""

from __future__ import annotations

MAX_SOURCE_SIZE = 8 * 1024 * 1024  # bytes; a ConfigMap ends at 1 MiB, so this is room for a long List
MAX_DEPTH = 100  # levels of nesting: more than any specification has, less than Python's stack bears
MAX_NODES = 200_000  # of a YAML document, after its aliases are expanded
