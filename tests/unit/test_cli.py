"""The command: what goes where, and how it ends."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.commands import COMMANDS
from langop_model.renderer import catalogue
from tests.conftest import ROOT
from tests.unit.specs import a_manifest, a_spec

MINIMAL = "examples/minimal.yaml"
EVERY_FIELD = "examples/every-field.yaml"
WRONG = "examples/wrong/unknown-fields.yaml"
TO_SIBLINGS = "examples/fallbacks.yaml"
LONG_NAME = "x" * 300

Write = Callable[..., str]


def run(*arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    """Run the command; an exception that is no exit is a defect, not a result."""
    return CliRunner(catch_exceptions=False).invoke(main, list(arguments), input=stdin, env=env)


def process(*command: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, check=False, capture_output=True, cwd=ROOT, timeout=30, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: object, name: str = "spec.yaml") -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


# The table of commands.


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_beginning_of_its_own_help(name: str):
    """The list is shown without importing the commands."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.name, (command.help or "").startswith(COMMANDS[name])) == (name, True)


def test_the_list_of_commands_imports_none_of_them():
    program = "import sys\nfrom langop_model.cli import main\nmain(['--help'], standalone_mode=False)\nprint(*sys.modules)"
    loaded = process(sys.executable, "-c", program).stdout.decode().split()
    assert "langop_model.cli" in loaded
    assert not [name for name in loaded if name.startswith("langop_model.commands.")]


# Exit codes, and what goes where.


def test_a_right_specification_ends_with_0():
    """Its configuration is on standard output."""
    result = run("render", MINIMAL)
    assert (result.exit_code, result.stderr) == (0, "")
    assert yaml.safe_load(result.stdout)["model_list"][0]["model_name"] == "gpt-4o-mini"


def test_warnings_go_to_standard_error_and_end_with_0():
    result = run("render", EVERY_FIELD)
    assert result.exit_code == 0
    assert "warning LM311" in result.stderr
    assert "LM311" not in result.stdout


@pytest.mark.parametrize("command", ["render", "validate", "explain"])
def test_a_wrong_specification_ends_with_1_and_nothing_on_standard_output(command: str):
    result = run(command, WRONG)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error LM101" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("bake",),
        ("render", "--nonsense"),
        ("render", "--format", "xml", MINIMAL),
        ("explain",),
        ("diff", MINIMAL),
        ("schema", "sideways"),
        ("launch", "--port", "x"),
    ],
)
def test_a_wrong_usage_ends_with_2(arguments: tuple[str, ...]):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr


def test_a_command_that_does_not_exist_names_one_that_is_near():
    assert run("valdate", "x").stderr.endswith("Error: No such command 'valdate'. Did you mean validate?\n")
    assert run("serve").stderr.endswith("Error: No such command 'serve'.\n")


@pytest.mark.parametrize("command", ["render", "validate"])
def test_no_source_on_a_terminal_is_a_wrong_usage(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("langop_model.commands.options.sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    with pytest.raises(SystemExit) as ended:
        main([command])
    assert ended.value.code == 2


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_without_a_source_standard_input_is_read(arguments: tuple[str, ...]):
    result = run("render", *arguments, stdin=(ROOT / MINIMAL).read_text(encoding="utf-8"))
    assert result.stdout == run("render", MINIMAL).stdout


NO_SPECIFICATIONS = {
    "nothing": "",
    "comments": "# only\n# comments\n",
    "no YAML": "{",
    "a list": "- a",
    "another kind": "kind: Secret",
    "an empty list": "kind: List\nitems: []",
    "a key twice": "a: 1\na: 2",
    "a nested key twice in JSON": '{"a": {"b": 1, "b": 2}}',
    "an alias to itself": "a: &a [*a]",
    "an alias bomb": "a0: &a0 x\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)),
    "brackets": "[" * 100_000,
    "brackets in YAML": "a: " + "[" * 100_000,
    "zeros": b"\0" * 1000,
    "Latin-1": "provider: modèle".encode("latin-1"),
    "UTF-16": "provider: openai".encode("utf-16"),
    "1e400": "provider: 1e400",
    "NaN": '{"provider": NaN}',
    "infinity": "provider: .inf",
    "5,000 digits": '{"provider": ' + "9" * 5000 + "}",
    "a tag": "provider: !!python/object/apply:os.system [id]",
    "a tag that does not fit": "provider: !!bool x",
    "9 MiB": b"a: 1 #" + b" " * (9 * 1024 * 1024),
}


@pytest.mark.parametrize("content", NO_SPECIFICATIONS.values(), ids=NO_SPECIFICATIONS)
@pytest.mark.parametrize("command", ["render", "validate", "explain"])
def test_whatever_is_no_specification_ends_with_1_and_a_finding(command: str, content: str | bytes):
    result = run(command, "-", stdin=content)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error LM" in result.stderr


@pytest.mark.parametrize(
    "name", ["missing.yaml", "examples/minimal.yaml/x", "a\0b", LONG_NAME], ids=["missing", "through a file", "zero", "long"]
)
@pytest.mark.parametrize("command", ["render", "validate", "explain"])
def test_a_source_that_can_not_be_read_ends_with_1_and_a_finding(command: str, name: str):
    result = run(command, name)
    assert result.exit_code == 1
    assert "error LM001" in result.stderr


@pytest.mark.parametrize("depth", [120, 480, 700, 960, 970, 980, 990])
@pytest.mark.parametrize("command", ["render", "explain"])
@pytest.mark.parametrize("place", ['"provider": %s', '"metadata": {"annotations": %s}'], ids=["spec", "metadata"])
def test_deep_nesting_is_no_crash_wherever_it_stands(write: Write, command: str, depth: int, place: str):
    nested = place % ("[" * depth + "]" * depth)
    if "metadata" in nested:
        text = (
            json.dumps({"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "spec": a_spec()})[:-1] + f", {nested}}}"
        )
    else:
        text = f'{{"modelName": "m", {nested}}}'
    assert run(command, write(text, "spec.json")).exit_code in {0, 1}


# Findings.


def test_findings_can_be_json_lines():
    result = run("render", "--format", "json", EVERY_FIELD)
    findings = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"LM311", "LM406"} <= {finding["code"] for finding in findings}
    assert all(finding["file"] == EVERY_FIELD and finding["line"] for finding in findings)


def test_findings_can_be_github_annotations():
    result = run("validate", "--format", "github", WRONG)
    assert result.exit_code == 1
    assert f"::error file={WRONG},line=7,col=3,title=LM101::" in result.stderr


@pytest.mark.parametrize("command", ["render", "validate"])
def test_strict_counts_a_warning_as_an_error(command: str):
    assert run(command, "--strict", EVERY_FIELD).exit_code == 1
    assert run(command, "--strict", MINIMAL).exit_code == 0


@pytest.mark.parametrize("command", ["render", "validate"])
def test_strict_counts_lint_and_ignore_beats_it(command: str, write: Write):
    source = write(a_manifest(a_spec(timeout="1ms")))
    strict = run(command, "--strict", source)
    assert (strict.exit_code, "LM613" in strict.stderr) == (1, True)
    ignored = run(command, "--strict", "--ignore", "LM618", "--ignore", "LM613", source)
    assert (ignored.exit_code, ignored.stderr) == (0, "")


def test_explain_repeats_lint_unless_it_is_ignored(write: Write):
    source = write(a_manifest(a_spec(timeout="1ms")))
    assert "LM613:1: spec.timeout is 1ms" in run("explain", source).stdout
    assert "LM613" not in run("explain", "--ignore", "LM613", source).stdout


@pytest.mark.parametrize("command", ["render", "validate"])
@pytest.mark.parametrize("code", ["LM345", "LM403"])
def test_any_warning_or_info_can_be_ignored(command: str, code: str):
    assert f" {code}" in run(command, EVERY_FIELD).stderr
    result = run(command, "--ignore", code, EVERY_FIELD)
    assert f" {code}" not in result.stderr
    assert result.stderr, "everything else is said"


def test_an_ignored_warning_is_not_counted(write: Write):
    ignored = ["--ignore", "LM613", "--ignore", "LM618"]
    sources = [write(a_manifest(a_spec(timeout="1ms")), f"{name}.yaml") for name in "ab"]
    assert "2 checked, 2 failed" in run("validate", "--strict", *sources).stderr
    result = run("validate", "--strict", *ignored, *sources)
    assert (result.exit_code, result.stderr) == (0, "2 checked, 0 failed, 0 warnings\n")


@pytest.mark.parametrize("style", ["text", "json", "markdown", "html"])
def test_explain_says_nothing_of_what_is_ignored(style: str):
    assert "LM345" in run("explain", "--format", style, EVERY_FIELD).stdout
    assert "LM345" not in run("explain", "--format", style, "--ignore", "LM345", EVERY_FIELD).stdout


def test_an_ignored_finding_leaves_a_field_as_faithful_as_it_is():
    def explained(*options: str) -> Any:
        return json.loads(run("explain", "--format", "json", *options, EVERY_FIELD).stdout)["models"][0]

    every = explained()
    codes = {found["code"] for found in every["findings"] if found["level"] != "error"}
    without = explained(*(word for code in codes for word in ("--ignore", code)))
    assert (without["findings"], len(codes) > 3) == ([], True)
    assert [field["fidelity"] for field in without["fields"]] == [field["fidelity"] for field in every["fields"]]


def test_an_error_cannot_be_ignored():
    result = run("validate", "--ignore", "LM101", MINIMAL)
    assert result.exit_code == 2
    assert "LM101 is an error, which can't be ignored" in result.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [("LM3455", "Did you mean LM345?"), ("lm345", "Did you mean LM345?"), ("timeout", "no finding timeout.\n")],
)
def test_an_unknown_code_to_ignore_is_refused(code: str, said: str):
    result = run("validate", "--ignore", code, MINIMAL)
    assert result.exit_code == 2
    assert f"there is no finding {code}." in result.stderr
    assert said in result.stderr


def test_strict_does_not_count_an_info(write: Write):
    source = write(a_spec())
    assert "info LM504" in run("validate", source).stderr
    assert run("validate", "--strict", source).exit_code == 0


def test_validate_writes_nothing_on_standard_output():
    assert (run("validate", MINIMAL).exit_code, run("validate", MINIMAL).stdout) == (0, "")


# Several sources.


def test_several_sources_become_several_documents_in_order():
    result = run("render", MINIMAL, "examples/ollama-local.yaml")
    documents = list(yaml.safe_load_all(result.stdout))
    assert [document["model_list"][0]["model_name"] for document in documents] == ["gpt-4o-mini", "llama3.2"]
    assert result.stdout.count("\n---\n") == 1


def test_a_right_source_is_rendered_although_another_is_wrong():
    result = run("render", WRONG, MINIMAL)
    assert result.exit_code == 1
    assert result.stdout == run("render", MINIMAL).stdout


def test_one_wrong_document_of_several_is_told(write: Write):
    source = write(json.dumps(a_manifest(a_spec(), "a")) + "\n---\n" + json.dumps(a_manifest(a_spec(timeout="soon"), "b")))
    result = run("render", source)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{source}:3:" in result.stderr


def test_a_folder_is_rendered_file_by_file():
    result = run("render", "examples")
    assert result.exit_code == 0
    assert len(list(yaml.safe_load_all(result.stdout))) == len(list((ROOT / "examples").glob("*.yaml")))


def test_a_gateway_is_one_configuration_of_all_sources():
    one = run("render", "--gateway", "examples/gateway")
    other = run("render", "--gateway", "examples/gateway/fast.yaml", "examples/gateway/in-house.yaml")
    assert one.exit_code == 0
    assert one.stdout == other.stdout
    assert len(list(yaml.safe_load_all(one.stdout))) == 1


def test_a_gateway_of_which_one_model_is_wrong_is_not_rendered():
    result = run("render", "--gateway", MINIMAL, WRONG)
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_gateway_can_be_validated():
    assert run("validate", "--gateway", "examples/gateway").exit_code == 0
    assert run("validate", "--gateway", TO_SIBLINGS).exit_code == 1


# Output.


def test_the_output_is_written_to_a_file_that_only_its_owner_can_read(tmp_path: Path):
    path = tmp_path / "config.yaml"
    result = run("render", MINIMAL, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_text(encoding="utf-8") == run("render", MINIMAL).stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_output_is_written_into_a_folder_with_a_file_for_each_model(tmp_path: Path):
    result = run("render", "examples", "-o", str(tmp_path))
    assert result.exit_code == 0
    assert "gpt-4o-mini.yaml" in {path.name for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == len(list((ROOT / "examples").glob("*.yaml")))


def test_a_gateway_is_written_into_a_folder_as_gateway(tmp_path: Path):
    assert run("render", "--gateway", "examples/gateway", "-o", str(tmp_path)).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.yaml"]


def test_a_file_of_a_folder_never_lands_outside_of_it(write: Write, tmp_path: Path):
    source = write({"apiVersion": "v1", "kind": "ConfigMap", "data": {"model__../outside.json": json.dumps(a_spec())}})
    folder = tmp_path / "folder"
    folder.mkdir()
    run("render", source, "-o", str(folder))
    assert not (tmp_path / "outside.yaml").exists()


def test_two_results_for_one_file_are_a_wrong_usage(tmp_path: Path):
    result = run("render", MINIMAL, "examples/ollama-local.yaml", "-o", str(tmp_path / "config.yaml"))
    assert result.exit_code == 2
    assert "config.yaml is one file for 2 models: name a folder" in result.stderr


def test_two_models_of_one_name_are_not_written_over_each_other(write: Write, tmp_path: Path):
    one, other = write(a_manifest(a_spec(), "same"), "1.yaml"), write(a_manifest(a_spec(), "same"), "2.yaml")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run("render", one, other, "-o", str(folder)).exit_code == 2


def test_the_output_can_be_thrown_away(tmp_path: Path):
    link = tmp_path / "null"  # a defect would replace the link, not the device of a user who runs this as root
    link.symlink_to(os.devnull)
    result = run("render", MINIMAL, "-o", str(link))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["missing/config.yaml", LONG_NAME], ids=["no folder", "long"])
def test_an_output_that_can_not_be_written_ends_with_1_and_a_finding(tmp_path: Path, name: str):
    result = run("render", MINIMAL, "-o", str(tmp_path / name))
    assert result.exit_code == 1
    assert "error LM015" in result.stderr


def test_a_wrong_specification_leaves_the_old_output_as_it_is(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("old", encoding="utf-8")
    assert run("render", WRONG, "-o", str(path)).exit_code == 1
    assert path.read_text(encoding="utf-8") == "old"


# The other commands.


def test_explain_passes_on_what_is_said_about_other_documents(write: Write):
    source = write("kind: Secret\napiVersion: v1\n---\n" + json.dumps(a_manifest(a_spec())))
    assert "LM014" in run("explain", source).stderr


def test_providers_lists_each_with_what_it_needs():
    result = run("providers")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert names == [provider.name for provider in catalogue.usable()]
    assert f"{'':<26}needs: endpoint (https://HOST/v1)\n" in result.stdout


@pytest.mark.parametrize(
    ("which", "file"), [([], "languagemodel"), (["input"], "languagemodel"), (["output"], "litellm-config")]
)
def test_schema_prints_a_schema_as_it_stands(which: list[str], file: str):
    assert run("schema", *which).stdout == (ROOT / "schema" / f"{file}.schema.json").read_text(encoding="utf-8")


def test_schema_prints_the_findings():
    assert "LM101" in json.loads(run("schema", "findings").stdout)["codes"]


def test_launch_without_a_specification_ends_with_78(tmp_path: Path):
    result = run("launch", env={"LANGOP_MODEL_PATH": str(tmp_path / "model.json")})
    assert result.exit_code == 78
    assert "LM703: is missing" in result.stderr


def test_launch_without_its_key_ends_with_78(write: Write, tmp_path: Path):
    source = write(a_spec(apiKeySecretRef={"name": "keys"}), "model.json")
    result = run("launch", env={"LANGOP_MODEL_PATH": source, "LANGOP_SECRETS_PATH": str(tmp_path)})
    assert result.exit_code == 78
    assert "LM701: the key for" in result.stderr


# As a process.

FRONT_DOOR = (sys.executable, "render.py")
INSTALLED = (str(Path(sys.executable).parent / "langop-model"),)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("render", MINIMAL), ("render", WRONG), ("render", "--nonsense")], ids=" ".join
)
def test_the_front_door_and_the_installed_command_behave_the_same(arguments: tuple[str, ...]):
    if not Path(INSTALLED[0]).exists():
        pytest.skip("the command langop-model is not installed beside this interpreter")
    ours, theirs = process(*FRONT_DOOR, *arguments), process(*INSTALLED, *arguments)
    assert ours.returncode == theirs.returncode
    assert ours.stdout.replace(b"render.py", b"langop-model") == theirs.stdout
    assert ours.stderr.replace(b"render.py", b"langop-model") == theirs.stderr


def test_help_names_every_command():
    stdout = process(*FRONT_DOOR, "--help").stdout.decode()
    assert {"render", "validate", "explain", "diff", "providers", "schema", "launch"} <= set(stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [("render", EVERY_FIELD), ("schema", "output"), ("explain", "examples/bedrock.yaml"), ("providers",)],
    ids=" ".join,
)
def test_a_reader_that_goes_away_leaves_no_traceback(arguments: tuple[str, ...]):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [*FRONT_DOOR, *arguments], check=False, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, timeout=30
        )
    finally:
        os.close(writing)
    assert b"Traceback" not in ended.stderr
    assert b"BrokenPipe" not in ended.stderr


@pytest.mark.parametrize(
    "command", ["--help", "--version", "render --help", "schema crd", "providers", "render examples/minimal.yaml"]
)
def test_a_full_standard_output_is_an_error_without_a_traceback(command: str):
    ended = process("sh", "-c", 'exec "$@" >/dev/full', "sh", *FRONT_DOOR, *command.split())
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        1,
        b"<stdout>: error LM015: can't be written: No space left on device; what was there before is unchanged",
    )


@pytest.mark.parametrize("command", ["--help", "--version", "schema crd", "providers"])
def test_a_closed_standard_output_is_no_crash(command: str):
    ended = process("sh", "-c", 'exec "$@" >&-', "sh", *FRONT_DOOR, *command.split())
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [("render",), ("render", "-")])
def test_a_closed_standard_input_is_no_crash(arguments: tuple[str, ...]):
    ended = process("sh", "-c", 'exec "$@" <&-', "sh", *FRONT_DOOR, *arguments)
    assert ended.returncode in {1, 2}
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_the_configuration_is_utf_8_whatever_the_terminal_is(encoding: str):
    """LiteLLM reads its configuration as UTF-8."""
    ended = process(
        *FRONT_DOOR,
        "render",
        "-",
        input=json.dumps(a_spec(modelName="größer ☃")).encode(),
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert ended.returncode == 0
    assert yaml.safe_load(ended.stdout.decode("utf-8"))["model_list"][0]["model_name"] == "größer ☃"


def test_the_command_works_from_any_folder(tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, ROOT / "render.py", "render", ROOT / MINIMAL],
        check=False,
        capture_output=True,
        cwd=tmp_path,
        timeout=30,
    )
    assert ended.returncode == 0
    assert ended.stdout.decode() == run("render", MINIMAL).stdout


# What is mounted.


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a bare spec, as the operator mounts it."""
    monkeypatch.setenv("LANGOP_MODEL_PATH", str(tmp_path / "model.json"))
    return tmp_path / "model.json"


def test_what_is_mounted_is_rendered(mounted: Path):
    mounted.write_text(
        json.dumps({"provider": "openai-compatible", "modelName": "llama", "endpoint": "https://a.example.com/v1"})
    )
    done = CliRunner().invoke(main, ["render", "--mounted"])
    assert (done.exit_code, yaml.safe_load(done.stdout)["model_list"][0]["model_name"]) == (0, "llama")


def test_nothing_mounted_is_an_error(mounted: Path):
    done = CliRunner().invoke(main, ["render", "--mounted"])
    assert (done.exit_code, done.stdout, "LM703" in done.stderr, str(mounted) in done.stderr) == (1, "", True, True)


def test_a_source_beside_what_is_mounted_is_wrong_usage():
    done = CliRunner().invoke(main, ["render", "--mounted", "examples/minimal.yaml"])
    assert (done.exit_code, "--mounted takes no SOURCE" in done.stderr) == (2, True)
