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
SOURCE = """
LIMIT = 3
empty = ()
class Refused(Exception): pass
class RefusedError(Exception): pass
class Base:
    name = "base"
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
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(late, "kept", set())
    monkeypatch.setattr(late, "bound", {})
    yield
    for name in (PACKAGE, CLOSED):
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
