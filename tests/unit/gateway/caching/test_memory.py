"""Answers in the memory of the process."""

from __future__ import annotations

import gc
import tracemalloc

from langop_model.gateway.caching.memory import OVERHEAD, MemoryBackend
from tests.unit.gateway.clock import Clock

MEGABYTE = 1024 * 1024


def test_an_entry_lives_for_its_time():
    clock = Clock()
    memory = MemoryBackend(1, clock)
    memory.put("a", b"1", 10)
    memory.put("b", b"2", None)
    clock.now += 9.9
    assert memory.get_now("a") == b"1"
    clock.now += 0.2
    assert (memory.get_now("a"), memory.get_now("b")) == (None, b"2")


def test_what_was_not_used_for_longest_makes_room():
    memory = MemoryBackend(1)
    for name in "abcdef":
        memory.put(name, name.encode() * 200_000, None)
        memory.get_now("a")
    assert [name for name in "abcdef" if memory.get_now(name)] == ["a", "c", "d", "e", "f"]


def test_one_answer_does_not_drop_all_the_others():
    memory = MemoryBackend(1)
    memory.put("small", b"x", None)
    memory.put("large", b"x" * 300_000, None)
    assert (memory.get_now("small"), memory.get_now("large")) == (b"x", None)


def test_the_bound_holds_for_what_python_really_takes():
    """OVERHEAD is at least what an entry takes beside its content, so that the bound is one of real memory."""
    gc.collect()
    tracemalloc.start()
    try:
        memory = MemoryBackend(100)
        before, _ = tracemalloc.get_traced_memory()
        count = 20_000
        for number in range(count):
            memory.put(f"langop:{{default/model}}:answer:{number:064d}", b"%0100d" % number, 60)
        taken = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert taken <= 100 + OVERHEAD
    assert taken >= (100 + OVERHEAD) * 0.7  # and not much more, so that maxSize is used


def test_an_entry_whose_time_is_over_takes_no_room_once_it_was_asked_for():
    clock = Clock()
    memory = MemoryBackend(1, clock)
    memory.put("a", b"1", 10)
    clock.now += 11
    assert (memory.get_now("a"), memory.size) == (None, 0)
