"""A template that names another, `{% include "timeout.yaml.j2" %}`, is compiled together with it.

A configuration consists of some thirty such parts. Included while it is rendered, each has a context of its own, a copy of all
variables, which takes longer than what the part does. A part that extends another template, or that a value names
(`{% include model.provider.template %}`), is included while it is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment, nodes

_NAMED = r'\{% include "([^"]+)" %\}'


def with_parts(env: Environment, template: nodes.Template) -> nodes.Template:
    """Return a parsed template of `env` with its parts in place of the includes that name them.

    A part sees the variables at its place, and those that it sets are its own. An error that it raises is placed at the
    include, which names it.
    """
    template.body = [_with_parts(env, node) for node in template.body]
    return template


def whole_source(env: Environment, source: str) -> str:
    """Return the text of a template with those of all its parts: what it becomes is the same as long as this is."""
    return "\n".join(_texts(env, source))


def _texts(env: Environment, source: str) -> Iterator[str]:
    yield source
    for name in re.findall(_NAMED, source):
        yield from _texts(env, _source_of(env, name))


def _source_of(env: Environment, name: str) -> str:
    if env.loader is None:
        raise TypeError("an environment without a loader has no parts")
    return env.loader.get_source(env, name)[0]


def _with_parts(env: Environment, node: nodes.Node) -> nodes.Node:
    if isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const) and node.with_context:
        name = node.template.value
        part = with_parts(env, env.parse(_source_of(env, name), name))
        if part.find(nodes.Extends) is None and part.find(nodes.Block) is None:
            return nodes.Scope(part.body).set_lineno(node.lineno, override=True).set_environment(env)
        return node
    for field, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, field, [_with_parts(env, each) if isinstance(each, nodes.Node) else each for each in value])
    return node
