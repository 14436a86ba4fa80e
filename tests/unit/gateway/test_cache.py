"""The memory cache: what it holds, for how long, and how much memory that is."""

from __future__ import annotations

import gc
import hashlib
import json.encoder
import sys
import tracemalloc
from types import SimpleNamespace
from typing import Any

import cachetools
import litellm
import pytest
from litellm.caching import caching_handler
from litellm.caching.caching import Cache

from langop_model.gateway.internals import cache
from langop_model.gateway.internals.cache import MEGABYTE, OVERHEAD, BeforeRedis, BoundedMemory
from tests.unit.gateway.clock import Clock

# Where an entry's memory is allocated: other tests leave threads and loops behind, which take some of their own.
MODULES = (cache, cachetools, json.encoder, sys.modules[__name__])
OF_AN_ENTRY = [
    *(tracemalloc.Filter(True, str(module.__file__)) for module in MODULES),
    tracemalloc.Filter(True, "<string>"),  # the named tuple
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("langop_model.gateway.internals.cache.time.monotonic", clock)
    return clock


def key(number: int) -> str:
    """A key as LiteLLM makes it: the namespace and the hash of a request."""
    return f"fast,in-house:{hashlib.sha256(str(number).encode()).hexdigest()}"


def answer(letters: int) -> dict[str, Any]:
    """An answer as LiteLLM keeps it: when it came, and JSON as text."""
    return {"timestamp": 1700000000.123456, "response": "x" * letters}


def test_a_value_is_returned_as_it_was_given():
    memory = BoundedMemory(1, None)
    memory.set_cache("a", {"timestamp": 1.5, "response": '{"content": "Grüße \N{SMILING FACE WITH OPEN MOUTH}"}'})
    assert memory.get_cache("a") == {"timestamp": 1.5, "response": '{"content": "Grüße \N{SMILING FACE WITH OPEN MOUTH}"}'}
    assert memory.get_cache("b") is None


def test_what_a_caller_does_to_a_value_does_not_change_the_kept_one():
    memory = BoundedMemory(1, None)
    memory.set_cache("a", {"list": [1]})
    memory.get_cache("a")["list"].append(2)
    assert memory.get_cache("a") == {"list": [1]}


@pytest.mark.parametrize("letters", [0, 100, 1_000, 10_000, 100_000])
def test_the_memory_that_entries_really_take_stays_below_the_bound(letters: int):
    """Measured where the cache is full, so that the entries that it let go are gone too."""
    megabytes = 8
    memory = BoundedMemory(megabytes, 3600)
    tracemalloc.start()
    for number in range(int(1.3 * megabytes * MEGABYTE / (letters + OVERHEAD))):
        memory.set_cache(key(number), answer(letters), ttl=60)
    gc.collect()
    taken = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(OF_AN_ENTRY).traces)
    tracemalloc.stop()
    assert memory.get_cache(key(0)) is None
    assert 0.75 * megabytes * MEGABYTE < taken <= megabytes * MEGABYTE


def test_the_length_of_a_key_counts():
    short, long = BoundedMemory(1, None), BoundedMemory(1, None)
    for number in range(2_000):
        short.set_cache(str(number), "")
        long.set_cache(f"{number}{'k' * 10_000}", "")
    assert len(short.entries) > 10 * len(long.entries)


def test_what_was_not_read_for_longest_goes_first():
    memory = BoundedMemory(1, None)
    for name in ("first", "second", "third"):
        memory.set_cache(name, "x" * (MEGABYTE // 4))
    assert memory.get_cache("first") is not None
    memory.set_cache("fourth", "x" * (MEGABYTE // 4))
    kept = [name for name in ("first", "second", "third", "fourth") if memory.get_cache(name) is not None]
    assert kept == ["first", "third", "fourth"]


def test_what_is_larger_than_the_cache_is_not_kept_and_drives_nothing_out():
    memory = BoundedMemory(1, None)
    memory.set_cache("small", "x")
    memory.set_cache("huge", "x" * MEGABYTE)
    assert memory.get_cache("huge") is None
    assert memory.get_cache("small") == "x"


def test_a_value_that_becomes_too_large_is_not_kept_in_its_old_form():
    memory = BoundedMemory(1, None)
    memory.set_cache("a", "old")
    memory.set_cache("a", "x" * MEGABYTE)
    assert memory.get_cache("a") is None


def test_a_value_that_json_cannot_hold_is_not_kept():
    memory = BoundedMemory(1, None)
    memory.set_cache("a", "old")
    memory.set_cache("a", object())
    assert memory.get_cache("a") is None


@pytest.mark.parametrize(
    ("default", "ttl", "lives"), [(None, 10, 10), (10, None, 10), (60, 10, 10), (10, 0.5, 0.5), (0.5, None, 0.5)]
)
def test_an_entry_lives_for_its_own_time_or_else_for_the_caches(
    clock: Clock, default: float | None, ttl: float | None, lives: float
):
    memory = BoundedMemory(1, default)
    memory.set_cache("a", "value", **({} if ttl is None else {"ttl": ttl}))
    clock.now += 0.9 * lives
    assert memory.get_cache("a") == "value"  # reading it does not make it young again
    clock.now += 0.2 * lives
    assert memory.get_cache("a") is None


def test_without_a_time_to_live_an_entry_stays(clock: Clock):
    memory = BoundedMemory(1, None)
    memory.set_cache("a", "value")
    clock.now += 1e9
    assert memory.get_cache("a") == "value"


def test_expired_entries_make_room_before_living_ones(clock: Clock):
    memory = BoundedMemory(1, None)
    memory.set_cache("long", "x" * (MEGABYTE // 3), ttl=100)
    memory.set_cache("short", "x" * (MEGABYTE // 3), ttl=1)
    clock.now += 2
    memory.set_cache("new", "x" * (MEGABYTE // 2), ttl=100)
    assert memory.get_cache("long") is not None
    assert memory.get_cache("short") is None


def test_before_redis_only_what_has_a_time_to_live_is_kept():
    memory = BeforeRedis()
    memory.set_cache("written here", "value", ttl=60)
    memory.set_cache("read in redis", "value")
    assert memory.get_cache("written here") == "value"
    assert memory.get_cache("read in redis") is None


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install into a LiteLLM whose settings are put back afterwards; return its cache."""

    def install(kind: str, megabytes: float | None) -> Cache:
        made = Cache(type=kind, ttl=60, max_messages=None)
        monkeypatch.setattr(litellm, "cache", made)
        cache.install(megabytes)
        return made

    for name in ("input_callback", "success_callback", "_async_success_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm, "enable_caching_on_provider_specific_optional_params", False)
    monkeypatch.setattr(caching_handler, "in_memory_cache_obj", caching_handler.in_memory_cache_obj)
    return install


def test_a_size_replaces_litellms_memory(installed: Any):
    kept = installed("local", 2).cache
    assert isinstance(kept, BoundedMemory)
    assert (kept.entries.maxsize, kept.default) == (2 * MEGABYTE, 60)


def test_without_a_size_litellms_memory_stays(installed: Any):
    assert not isinstance(installed("local", None).cache, BoundedMemory)


def test_without_a_cache_there_is_nothing_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(litellm, "cache", None)
    cache.install(2)
    assert litellm.cache is None


def test_every_parameter_is_part_of_the_key_but_not_the_span_of_a_trace(installed: Any):
    made = installed("local", None)
    question = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    keys = {
        made.get_cache_key(**question, **more)
        for more in ({}, {"guided_json": '{"type": "object"}'}, {"guided_json": '{"type": "array"}'}, {"top_k": 1})
    }
    assert len(keys) == 4
    assert made.get_cache_key(**question, parent_otel_span=object()) == made.get_cache_key(
        **question, parent_otel_span=object()
    )


def test_the_same_words_have_another_key_in_another_api(installed: Any):
    made = installed("local", None)
    keys = {
        made.get_cache_key(model="m", input="Hello", litellm_logging_obj=SimpleNamespace(call_type=call_type))
        for call_type in ("aembedding", "aresponses")
    }
    assert len(keys) == 2
