"""LiteLLM imported once, in a process that forks: what must not be there afterwards, and what must."""

from __future__ import annotations

from typing import Any


def test_no_thread_and_no_event_loop_is_left_that_a_fork_would_lose(imported: dict[str, Any]):
    assert (imported["threads"], imported["loop"]) == (1, False)


def test_every_open_route_is_made_or_comes_with_its_first_request(imported: dict[str, Any]):
    assert [path for path, made in imported["open"].items() if not made] == []


def test_no_closed_route_is_made(imported: dict[str, Any]):
    assert [path for path, made in imported["closed"].items() if made] == []


def test_litellms_log_level_is_where_a_worker_sets_it(imported: dict[str, Any]):
    assert imported["logging"] == [True, True, True]
