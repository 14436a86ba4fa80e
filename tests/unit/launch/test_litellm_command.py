"""The arguments with which the upstream image is started: understood, or refused in a sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.launch import command
from langop_model.launch.config_watcher import ConfigReloader
from tests.conftest import ROOT
from tests.support.kubelet import Pod
from tests.unit.specs import a_spec

Launched = list[tuple[Mapping[str, str], str, int]]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    """What would be launched: the environment, the host and the port."""
    calls: Launched = []

    def launch(environment: Mapping[str, str], host: str, port: int, _: Any) -> int:
        calls.append((environment, host, port))
        return 0

    monkeypatch.setattr(command, "launch", launch)
    return calls


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["launch", *arguments], env=environment)


def test_all_that_the_upstream_image_is_started_with_is_understood(launched: Launched, tmp_path: Path):
    path = str(tmp_path / "config.yaml")
    arguments = ["litellm", "--config", path, "--num_workers", "2", "--port", "4711", "--host", "127.0.0.1"]
    assert run(*arguments).exit_code == 0
    ((environment, host, port),) = launched
    assert (environment["LANGOP_CONFIG_PATH"], environment["LANGOP_WORKERS"], host, port) == (path, "2", "127.0.0.1", 4711)


@pytest.mark.parametrize("arguments", [[], ["litellm"]])
def test_without_an_option_the_environment_decides(launched: Launched, arguments: list[str]):
    run(*arguments, LANGOP_WORKERS="3", LANGOP_CONFIG_PATH="/elsewhere")
    ((environment, _, port),) = launched
    assert (environment["LANGOP_WORKERS"], environment["LANGOP_CONFIG_PATH"], port) == ("3", "/elsewhere", 4000)


def test_without_the_word_the_options_mean_the_same(launched: Launched, tmp_path: Path):
    run(f"--config={tmp_path}/config.yaml", "--num_workers=2")
    assert launched[0][0]["LANGOP_WORKERS"] == "2"


def test_a_place_that_can_not_be_written_is_no_reason_to_stop(launched: Launched, tmp_path: Path):
    run("litellm", "--config", str(tmp_path / "missing" / "config.yaml"))
    assert "LANGOP_CONFIG_PATH" not in launched[0][0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["litellm", "--detailed_debug"], "--detailed_debug"),
        (["litellm", "--model", "gpt-4o", "--use_queue"], "--model, --use_queue"),
        (["--api_base=http://sk-secret.example.com"], "--api_base"),
        (["litellm", "-x"], "-x"),
        (["serve"], "serve"),
        (["litellm", "litellm"], "litellm"),
    ],
)
def test_another_argument_is_refused_by_its_name(launched: Launched, tmp_path: Path, arguments: list[str], named: str):
    log = tmp_path / "termination-log"
    log.touch()
    result = run(*arguments, LANGOP_TERMINATION_LOG=str(log))
    assert (result.exit_code, launched) == (78, [])
    assert f'LM763: launch does not know {named}"' in result.stderr
    assert "LM763" in log.read_text()
    assert "secret" not in result.stderr


@pytest.mark.parametrize("workers", ["0", "65", "two"])
def test_a_number_of_workers_that_is_none_is_wrong_usage(launched: Launched, workers: str):
    result = run("litellm", "--num_workers", workers)
    assert (result.exit_code, launched) == (2, [])
    assert "--num_workers" in result.stderr


def test_a_configuration_that_somebody_wrote_is_not_overwritten(launched: Launched, tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("model_list: []\n", encoding="utf-8")
    result = run("litellm", "--config", str(path))
    assert (result.exit_code, launched, path.read_text()) == (78, [], "model_list: []\n")
    assert f"{path}: LM764" in result.stderr


def test_a_configuration_that_was_rendered_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pod = Pod(tmp_path)
    pod.mount_models(good=a_spec())
    written: list[str] = []

    def launch(environment: Mapping[str, str], *_: Any) -> int:
        ConfigReloader(environment, lambda _: None).first()
        written.append(Path(environment["LANGOP_CONFIG_PATH"]).read_text())
        return 0

    monkeypatch.setattr(command, "launch", launch)
    path = str(tmp_path / "written.yaml")
    for _ in range(2):
        assert run("litellm", "--config", path, **pod.environment).exit_code == 0
    assert len(written) == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "/opt/langop/render.py launch"),
        (["--port", "5"], "/opt/langop/render.py launch --port 5"),
        (["litellm", "--num_workers", "2"], "/opt/langop/render.py launch litellm --num_workers 2"),
        (["python", "-V"], "-V"),
    ],
)
def test_the_entrypoint_starts_the_gateway_for_the_upstream_command(tmp_path: Path, arguments: list[str], expected: str):
    shim = tmp_path / "python"
    shim.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(ROOT / "docker" / "entrypoint.sh"), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
