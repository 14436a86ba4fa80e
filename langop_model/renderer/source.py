"""Bytes to documents that remember file, line and column.

JSON is read by the standard library and needs no YAML parser unless something has to be located. YAML is read the way the
Kubernetes API server reads it: a date is text, `1e3` is a number.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from langop_model.renderer import files, findings, nested, syntax
from langop_model.renderer.files import STANDARD_INPUT
from langop_model.renderer.findings import Path, SpecError
from langop_model.renderer.limits import MAX_DEPTH

SUFFIXES = (".json", ".yaml", ".yml")
_TRAILING_COMMA = {
    "Illegal trailing comma before end of object": "Expecting property name enclosed in double quotes",
    "Illegal trailing comma before end of array": "Expecting value",
}
# A text without any of these has no number that is not finite, and no half of a surrogate pair: .inf, 1e999, "\\uD800".
_MAY_BE_BAD = re.compile(r"\.[iI][nN][fF]|\.[nN][aA][nN]|[0-9.][eE]|[0-9]{300}|\\[uU]")
_LIKE_JSON = re.compile(r'\s*[{\[]\s*["{\[]')  # YAML in braces seldom quotes its keys


class Document:
    """One document of a source.

    `name` is the file as the user named it. `origin` is set for a text found inside another document (a ConfigMap's
    model.json): its findings are placed at that entry. `stands_for` is the path that a bare spec's root means.
    """

    __slots__ = ("index", "is_json", "name", "origin", "prefix", "stands_for", "text", "value")

    def __init__(  # noqa: PLR0913, PLR0917 - each has its own default
        self,
        name: str,
        text: str,
        value: Any,
        index: int = 0,
        prefix: Path = (),
        origin: tuple[int, int] | None = None,
        stands_for: Path = (),
    ) -> None:
        self.name = name
        self.text = text
        self.value = value
        self.index = index
        self.prefix = prefix
        self.origin = origin
        self.stands_for = stands_for
        self.is_json = False

    def locate(self, path: Path) -> tuple[int, int]:
        """Return line and column, from 1, of the field at `path`, or of its nearest parent that is there."""
        return self.origin or self.locate_in_text(path)

    def locate_in_text(self, path: Path) -> tuple[int, int]:
        """Return the same in the document's own text, which may be inside another document."""
        if path[: len(self.stands_for)] == self.stands_for:
            path = path[len(self.stands_for) :]
        if self.is_json:
            from langop_model.renderer import json_places

            return json_places.locate(self.text, self.prefix + path, exists=nested.at(self.value, path, self) is not self)
        from langop_model.renderer import yaml_source

        return yaml_source.locate(self.text, self.index, self.prefix + path)

    def written(self, path: Path) -> str:
        """Return the plain value at `path` as it is written in the source."""
        from langop_model.renderer import yaml_source

        return yaml_source.written(self.text, self.index, self.prefix + path)

    def part(self, *path: str | int) -> Document:
        """Return the document that is inside this one at `path`."""
        value = self.value
        for segment in path:
            value = value[segment]
        part = Document(self.name, self.text, value, self.index, self.prefix + path, self.origin)
        part.is_json = self.is_json
        return part


def expand(sources: list[str]) -> list[str]:
    """Return the files that `sources` name: a folder means the JSON and YAML files in it, sorted, without dot files.

    A mounted ConfigMap holds `..data` links: they are dot files too. Raises SpecError for a folder without any (LM012).
    """
    files: list[str] = []
    for source in sources:
        if source == STANDARD_INPUT or not os.path.isdir(source):  # noqa: PTH112 - false for a name that no file can have
            files.append(source)
            continue
        found = specifications(source)
        if not found:
            raise findings.error("LM012", file=source)
        files.extend(found)
    return files


def specifications(folder: str) -> list[str]:
    """Return the JSON and YAML files in a folder, sorted, without dot files. Raises SpecError when it can't be read (LM001)."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if _is_specification(entry))
    except OSError as problem:
        raise findings.error("LM001", file=folder, reason=problem.strerror) from None


def _is_specification(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(SUFFIXES) and not entry.name.startswith(".") and entry.is_file()


def read(source: str) -> list[Document]:
    """Return the documents of one file, or of standard input for `-`.

    Raises SpecError when it can't be read, is too large, is not UTF-8, is empty, or is neither JSON nor YAML.
    """
    name = "<stdin>" if source == STANDARD_INPUT else source
    return parse(name, files.read(name, source))


def parse(name: str, text: str) -> list[Document]:
    """Return the documents in `text`. Raises SpecError as `read` does."""
    try:
        return _parse(name, text)
    except RecursionError:
        raise findings.error("LM007", file=name, problem="is nested too deeply") from None


def _parse(name: str, text: str) -> list[Document]:
    if not text.strip():
        raise findings.error("LM002", file=name)
    if text.lstrip()[0] in "{[":
        try:
            document = Document(name, text, parse_json(name, text))
            document.is_json = True
            return [document]
        except json.JSONDecodeError as error:
            problem = _as_before_python_3_13(error)
            no_json = syntax.error("LM005", name, text, problem.msg, problem.lineno, problem.colno, language="JSON")
        if name.endswith(".json"):
            raise no_json
        if _LIKE_JSON.match(text):
            return _parse_yaml(name, text, instead=no_json)
    return _parse_yaml(name, text)


def _as_before_python_3_13(problem: json.JSONDecodeError) -> json.JSONDecodeError:
    """Return an error with the words and the place of Python 3.11, whichever Python reads: 3.13 speaks of trailing commas."""
    words = _TRAILING_COMMA.get(problem.msg)
    if words is None:
        return problem
    after = problem.pos + 1
    return json.JSONDecodeError(words, problem.doc, after + len(problem.doc[after:]) - len(problem.doc[after:].lstrip()))


def _parse_yaml(name: str, text: str, instead: SpecError | None = None) -> list[Document]:
    """Return the documents of a YAML text. Raises what is wrong with it, or `instead` where its syntax is."""
    from langop_model.renderer import yaml_source

    try:
        values = yaml_source.parse(name, text)
    except SpecError as problem:
        raise (instead if instead and problem.findings[0].code == "LM005" else problem) from None
    documents = [Document(name, text, value, index) for index, value in enumerate(values) if value is not None]
    if not documents:
        raise findings.error("LM002", file=name)
    for document in documents:
        _refuse_bad_scalars(document)
    return documents


def embedded(parent: Document, text: str, *path: str | int) -> list[Document]:
    """Return the documents in `text`, a string inside `parent` at `path`."""
    origin = parent.locate(path)
    try:
        documents = parse(f"{parent.name} ({findings.dotted(path)})", text)
    except SpecError as problem:
        found = problem.findings[0]
        raise SpecError([found.replace(file=parent.name, line=origin[0], column=origin[1])]) from None
    for document in documents:
        document.name, document.origin = parent.name, origin
    return documents


def parse_json(name: str, text: str) -> Any:
    """Return the value of a JSON text.

    Raises json.JSONDecodeError where it is none, and SpecError for what JSON allows and a specification does not: a key
    that appears twice (LM006), nesting without end (LM007), a number that is not finite (LM008), half a surrogate pair (LM004).
    """
    try:
        value = _loaded(name, text)
        too_deep = _is_too_deep(text, value)
    except RecursionError:
        too_deep = True
    except json.JSONDecodeError:
        raise
    except ValueError as problem:  # an integer of more than 4,300 digits
        raise syntax.error("LM005", name, text, str(problem).split(";")[0], language="JSON") from None
    if too_deep:
        raise findings.error("LM007", file=name, problem="is nested too deeply")
    if "\\u" in text:  # numbers that are not finite are refused already
        _refuse_bad_scalars(Document(name, text, value))
    return value


def _loaded(name: str, text: str) -> Any:
    """Return what `json.loads` does. Raises as it does, and SpecError for a key that appears twice and what is not finite."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if len(result) != len(items):
            twice = next(key for key, count in Counter(key for key, _ in items).items() if count > 1)
            raise findings.error("LM006", file=name, key=twice, **_place_of_duplicate(name, text))
        return result

    def refuse_constant(constant: str) -> Any:
        raise _not_finite(name, text, constant)

    def finite(number: str) -> float:
        value = float(number)
        if value in (float("inf"), float("-inf")):
            raise _not_finite(name, text, number)
        return value

    return json.loads(text, object_pairs_hook=pairs, parse_constant=refuse_constant, parse_float=finite)


def _is_too_deep(text: str, value: Any) -> bool:
    """Whether the value of a JSON text is nested too deeply: each level begins with a bracket, and most texts have few."""
    return text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH


def _depth(value: Any) -> int:
    """Return how deeply `value` is nested; RecursionError where Python gives up."""
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _place_of_duplicate(name: str, text: str) -> dict[str, Any]:
    """Find where a key appears the second time; the YAML parser knows places, and JSON is YAML."""
    from langop_model.renderer import yaml_source

    try:
        yaml_source.parse(name, text)
    except SpecError as problem:
        if problem.findings[0].code == "LM006":
            return {"line": problem.findings[0].line, "column": problem.findings[0].column}
    return {}


def _not_finite(name: str, text: str, number: str) -> SpecError:
    at = text.find(number)
    before = text[:at]
    line, column = before.count("\n") + 1, at - before.rfind("\n")
    return findings.error("LM008", file=name, line=line, column=column, number=number)


def _refuse_bad_scalars(document: Document) -> None:
    """Refuse what YAML can say and JSON can't, and text that can't be written back: raises SpecError."""
    if not _MAY_BE_BAD.search(document.text):
        return
    for path, value in walk(document.value):
        problem: SpecError | None = None
        line_column = {}
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
            line_column = dict(zip(("line", "column"), document.locate(path), strict=True))
            problem = findings.error("LM008", file=document.name, number=document.written(path), path=path, **line_column)
        elif isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            problem = findings.error("LM004", file=document.name, problem="a text holds half a surrogate pair", path=path)
        if problem is not None:
            raise problem


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf of `value` with its path. An empty list or object is a leaf."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list) and value:
            waiting += [((*path, index), value[index]) for index in range(len(value) - 1, -1, -1)]
        else:
            yield path, value
