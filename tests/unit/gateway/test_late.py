"""A promised module: imported when something of it is used, and not before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langop_model.gateway.serving import late

PACKAGE = "promised_package"
CLOSED = f"{PACKAGE}.closed"
WIDE = f"{PACKAGE}.wide"
INNER = f"{WIDE}.inner"
SOURCE = """
LIMIT = 3
empty = ()
class Refused(Exception): pass
class RefusedError(Exception): pass
class Base:
    name = "base"
    def __class_getitem__(cls, key): return (cls.name, key)
numbers = [1, 2]
def double(number): return 2 * number
def loud(function):
    return lambda *arguments: function(*arguments) + "!"
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "closed.py").write_text(SOURCE, encoding="utf-8")
    (folder / "wide").mkdir()
    (folder / "wide" / "__init__.py").write_text(f"from {INNER} import half\n", encoding="utf-8")
    (folder / "wide" / "inner.py").write_text("def half(number): return number / 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(late, "kept", set())
    monkeypatch.setattr(late, "bound", {})
    yield
    for name in (PACKAGE, CLOSED, WIDE, INNER):
        sys.modules.pop(name, None)


def take(*names: str) -> list[Any]:
    """Return names of the closed module, as they are bound while it is promised."""
    with late.promised([CLOSED]):
        module = importlib.import_module(CLOSED)
        return [getattr(module, name) for name in names]


def test_a_name_that_nobody_uses_imports_nothing():
    take("double", "Base")
    assert (CLOSED in sys.modules, late.kept) == (False, set())


def test_what_was_taken_is_known():
    take("double", "Base")
    assert late.bound == {CLOSED: {"double", "Base"}}


def test_a_function_that_is_called_is_the_real_one():
    (double,) = take("double")
    assert (double(4), late.kept) == (8, {f"{CLOSED}:double"})


def test_a_class_can_be_derived_from_and_recognizes_its_objects():
    (base,) = take("Base")
    derived = type("Derived", late_bases(base), {})
    assert derived.name == "base"  # type: ignore[attr-defined]
    assert isinstance(derived(), base)


def late_bases(base: Any) -> tuple[type, ...]:
    """Return what Python makes of `class Derived(base)`."""
    found: tuple[type, ...] = base.__mro_entries__(())
    return found


def test_a_value_and_an_exception_are_real_at_once():
    limit, error = take("LIMIT", "RefusedError")
    assert (limit, issubclass(error, Exception)) == (3, True)


def test_what_is_false_stays_false():
    (empty,) = take("empty")
    assert not empty


def test_a_decorator_waits_for_the_first_call():
    with late.promised([CLOSED]):
        loud = importlib.import_module(CLOSED).loud

        @loud  # type: ignore[untyped-decorator]
        def greet(name: str) -> str:
            return f"Hello {name}"

    assert late.kept == set()
    assert (greet("you"), late.kept) == ("Hello you!", {f"{CLOSED}:loud"})


def test_a_method_with_a_promised_decorator_knows_its_object():
    with late.promised([CLOSED]):
        loud = importlib.import_module(CLOSED).loud

        class Greeting:
            def __init__(self, name: str) -> None:
                self.name = name

            @loud  # type: ignore[untyped-decorator]
            def text(self) -> str:
                return self.name

    assert Greeting("you").text() == "you!"


def test_who_imports_the_module_later_gets_it():
    take("double")
    assert importlib.import_module(CLOSED).double(4) == 8


def test_a_class_waits_with_its_parameters():
    with late.promised([CLOSED]):
        of_text = importlib.import_module(CLOSED).Base["text"]
    assert late.kept == set()
    assert tuple(of_text) == ("base", "text")


def test_what_is_gone_through_has_an_end():
    (numbers,) = take("numbers")
    assert [number for number in numbers] == [1, 2]  # noqa: C416 - `list` would ask for the length first


def test_what_is_below_a_promised_package_is_promised_too():
    with late.promised([WIDE]):
        half = importlib.import_module(INNER).half
    assert ({WIDE, INNER} & set(sys.modules), late.kept) == (set(), set())
    assert (half(4), late.kept) == (2, {f"{INNER}:half"})


def test_what_is_used_while_others_are_promised_comes_with_its_package():
    with late.promised([WIDE, CLOSED]):
        closed = importlib.import_module(CLOSED)
        assert importlib.import_module(INNER).half(4) == 2
        assert importlib.import_module(WIDE).half is importlib.import_module(INNER).half
        assert sys.modules[CLOSED] is closed  # which stays promised
    assert late.bound.keys() == {WIDE, INNER, CLOSED}
    assert {WIDE, INNER} <= set(sys.modules)


def test_everything_by_a_star_is_real():
    with late.promised([CLOSED]):
        names: dict[str, Any] = {}
        exec(f"from {CLOSED} import *", names)
        assert names["double"] is importlib.import_module(CLOSED).double
    assert (names["LIMIT"], late.kept) == (3, {f"{CLOSED}:*"})
