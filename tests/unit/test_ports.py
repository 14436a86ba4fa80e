"""Who has a port."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from langop_model import ports
from langop_model.gateway.serving import front

TAKEN = OSError(errno.EADDRINUSE, "in use")
THIS = f"{Path('/proc/self/comm').read_text(encoding='utf-8').strip()} (process {os.getpid()})"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_process_that_has_a_port_is_named(taken: int):
    assert ports.why_not(TAKEN, taken) == f"Address already in use, by {THIS}"


def test_a_port_of_the_other_family_is_found_too():
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as problem:
        pytest.skip(f"no IPv6 on this machine: {problem}")
    with server:
        assert THIS in ports.why_not(TAKEN, server.getsockname()[1])


def test_a_hidden_process_is_known_by_its_user(taken: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "_files", lambda _: set())  # what the files of another user's process look like
    assert ports.why_not(TAKEN, taken) == f"Address already in use, by a process of user {os.getuid()}"


def test_where_nobody_is_found_nobody_is_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int):
    monkeypatch.setattr(ports, "_PROC", tmp_path / "no such folder")
    assert ports.why_not(TAKEN, taken) == "Address already in use"


def test_nobody_is_blamed_for_another_reason(taken: int):
    assert ports.why_not(OSError(errno.EACCES, "denied"), taken) == "Permission denied"


def test_an_error_without_a_number_keeps_its_words(taken: int):
    assert ports.why_not(OSError("no such host"), taken) == "no such host"


def test_the_gateway_says_who_has_its_port(taken: int):
    with pytest.raises(front.BindError, match=rf"^Address already in use, by .* \(process {os.getpid()}\)$"):
        front.listen("127.0.0.1", taken)
