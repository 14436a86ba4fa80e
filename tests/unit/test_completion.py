"""Shells complete commands, options, their values and files, by click's protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from langop_model.commands import COMMANDS
from tests.conftest import ROOT

SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command by its installed name: a shell's variable is named after it."""
    path = tmp_path_factory.mktemp("bin") / "langop-model"
    path.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom langop_model.start import main\nmain()\n"
    )
    path.chmod(0o755)
    return str(path)


def asked(program: str, instruction: str, **environment: str) -> str:
    done = subprocess.run(
        [program], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT,
        env={**os.environ, "_LANGOP_MODEL_COMPLETE": instruction, **environment},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def completed(program: str, shell: str, *words: str) -> list[str]:
    """Return what is offered for the last of `words`, without kinds and help texts."""
    line = " ".join(("langop-model", *words))
    word = words[-1] if shell == "fish" else str(len(words))
    offered = asked(program, f"{shell}_complete", COMP_WORDS=line, COMP_CWORD=word).splitlines()
    if shell == "zsh":  # kind, value and help on lines of their own
        return offered[1::3]
    if shell == "fish" and offered and not offered[0].startswith(("plain", "file", "dir")):
        return offered
    return [each.partition(",")[2].partition("\t")[0] for each in offered]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_given_a_script(program: str, shell: str):
    script = asked(program, f"{shell}_source")
    assert f"_LANGOP_MODEL_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_are_completed(program: str, shell: str):
    assert set(completed(program, shell, "")) == set(COMMANDS)
    assert completed(program, shell, "val") == ["validate"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_options_and_their_values_are_completed(program: str, shell: str):
    assert "--format" in completed(program, shell, "validate", "--fo")
    assert completed(program, shell, "validate", "--format", "sa") == ["sarif"]


def test_fish_is_offered_the_same(program: str):
    offered = asked(program, "fish_complete", COMP_WORDS="langop-model val", COMP_CWORD="val")
    assert "validate" in offered


def test_a_source_is_completed_as_a_file(program: str):
    assert asked(program, "bash_complete", COMP_WORDS="langop-model render ex", COMP_CWORD="2") == "file,ex\n"


def test_bash_reads_the_script(program: str):
    reads = 'eval "$(_LANGOP_MODEL_COMPLETE=bash_source langop-model)" && complete -p langop-model'
    line = f'PATH="{Path(program).parent}:$PATH"; {reads}'
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert "_langop_model_completion" in done.stdout, done.stderr


def test_the_documentation_has_a_line_for_each_shell():
    text = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    assert all(f"_LANGOP_MODEL_COMPLETE={shell}_source langop-model" in text for shell in SHELLS)
