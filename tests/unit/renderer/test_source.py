"""Bytes to documents: what can be read, what is refused, and where each field stands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import source
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.limits import MAX_SOURCE_SIZE

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "spec.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def refused(name: str) -> Finding:
    """Return the one finding with which a file is refused."""
    with pytest.raises(SpecError) as caught:
        source.read(name)
    (finding,) = caught.value.findings
    assert finding.level == "error"
    assert finding.file == name
    return finding


def place(finding: Finding) -> tuple[str, int, int]:
    return finding.code, finding.line, finding.column


# What can be read.


@pytest.mark.parametrize("name", ["spec.json", "spec.yaml", "spec"])
def test_json_and_yaml_are_told_apart_by_their_content(write: Write, name: str):
    assert source.read(write('{"provider": "openai"}', name))[0].value == {"provider": "openai"}
    assert source.read(write("provider: openai", name))[0].value == {"provider": "openai"}


def test_yaml_in_flow_style_is_read_although_it_starts_like_json(write: Write):
    assert source.read(write("{provider: openai}"))[0].value == {"provider": "openai"}


def test_each_document_of_a_file_is_returned_and_an_empty_one_is_left_out(write: Write):
    documents = source.read(write("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n"))
    assert [document.value for document in documents] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("content", ['{"a": "ä"}', "a: ä"])
def test_a_byte_order_mark_is_no_part_of_the_text(write: Write, content: str):
    assert source.read(write(b"\xef\xbb\xbf" + content.encode()))[0].value == {"a": "ä"}


def test_standard_input_is_named_by_a_dash(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a: 1")))
    (document,) = source.read("-")
    assert (document.name, document.value) == ("<stdin>", {"a": 1})


def test_a_surrogate_pair_in_json_is_one_character(write: Write):
    assert source.read(write(r'{"a": "\ud83d\ude00"}'))[0].value == {"a": "😀"}


# What is refused, and where.


@pytest.mark.parametrize("content", ["", " \n\t\n", "# only\n# comments\n", "---\n---\n", "\ufeff", "null", "~"])
def test_a_file_without_a_document_is_refused(write: Write, content: str):
    assert refused(write(content)).code == "LM002"


def test_what_is_neither_json_nor_yaml_is_refused_with_its_place(write: Write):
    assert place(refused(write("a: 1\nb: [1\nc: 2\n"))) == ("LM005", 3, 2)


def test_a_json_file_is_refused_as_json(write: Write):
    finding = refused(write('{"a": 1,\n "b": }', "spec.json"))
    assert place(finding) == ("LM005", 2, 7)
    assert "JSON" in finding.message


def test_plain_text_is_no_object_but_can_be_read(write: Write):
    assert source.read(write("hello world"))[0].value == "hello world"


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('{"a": 1,\n "a": 2}', 2, 2),
        ('{"x": {"a": 1, "b": [{"c": 1,\n  "c": 2}]}}', 2, 3),
        ('{\n\t"a": 1,\n\t"a": 2\n}', 3, 2),
        ("a: 1\na: 2\n", 2, 1),
        ("x:\n  - b: {c: 1, c: 2}\n", 2, 15),
        ('a: 1\n"a": 2\n', 2, 1),
        ("a: 1\n---\nb: 1\nb: 2\n", 4, 1),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_second_place(write: Write, content: str, line: int, column: int):
    assert place(refused(write(content))) == ("LM006", line, column)


def test_latin_1_is_refused_with_the_place_of_its_first_byte(write: Write):
    finding = refused(write("a: 1\nb: modèle\n".encode("latin-1")))
    assert place(finding) == ("LM004", 2, 7)
    assert "0xe8" in finding.message


def test_a_byte_order_mark_does_not_move_the_place_of_a_wrong_byte(write: Write):
    finding = refused(write(b"\xef\xbb\xbf" + "b: modèle\n".encode("latin-1")))
    assert place(finding) == ("LM004", 1, 7)
    assert "0xe8" in finding.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused(write: Write, encoding: str):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert refused(write(mark + "provider: openai".encode(encoding))).code == "LM004"


def test_utf_16_without_a_mark_is_refused(write: Write):
    assert refused(write("provider: openai".encode("utf-16-le"))).code in {"LM004", "LM005"}


@pytest.mark.parametrize("size", [1, 100_000])
def test_binary_zeros_are_refused(write: Write, size: int):
    assert refused(write(b"\0" * size)).code == "LM005"


def test_a_file_of_50_megabytes_is_refused(tmp_path: Path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    finding = refused(str(path))
    assert finding.code == "LM003"
    assert "8 MiB" in finding.message


def test_a_file_of_the_largest_size_is_read(write: Write):
    content = b"a: 1 #" + b" " * (MAX_SOURCE_SIZE - 6)
    assert source.read(write(content))[0].value == {"a": 1}


def test_a_missing_file_is_refused(tmp_path: Path):
    finding = refused(str(tmp_path / "missing.yaml"))
    assert finding.code == "LM001"
    assert "No such file" in finding.message


def test_a_folder_is_no_file(tmp_path: Path):
    assert refused(str(tmp_path)).code == "LM001"


def test_a_path_through_a_file_is_refused(write: Write):
    assert refused(write("a: 1") + "/spec.yaml").code == "LM001"


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 300], ids=["zero", "long"])
def test_a_name_that_no_file_can_have_is_refused(name: str):
    assert refused(name).code == "LM001"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(write: Write):
    name = write("a: 1")
    Path(name).chmod(0)
    assert refused(name).code == "LM001"


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", None)  # what Python does when file descriptor 0 is closed
    with pytest.raises(SpecError) as caught:
        source.read("-")
    assert caught.value.findings[0].code == "LM001"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("[" * 100_000, "spec.json"),
        ("[" * 100_000 + "]" * 100_000, "spec.json"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "spec.json"),
        ("[" * 100_000, "spec.yaml"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "spec.yaml"),
        ("a: " + "{b: " * 100_000, "spec.yaml"),
        ("- " * 100_000 + "x", "spec.yaml"),
        ("? " * 100_000 + "x", "spec.yaml"),
    ],
    ids=["[", "[]", "{}", "[ yaml", "[] yaml", "{ yaml", "- yaml", "? yaml"],
)
def test_a_hundred_thousand_levels_of_nesting_are_refused(write: Write, content: str, name: str):
    assert refused(write(content, name)).code in {"LM005", "LM007"}


@pytest.mark.parametrize("depth", [200, 990])
@pytest.mark.parametrize(("name", "start"), [("spec.json", '{"a": '), ("spec.yaml", "a: ")])
def test_nesting_that_only_the_parser_could_bear_is_refused(write: Write, depth: int, name: str, start: str):
    """A later walk of a document must not run out of stack: the limit is the same for JSON and YAML."""
    content = start + "[" * depth + "]" * depth + ("}" if name.endswith(".json") else "")
    assert refused(write(content, name)).code == "LM007"


@pytest.mark.parametrize(("name", "start"), [("spec.json", '{"a": '), ("spec.yaml", "a: ")])
def test_forty_levels_of_nesting_can_be_read(write: Write, name: str, start: str):
    content = start + "[" * 40 + "]" * 40 + ("}" if name.endswith(".json") else "")
    assert source.read(write(content, name))[0].value["a"] is not None


def test_a_long_file_of_shallow_objects_can_be_read(write: Write):
    content = "".join(f"- {{a: [{number}], b: {{c: [d]}}}}\n" for number in range(2_000))
    assert len(source.read(write(content))[0].value) == 2_000


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('{"a": 1e400}', 1, 7),
        ('{"b": 1,\n "a": -1e400}', 2, 7),
        ('{"a": NaN}', 1, 7),
        ('{"a": [Infinity]}', 1, 8),
        ('{"a": -Infinity}', 1, 7),
        ("b: 1\na: 1e400\n", 2, 1),
        ("a: .inf", 1, 1),
        ("a: -.INF", 1, 1),
        ("a: .nan", 1, 1),
        ("a:\n  - 1\n  - .NaN\n", 3, 5),
    ],
)
def test_a_number_beyond_json_is_refused_with_its_place(write: Write, content: str, line: int, column: int):
    assert place(refused(write(content))) == ("LM008", line, column)


@pytest.mark.parametrize("content", ['{"a": %s}', "a: %s"])
def test_a_whole_number_of_5000_digits_is_refused(write: Write, content: str):
    finding = refused(write(content % ("9" * 5000)))
    assert finding.code == "LM005"
    assert len(finding.message) < 200


@pytest.mark.parametrize("content", [r'{"a": "\ud800"}', r'{"a": ["x\udfffy"]}'])
def test_half_a_surrogate_pair_is_refused(write: Write, content: str):
    assert refused(write(content)).code == "LM004"


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.text("[]{}:,-?&*!|>'\"%@`#a1 \n\t", max_size=40).map(str.encode)
)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        documents = source.read(str(path))
    except SpecError as problem:
        assert problem.findings[0].level == "error"  # noqa: PT017 - either is right; a third outcome would fail
    else:
        assert documents


@pytest.mark.timeout(10)
def test_a_large_object_with_a_key_that_stands_twice_is_refused_in_time(write: Write):
    """Looking for the key must not take a time that grows with the square of the file."""
    members = ", ".join(f'"k{number}": 0' for number in range(60_000))
    assert refused(write("{" + members + ', "last": 0, "last": 0}')).code == "LM006"


# Folders.


def test_a_folder_stands_for_its_specifications_in_order_of_name(tmp_path: Path):
    for name in ("b.yaml", "a.yml", "c.json", "README.md", "d.yaml.bak"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    assert source.expand([str(tmp_path)]) == [str(tmp_path / name) for name in ("a.yml", "b.yaml", "c.json")]


def test_a_mounted_config_map_is_read_once(tmp_path: Path):
    """Its files are links into hidden folders."""
    version = tmp_path / "..2024_10_21"
    version.mkdir()
    (version / "model.json").write_text("{}", encoding="utf-8")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "model.json").symlink_to("..data/model.json")
    (tmp_path / ".hidden.yaml").write_text("x", encoding="utf-8")
    assert source.expand([str(tmp_path)]) == [str(tmp_path / "model.json")]


def test_files_and_standard_input_stay_as_they_are():
    assert source.expand(["b", "-", "a"]) == ["b", "-", "a"]


@pytest.mark.parametrize("files", [[], ["README.md", ".dot.yaml"]])
def test_a_folder_without_specifications_is_refused(tmp_path: Path, files: list[str]):
    for name in files:
        (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        source.expand([str(tmp_path)])
    assert [(finding.code, finding.file) for finding in caught.value.findings] == [("LM012", str(tmp_path))]


def test_a_name_that_is_too_long_is_no_folder():
    assert source.expand(["x" * 300]) == ["x" * 300]


def test_a_folder_that_may_not_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def forbidden(_: str) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", forbidden)
    with pytest.raises(SpecError) as caught:
        source.expand([str(tmp_path)])
    assert caught.value.findings[0].code == "LM001"


# Where things stand.

MANIFEST = """\
# A comment.
kind: LanguageModel
spec:
  modelName: llama
  fallbacks:
    - modelRef: a
    - modelRef: b
      conditions: [error, timeout]
---
spec: {modelName: second}
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), (2, 1)),
        (("spec",), (3, 1)),
        (("spec", "modelName"), (4, 3)),
        (("spec", "fallbacks", 1), (7, 7)),
        (("spec", "fallbacks", 1, "conditions", 1), (8, 27)),
        (("spec", "fallbacks", 7), (5, 3)),
        (("spec", "missing", "deeper"), (3, 1)),
        (("elsewhere",), (2, 1)),
    ],
)
def test_a_field_is_found_where_its_name_stands_or_at_its_nearest_parent(
    path: tuple[str | int, ...], expected: tuple[int, int]
):
    assert source.parse("spec.yaml", MANIFEST)[0].locate(path) == expected


def test_a_field_of_a_second_document_is_found_there():
    assert source.parse("spec.yaml", MANIFEST)[1].locate(("spec", "modelName")) == (10, 8)


def test_a_field_of_json_is_found_also_behind_tabs():
    document = source.parse("spec.json", '{\n\t"spec": {\n\t\t"modelName": "x"}}')[0]
    assert document.locate(("spec", "modelName")) == (3, 3)


def test_the_root_of_a_bare_spec_stands_for_spec():
    document = source.parse("model.json", '{"provider": "openai",\n "modelName": "x"}')[0]
    document.stands_for = ("spec",)
    assert (document.locate(("spec",)), document.locate(("spec", "modelName"))) == ((1, 1), (2, 2))


def test_a_part_of_a_document_knows_its_own_places():
    item = source.parse("list.yaml", "items:\n- a: 1\n- b:\n    c: 2\n")[0].part("items", 1)
    assert item.value == {"b": {"c": 2}}
    assert item.locate(("b", "c")) == (4, 5)


def test_what_a_text_inside_a_document_holds_is_placed_at_that_text():
    parent = source.parse("map.yaml", "data:\n  model.json: '{\"a\": 1}'\n")[0]
    (inner,) = source.embedded(parent, parent.value["data"]["model.json"], "data", "model.json")
    assert (inner.value, inner.name, inner.locate(("a",))) == ({"a": 1}, "map.yaml", (2, 3))


def test_a_wrong_text_inside_a_document_is_refused_at_its_place():
    parent = source.parse("map.yaml", "data:\n  model.json: '{\"a\": '\n")[0]
    with pytest.raises(SpecError) as caught:
        source.embedded(parent, parent.value["data"]["model.json"], "data", "model.json")
    (finding,) = caught.value.findings
    assert (finding.code, finding.where) == ("LM005", "map.yaml:2:3")


def test_every_leaf_is_walked_with_its_path_and_an_empty_object_is_a_leaf():
    value = {"a": [1, {"b": None}], "c": {}, "d": [], "e": False}
    assert list(source.walk(value)) == [(("a", 0), 1), (("a", 1, "b"), None), (("c",), {}), (("d",), []), (("e",), False)]
