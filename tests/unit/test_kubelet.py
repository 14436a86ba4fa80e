"""The tests' own mounts look and change as those of a pod do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kubelet import MountedFolder


@pytest.fixture
def mount(tmp_path: Path) -> MountedFolder:
    mount = MountedFolder(tmp_path / "langop")
    mount.write({"a.json": "1", "b.json": "2"})
    return mount


def contents(mount: MountedFolder) -> dict[str, str]:
    return {path.name: path.read_text() for path in mount.folder.iterdir() if not path.name.startswith("..")}


def test_each_file_is_a_link_through_the_link_data(mount: MountedFolder):
    assert (mount.folder / "a.json").readlink() == Path("..data/a.json")
    assert (mount.folder / "..data").is_symlink()
    assert contents(mount) == {"a.json": "1", "b.json": "2"}


def test_a_write_replaces_all_files_and_leaves_one_generation(mount: MountedFolder):
    mount.write({"b.json": "3", "c.json": "4"})
    assert contents(mount) == {"b.json": "3", "c.json": "4"}
    assert len([path for path in mount.folder.iterdir() if path.name.startswith("..")]) == 2


def test_a_file_that_stays_keeps_its_link(mount: MountedFolder):
    before = (mount.folder / "b.json").lstat().st_ino
    mount.write({"b.json": "3"})
    assert (mount.folder / "b.json").lstat().st_ino == before
