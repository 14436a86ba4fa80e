"""The Jinja2 environment: every value that a template writes passes through one function that makes it YAML-safe."""

from __future__ import annotations

import contextlib
import os
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import (
    BytecodeCache,
    ChainableUndefined,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    Template,
    Undefined,
    nodes,
)
from jinja2.bccache import bc_magic
from jinja2.runtime import Context

from langop_model import kept
from langop_model.renderer import durations, inlining, upstream, yaml_emit
from langop_model.renderer.findings import dotted
from langop_model.renderer.written import Comment, Written
from langop_model.resources import litellm_version, place

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import CodeType

    from jinja2.bccache import Bucket


class _Absent(ChainableUndefined, StrictUndefined):
    """A missing field: may be asked about at any depth (`is defined`, `default`), never written."""


_METHODS = frozenset(dir(dict))
_LONGEST_TEXT = 100  # letters of a text whose YAML is remembered
_MAGIC = bc_magic + b"langop-model 2"  # of a file of compiled templates; autoescape, for example, is in their code


class _Context(Context):
    """A context whose functions get their arguments and nothing else: none of the templates' asks for the context itself."""

    def call(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Return what a template calls; Jinja2 adds `_loop_vars` and `_block_vars` for functions that want a context."""
        named.pop("_loop_vars", None)
        named.pop("_block_vars", None)
        return function(*arguments, **named)


class _Environment(Environment):
    """Jinja2's environment for templates that do not change, and of which each uses many others.

    A template is compiled together with those that it names. One that was loaded is found by its name, all see the same
    globals, and a field of an object is looked up at once: a dict has attributes only for its methods.
    """

    context_class = _Context

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.loaded: dict[str, Template] = {}

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:  # noqa: A002
        """Return the template `name`."""
        found = self.loaded.get(name) if globals is None else None
        if found is None:
            found = self.loaded[name] = super().get_template(name, parent, globals)
        return found

    def parse(self, *args: Any, **named: Any) -> nodes.Template:
        """Return a parsed template. Only the parser knows `{% do %}`: kept code is read without its extension."""
        if not self.extensions:
            self.add_extension("jinja2.ext.do")
        return super().parse(*args, **named)

    def compile(self, source: str | nodes.Template, *args: Any, **named: Any) -> Any:
        """Return the code of a template, which holds that of its parts."""
        if isinstance(source, str):
            source = inlining.with_parts(self, self.parse(source, *args[:2]))
        return super().compile(source, *args, **named)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template: a dict, which is faster to read than the chain of two that Jinja2 makes."""
        return self.globals if not d else {**self.globals, **d}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute` of a template."""
        kind = type(obj)
        if kind is dict and attribute not in _METHODS:
            return obj[attribute] if attribute in obj else _Absent(obj=obj, name=attribute)
        if kind is _Absent:
            return obj
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return super().getattr(obj, attribute)


@cache
def environment() -> Environment:
    """Return the environment of templates/.

    `finalize` writes each value as YAML: text of a template stays as it is, a value can't be anything but a value. What
    autoescape would do is for HTML.
    """
    env = _Environment(
        loader=FileSystemLoader(place("templates")),
        autoescape=False,
        finalize=_finalize,
        undefined=_Absent,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=_bytecode_cache(),
    )
    env.filters["seconds"] = durations.seconds
    env.filters["per_token"] = _per_token
    env.filters["dotted"] = dotted
    env.filters["comment"] = _comment
    env.filters["and_also"] = lambda members, name, value: {**members, name: value}
    env.globals["litellm_version"] = litellm_version()
    env.globals["upstream_of"] = upstream.of_model
    env.globals["is_relayed"] = upstream.is_relayed
    env.globals["address_of"] = upstream.address
    env.globals["configuration_parameters"] = upstream.PARAMETERS
    env.globals["defaults_of"] = upstream.defaults
    env.globals["unsupported_defaults_of"] = upstream.unsupported_defaults
    env.globals["routes_of"] = upstream.routes
    env.globals["accepted_by"] = upstream.accepts
    env.globals["all_routes"] = upstream.ALL_ROUTES
    return env


class _Cache(BytecodeCache):
    """Jinja2's cache of compiled templates, in one file, which is soon read."""

    def __init__(self, directory: str) -> None:
        self.file = os.path.join(directory, kept.name("templates"))  # noqa: PTH118

    @cached_property
    def codes(self) -> dict[str, tuple[str, CodeType]]:
        """The checksum of each template's text, and its code, by Jinja2's key of it."""
        return kept.read(self.file, _MAGIC) or {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the place of a template's code, which changes with the text of any of its parts."""
        return super().get_bucket(environment, name, filename, inlining.whole_source(environment, source))

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give `bucket` the code of a template, where it was kept and the template is still the same."""
        checksum, code = self.codes.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, where that can be done."""
        if bucket.code is not None:
            self.codes[bucket.key] = (bucket.checksum, bucket.code)
            kept.write(self.file, _MAGIC, self.codes)


def _bytecode_cache() -> _Cache | None:
    """Return the cache beside the templates, as Python keeps its own; a read-only image brings it along.

    Where that folder is empty and can't be written, Jinja2's own: a folder for temporary files that only this user can write.
    """
    directory = os.path.join(place("templates"), "__pycache__")  # noqa: PTH118
    with contextlib.suppress(OSError):
        os.mkdir(directory)  # noqa: PTH102
    with contextlib.suppress(OSError):
        if os.access(directory, os.W_OK) or os.listdir(directory):  # noqa: PTH208
            return _Cache(directory)
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: Jinja2 finds no folder that is safe
        return _Cache(FileSystemBytecodeCache().directory)
    return None


def render(name: str, **context: Any) -> list[str]:
    """Return the pieces of templates/`name` rendered with `context`; those that are values are Written."""
    template = environment().get_template(name)
    try:  # as Template.generate does, which hands on piece after piece
        return list(template.root_render_func(template.new_context(context)))
    except Exception:  # noqa: BLE001 - raised again, with the lines of the template
        environment().handle_exception()


def _finalize(value: Any) -> Any:
    remembered = _REMEMBERED.get(type(value))
    if remembered is not None and (type(value) is not str or len(value) <= _LONGEST_TEXT):
        return remembered(value)
    return value if isinstance(value, Comment | Undefined) else _written(value)


def _written(value: Any) -> Written:
    return Written(yaml_emit.to_flow_yaml(value))


# The same names and numbers are written for each model, and most of them several times. Each type has a memory of its own,
# because True, 1 and 1.0 are equal; floats have none, because 0.0 and -0.0 are.
_REMEMBERED = {kind: lru_cache(maxsize=1000)(_written) for kind in (str, int, bool)}


def _comment(text: str) -> Comment:
    """Return `text` for a YAML comment: on one line, with nothing that could end it."""
    return Comment(text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text))


def _per_token(price_per_thousand: float) -> float:
    """Return the price of one token from that of 1,000, exact in decimals: 0.01 is 0.00001, not 1.0000000000000001e-05."""
    digits, _, exponent = repr(price_per_thousand).partition("e")
    return float(f"{digits}e{int(exponent or 0) - 3}")
