"""Which requests are equal, and which are kept at all.

Two requests are equal when their route, model, files and bodies are, but for the order of members, white space, `cache`, and
how a whole number is written: JSON has one 1, and some clients write 1.0. Every other member counts, also `stream` (a hit is
the answer byte for byte) and `user` (a client that tells its users apart does not get the answer of one for another). The
caller's key does not: agents share answers within one model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from langop_model.contract.settings import Group
from langop_model.gateway.upstreams.base import File, Route, UpstreamRequest

CONTROL = "cache"  # the member of a body that speaks to the cache; no provider gets it
# Images and speech are large, and who asks again wants another one.
CACHED_ROUTES = frozenset(Route) - {Route.IMAGES, Route.IMAGE_EDITS, Route.SPEECH}
# Headers of the client that change what a provider answers.
HEADERS = ("anthropic-version", "anthropic-beta")
DIGEST_BYTES = 32
PLAIN = frozenset({str, list, int, bool})  # types of members that are as they are in their canonical form
LARGEST_INTEGER = 2**53  # above it a number of JSON may stand for its neighbours too


@dataclass(frozen=True, slots=True)
class CacheControl:
    """What a client asks of the cache: not to answer from it, and not to keep the answer."""

    no_cache: bool = False
    no_store: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> CacheControl:
        """Return what the member `cache` of a body asks, which access/field_types.py has checked."""
        control = body.get(CONTROL)
        if not isinstance(control, dict):
            return DEFAULT
        return cls(no_cache=control.get("no-cache") is True, no_store=control.get("no-store") is True)


DEFAULT = CacheControl()


class CacheKeys:
    """The keys of one group's answers.

    `revision` is whatever of the configuration changes an answer beside the group's defaults and the provider's model: a new
    configuration must not find answers of the previous one.
    """

    def __init__(self, group: Group, revision: str = "") -> None:
        model = group.upstream.model if group.upstream is not None else ""
        self.prefix = f"langop:{{{group.namespace}/{group.resource}}}:answer:"  # the braces: one slot of a redis cluster
        own = orjson.dumps([group.name, group.defaults, model, revision], option=orjson.OPT_SORT_KEYS)
        self.digest = hashlib.blake2b(own, digest_size=DIGEST_BYTES)  # of what all its requests have in common

    def key(self, request: UpstreamRequest) -> str | None:
        """Return the key of a request's answer; None where its answer is never kept."""
        body = request.body
        if request.route not in CACHED_ROUTES or body.get("background") is True:  # the answer comes later, elsewhere
            return None
        members = {
            name: value if type(value) in PLAIN else _canonical(value) for name, value in body.items() if name != CONTROL
        }
        how = [str(request.route), request.model, request.stream, request.shown_model, request.strips_usage]
        headers = list(map(request.headers.get, HEADERS))
        files = list(map(_file, request.files))
        digest = self.digest.copy()
        digest.update(orjson.dumps([how, headers, files, members], option=orjson.OPT_SORT_KEYS))
        return self.prefix + digest.hexdigest()


def _canonical(value: Any) -> Any:
    """Return a value with its whole numbers as integers. Lists stay as they are: messages and vectors would cost too much."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= LARGEST_INTEGER else value
    return {name: _canonical(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _file(file: File) -> list[str]:
    digest = hashlib.blake2b(file.content, digest_size=DIGEST_BYTES).hexdigest()
    return [file.field, file.name, file.content_type, digest]
