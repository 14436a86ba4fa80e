"""Compiled templates are kept beside the templates, or where only this user can write, and used while nothing changed."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from langop_model.renderer import templating


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates, and a folder for temporary files."""
    folder, temporary = tmp_path / "templates", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    (folder / "a.j2").write_text("first", encoding="utf-8")
    monkeypatch.setattr(templating, "place", lambda _: str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    return folder


def rendered(folder: Path) -> str:
    env = Environment(loader=FileSystemLoader(folder), bytecode_cache=templating._bytecode_cache(), autoescape=False)
    return env.get_template("a.j2").render()


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".j2"]


def test_a_compiled_template_is_used_again(templates: Path, monkeypatch: pytest.MonkeyPatch):
    assert rendered(templates) == "first"
    assert len(kept(templates)) == 1
    monkeypatch.setattr(Environment, "compile", lambda *_, **__: pytest.fail("it is compiled a second time"))
    assert rendered(templates) == "first"


def test_a_template_that_changed_is_compiled(templates: Path):
    rendered(templates)
    (templates / "a.j2").write_text("second", encoding="utf-8")
    assert rendered(templates) == "second"


@pytest.mark.parametrize("content", [b"", b"j2", b"garbage" * 100])
def test_a_damaged_file_is_compiled(templates: Path, content: bytes):
    rendered(templates)
    kept(templates)[0].write_bytes(content)
    assert rendered(templates) == "first"


def test_code_that_is_cut_off_is_compiled(templates: Path):
    rendered(templates)
    (file,) = kept(templates)
    file.write_bytes(file.read_bytes()[:-20])
    assert rendered(templates) == "first"


def test_where_a_folder_can_not_be_written_a_private_one_is_used(templates: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    assert rendered(templates) == "first"
    (file,) = kept(templates.parent / "temporary")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
