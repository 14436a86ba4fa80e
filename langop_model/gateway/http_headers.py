"""Headers: what a provider gets of a client's, and what an answer says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from langop_model.gateway.routing.dispatcher import Served
from langop_model.gateway.upstreams.base import UpstreamError

Headers = list[tuple[bytes, bytes]]

# What a provider gets of a client's headers. Others choose timeouts, tags or credentials at some providers.
FORWARDED = {b"anthropic-version": "anthropic-version", b"anthropic-beta": "anthropic-beta", b"traceparent": "traceparent"}


def forwarded(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return what the provider gets of a client's headers."""
    return {name: headers[key].decode("latin-1") for key, name in FORWARDED.items() if key in headers}


def of_call(call_id: str) -> Headers:
    """Return the header that every answer has: the id of the request, which the log has too."""
    return [(b"x-langop-call-id", call_id.encode())]


def of_answer(served: Served, call_id: str, cost: float | None) -> Headers:
    """Return what an answer says of itself; `cost` is in USD, None where nobody knows it yet."""
    model = served.runtime.group.name.encode()
    headers = [*of_call(call_id), (b"x-langop-model", model)]
    if served.endpoint_id:
        headers.append((b"x-langop-endpoint", served.endpoint_id.encode()))
    if served.attempts:
        headers.append((b"x-langop-attempts", b"%d" % served.attempts))
    if cost is not None:
        headers.append((b"x-langop-cost", format(cost, ".10g").encode()))
    if served.runtime.cache is not None:
        headers.append((b"x-langop-cache", b"hit" if served.is_hit else b"miss"))
    if served.fell_back:
        headers.append((b"x-langop-fallback", model))
    if served.dropped:
        headers.append((b"x-langop-dropped", ", ".join(served.dropped).encode()))
    return headers


def of_failure(error: UpstreamError, call_id: str) -> Headers:
    """Return what the answer to a request that has failed says of itself: also when to ask again, where that is known."""
    headers = of_call(call_id)
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))))
        headers.append((b"retry-after-ms", b"%d" % (error.retry_after * 1000)))
    return headers
