"""`diff` of revisions of git: each side is rendered by its own code and templates."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from langop_model.cli import main
from tests.conftest import ROOT
from tests.unit.specs import a_manifest, a_spec

EXAMPLES = ("minimal", "openai-model", "ollama-local", "groq")
TIMEOUT = "        timeout: {{ model.spec.timeout | seconds }}"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def run(*arguments: str) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["diff", *arguments])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of this project of two revisions: the second one doubles every timeout, in a template, and renames a model."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("langop_model", "templates", "schema"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "render.py", folder)
    (folder / "examples").mkdir()
    for name in EXAMPLES:
        shutil.copy(ROOT / "examples" / f"{name}.yaml", folder / "examples")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    template = folder / "templates" / "upstream.yaml.j2"
    text = template.read_text(encoding="utf-8")
    assert text.count(TIMEOUT) == 1
    template.write_text(text.replace(TIMEOUT, TIMEOUT.replace("| seconds", "| seconds * 2")), encoding="utf-8")
    git(folder, "commit", "--quiet", "-am", "two")
    git(folder, "checkout", "--quiet", "-b", "silent")
    (folder / "render.py").write_text("", encoding="utf-8")
    git(folder, "commit", "--quiet", "-am", "a command that does nothing")
    git(folder, "checkout", "--quiet", "main")
    return folder


def test_a_changed_template_is_read_as_its_effect_on_each_example(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(checkout)
    result = run("HEAD~1..HEAD", "examples")
    assert result.exit_code == 0, result.stderr
    assert "timeout 300 s → 600 s (a provider that hangs is noticed later)" in result.stdout
    assert result.stdout.splitlines()[0].startswith("3 models: ")
    assert "timeout 120 s → 240 s" in result.stdout, "openai-model says 2m"


def test_the_working_tree_is_compared_with_a_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    """The working tree's side is rendered by the program that runs, whose templates are those of the first revision."""
    monkeypatch.chdir(checkout)
    assert run("HEAD~1:examples", "examples").stdout == ""
    assert "timeout 600 s → 300 s" in run("HEAD:examples/minimal.yaml", "examples/minimal.yaml").stdout


def test_a_gateway_of_a_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(checkout)
    assert "timeout 300 s → 600 s" in run("--gateway", "HEAD~1..HEAD", "examples").stdout


def test_nothing_of_a_revision_is_left_behind(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    run("HEAD~1..HEAD", "examples/minimal.yaml")
    assert list(tmp_path.iterdir()) == []
    status = subprocess.run(["git", "status", "--porcelain"], check=True, capture_output=True, text=True)
    assert status.stdout == ""


def test_a_revision_that_renders_nothing_is_no_gateway_without_models(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(checkout)
    result = run("silent:examples/minimal.yaml", "examples/minimal.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error LM022: revision silent can't be rendered by its own renderer: it wrote no configuration" in result.stderr


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of LanguageModels, which has no renderer."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    path = tmp_path / "models" / "model.yaml"
    path.parent.mkdir()
    for timeout in ("1m", "2m"):
        path.write_text(str(a_manifest(a_spec(timeout=timeout))).replace("'", '"'), encoding="utf-8")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "-m", timeout)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("users")
def test_specifications_of_another_repository_are_rendered_by_this_program():
    assert "timeout 60 s → 120 s" in run("main~1..main", "models").stdout
    assert "timeout 120 s → 60 s" in run("models", "main~1:models").stdout


def test_paths_are_read_from_where_one_is(users: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(users / "models")
    assert "timeout 60 s → 120 s" in run("HEAD~1..HEAD", "model.yaml").stdout


def test_a_file_that_is_new_adds_its_model(users: Path):
    new = users / "new" / "model.yaml"
    new.parent.mkdir()
    new.write_text(str(a_manifest(a_spec(modelName="other"), "other")).replace("'", '"'), encoding="utf-8")
    git(users, "add", ".")
    git(users, "commit", "--quiet", "-m", "new")
    for path in ("new", "new/model.yaml"):
        assert "model added: clients may ask for other" in run("HEAD~1..HEAD", path).stdout
        assert "model removed: clients that ask for other get 404" in run("HEAD..HEAD~1", path).stdout


def test_a_folder_that_had_no_models_yet_gets_them(users: Path):
    model = users / "models" / "model.yaml"
    git(users, "mv", "models/model.yaml", "models/readme.md")
    git(users, "commit", "--quiet", "-m", "none")
    assert "model removed" in run("HEAD~1..HEAD", "models").stdout
    assert not model.exists()
    result = run("HEAD..HEAD", "models")
    assert (result.exit_code, "no LanguageModel in HEAD, and none in HEAD" in result.stderr) == (2, True)


def test_three_dots_mean_since_where_both_have_come_from(users: Path):
    git(users, "checkout", "--quiet", "-b", "branch", "main~1")
    git(users, "commit", "--quiet", "--allow-empty", "-m", "nothing")
    assert "timeout 120 s → 60 s" in run("main..branch", "models").stdout
    assert run("main...branch", "models").stdout == ""
    assert "timeout 60 s → 120 s" in run("branch...main", "models").stdout


def test_a_path_with_a_dot_is_read_from_where_one_is(users: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(users / "models")
    assert "timeout 60 s → 120 s" in run("HEAD~1:./model.yaml", "model.yaml").stdout


def test_a_wrong_specification_of_a_revision_is_named_with_the_revision(users: Path):
    (users / "models" / "model.yaml").write_text("provider: openai\nmodelNme: x\n", encoding="utf-8")
    git(users, "commit", "--quiet", "-am", "wrong")
    result = run("HEAD~1..HEAD", "models")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "HEAD:models/model.yaml:2:1: error LM101" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("HEAD~1..HEAD",), "name what to render in HEAD~1..HEAD"),
        (("nothing..HEAD", "models"), "nothing"),
        (("HEAD~1..HEAD", "other"), "other is not in HEAD~1, and not in HEAD"),
        (("HEAD~1..HEAD", "models", "other"), "other is not in HEAD~1, and not in HEAD"),
        (("HEAD:other", "models"), "other is not in HEAD"),
        (("nothing...HEAD", "models"), "nothing"),
        (("--output=x..HEAD", "models"), "No such option"),
        (("HEAD~1..HEAD", "/etc"), "/etc is outside of the repository"),
    ],
)
@pytest.mark.usefixtures("users")
def test_what_git_can_not_tell_is_wrong_usage(arguments: tuple[str, ...], said: str):
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_without_a_repository_it_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    result = run("main..HEAD", "models")
    assert result.exit_code == 2
    assert "not a git repository" in result.stderr


def test_a_file_with_dots_or_a_colon_in_its_name_is_a_file(users: Path):
    for name in ("a..b.yaml", "HEAD:c.yaml"):
        shutil.copy(users / "models" / "model.yaml", users / name)
    assert run("a..b.yaml", "HEAD:c.yaml").stdout == ""
