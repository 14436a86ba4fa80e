"""The cache of one model group: answers from it, asks the provider once for equal requests, and keeps what is complete."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from langop_model.contract.settings import Caching, Group
from langop_model.gateway.caching import entries
from langop_model.gateway.caching.backend import CacheBackend
from langop_model.gateway.caching.entries import CachedAnswer
from langop_model.gateway.caching.flights import Flight, Flights
from langop_model.gateway.caching.keys import DEFAULT, CacheControl, CacheKeys
from langop_model.gateway.caching.memory import MemoryBackend
from langop_model.gateway.upstreams.base import Answer, UpstreamRequest

MAX_ENTRY_SIZE = 4 * 1024 * 1024  # bytes; a larger answer is not kept in any backend
OK = 200

# Asks the provider; with a key, after looking for that entry together with the admission (Admission.find_or_admit).
Ask = Callable[[str | None], Coroutine[Any, Any, Answer]]


class ResponseCache:
    """The answers of one group. `looks_up_with_admission`: one round trip to redis serves both. One event loop uses it."""

    def __init__(
        self,
        group: Group,
        caching: Caching,
        backend: CacheBackend,
        *,
        revision: str = "",
        looks_up_with_admission: bool = False,
    ) -> None:
        self.ttl = caching.ttl
        self.backend = backend
        self.keys = CacheKeys(group, revision)
        self.flights = Flights()
        self.max_entry = min(MAX_ENTRY_SIZE, backend.max_entry)
        self.looks_up_with_admission = looks_up_with_admission

    async def get_or_ask(self, request: UpstreamRequest, ask: Ask, control: CacheControl = DEFAULT) -> tuple[Answer, bool]:
        """Return the answer to a request, and whether it is a hit: kept, or asked for by an equal request meanwhile.

        `ask` asks the provider; where it gets a key, it returns the `replay` of that entry if admission finds it. Raises what
        `ask` raises. A `no_cache` request asks for itself, and its answer is kept; one that is `no_store` leaves nothing.
        """
        key = self.keys.key(request)
        if key is None:
            return await ask(None), False
        if control.no_store:
            found = None if control.no_cache else await self._look_up(key)
            return (found, True) if found is not None else (await ask(None), False)

        def keep(answer: Answer, events: list[bytes] | None) -> None:
            self._keep(key, answer, events)

        if control.no_cache:
            return await Flight(lambda: ask(None), self.max_entry, keep).join(), False
        if isinstance(self.backend, MemoryBackend):
            found = self.replay(self.backend.get_now(key))
            if found is not None:
                return found, True
        answer, joined = await self.flights.share(key, lambda: self._find_or_ask(key, ask), self.max_entry, keep)
        return answer, joined or isinstance(answer, CachedAnswer)

    def replay(self, entry: bytes | None) -> CachedAnswer | None:
        """Return the answer of an entry; None where there is none that can be read."""
        return None if entry is None else entries.decode(entry)

    async def _find_or_ask(self, key: str, ask: Ask) -> Answer:
        if isinstance(self.backend, MemoryBackend):
            return await ask(None)
        if self.looks_up_with_admission:
            return await ask(key)
        return await self._look_up(key) or await ask(None)

    async def _look_up(self, key: str) -> CachedAnswer | None:
        return self.replay(await self.backend.get(key))

    def _keep(self, key: str, answer: Answer, events: list[bytes] | None) -> None:
        if answer.status == OK and not isinstance(answer, CachedAnswer):
            entry = entries.encode(answer, events)
            if len(entry) <= self.max_entry:
                self.backend.put(key, entry, self.ttl)
