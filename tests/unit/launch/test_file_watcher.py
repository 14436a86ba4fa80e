"""Noticing changes of mounted files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from langop_model.launch.file_watcher import FileWatcher


def rewrite(folder: Path) -> None:
    (folder / "model.json").write_text("new content", encoding="utf-8")


def replace(folder: Path) -> None:
    (folder / "other").write_text("same", encoding="utf-8")
    (folder / "other").replace(folder / "model.json")


def remove(folder: Path) -> None:
    (folder / "model.json").unlink()


def mount_again(folder: Path) -> None:
    """As kubelet does with a ConfigMap: a new folder, and a link that is moved to it."""
    (folder / "..2").mkdir()
    (folder / "..2" / "mounted.json").write_text("same", encoding="utf-8")
    (folder / "..data_tmp").symlink_to("..2")
    (folder / "..data_tmp").replace(folder / "..data")


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    (tmp_path / "model.json").write_text("same", encoding="utf-8")
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "mounted.json").write_text("same", encoding="utf-8")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "mounted.json").symlink_to("..data/mounted.json")
    return tmp_path


def watching(*paths: Path) -> FileWatcher:
    watch = FileWatcher()
    watch.remember(map(str, paths))
    return watch


def test_nothing_changes_by_itself(mount: Path):
    watch = watching(mount)
    assert [watch.changed() for _ in range(3)] == [False, False, False]


@pytest.mark.parametrize("change", [rewrite, replace, remove, mount_again])
def test_a_change_in_a_folder_is_noticed_when_it_has_lasted_a_look(mount: Path, change: Callable[[Path], None]):
    watch = watching(mount)
    change(mount)
    assert [watch.changed() for _ in range(2)] == [False, True]


@pytest.mark.parametrize("change", [rewrite, replace, remove])
def test_a_change_of_a_file_is_noticed(mount: Path, change: Callable[[Path], None]):
    watch = watching(mount / "model.json")
    change(mount)
    assert [watch.changed() for _ in range(2)] == [False, True]


def test_a_mounted_file_is_noticed_by_its_link(mount: Path):
    watch = watching(mount / "mounted.json")
    mount_again(mount)
    assert [watch.changed() for _ in range(2)] == [False, True]


def test_a_file_that_is_still_being_written_is_left_alone(mount: Path):
    watch = watching(mount)
    for part in ("", "{", "{ "):
        (mount / "model.json").write_text(part, encoding="utf-8")
        assert not watch.changed()
    assert watch.changed()


def test_what_was_not_there_is_noticed_when_it_comes(mount: Path):
    watch = watching(mount / "late.json")
    (mount / "late.json").touch()
    assert [watch.changed() for _ in range(2)] == [False, True]


def test_a_change_that_is_taken_back_is_none(mount: Path):
    watch = watching(mount / "late.json")
    (mount / "late.json").touch()
    watch.changed()
    (mount / "late.json").unlink()
    assert [watch.changed() for _ in range(2)] == [False, False]


def test_further_paths_are_watched_beside_the_first(mount: Path):
    watch = watching(mount / "model.json")
    watch.add([str(mount / "mounted.json")])
    assert not watch.changed()
    mount_again(mount)
    assert [watch.changed() for _ in range(2)] == [False, True]


def test_a_change_before_further_paths_are_added_is_still_noticed(mount: Path):
    watch = watching(mount / "model.json")
    rewrite(mount)
    watch.add([str(mount / "mounted.json")])
    assert [watch.changed() for _ in range(2)] == [False, True]


def test_a_name_that_no_file_can_have_is_not_there():
    assert not watching(Path("x" * 300), Path("a\0b")).changed()
