"""`make run` where a port is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stand_in import StandIn
from tools import run


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.create_server((run.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_the_gateways_port_is_refused_with_its_holder_and_a_free_one(taken: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["run", "--port", str(taken)])
    with pytest.raises(SystemExit) as ended:
        run.main()
    text = str(ended.value)
    assert f"can't listen on {run.HOST}:{taken}: Address already in use, by " in text
    assert f"(process {os.getpid()})" in text
    assert "make run PORT=" in text


def test_a_second_stand_in_takes_another_port(taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(run, "STAND_IN_PORT", taken)
    with run._stand_in() as provider:
        assert provider.port != taken
    assert f"port {taken}: Address already in use, by " in capsys.readouterr().out


def test_the_example_is_served_as_it_is_beside_a_stand_in_on_its_port(tmp_path: Path):
    assert run._quick_start(StandIn(run.STAND_IN_PORT), tmp_path) == run.QUICK_START


def test_the_example_follows_a_stand_in_on_another_port(tmp_path: Path):
    copy = run._quick_start(StandIn(4321), tmp_path)
    assert yaml.safe_load(copy.read_text(encoding="utf-8"))["spec"]["endpoint"] == "http://127.0.0.1:4321/v1"
