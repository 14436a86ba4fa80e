"""A command starts with as little as it needs, and says the same as click's way of calling it."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from langop_model import overview
from langop_model.commands import COMMANDS
from langop_model.start import _plain
from tests.conftest import ROOT

EXAMPLE = "examples/openai-model.yaml"
WRONG = "examples/wrong/unknown-fields.yaml"
SHORT = [sys.executable, "render.py"]
BY_CLICK = [sys.executable, "-c", "import sys; sys.argv[0] = 'render.py'; from langop_model.cli import main; main()"]
PRINTS_MODULES = """
import os, sys
os._exit = lambda code: (sys.stderr.write("\\nMODULES " + " ".join(sys.modules)), sys.stderr.flush(), sys.exit(code))
sys.argv[0] = "render.py"
from langop_model.start import main
main()
"""
# An empty Python is 1. Measured: 8.1 to 8.9 for `render`, 0.9 for `--help`; by click 10 to 12, and 5.
MOST_FOR_RENDER, MOST_FOR_HELP = 13, 2.5


def ended(command: list[str], *arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    # A pipe tells nobody how wide the terminal is.
    # Measured by coverage, a command has more modules than its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")} | {"COLUMNS": "80"}
    done = subprocess.run(
        [*command, *arguments], check=False, capture_output=True, text=True, cwd=ROOT, timeout=60, input=stdin, env=environment
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["render", EXAMPLE],
        ["render", EXAMPLE, "examples/minimal.yaml"],
        ["render", WRONG],
        ["render", "/does/not/exist"],
        ["render", "-"],
        ["render", "-o", "/does/not/exist/a.yaml", EXAMPLE],
        ["render", EXAMPLE, EXAMPLE, "-o", "/does/not/exist/"],
        ["validate", EXAMPLE],
        ["validate", "examples/wrong"],
    ],
    ids=" ".join,
)
def test_both_ways_say_the_same(arguments: list[str]):
    short = ended(SHORT, *arguments, stdin='{"provider": "openai"}')
    by_click = ended(BY_CLICK, *arguments, stdin='{"provider": "openai"}')
    assert short == by_click


def test_both_ways_write_the_same(tmp_path: Path):
    ended(SHORT, "render", EXAMPLE, "-o", str(tmp_path / "short.yaml"))
    ended(BY_CLICK, "render", EXAMPLE, "-o", str(tmp_path / "click.yaml"))
    assert (tmp_path / "short.yaml").read_bytes() == (tmp_path / "click.yaml").read_bytes() != b""


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        (["render", "a"], True),
        (["render", "a", "-"], True),
        (["render", "-o", "b", "a"], True),
        (["render", "a", "-o", "b"], True),
        (["render"], False),
        (["render", "-o", "b"], False),
        (["render", "a", "-o"], False),
        (["render", "a", "-o", "-"], False),
        (["render", "a", "-o", "b", "-o", "c"], False),
        (["render", "a", "--", "-b"], False),
        (["render", "a", "--strict"], False),
        (["render", "a", "-ob"], False),
        (["validate", "a", "-o", "b"], False),
        (["explain", "a"], False),
        ([], False),
    ],
    ids=str,
)
def test_only_what_click_would_read_the_same_way_is_read_without_it(arguments: list[str], plain: bool):
    assert _plain(arguments) == plain


def modules(*arguments: str) -> set[str]:
    _, _, stderr = ended([sys.executable, "-c", PRINTS_MODULES], *arguments)
    return set(stderr.rpartition("MODULES ")[2].split())


def test_a_right_specification_needs_neither_click_nor_jsonschema():
    loaded = modules("render", EXAMPLE)
    assert "jinja2" in loaded
    assert not {"click", "jsonschema", "langop_model.renderer.extra.reading"} & loaded


def test_a_wrong_one_is_worded_by_jsonschema():
    assert "jsonschema" in modules("validate", WRONG)


def test_the_overview_needs_no_library():
    assert not {"click", "jinja2", "yaml", "re", "typing"} & modules("--help")


@pytest.mark.parametrize("columns", ["20", "80", "100", "1000", "0", "wide"])
def test_the_overview_fits_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", columns)
    width = {"20": 50, "0": 80, "wide": 80}.get(columns, min(int(columns) if columns.isdecimal() else 80, 100))
    lines = overview.text().splitlines()
    assert max(map(len, lines)) <= width
    assert [name for name in COMMANDS if any(line.startswith(f"  {name} ") for line in lines)] == list(COMMANDS)


def test_a_reader_that_goes_away_is_no_traceback_without_click():
    line = f'"{sys.executable}" render.py render examples/openai-model.yaml examples | head -c 1'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], check=False, capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def cpu_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A cache of bytecode is what an installation has.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("arguments", "most"),
    [(["render", EXAMPLE], MOST_FOR_RENDER), (["--help"], MOST_FOR_HELP)],
    ids=["render", "--help"],
)
def test_a_command_takes_a_few_times_an_empty_python(arguments: list[str], most: float):
    cpu_seconds("render.py", *arguments)  # compiles what is not compiled yet
    ratios = [cpu_seconds("render.py", *arguments) / cpu_seconds("-c", "pass") for _ in range(7)]
    assert statistics.median(ratios) < most
