"""What is read at every start is kept for the next one, and only while it is what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from langop_model import kept, resources

VALUE = {"a": [1, 2.5, "text", None, True], "b": {}}


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of schemas, in use instead of the project's."""
    monkeypatch.setattr(resources, "place", lambda _: str(tmp_path))
    (tmp_path / "a.json").write_text(json.dumps(VALUE), encoding="utf-8")
    resources.load_json.cache_clear()
    yield tmp_path
    resources.load_json.cache_clear()


def loaded_again() -> object:
    resources.load_json.cache_clear()
    return resources.load_json("a.json")


def of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"]


def test_a_value_is_read_as_it_was_written(tmp_path: Path):
    file = str(tmp_path / "new" / "file")
    kept.write(file, b"head", VALUE)
    assert kept.read(file, b"head") == VALUE


@pytest.mark.parametrize("content", [b"", b"he", b"head", b"headgarbage", b"other"])
def test_what_is_damaged_or_of_another_source_is_not_there(tmp_path: Path, content: bytes):
    file = tmp_path / "file"
    file.write_bytes(content)
    assert kept.read(str(file), b"head") is None


def test_a_parsed_schema_is_kept_beside_it_and_used(schemas: Path, monkeypatch: pytest.MonkeyPatch):
    assert resources.load_json("a.json") == VALUE
    assert [path.parent.name for path in of(schemas)] == ["__pycache__"]
    monkeypatch.setattr(json, "loads", lambda _: pytest.fail("it is parsed a second time"))
    assert loaded_again() == VALUE


def test_a_schema_that_changed_is_parsed(schemas: Path):
    resources.load_json("a.json")
    (schemas / "a.json").write_text(json.dumps(VALUE).replace("2.5", "3.5"), encoding="utf-8")
    assert loaded_again() == {**VALUE, "a": [1, 3.5, "text", None, True]}


@pytest.mark.parametrize("cut", [1, 20])
def test_a_kept_schema_that_is_damaged_is_parsed(schemas: Path, cut: int):
    resources.load_json("a.json")
    (file,) = of(schemas)
    file.write_bytes(file.read_bytes()[:-cut])
    assert loaded_again() == VALUE


def test_nothing_is_kept_where_python_keeps_nothing(schemas: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert resources.load_json("a.json") == VALUE
    assert of(schemas) == []


def test_a_folder_that_can_not_be_written_does_no_harm(schemas: Path):
    (schemas / "__pycache__").write_text("a file in place of the folder", encoding="utf-8")
    assert resources.load_json("a.json") == VALUE
