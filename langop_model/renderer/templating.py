"""The Jinja2 environment: every value that a template writes passes through one function that makes it YAML-safe."""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import pickle
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined, Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, Undefined
from jinja2.bccache import bc_magic
from markupsafe import Markup

from langop_model.renderer import durations, upstream, yaml_emit
from langop_model.renderer.findings import dotted
from langop_model.resources import folder, litellm_version

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class _Absent(ChainableUndefined, StrictUndefined):
    """A missing field: may be asked about at any depth (`is defined`, `default`), never written."""


@cache
def environment() -> Environment:
    """Return the environment of templates/.

    Autoescape is on, and `finalize` turns each value into Markup that is YAML: text of a template stays as it is, a value
    can't be anything but a value.
    """
    env = Environment(
        loader=FileSystemLoader(folder("templates")),
        autoescape=True,
        finalize=_finalize,
        undefined=_Absent,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
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
    env.globals["address_of"] = upstream.address
    env.globals["configuration_parameters"] = upstream.PARAMETERS
    env.globals["defaults_of"] = upstream.defaults
    env.globals["unsupported_defaults_of"] = upstream.unsupported_defaults
    env.globals["routes_of"] = upstream.routes
    env.globals["accepted_by"] = upstream.accepts
    env.globals["all_routes"] = upstream.ALL_ROUTES
    return env


class _Cache(FileSystemBytecodeCache):
    """Jinja2's cache of compiled templates, whose files are read in one piece: its own way reads them object by object."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give `bucket` the code of a template, where it was kept and the template is still the same."""
        head = bc_magic + pickle.dumps(bucket.checksum, 2)  # what Bucket.write_bytecode writes before the code
        with contextlib.suppress(OSError, EOFError, TypeError, ValueError):
            content = Path(self._get_cache_filename(bucket)).read_bytes()
            if content.startswith(head):
                bucket.code = marshal.loads(content[len(head) :])  # noqa: S302 - from where the templates themselves come from

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, where that can be done."""
        if not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                super().dump_bytecode(bucket)


def _bytecode_cache() -> _Cache | None:
    """Return the cache beside the templates, as Python keeps its own; a read-only image brings it along.

    Where that folder is empty and can't be written, Jinja2's own: a folder for temporary files that only this user can write.
    """
    directory = folder("templates") / "__pycache__"
    with contextlib.suppress(OSError):
        directory.mkdir(exist_ok=True)
    if directory.is_dir() and (os.access(directory, os.W_OK) or any(directory.iterdir())):
        return _Cache(str(directory))
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: Jinja2 finds no folder that is safe
        return _Cache()
    return None


def render(name: str, **context: Any) -> str:
    """Return templates/`name` rendered with `context`."""
    return environment().get_template(name).render(context)


def _finalize(value: Any) -> Any:
    if isinstance(value, Markup | Undefined):
        return value
    return Markup(yaml_emit.to_flow_yaml(value))  # noqa: S704 - to_flow_yaml is the escaping


def _comment(text: str) -> Markup:
    """Return `text` for a YAML comment: on one line, with nothing that could end it."""
    return Markup("".join(letter if letter.isprintable() else "?" for letter in text))  # noqa: S704


def _per_token(price_per_thousand: float) -> float:
    """Return the price of one token from that of 1,000, exact in decimals: 0.01 is 0.00001, not 1.0000000000000001e-05."""
    from decimal import Decimal

    return float(Decimal(json.dumps(price_per_thousand)) / 1000)
