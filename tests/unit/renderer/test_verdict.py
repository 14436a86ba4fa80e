"""The quick verdict is jsonschema's: about thousands of specifications and configurations, each changed in some places."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from langop_model.renderer import catalogue, specification
from langop_model.renderer.verdict import _KEYWORDS, Checker, _says_nothing
from langop_model.resources import load_json
from tests.conftest import ROOT

SPECIFICATIONS = 6000
CONFIGURATIONS = 2000
INPUT = specification.schema()
WRITTEN = load_json("languagemodel.schema.json")  # with rules in x-strict, which schema() has merged
OUTPUT = load_json("litellm-config.schema.json")
# Values at and beyond each kind of rule: types, bounds, patterns, formats, enums, sizes.
ODD = [
    None, True, False, 0, 1, 1.0, -1, 2, 0.5, 1e300, 65536, 10**18, "", " ", "a", "A b", "a\n", "x" * 600, "*", "gpt-*", "\x00",
    "30s", "5 minutes", "1h30m", "99999999999h", "http://a", "https://u:p@a/", "https://[", "ftp://a", "https://a/?api-version=1",
    "openai", "openai/", "openai/\n", "openai/gpt-4", "weighted", "USD", "429", [], [1], ["a"], {}, {"a": 1}, {"name": "a"},
    {"api_key": "a"}, {"url": "https://a"}, 429, 600,
]  # fmt: skip
KEYS = [
    "name",
    "url",
    "weight",
    "spec",
    "modelName",
    "provider",
    "litellmProvider",
    "api_key",
    "temperature",
    "x",
    "",
    "model_list",
    "rpm",
]


def documents(pattern: str) -> list[Any]:
    values = [
        value
        for path in sorted(ROOT.glob(pattern))
        for value in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if isinstance(value, dict)
    ]
    assert values
    return values


def containers(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


def mutate(value: Any, chance: random.Random) -> None:
    """Change `value` in one place: a member is replaced, removed, added, or takes the place of another."""
    places = list(containers(value))
    container = chance.choice(places)
    new = copy.deepcopy(chance.choice([*ODD, chance.choice(places)]))
    keys: list[Any] = list(container) if isinstance(container, dict) else list(range(len(container)))
    action = chance.choice(["replace", "replace", "remove", "add"])
    if keys and action == "replace":
        container[chance.choice(keys)] = new
    elif keys and action == "remove":
        del container[chance.choice(keys)]
    elif isinstance(container, dict):
        container[chance.choice(KEYS)] = new
    else:
        container.append(new)


def mutated(originals: list[Any], count: int) -> Iterator[Any]:
    chance = random.Random(13)
    for number in range(count):
        value = copy.deepcopy(originals[number % len(originals)])
        for _ in range(chance.randint(1, 3)):
            mutate(value, chance)
        yield value


def formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, check in specification.FORMATS.items():
        checker.checks(name, raises=ValueError)(check)
    return checker


@pytest.mark.parametrize(
    ("schema", "written", "pattern", "count"),
    [
        (INPUT, WRITTEN, "examples/*.yaml", SPECIFICATIONS),
        (OUTPUT, OUTPUT, "tests/golden/*.config.yaml", CONFIGURATIONS),
    ],
    ids=["specifications", "configurations"],
)
def test_the_verdict_is_that_of_jsonschema(schema: dict[str, Any], written: dict[str, Any], pattern: str, count: int):
    checker, reference = Checker(written, specification.FORMATS), Draft202012Validator(schema, format_checker=formats())
    verdicts = {True: 0, False: 0}
    for value in mutated(documents(pattern), count):
        expected = reference.is_valid(value)
        assert checker.accepts(value) == expected, value
        verdicts[expected] += 1
    assert min(verdicts.values()) > count / 20  # both are tested


def test_examples_that_are_wrong_get_the_verdict_of_jsonschema():
    reference = Draft202012Validator(INPUT, format_checker=formats())
    checker = Checker(WRITTEN, specification.FORMATS)
    for path in sorted((ROOT / "examples" / "wrong").iterdir()):
        for value in readable(path):
            assert checker.accepts(value) == reference.is_valid(value), path


def readable(path: Path) -> list[Any]:
    try:
        return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and all that are inside it."""
    if not isinstance(node, dict):
        return
    yield node
    for keyword in ("properties", "$defs"):
        for part in node.get(keyword, {}).values():
            yield from parts(part)
    for keyword in ("items", "additionalProperties", "propertyNames", "not"):
        yield from parts(node.get(keyword))
    for keyword in ("allOf", "anyOf"):
        for part in node.get(keyword, []):
            yield from parts(part)


ROWS = [{"type": kind} for provider in catalogue.providers() for kind in provider.parameters.values()]


@pytest.mark.parametrize("schema", [INPUT, OUTPUT, *ROWS[:1]], ids=["input", "output", "parameter"])
def test_every_keyword_of_the_schemas_has_a_function(schema: dict[str, Any]):
    used = {keyword for part in parts(schema) for keyword in part if not _says_nothing(keyword)}
    assert used - set(_KEYWORDS) == set()


@pytest.mark.parametrize("schema", [INPUT, OUTPUT], ids=["input", "output"])
def test_values_of_an_enum_are_plain(schema: dict[str, Any]):
    values = [value for part in parts(schema) for value in part.get("enum", [])]
    assert values
    assert not [value for value in values if isinstance(value, list | dict)]


def test_strict_rules_have_no_fields_and_no_defaults():
    """So the schema as it is written says what is filled in, and which fields have a finding of their own."""
    strict = {keyword for part in parts(WRITTEN) for keyword in part.get("x-strict", {})}
    assert "minimum" in strict
    assert not {"properties", "items", "default", "x-finding", "x-omitted", "type"} & strict


def test_a_strict_rule_takes_the_place_of_a_written_one():
    checker = Checker({"minimum": 0, "x-strict": {"minimum": 5}})
    assert [checker.accepts(number) for number in (4, 5)] == [False, True]


def test_an_unknown_keyword_is_no_verdict():
    with pytest.raises(NotImplementedError, match="patternProperties"):
        Checker({"patternProperties": {}}).accepts({})


@pytest.mark.parametrize(("rule", "value"), [(1, True), (0, False), (True, 1)])
def test_a_boolean_is_no_number(rule: Any, value: Any):
    assert not Checker({"enum": [rule]}).accepts(value)


@pytest.mark.parametrize("text", ["a/b", "a/", "a/\n", "a", "b/c/d", "ab/c", "/a", "a\n/b"])
def test_a_list_of_prefixes_is_read_as_the_pattern_that_it_is(text: str):
    schema = {"pattern": "^(a|b)/."}
    assert Checker(schema).accepts(text) == Draft202012Validator(schema).is_valid(text)
