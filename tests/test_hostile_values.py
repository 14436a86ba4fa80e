"""Whatever a source holds, it is rendered or refused with sentences that are true.

Values of every type of JSON are put into every place of every example, in each form that a source can have. What a finding says
is compared with the value that is there and with the schema, by an implementation of this file's own.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

from langop_model.cli import main
from langop_model.gateway.serving import front
from langop_model.renderer import manifest, rendering, source, specification
from langop_model.renderer.findings import Finding, SpecError, dotted
from langop_model.renderer.settings import Settings
from tests.conftest import ROOT

EXAMPLES = sorted([*(ROOT / "examples").glob("*.yaml"), *(ROOT / "examples" / "gateway").glob("*.yaml")])
HUGE = "is a number that only a text can hold"
VALUES = [None, True, False, 0, -1, 1.5, 10**30, HUGE, "", "text", "os.environ/HOME", [], [None], {}, {"a": [{"b": None}]}]
EACH = 101  # of this many cases, one goes through a command too
SHARE = 5  # of a place that another example has too, every fifth value is tried; all of them with --all-values

FieldPath = tuple[str | int, ...]


class Case(NamedTuple):
    """A source in which one place holds another value."""

    form: str
    place: FieldPath
    value: Any
    document: Any

    @property
    def text(self) -> str:
        return json.dumps(self.document).replace(json.dumps(HUGE), "1e400")

    def __str__(self) -> str:
        return f"{self.form} with {self.text[:60] and json.dumps(self.value)} at {dotted(self.place) or 'its root'}"


def documents() -> Iterator[tuple[str, Any]]:
    """Yield each example in each form: a manifest, a bare spec, and one of both inside a List and a ConfigMap."""
    models = [model for path in EXAMPLES for model in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    yield from (("manifest", model) for model in models)
    yield from (("bare spec", model["spec"]) for model in models)
    yield "List", {"apiVersion": "v1", "kind": "List", "items": models[:1]}
    data = {"model.json": json.dumps(models[0]["spec"])}
    yield "ConfigMap", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "models"}, "data": data}


def places(value: Any, path: FieldPath = ()) -> Iterator[FieldPath]:
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def cases(*, every: bool) -> Iterator[Case]:
    """Yield the cases; without `every`, a share of the values for a place that was there in an earlier example."""
    seen: set[FieldPath] = set()
    number = 0
    for form, document in documents():
        for place in places(document):
            whole = ("spec", *place) if form == "bare spec" else place if form == "manifest" else (form, *place)
            pattern = tuple("[]" if isinstance(part, int) else part for part in whole)
            for value in VALUES:
                number += 1
                if every or pattern not in seen or number % SHARE == 0:
                    yield Case(form, place, value, replaced(document, place, value))
            seen.add(pattern)


def replaced(document: Any, place: FieldPath, value: Any) -> Any:
    if not place:
        return value
    result = copy.deepcopy(document)
    target = result
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = copy.deepcopy(value)
    return result


def findings_of(case: Case) -> tuple[list[Finding], Any]:
    """Return everything that is said about a case, and the resource as it was read (None where it was not)."""
    whole = None
    try:
        read = manifest.collect("model.json", source.parse("model.json", case.text), Settings())
        whole = read.resources[0].manifest if len(read.resources) == 1 else None
        return [finding for result in rendering.render_each(read, Settings()) for finding in result.findings], whole
    except SpecError as problem:
        assert any(finding.level == "error" for finding in problem.findings), case  # noqa: PT017 - either outcome is right
        return list(problem.findings), whole


# What a sentence may not be.

PYTHON = re.compile(
    r"\b(None|NoneType|True|False|str|dict|int|bool|float|tuple|KeyError|TypeError)\b|<class|object at 0x|\{\w+\}"
)
# Something is missing there; or it is a default, or what a parameter means (params.rpm), and that is where to write it.
LEADS_TO_NOTHING = {"LM104", "LM120", "LM122", "LM205", "LM217", "LM320", "LM319", "LM345", "LM504", "LM623"}


def wrong_with(finding: Finding, whole: Any) -> str:
    """Return what is untrue or unreadable in a finding about the resource `whole`; empty for nothing."""
    texts = [text for text in (finding.message, finding.fix) if text]
    if not finding.message or not finding.message.strip():
        return "it says nothing"
    if any(PYTHON.search(re.sub(r'"(?:[^"\\]|\\.)*"', "", text)) for text in texts):
        return "it speaks Python"
    if whole is None:
        return ""
    there = exists(whole, finding.path)
    if not there and finding.code not in LEADS_TO_NOTHING:
        return "it names a missing place"
    check = CHECKS.get(finding.code)
    return check(finding, value_at(whole, finding.path) if there else None) if check else ""


def exists(value: Any, path: FieldPath) -> bool:
    try:
        value_at(value, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def value_at(value: Any, path: FieldPath) -> Any:
    for part in path:
        value = value[part]
    return value


def node_at(path: FieldPath) -> dict[str, Any]:
    schema = specification.schema()
    node = schema
    for part in path:
        following = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
        node = following if following is not None else node["additionalProperties"]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def as_said(value: Any) -> list[str]:
    """Return the ways in which a message may say what a value is."""
    if value is None:
        return ["empty (null)"]
    kinds: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    kind = kinds.get(type(value), "a number")
    return [json.dumps(value, ensure_ascii=False), f"{kind} (value hidden)"]


TYPE_WORDS = {"object": "an object (key: value)", "array": "a list", "string": "text", "integer": "an integer",
              "number": "a number", "boolean": "true or false"}  # fmt: skip
TYPES: dict[str, tuple[type, ...]] = {"object": (dict,), "array": (list,), "string": (str,), "integer": (int,),
                                      "number": (int, float), "boolean": (bool,)}  # fmt: skip


def of_wrong_type(finding: Finding, value: Any) -> str:
    said, _, allowed = finding.message.removeprefix(f"{dotted(finding.path)} is ").partition(", but must be ")
    wanted = node_at(finding.path)["type"]
    if said not in as_said(value):
        return f"the value is {value!r}"
    if not allowed.startswith(f"{TYPE_WORDS[wanted]}."):
        return f"it must be of type {wanted}"
    right = isinstance(value, TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
    return "the value has that type" if right else ""


def parameter_of_wrong_type(finding: Finding, value: Any) -> str:
    said = finding.message.removeprefix(f"{dotted(finding.path)} is ").partition(", but must be ")[0]
    return "" if said in as_said(value) else f"the value is {value!r}"


def out_of_bounds(finding: Finding, value: Any) -> str:
    found = re.search(r"is (\S+), but must be (at least|at most) (\S+)$", finding.message)
    if not found or json.loads(found[1]) != value:
        return f"the value is {value!r}"
    bound = json.loads(found[3])
    return "" if (value < bound if found[2] == "at least" else value > bound) else "the value is within the bound"


def not_in_the_list(finding: Finding, value: Any) -> str:
    return "the value is in the list" if value in node_at(finding.path)["enum"] else ""


def of_wrong_form(finding: Finding, value: Any) -> str:
    node = node_at(finding.path)
    if not isinstance(value, str) or node["type"] != "string":
        return "it is about text"
    if "characters" in finding.message and 1 <= len(value) <= 253 and value.isprintable():
        return "the text has that form"
    return ""


def unknown(finding: Finding, _: Any) -> str:
    return "the schema has this field" if finding.path[-1] in node_at(finding.path[:-1])["properties"] else ""


def missing(_: Finding, value: Any) -> str:
    return "it is there" if value is not None else ""


CHECKS = {
    "LM101": unknown,
    "LM102": of_wrong_type,
    "LM103": not_in_the_list,
    "LM104": missing,
    "LM105": out_of_bounds,
    "LM106": of_wrong_form,
    "LM208": parameter_of_wrong_type,
}


def test_a_hostile_value_is_rendered_or_refused(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]):
    """Every value in every place, and what is said of it is true."""
    every = bool(request.config.getoption("--all-values"))
    count, said, wrong = 0, 0, []
    for case in cases(every=every):
        count += 1
        found, whole = findings_of(case)
        said += len(found)
        wrong += [f"{case}: {problem}: {finding.message}" for finding in found if (problem := wrong_with(finding, whole))]
    share = "" if every else f" (of a place that another example has too, every {SHARE}th value: all with --all-values)"
    with capsys.disabled():
        print(f"\n{count:,} values in places of {len(EXAMPLES)} examples{share}: {said:,} findings, none untrue, no traceback")  # noqa: T201
    assert wrong == []


# Through the commands.


@pytest.mark.parametrize("command", ["render", "validate", "explain", "diff"])
def test_a_command_ends_with_0_or_with_1_and_an_error(command: str, tmp_path: Path):
    path = tmp_path / "model.json"
    for case in [*cases(every=False)][::EACH]:
        path.write_text(case.text, encoding="utf-8")
        others = ["examples/minimal.yaml"] if command == "diff" else []
        result = CliRunner(catch_exceptions=False).invoke(main, [command, str(path), *others])
        assert result.exit_code in {0, 1}, case
        assert (result.exit_code == 1) == (": error LM" in result.stderr), case


def test_launch_serves_or_ends_with_78_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The container's end is explained where Kubernetes looks for it: the termination message."""
    monkeypatch.setattr(front, "serve", lambda _, start, *__: len(start.variables()) and 0)
    path, message = tmp_path / "model.json", tmp_path / "termination-log"
    environment = {
        "LANGOP_MODEL_PATH": str(path),
        "LANGOP_CONFIG_PATH": str(tmp_path / "config.yaml"),
        "LANGOP_SECRETS_PATH": str(tmp_path),
        "LANGOP_TERMINATION_LOG": str(message),
    }
    for case in [*cases(every=False)][::EACH]:
        path.write_text(case.text, encoding="utf-8")
        message.write_text("", encoding="utf-8")
        result = CliRunner(catch_exceptions=False).invoke(main, ["launch"], env=environment)
        assert result.exit_code in {0, 78}, case
        assert (result.exit_code == 78) == (" LM" in message.read_text(encoding="utf-8")), case
        assert "LM737" not in result.stderr, case
