"""What tells one configuration from another: in the log, at GET /health and in the metrics."""

from __future__ import annotations

import hashlib


def fingerprint(text: str) -> str:
    """Return the first 12 digits of the SHA-256 of a rendered configuration."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
