"""What is printed about many files: each error, the same remark once, a summary, progress on a terminal."""

from __future__ import annotations

import json
import os
import pty
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.renderer.findings import Finding
from langop_model.reports import many_files
from tests.conftest import ROOT
from tests.unit.specs import a_manifest, a_spec

# An empty Python is 1, for the CPU of one specification. Measured: 0.17 to 0.21, and 1.01 times the memory.
MOST_FOR_A_FILE, MOST_GROWTH = 0.5, 1.15

Folder = Callable[..., str]


def run(*arguments: str) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write files, each with the fields given, and return their folder."""

    def write(*specs: dict[str, object]) -> str:
        for index, fields in enumerate(specs):
            manifest = a_manifest(a_spec(**fields), f"model-{index:02}")
            (tmp_path / f"model-{index:02}.json").write_text(json.dumps(manifest), encoding="utf-8")
        return str(tmp_path)

    return write


LIMITED = {"rateLimits": {"requestsPerMinute": 10}}  # LM345, an info
EURO = {"costTracking": {"enabled": True, "currency": "EUR", "inputTokenCost": 1, "outputTokenCost": 1}}  # LM311, a warning
BROKEN = {"timeout": "soon"}  # LM106, an error


def test_the_same_remark_is_printed_once_with_its_number(folder: Folder):
    result = run("validate", folder(*[LIMITED] * 5))
    assert result.stderr.count("LM345") == 1
    assert "(and 4 more like it)" in result.stderr


def test_remarks_that_differ_are_all_printed(folder: Folder):
    result = run("validate", folder({"timeout": "50ms"}, {"timeout": "60ms"}))
    assert result.stderr.count("LM613") == 2
    assert "more like it" not in result.stderr


def test_each_error_is_printed_and_before_all_remarks(folder: Folder):
    result = run("validate", folder(LIMITED, EURO, BROKEN, BROKEN))
    codes = [
        line.split(": ")[1].split()[:2] for line in result.stderr.splitlines() if ": " in line and not line.startswith(" ")
    ]
    assert codes == [["error", "LM106"], ["error", "LM106"], ["warning", "LM311"], ["info", "LM345"]]


def test_the_summary_counts_files_and_warnings(folder: Folder):
    result = run("validate", folder(LIMITED, EURO, EURO, BROKEN))
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "4 checked, 1 failed, 2 warnings")


def test_numbers_have_their_thousands(capsys: pytest.CaptureFixture[str]):
    many = many_files.ManyFiles(3000, {"error"})
    for _ in range(3000):
        many.finish([])
    many.end()
    assert capsys.readouterr().err == "3,000 checked, 0 failed, 0 warnings\n"


def test_one_warning_is_no_warnings(folder: Folder):
    assert run("validate", folder(EURO, LIMITED)).stderr.endswith("2 checked, 0 failed, 1 warning\n")


def test_with_strict_a_file_with_a_warning_has_failed(folder: Folder):
    result = run("validate", "--strict", folder(EURO, LIMITED))
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "2 checked, 1 failed, 1 warning")


def test_one_file_has_no_summary(folder: Folder):
    assert "checked" not in run("validate", folder(LIMITED)).stderr


@pytest.mark.parametrize("style", ["json", "github"])
def test_what_programs_read_is_complete_and_has_no_summary(folder: Folder, style: str):
    result = run("validate", "--format", style, folder(LIMITED, LIMITED))
    assert result.stderr.count("LM345") == 2
    assert "checked" not in result.stderr


def test_quiet_prints_errors_alone(folder: Folder):
    result = run("validate", "--quiet", folder(LIMITED, EURO, BROKEN))
    assert result.exit_code == 1
    assert "LM106" in result.stderr
    assert not any(word in result.stderr for word in ("LM345", "LM311", "checked"))


def test_quiet_and_strict_print_what_fails(folder: Folder):
    result = run("validate", "--quiet", "--strict", folder(LIMITED, EURO))
    assert result.exit_code == 1
    assert "LM311" in result.stderr
    assert "LM345" not in result.stderr


@pytest.mark.parametrize(("level", "codes"), [("error", []), ("warning", ["LM311"]), ("info", ["LM311", "LM345"])])
def test_a_level_hides_what_is_below_it(folder: Folder, level: str, codes: list[str]):
    result = run("validate", "--level", level, folder(LIMITED, EURO))
    assert [code for code in ("LM311", "LM345") if code in result.stderr] == codes
    assert result.stderr.splitlines()[-1] == "2 checked, 0 failed, 1 warning"


def test_a_hidden_warning_still_fails_with_strict(folder: Folder):
    assert run("validate", "--level", "error", "--strict", folder(EURO, EURO)).exit_code == 1


def test_remarks_are_kept_up_to_a_number(capsys: pytest.CaptureFixture[str]):
    many = many_files.ManyFiles(2, {"error"})
    for index in range(many_files.MAX_GROUPS):
        finding = Finding("LM504", "info", f"remark {index}")
        many.add([finding], [finding])
    assert capsys.readouterr().err == ""
    finding = Finding("LM504", "info", "one more")
    many.add([finding], [finding])
    assert "one more" in capsys.readouterr().err


# Several processes.


@pytest.mark.parametrize("jobs", ["2", "0"])
def test_several_processes_say_and_write_the_same(folder: Folder, tmp_path_factory: pytest.TempPathFactory, jobs: str):
    source = folder(*[LIMITED, EURO, BROKEN, {}] * 10)
    outputs = [tmp_path_factory.mktemp("output") for _ in range(2)]
    alone = run("render", source, "-o", str(outputs[0]))
    divided = run("render", source, "-o", str(outputs[1]), "--jobs", jobs)
    assert (divided.exit_code, divided.stderr) == (alone.exit_code, alone.stderr) != (0, "")
    written = [{path.name: path.read_bytes() for path in output.iterdir()} for output in outputs]
    assert written[0] == written[1] != {}


def test_several_processes_print_in_the_order_of_the_sources(folder: Folder):
    source = folder(*[{}] * 40)
    assert run("render", source, "-j", "2").stdout == run("render", source).stdout != ""


def test_standard_input_is_read_by_one_process(folder: Folder):
    source = folder({}, {})
    content = json.dumps(a_manifest(a_spec(), "piped"))
    result = CliRunner(catch_exceptions=False).invoke(main, ["render", "-j", "2", source, "-"], input=content)
    assert (result.exit_code, result.stdout.count("model_list:")) == (0, 3)


# A terminal.


def on_a_terminal(*arguments: str) -> str:
    """Return what a command prints on standard error where that is a terminal."""
    reading, writing = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "render.py", *arguments], check=False, stdout=subprocess.DEVNULL, stderr=writing, cwd=ROOT
        )
    finally:
        os.close(writing)
    printed = b""
    try:
        while part := os.read(reading, 65536):
            printed += part
    except OSError:  # the end, on Linux
        pass
    finally:
        os.close(reading)
    return printed.decode()


def test_progress_is_shown_on_a_terminal_and_cleared(folder: Folder):
    printed = on_a_terminal("validate", folder(BROKEN, {}, {}))
    before, _, after = printed.rpartition(many_files.CLEAR_LINE)
    assert "1 of 3 checked, 1 failed" in before
    assert after.strip().endswith("3 checked, 1 failed, 0 warnings")


def test_quiet_shows_no_progress(folder: Folder):
    assert on_a_terminal("validate", "-q", folder({}, {})) == ""


def test_a_file_shows_no_progress(folder: Folder):
    assert on_a_terminal("validate", folder({})) == ""


# What it costs.


def measured(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU seconds and the peak of memory, in MB, of a command in a process of its own."""
    program = (
        "import os, resource, sys\n"
        "def leave(code):\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    sys.__stdout__.write(f'{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}')\n"
        "    sys.__stdout__.flush()\n"
        "    leaving(code)\n"
        "leaving, os._exit = os._exit, leave\n"
        "from langop_model.start import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True, cwd=ROOT)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def empty_python() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(5):
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 5


def test_a_file_costs_little_and_memory_does_not_grow(folder: Folder):
    source = Path(folder(*[{**LIMITED, **EURO}] * 1000))
    paths = [str(path) for path in sorted(source.iterdir())]
    unit = empty_python()
    few, many = measured(["validate", *paths[:200]]), measured(["validate", *paths])
    assert (many[0] - few[0]) / 800 / unit < MOST_FOR_A_FILE
    assert many[1] / few[1] < MOST_GROWTH
