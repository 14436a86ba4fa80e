"""A result is written whole or not at all, and only its owner can read it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer.atomic_write import MAX_TOGETHER, write, write_all
from langop_model.renderer.findings import Finding, SpecError


def refused(path: Path) -> Finding:
    with pytest.raises(SpecError) as caught:
        write(path, "new")
    (finding,) = caught.value.findings
    assert (finding.code, finding.file) == ("LM015", str(path))
    return finding


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_text_is_written_as_it_is(tmp_path: Path):
    write(tmp_path / "config.yaml", "a: ä\nb: 😀\n")
    assert (tmp_path / "config.yaml").read_bytes() == "a: ä\nb: 😀\n".encode()


@pytest.mark.parametrize("name", ["x" * 250 + ".yaml", "模" * 83 + ".yaml"], ids=["ascii", "unicode"])
def test_a_name_as_long_as_a_file_may_have_is_written(tmp_path: Path, name: str):
    write(tmp_path / name, "x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_the_owner_can_read_it(tmp_path: Path):
    write(tmp_path / "config.yaml", "x")
    assert mode(tmp_path / "config.yaml") == 0o600


def test_a_file_that_all_could_read_is_closed(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    write(path, "new")
    assert (path.read_text(encoding="utf-8"), mode(path)) == ("new", 0o600)


def test_nothing_else_is_left_in_the_folder(tmp_path: Path):
    write(tmp_path / "config.yaml", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_intact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    """Nothing else is left either."""
    path = tmp_path / "config.yaml"
    path.write_text("old", encoding="utf-8")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"fsync": "os.fsync", "replace": "os.replace"}[step], full)
    assert "No space left on device" in refused(path).message
    assert path.read_text(encoding="utf-8") == "old"
    assert [other.name for other in tmp_path.iterdir()] == ["config.yaml"]


def test_of_several_texts_each_is_written_or_named(tmp_path: Path):
    """More of them than are written together; what can't be written stops none of the others."""
    paths = [str(tmp_path / f"{number}.yaml") for number in range(2 * MAX_TOGETHER + 1)]
    (tmp_path / "3.yaml").mkdir()
    problems = write_all([(path, path) for path in paths])
    assert [problem.file for problem in problems if problem is not None] == [paths[3]]
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.is_file()} == {
        Path(path).name: path for path in paths if path != paths[3]
    }


def test_of_several_texts_none_is_seen_before_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[int] = []
    seen: list[int] = []
    replace = os.replace

    def observed(old: str, new: str) -> None:
        seen.append(len(synced))
        replace(old, new)

    monkeypatch.setattr("os.fsync", synced.append)
    monkeypatch.setattr("os.replace", observed)
    write_all([(str(tmp_path / name), name) for name in "abc"])
    assert all(count >= number for number, count in enumerate(seen, 1))
    assert len(seen) == 3


def test_an_interrupted_write_leaves_nothing_beside_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    replace = os.replace

    def interrupted(old: str, new: str) -> None:
        if new.endswith("b"):
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all([(str(tmp_path / name), name) for name in "abc"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    assert "No such file" in refused(tmp_path / "missing" / "config.yaml").message


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    refused(tmp_path / "file" / "config.yaml")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path):
    refused(tmp_path)


def test_a_name_that_is_too_long_is_refused(tmp_path: Path):
    refused(tmp_path / ("x" * 300))


def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path):
    """Through a link, so that a defect replaces the link and not the device of a user who runs this as root."""
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    write(link, "x")
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)


def test_a_pipe_is_written_to(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(path.read_text(encoding="utf-8")))
    reader.start()
    write(path, "through the pipe")
    reader.join(timeout=5)
    assert received == ["through the pipe"]


def test_a_reader_never_sees_a_part(tmp_path: Path):
    """Who opened the old file reads the old file to its end."""
    path = tmp_path / "config.yaml"
    write(path, "old" * 1000)
    with path.open(encoding="utf-8") as reader:
        write(path, "new")
        assert reader.read() == "old" * 1000
