"""A mount that does not answer, as a network mount whose server is gone: it holds up nothing, and is named in the log."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from langop_model.launch import command, config_watcher, file_watcher, mount_looks, mounts
from langop_model.launch.config_watcher import ConfigReloader
from langop_model.launch.file_watcher import FileWatcher
from langop_model.launch.mount_looks import MountLooks
from langop_model.renderer.findings import Finding
from tests.support.waiting import PATIENCE, eventually
from tests.unit.specs import a_spec, codes

# What is on a network.

TABLE = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /etc/langop rw,relatime - tmpfs tmpfs rw
31 22 0:41 / /srv rw,relatime shared:5 master:2 - nfs4 server:/export rw,hard
32 31 0:42 / /srv/local rw,relatime - tmpfs tmpfs rw
33 22 0:43 / /mnt/two\040words rw,relatime - fuse.sshfs server:/ rw
34 22 0:44 / /over rw,relatime - nfs server:/ rw
35 34 0:45 / /over rw,relatime - ext4 /dev/sdb1 rw
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mountinfo").write_bytes(TABLE)
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("path", "is_on_network"),
    [
        ("/etc/langop/model.json", False),
        ("/srv", True),
        ("/srv/models/model.json", True),
        ("/srv/models/../models", True),
        ("/srv/local/model.json", False),
        ("/srvother", False),
        ("/mnt/two words/model.json", True),
        ("/over/model.json", False),  # mounted over
        ("/", False),
    ],
)
@pytest.mark.usefixtures("table")
def test_the_mount_that_a_path_is_on_decides(path: str, is_on_network: bool):
    assert mounts.on_network([path, "/home"]) == ([path] if is_on_network else [])


def test_without_a_table_of_mounts_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "none")
    assert mounts.on_network(["/srv"]) == []


# Looks.


class Server:
    """What the looks of a watcher ask: it answers when it is up."""

    def __init__(self, folder: Path) -> None:
        self.up = folder / "up"
        self.up.touch()
        self.looked_in = folder / "looked-in"

    def marks(self, paths: list[str]) -> list[file_watcher.Mark]:
        self.looked_in.write_text(str(os.getpid()), encoding="utf-8")
        while not self.up.exists():
            time.sleep(0.01)
        return [(path, 0, 0, len(Path(path).read_bytes())) for path in paths]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server(tmp_path)
    monkeypatch.setattr(file_watcher, "_marks", server.marks)
    monkeypatch.setattr(mounts, "on_network", list)
    monkeypatch.setattr(mount_looks, "SLOW", 0.1)
    return server


@pytest.fixture
def watched(server: Server, tmp_path: Path) -> tuple[FileWatcher, Path]:
    file = tmp_path / "model.json"
    file.write_text("a", encoding="utf-8")
    assert server.up.exists()
    watch = FileWatcher()
    watch.remember([str(file)])
    return watch, file


def test_a_network_mount_is_looked_at_in_another_process(server: Server, watched: tuple[FileWatcher, Path]):
    watch, file = watched
    looks = MountLooks(lambda *_: None)
    file.write_text("bb", encoding="utf-8")
    eventually(lambda: looks.changed(watch))
    assert server.looked_in.read_text(encoding="utf-8") != str(os.getpid())


def test_any_other_mount_is_looked_at_here(server: Server, watched: tuple[FileWatcher, Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mounts, "on_network", lambda _: [])
    MountLooks(lambda *_: None).changed(watched[0])
    assert server.looked_in.read_text(encoding="utf-8") == str(os.getpid())


def test_a_look_that_does_not_return_is_told_once_and_used_when_it_does(server: Server, watched: tuple[FileWatcher, Path]):
    watch, file = watched
    told: list[list[str]] = []
    looks = MountLooks(lambda paths, _: told.append(paths))
    server.up.unlink()
    file.write_text("bb", encoding="utf-8")
    began = time.monotonic()
    while time.monotonic() < began + 0.5:
        assert not looks.changed(watch)
    assert told == [[str(file)]]
    server.up.touch()
    eventually(lambda: looks.changed(watch))
    assert told == [[str(file)]]


# Rendering.


@pytest.fixture
def said() -> list[Finding]:
    return []


@pytest.fixture
def reloader(tmp_path: Path, said: list[Finding], monkeypatch: pytest.MonkeyPatch) -> ConfigReloader:
    monkeypatch.setattr(config_watcher, "RENDER_TIMEOUT", 0.3)
    mount(tmp_path)
    environment = {"LANGOP_MODEL_PATH": str(tmp_path / "model.json"), "LANGOP_CONFIG_PATH": str(tmp_path / "config.yaml")}
    reloader = ConfigReloader(environment, said.extend)
    reloader.first()
    said.clear()
    return reloader


def mount(folder: Path, **fields: str) -> None:
    (folder / "new").write_text(json.dumps(a_spec(**fields)), encoding="utf-8")
    (folder / "new").replace(folder / "model.json")


@pytest.fixture
def silent(tmp_path: Path, reloader: ConfigReloader) -> Iterator[Path]:
    """A mounted file that is opened, and never read to its end: a pipe whose writer writes nothing."""
    assert reloader.path == tmp_path / "config.yaml"
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    (tmp_path / "pipe").replace(tmp_path / "model.json")
    yield tmp_path / "model.json"
    os.close(writer)


def test_rendering_that_does_not_end_is_given_up_and_names_the_mount(
    reloader: ConfigReloader, said: list[Finding], silent: Path
):
    before = reloader.path.read_text(encoding="utf-8")
    eventually(lambda: reloader.next() is None and "LM739" in codes(said))
    assert str(silent) in said[0].message
    assert reloader.path.read_text(encoding="utf-8") == before
    assert [each["code"] for each in reloader.status.refused] == ["LM739"]


def test_at_the_start_it_is_waited_for_and_named(
    reloader: ConfigReloader, said: list[Finding], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    load = reloader.load

    def answers_late() -> Any:
        while not (tmp_path / "up").exists():
            time.sleep(0.01)
        return load()

    def hears(found: Iterable[Finding]) -> None:
        said.extend(found)
        (tmp_path / "up").touch()

    monkeypatch.setattr(reloader, "load", answers_late)
    monkeypatch.setattr(reloader, "say", hears)
    command._Start(reloader, 1).variables()
    assert codes(said)[0] == "LM739"
    assert str(tmp_path / "model.json") in said[0].message


def test_what_is_mounted_then_is_served(
    reloader: ConfigReloader, said: list[Finding], silent: Path, monkeypatch: pytest.MonkeyPatch
):
    eventually(lambda: reloader.next() is None and "LM739" in codes(said))
    monkeypatch.setattr(config_watcher, "RENDER_TIMEOUT", PATIENCE)
    mount(silent.parent, timeout="7s")
    eventually(lambda: reloader.next() is not None)
    assert "timeout: 7\n" in reloader.path.read_text(encoding="utf-8")
    assert codes(said).count("LM739") == 1
