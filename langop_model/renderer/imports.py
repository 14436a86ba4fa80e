"""Libraries that are imported with less work: what they take along, and a command does not use, waits for its first use.

PyYAML and Jinja2 compile some forty regular expressions while they are imported, and Jinja2 imports `tempfile`, with the
libraries of compression. Hardly anything of it is used, because libyaml reads and templates are compiled already.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def less_work(*modules: str) -> Iterator[None]:
    """For the imports in this context, compile regular expressions, and import `modules`, when they are used first."""
    compile_now = re.compile

    def compile_later(pattern: Any, flags: Any = 0) -> Any:
        return _Pattern(pattern, flags) if isinstance(pattern, str) else compile_now(pattern, flags)

    later = {name: _Module(name) for name in modules if name not in sys.modules}
    sys.modules.update(later)
    re.compile = compile_later
    try:
        yield
    finally:
        re.compile = compile_now
        for name in later:
            del sys.modules[name]


class _Pattern:
    """Has the attributes of a regular expression, which it compiles for the first of them."""

    def __init__(self, pattern: Any, flags: Any) -> None:
        self._compiled_from = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the compiled pattern, and keep it: the next time there is nothing to look up."""
        value = getattr(re.compile(*self._compiled_from), name)
        setattr(self, name, value)
        return value


class _Module(ModuleType):
    """Has the attributes of the module of its name, which it imports for the first of them."""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the module."""
        if name.startswith("__"):  # what the import system asks for
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)
