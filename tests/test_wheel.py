"""The wheel: built from this checkout, it has all that the command needs, without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from langop_model import __version__
from langop_model.resources import litellm_version
from tests.conftest import ROOT


def build(source: Path, folder: Path) -> Path:
    """Return the wheel that pip builds of a folder or of an sdist."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True, capture_output=True, timeout=120)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is installed; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True, capture_output=True, timeout=120)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(installed / "bin" / "langop-model"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=installed, env=environment)


def test_a_command_of_the_wheel_says_its_versions(installed: Path):
    assert run(installed, "--version").stdout == f"langop-model {__version__} (LiteLLM {litellm_version()})\n"


@pytest.mark.parametrize("name", ["openai-model", "azure-openai", "every-field"])
def test_the_wheel_renders_what_the_checkout_renders(installed: Path, name: str):
    done = run(installed, "render", str(ROOT / "examples" / f"{name}.yaml"))
    assert done.stdout == (ROOT / "tests" / "golden" / f"{name}.config.yaml").read_text(encoding="utf-8")
    assert (installed / "langop_model" / "templates" / "config.yaml.j2").exists()


@pytest.mark.parametrize(
    "arguments", [["providers"], ["schema"], ["--help"], ["explain", str(ROOT / "examples" / "minimal.yaml")]], ids=str
)
def test_other_commands_work_without_the_checkout(installed: Path, arguments: list[str]):
    done = run(installed, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_commands_of_the_checkout_are_not_in_the_wheel(installed: Path, wheel: Path):
    assert "No such command" in run(installed, "new-provider", "acme").stderr
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert names == {"langop_model", f"langop_model-{__version__}.dist-info"}


def test_a_wheel_of_the_sdist_has_the_same_files(wheel: Path, tmp_path: Path):
    hatchling = [str(Path(sys.executable).parent / "hatchling"), "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(hatchling, check=True, capture_output=True, timeout=120, cwd=ROOT)
    (sdist,) = tmp_path.iterdir()
    assert sdist.name == f"langop_model-{__version__}.tar.gz"
    built = build(sdist, tmp_path / "wheel")
    assert zipfile.ZipFile(built).namelist() == zipfile.ZipFile(wheel).namelist()


def test_the_documentation_names_the_wheel_that_is_built(wheel: Path):
    text = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    assert text.count(f"./{wheel.name}") == 2
