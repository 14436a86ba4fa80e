"""The reason of the end, where Kubernetes looks for it."""

from __future__ import annotations

from pathlib import Path

from langop_model.launch import termination_log
from langop_model.renderer import findings


def logged(path: Path, *found: findings.Finding) -> str:
    termination_log.write({"LANGOP_TERMINATION_LOG": str(path)}, found)
    return path.read_text(encoding="utf-8")


def test_the_errors_stand_there_with_what_to_do(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("of an earlier end, and longer than what follows" * 9, encoding="utf-8")
    text = logged(path, findings.make("LM703"), findings.make("LM727"))
    assert text == "error LM703: is missing: no LanguageModel is mounted\n    mount the LanguageModel's ConfigMap at this path"


def test_what_kubernetes_would_not_keep_is_cut_between_letters(tmp_path: Path):
    path = tmp_path / "log"
    path.touch()
    text = logged(path, findings.make("LM721", reason="\u00e9" * 5000))
    assert 4094 <= len(text.encode("utf-8")) <= 4096


def test_where_no_file_is_none_is_made(tmp_path: Path):
    termination_log.write({"LANGOP_TERMINATION_LOG": str(tmp_path / "log")}, [findings.make("LM703")])
    assert not (tmp_path / "log").exists()


def test_a_file_that_can_not_be_written_is_no_further_error(tmp_path: Path):
    termination_log.write({"LANGOP_TERMINATION_LOG": str(tmp_path)}, [findings.make("LM703")])
