"""What a command does with sources of every kind: folders, pipes, what can't be read; and where its results go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from langop_model import running
from langop_model.cli import main
from langop_model.renderer import rendering
from langop_model.sources import TOGETHER
from tests.conftest import ROOT
from tests.unit.specs import a_manifest, a_spec

MINIMAL = "examples/minimal.yaml"
WRONG = "examples/wrong/unknown-fields.yaml"
SECRET = "sk-secret"
KUSTOMIZATION = "resources:\n- model.yaml\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n"

Write = Callable[..., str]


def run(*arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, list(arguments), input=stdin, env=env)


def process(*arguments: str, redirection: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a shell, with a `redirection`. A command that waits forever fails here."""
    line = f'exec "$0" render.py "$@" {redirection}'
    command = ["bash", "-c", line, sys.executable, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: object, name: str = "spec.yaml") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def mixed(write: Write, tmp_path: Path) -> str:
    """A folder as `kubectl apply -k` has it."""
    write(KUSTOMIZATION, "mixed/kustomization.yaml")
    write(SERVICE, "mixed/service.yaml")
    write(json.dumps(a_manifest(a_spec(), "a")), "mixed/model.yaml")
    return str(tmp_path / "mixed")


# Folders with other kinds.


@pytest.mark.parametrize("arguments", [("render",), ("validate",), ("render", "--gateway"), ("validate", "--gateway")])
def test_other_kinds_in_a_folder_are_skipped_and_named_also_with_strict(mixed: str, arguments: tuple[str, ...]):
    result = run(*arguments, "--strict", mixed)
    assert result.exit_code == 0
    assert f"{mixed}/service.yaml:1:1: info LM014: is a resource of kind Service (v1)" in result.stderr
    assert f"{mixed}/kustomization.yaml:1:1: info LM020" in result.stderr


def test_explain_and_diff_read_a_folder_with_other_kinds(mixed: str):
    assert "provider " in run("explain", mixed).stdout
    assert (run("diff", mixed, mixed).exit_code, run("diff", mixed, mixed).stdout) == (0, "")


@pytest.mark.parametrize("command", [("render",), ("validate",), ("explain",), ("render", "--gateway")])
def test_a_folder_of_other_kinds_alone_is_an_error(mixed: str, command: tuple[str, ...]):
    (Path(mixed) / "model.yaml").unlink()
    result = run(*command, mixed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{mixed}: error LM019: holds no LanguageModel" in result.stderr


def test_a_wrong_model_of_a_folder_is_not_taken_for_none(mixed: str, write: Write):
    write("apiVersion: langop.io/v1alpha1\nkind: LanguageModell\n", "mixed/model.yaml")
    result = run("validate", mixed)
    assert "LM009" in result.stderr
    assert "LM019" not in result.stderr


@pytest.mark.parametrize("name", ["kustomization.yaml", "service.yaml"])
def test_a_file_of_another_kind_that_is_named_is_an_error(mixed: str, name: str):
    assert run("validate", f"{mixed}/{name}").exit_code == 1


# What can't be read.


@pytest.mark.parametrize("command", ["render", "validate", "explain"])
def test_a_pipe_that_nothing_writes_to_is_not_waited_for(tmp_path: Path, command: str):
    os.mkfifo(tmp_path / "pipe")
    result = process(command, str(tmp_path / "pipe"))
    assert result.returncode == 1
    assert "error LM001: can't be read: nothing writes to this pipe" in result.stderr


def test_a_pipe_whose_writer_is_slow_is_read_to_its_end(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    text = (ROOT / MINIMAL).read_text(encoding="utf-8")
    held = os.open(path, os.O_RDWR)  # a writer is there before the reader comes

    def feed() -> None:
        with path.open("w", encoding="utf-8") as pipe:
            os.close(held)
            for line in text.splitlines(keepends=True):
                pipe.write(line)
                pipe.flush()

    thread = threading.Timer(0.2, feed)
    thread.start()
    result = run("render", str(path))
    thread.join()
    assert result.stdout == run("render", MINIMAL).stdout


def test_a_process_substitution_is_a_source_also_with_an_output(tmp_path: Path):
    result = process("render", "-o", str(tmp_path / "out.yaml"), redirection=f"<(cat {MINIMAL})")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.yaml").read_text(encoding="utf-8") == run("render", MINIMAL).stdout


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path):
    (tmp_path / "model.json").symlink_to("gone")
    assert "No such file" in run("render", str(tmp_path / "model.json")).stderr


@pytest.mark.parametrize("command", ["render", "validate", "explain"])
@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("- <&-", "standard input is closed"),
        ("- </dev/null", "is empty"),
        ("- </dev/zero", "is larger than 8 MiB"),
    ],
    ids=["closed", "empty", "endless"],
)
def test_a_strange_standard_input_ends_with_1_and_a_finding(command: str, redirection: str, message: str):
    result = process(command, redirection=redirection)
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["render", "validate", "explain"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(3000), "is not valid YAML"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8 text"),
        (b"\x1f\x8b\x08\x00", "is not UTF-8 text"),
    ],
    ids=["zeros", "an image", "compressed"],
)
def test_bytes_that_are_no_text_end_with_1_and_a_finding(command: str, content: bytes, message: str):
    result = run(command, "-", stdin=content)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_an_output_that_takes_nothing_ends_with_1_and_a_finding(redirection: str):
    result = process("render", MINIMAL, redirection=redirection)
    assert result.returncode == 1
    assert "<stdout>: error LM015" in result.stderr


def test_a_closed_standard_error_is_no_crash():
    assert process("render", WRONG, redirection="2>&-").returncode == 1


def test_launch_reads_no_pipe_that_nothing_writes_to(tmp_path: Path):
    os.mkfifo(tmp_path / "model.json")
    result = run("launch", env={"LANGOP_MODEL_PATH": str(tmp_path / "model.json"), **elsewhere(tmp_path)})
    assert result.exit_code == 78
    assert "nothing writes to this pipe" in (tmp_path / "termination-log").read_text(encoding="utf-8")


def test_launch_names_a_link_that_leads_nowhere(tmp_path: Path):
    (tmp_path / "model.json").symlink_to("gone")
    result = run("launch", env={"LANGOP_MODEL_PATH": str(tmp_path / "model.json"), **elsewhere(tmp_path)})
    assert (result.exit_code, "LM703" in result.stderr) == (78, True)


def test_launch_ends_with_78_and_a_message_for_a_defect_too(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(rendering, "render", broken)
    result = run("launch", env={"LANGOP_MODEL_PATH": write(a_spec(), "model.json"), **elsewhere(tmp_path)})
    message = (tmp_path / "termination-log").read_text(encoding="utf-8")
    assert result.exit_code == 78
    assert "error LM737: the gateway can't start: KeyError in test_sources.py" in message
    assert "test_sources.py" in result.stderr
    assert SECRET not in message + result.stderr


def elsewhere(folder: Path) -> dict[str, str]:
    (folder / "termination-log").write_text("", encoding="utf-8")
    return {"LANGOP_TERMINATION_LOG": str(folder / "termination-log"), "LANGOP_CONFIG_PATH": str(folder / "config.yaml")}


# Where results go.


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def three(write: Write) -> list[str]:
    return [write(a_manifest(a_spec(), name), f"{name}.yaml") for name in "abc"]


def test_several_results_make_a_folder(write: Write, tmp_path: Path):
    assert run("render", *three(write), "-o", str(tmp_path / "new")).exit_code == 0
    assert files_in(tmp_path / "new") == ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.parametrize("arguments", [(MINIMAL,), ("--gateway", "examples/gateway")])
def test_a_slash_at_the_end_makes_a_folder_for_one_result_too(tmp_path: Path, arguments: tuple[str, ...]):
    assert run("render", *arguments, "-o", f"{tmp_path}/new/").exit_code == 0
    assert len(files_in(tmp_path / "new")) == 1


def test_several_documents_of_standard_input_make_a_folder(tmp_path: Path):
    text = "\n---\n".join(json.dumps(a_manifest(a_spec(), name)) for name in "ab")
    assert run("render", "-", "-o", str(tmp_path / "new"), stdin=text).exit_code == 0
    assert files_in(tmp_path / "new") == ["a.yaml", "b.yaml"]


def test_a_model_without_a_name_is_settled_by_its_model_name(write: Write, tmp_path: Path):
    sources = [write(a_spec(modelName=name), f"{name}.json") for name in ("x", "y")]
    assert run("render", *sources, "-o", str(tmp_path / "new")).exit_code == 0
    assert files_in(tmp_path / "new") == ["x.yaml", "y.yaml"]


def test_a_source_that_can_not_be_read_counts_as_one_too(write: Write, tmp_path: Path):
    """Else the next run, with the source put right, would find a file where it needs a folder."""
    result = run("render", write(a_manifest(a_spec(), "a")), "missing.yaml", "-o", str(tmp_path / "new"))
    assert result.exit_code == 1
    assert files_in(tmp_path / "new") == ["a.yaml"]


@pytest.mark.parametrize("name", ["old", "config.yaml"])
def test_nothing_is_written_where_several_results_have_one_file(write: Write, tmp_path: Path, name: str):
    (tmp_path / "old").write_text("old", encoding="utf-8")
    result = run("render", *three(write), "-o", str(tmp_path / name))
    assert result.exit_code == 2
    assert f"{name} is one file for 3 models: name a folder, or use --gateway" in result.stderr
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
    assert not (tmp_path / "config.yaml").exists()


def test_nothing_is_written_where_two_results_have_one_name(write: Write, tmp_path: Path):
    sources = [*three(write), write(a_manifest(a_spec(), "a"), "again.yaml")]
    result = run("render", *sources, "-o", f"{tmp_path}/new/")
    assert (result.exit_code, (tmp_path / "new").exists()) == (2, False)
    assert "new/a.yaml would be written twice" in result.stderr


def test_no_folder_is_made_for_nothing(tmp_path: Path):
    assert run("render", WRONG, "-o", f"{tmp_path}/new/").exit_code == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_in_a_folder_that_is_missing_is_an_error(tmp_path: Path):
    result = run("render", MINIMAL, "-o", f"{tmp_path}/missing/new/")
    assert (result.exit_code, "error LM015" in result.stderr) == (1, True)


def test_few_renderings_are_held_at_a_time(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Thousands of models: their names are known before the first is written, and of few more than that."""
    folder = tmp_path / "new"
    held: list[int] = []
    render_each = rendering.render_each

    def observed(*arguments: object, **options: object) -> object:
        held.append(len(held) - len(files_in(folder)))
        return render_each(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rendering, "render_each", observed)
    several = [write(a_manifest(a_spec(), f"model-{number}"), f"{number}.yaml") for number in range(3 * TOGETHER)]
    assert run("render", *several, "-o", str(folder)).exit_code == 0
    assert held == [*range(TOGETHER)] * 3


def test_of_many_models_in_one_file_no_more_is_held(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They are written before the next file is read."""
    items = [a_manifest(a_spec(), f"model-{number}") for number in range(2 * TOGETHER)]
    sources = [write({"kind": "List", "items": items}, "a.json"), write(a_manifest(a_spec(), "last"), "b.json")]
    written: list[int] = []
    render_each = rendering.render_each

    def observed(*arguments: object, **options: object) -> object:
        written.append(len(files_in(tmp_path / "new")))
        return render_each(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rendering, "render_each", observed)
    assert run("render", *sources, "-o", f"{tmp_path}/new/").exit_code == 0
    assert written == [0, 2 * TOGETHER]


def test_a_result_for_standard_output_waits_for_no_other(write: Write, monkeypatch: pytest.MonkeyPatch):
    """The next source may be a pipe that something slow writes to."""
    events: list[str] = []
    render_each = rendering.render_each

    def observed(*arguments: object, **options: object) -> object:
        events.append("rendered")
        return render_each(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rendering, "render_each", observed)
    monkeypatch.setattr(running, "write_result", lambda _: events.append("written"))
    assert run("render", *three(write)).exit_code == 0
    assert events == ["rendered", "written"] * 3


# Configurations of LiteLLM.


@pytest.mark.parametrize("command", ["render", "validate", "explain"])
def test_a_configuration_of_litellm_is_one_error(command: str):
    result = run(command, "tests/golden/minimal.config.yaml")
    assert result.exit_code == 1
    assert result.stderr.count("error LM") == 1
    assert "error LM018: is a LiteLLM configuration (" in result.stderr


def test_several_configurations_are_not_compared_as_if_they_were_one(write: Write):
    text = run("render", MINIMAL, "examples/ollama-local.yaml").stdout
    assert len(list(yaml.safe_load_all(text))) == 2
    result = run("diff", write(text, "both.yaml"), MINIMAL)
    assert (result.exit_code, result.stdout, "error LM021" in result.stderr) == (1, "", True)
