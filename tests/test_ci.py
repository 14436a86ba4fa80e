"""What runs on code hosts: workflows, actions and hooks are what their schemas say, safe, and fit what they call."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from langop_model.cli import main
from tests.conftest import ROOT

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = {
    "vendor.github-workflows": [str(path.relative_to(ROOT)) for path in WORKFLOWS],
    "vendor.github-actions": ["action.yml"],
    "vendor.dependabot": [".github/dependabot.yml"],
    "vendor.gitlab-ci": ["docs/gitlab-ci.yml"],
}
WRONG = "examples/wrong/unknown-fields.yaml"
RIGHT = "examples/minimal.yaml"


def load(name: str) -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # all texts: on stays on


def ended(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=120, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("schema", FILES)
def test_a_file_is_what_its_schema_says(schema: str):
    done = ended(str(BIN / "check-jsonschema"), "--builtin-schema", schema, *FILES[schema])
    assert done.returncode == 0, done.stdout


def test_the_schema_of_workflows_refuses_what_is_none(tmp_path: Path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: {a: {steps: []}}\n", encoding="utf-8")
    assert ended(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(wrong)).returncode == 1


def test_workflows_are_safe():
    """zizmor knows how workflows are attacked: expressions in scripts, tokens that are kept, actions that can change."""
    done = ended(str(BIN / "zizmor"), "--offline", "--no-progress", ".github", "action.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_are_what_pre_commit_reads():
    assert ended(str(BIN / "pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml").returncode == 0


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        workflow = load(str(path.relative_to(ROOT)))
        for name, job in workflow["jobs"].items():
            yield f"{path.stem}-{name}", {"workflow": workflow, **job}


JOBS = dict(jobs())


STEPS = {name: job["steps"] for name, job in JOBS.items() if "uses" not in job}  # of those that call no other workflow
SCRIPTS = [step["run"] for steps in STEPS.values() for step in steps if "run" in step]
MAY_WRITE = {
    "golden-diff-comment": {"pull-requests"},
    "review-comment": {"pull-requests"},
    "release-publish": {"attestations", "id-token", "packages"},
    "release-page": {"contents"},
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_may_read_the_repository_or_write_what_it_is_for(name: str):
    permissions = JOBS[name]["permissions"]
    expected = dict.fromkeys(MAY_WRITE[name], "write") if name in MAY_WRITE else {"contents": "read"}
    assert (JOBS[name]["workflow"]["permissions"], permissions) == ({}, expected)


@pytest.mark.parametrize("name", STEPS)
def test_a_job_ends(name: str):
    assert int(JOBS[name]["timeout-minutes"]) > 0


@pytest.mark.parametrize("name", MAY_WRITE)
def test_a_job_that_may_write_runs_no_code_of_the_repository(name: str):
    assert not [step for step in STEPS[name] if "checkout" in step.get("uses", "")]


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_actions_are_pinned_by_commit_and_named_by_version(steps: list[dict[str, Any]]):
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    for step in steps:
        if "uses" in step:
            assert re.search(rf"{step['uses']} # v\d+\.\d+\.\d+\n", text)
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])


def test_workflows_call_what_there_is():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    calls = [found for command in SCRIPTS for found in re.findall(r"\bmake (.+)", command)]
    targets = {word for call in calls for word in call.split() if re.fullmatch(r"[a-z-]+", word)}
    assert targets == {"build", "dist", "image-test", "sbom", "test-fast"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert ".ci/run" in SCRIPTS
    assert (ROOT / ".ci" / "run").exists()
    programs = [found for command in SCRIPTS for found in re.findall(r"python3 (\S+)", command)]
    assert programs == ["tools/release.py"]
    assert (ROOT / programs[0]).exists()


def test_a_called_workflow_may_be_called():
    called = [job["uses"] for job in JOBS.values() if "uses" in job]
    assert called == ["$/.github/workflows/tests.yml"]
    assert "workflow_call" in load(called[0].removeprefix("$/"))["on"]


# A release.


def needed(name: str) -> set[str]:
    """Return the jobs of the release that come before one."""
    needs = JOBS[f"release-{name}"].get("needs", [])
    return {before for each in ([needs] if isinstance(needs, str) else needs) for before in ({each} | needed(each))}


def test_nothing_is_published_before_all_is_checked_and_built():
    assert needed("publish") == {"version", "tests", "distributions", "image", "chart"}
    assert needed("page") == needed("publish") | {"publish"}


def test_what_is_published_was_built_by_jobs_that_may_only_read():
    uploaded = {step["with"]["name"] for name, steps in STEPS.items() for step in steps if "upload-artifact" in str(step)}
    for name in ("release-publish", "release-page"):
        (pattern,) = [step["with"]["pattern"] for step in STEPS[name] if "download-artifact" in str(step)]
        assert set(pattern.strip("{}").split(",")) < uploaded


def test_a_release_names_no_registry():
    """The host is a variable of the repository: REGISTRY."""
    places = [found for script in SCRIPTS for found in re.findall(r"(?:docker|oci)://([^/:\s\"`]+)", script)]
    assert set(places) == {"$IMAGE", "$CHARTS", "%s"}  # %s: the page, for readers
    assert JOBS["release-publish"]["workflow"]["env"] == {
        "IMAGE": "${{ vars.REGISTRY }}/${{ github.repository }}",
        "CHARTS": "${{ vars.REGISTRY }}/${{ github.repository_owner }}/charts",
    }


def test_every_supported_python_is_tested():
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert JOBS["tests-renderer"]["strategy"]["matrix"]["python"] == (supported or ["3.11", "3.12", "3.13", "3.14"])


def called(text: str) -> list[list[str]]:
    """Return the arguments of each call of langop-model in a script, without redirections and quotes."""
    lines = [line.split(" >")[0].split(" 2>")[0].split(" ||")[0].split(" #")[0] for line in text.splitlines()]
    calls = [
        re.sub(r"^.*?(langop-model|render\.py) ", "", line)
        for line in lines
        if re.search(r"(langop-model|render\.py) \w", line)
    ]
    return [[word.strip('"') for word in call.split()] for call in calls]


GITLAB = load("docs/gitlab-ci.yml")["languagemodels"]


@pytest.mark.parametrize(
    "arguments", [each for text in [*SCRIPTS, *GITLAB["script"], *GITLAB["after_script"]] for each in called(text)]
)
def test_a_script_calls_commands_and_options_that_there_are(arguments: list[str]):
    name, *rest = arguments
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--") and word != "--"} <= options


# What the step of action.yml does.


def step(*, command: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return ended("sh", "tools/validate_action.sh", command or str(BIN / "langop-model"), **environment)


def test_the_action_hands_each_of_its_inputs_on():
    action = load("action.yml")
    environment = action["runs"]["steps"][-1]["env"]
    assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} == set(environment.values())
    script = (ROOT / "tools" / "validate_action.sh").read_text(encoding="utf-8")
    assert all(re.search(rf"\$\{{?{name}\b", script) for name in environment)


@pytest.fixture
def langop_model(tmp_path: Path) -> str:
    """The command as it is installed, of this checkout."""
    command = tmp_path / "langop-model"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "render.py"}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return str(command)


def test_the_action_annotates_lines_and_fails(langop_model: str):
    done = step(command=langop_model, PATHS=f"{RIGHT} {WRONG}")
    assert done.returncode == 1
    assert f"::error file={WRONG},line=7,col=3,title=LM101::" in done.stderr


def test_the_action_passes_what_is_right(langop_model: str):
    assert step(command=langop_model, PATHS=RIGHT).returncode == 0


def test_the_action_writes_documents(langop_model: str, tmp_path: Path):
    sarif, junit = tmp_path / "a.sarif", tmp_path / "a.xml"
    done = step(command=langop_model, PATHS=WRONG, SARIF=str(sarif), JUNIT=str(junit))
    assert done.returncode == 1
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert "<failure" in junit.read_text(encoding="utf-8")


@pytest.mark.parametrize(("strict", "code"), [("true", 1), ("false", 0)])
def test_the_action_can_be_strict(langop_model: str, strict: str, code: int):
    assert step(command=langop_model, PATHS="examples/every-field.yaml", STRICT=strict).returncode == code


def test_the_action_reads_a_path_as_a_path(langop_model: str, tmp_path: Path):
    done = step(command=langop_model, PATHS=f"$(touch${{IFS}}{tmp_path}/made) --help *")
    assert done.returncode == 1
    assert not (tmp_path / "made").exists()
    assert "Usage" not in done.stdout


# Hooks.


@pytest.mark.parametrize("name", ["langop-model-validate", "langop-model-render"])
def test_a_hook_calls_a_command_that_there_is(name: str):
    hook = next(each for each in load(".pre-commit-hooks.yaml") if each["id"] == name)
    program, *arguments = hook["entry"].split()
    assert program == "langop-model"
    assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0


def test_the_hook_of_rendering_changes_nothing_that_is_up_to_date(tmp_path: Path):
    arguments = ["render", "--quiet", RIGHT, "examples/bedrock.yaml", "--output", f"{tmp_path}/"]
    outcomes = []
    for _ in range(2):
        assert CliRunner().invoke(main, arguments).exit_code == 0
        outcomes.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert outcomes[0] == outcomes[1] != {}
