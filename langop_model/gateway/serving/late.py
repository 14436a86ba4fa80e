"""Modules that only closed routes need: imported when somebody uses them, which nobody does.

LiteLLM's proxy imports the modules of all its routes when it starts; lean.py keeps the routes from being made. While the proxy
is imported, a module of unused.py is only promised: its names are bound to promises, and a promise that is used imports the
module. So a wrong entry costs time and breaks nothing. tests/litellm shows that neither the import nor the start nor a request
uses one, and that nothing but functions, types and routers is promised.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any, Union

from langop_model.gateway.serving import unused

bound: dict[str, set[str]] = {}  # the modules that somebody imported while they were promised, and the names that he took
kept: set[str] = set()  # the promises that were used, as module:name


class Promise:
    """A function, a class or an object of a module that is not imported yet; whatever is asked of it imports the module."""

    def __init__(self, get: Callable[[], Any]) -> None:
        self._get = get

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Call what was promised; while LiteLLM is imported, as the decorator of a function, promise the decorated one."""
        if _finders and arguments and not settings and all(isinstance(each, (FunctionType, Promise)) for each in arguments):
            return _Decorated(lambda: self._get()(*arguments))
        return self._get()(*arguments, **settings)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute. Python's own say what kind of thing this is, and are not handed on."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._get(), name)

    def __mro_entries__(self, _: Any) -> tuple[Any, ...]:
        """Be the promised class where one is derived from it."""
        return (self._get(),)

    def __instancecheck__(self, thing: Any) -> bool:
        """Say whether `thing` is an instance of the promised class."""
        return isinstance(thing, self._get())

    def __get_pydantic_core_schema__(self, _: Any, handler: Any) -> Any:
        """Be the promised class where it is the type of a model's field."""
        return handler.generate_schema(self._get())

    def __or__(self, other: Any) -> Any:
        """Be part of an annotation."""
        return Union[self, other]  # noqa: UP007 - `|` would come back here

    def __ror__(self, other: Any) -> Any:
        """Be part of an annotation."""
        return Union[other, self]  # noqa: UP007 - the same

    def __bool__(self) -> bool:
        """Be as true as what was promised."""
        return bool(self._get())

    def __getitem__(self, key: Any) -> Any:
        """Return an item; while LiteLLM is imported, promise the parametrized class."""
        return Promise(lambda: self._get()[key]) if _finders else self._get()[key]

    def __iter__(self) -> Iterator[Any]:
        """Go through what was promised: without this Python would ask for the items 0, 1, 2, and never find the last."""
        return iter(self._get())

    @property
    def __signature__(self) -> Any:
        """What FastAPI asks of an open route's dependency."""
        return inspect.signature(self._get())


class _Decorated(Promise):
    """A function whose decorator is only promised; in a class, a method."""

    def __get__(self, thing: Any, _: Any = None) -> Any:
        """Be bound like a function."""
        return self if thing is None else partial(self, thing)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = frozenset(modules)
        self.promised: dict[str, ModuleType] = {}

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Take the modules of the list, and what is below its packages."""
        return None if self.modules.isdisjoint(_with_packages(name)) else ModuleSpec(name, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Promise whatever is asked for."""
        self.promised[module.__name__] = module
        names = bound.setdefault(module.__name__, set())

        def promise(name: str) -> Any:
            if name == "__all__":  # everything, by a star: that can't be promised
                return _all(module)
            if name.startswith("__"):
                raise AttributeError(name)
            made = _promise(module.__name__, name)
            names.add(name)
            setattr(module, name, made)
            return made

        module.__getattr__ = promise  # type: ignore[method-assign]

    def forget(self, names: Set[str]) -> None:
        """Let the next import of those that are in the list, and of what is below them, be a real one."""
        listed = self.modules & names
        self.modules -= listed
        for name in [name for name in self.promised if not listed.isdisjoint(_with_packages(name))]:
            promised = self.promised.pop(name)
            package, _, child = name.rpartition(".")
            if sys.modules.get(name) is promised:
                del sys.modules[name]
                if vars(sys.modules.get(package, self)).get(child) is promised:
                    delattr(sys.modules[package], child)


def _with_packages(module: str) -> list[str]:
    """Return the name of a module and those of the packages that it is in."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


_finders: list[_Finder] = []


@contextlib.contextmanager
def promised(modules: Sequence[str] = unused.MODULES) -> Iterator[None]:
    """Promise `modules`, and what is below them, to everybody who imports them now. Who imports one afterwards gets it."""
    finder = _Finder(modules)
    _finders.append(finder)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _finders.remove(finder)
        finder.forget(finder.modules)


def _promise(module: str, name: str) -> Any:
    if name.isupper() or name.endswith(("Error", "Exception")):  # a value; and `except` takes nothing but a class
        return _real(module, name)
    if name == "router" or name.endswith("_router"):
        from fastapi import APIRouter

        return APIRouter()
    return Promise(lambda: _real(module, name))


def _all(promised: ModuleType) -> list[str]:
    """Import the module, give `promised` its public names, and return them."""
    real = _import(promised.__name__)
    names = getattr(real, "__all__", None) or [name for name in vars(real) if not name.startswith("_")]
    vars(promised).update({name: getattr(real, name) for name in names})
    kept.add(f"{promised.__name__}:*")
    return list(names)


def _real(module: str, name: str) -> Any:
    kept.add(f"{module}:{name}")
    return getattr(_import(module), name)


def _import(module: str) -> ModuleType:
    """Import a module that was promised: from its real package, which is promised no longer."""
    for finder in _finders:
        finder.forget(set(_with_packages(module)))
    return importlib.import_module(module)
