"""What `make setup` installs is what the locks say, whichever pip the machine has and whatever an index offers later."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from langop_model.resources import litellm_version
from tests.conftest import ROOT
from tests.support.wheels import Index

SCRIPT = ROOT / "requirements" / "install.sh"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRA = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
NEEDED = {
    "gateway": [*PROJECT["project"]["dependencies"], *EXTRA["gateway"]],
    "dev": [*PROJECT["project"]["dependencies"], *EXTRA["gateway"], *GROUPS["dev"]],
    **{name: needed for name, needed in GROUPS.items() if name != "dev"},
}
LISTED = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
SHOW_PIP = "import ensurepip, sys, venv; assert sys.version_info >= (3, 11); print(ensurepip.version())"


def locked(lock: str) -> dict[str, str]:
    """Return the version of each package of requirements/`lock`.txt."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^([^\s#=\[]+)==([^\s;]+)", text, re.MULTILINE)}


def bundled_pip(python: str) -> tuple[int, ...]:
    """Return the version of the pip that `python` puts into an environment; () where there is none."""
    done = subprocess.run([python, "-c", SHOW_PIP], check=False, capture_output=True, text=True)
    return tuple(int(part) for part in done.stdout.split(".")) if done.returncode == 0 else ()


FOUND = dict.fromkeys(path for path in (sys._base_executable, shutil.which("python3", path="/usr/bin")) if path)  # type: ignore[attr-defined]
BUNDLED = {python: version for python in FOUND if (version := bundled_pip(python))}
OLDEST, NEWEST = min(BUNDLED, key=BUNDLED.__getitem__), max(BUNDLED, key=BUNDLED.__getitem__)
OLD = [OLDEST] if BUNDLED[OLDEST] < (23, 3) else []
# An old pip and a new one, where there are both: each takes ten seconds of a processor.
KINDS = dict.fromkeys([*OLD, *([NEWEST] if BUNDLED[NEWEST] >= (23, 3) else [])])
only_with_an_old_pip = pytest.mark.skipif(
    not OLD, reason=f"NO OLD PIP IS TESTED: every Python here brings 23.3 or later: {BUNDLED}"
)


# An index that has a newer release of what a locked package needs with an extra.


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The locked packages lead 1.0 and base 1.0, a newer base, and the pip that this project's own lock installs."""
    index = Index(tmp_path_factory.mktemp("index"))
    index.add("lead", "1.0", "Requires-Dist: base[extra]>=1.0")
    for version in ("1.0", "2.0"):
        index.add("base", version, "Provides-Extra: extra")
    index.add_installed("pip")
    return index


@pytest.fixture
def index(made_up: Index, tmp_path: Path) -> Index:
    """That index, and its locks in the folder of the test."""
    made_up.lock(tmp_path / "installer.txt", next(name for name in made_up.hashes if name.startswith("pip==")))
    made_up.lock(tmp_path / "lock.txt", "base==1.0", "lead==1.0")
    return made_up


def run(index: Index, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command for which this index is the only one that pip knows."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, "PIP_NO_CACHE_DIR": "1"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=240)


@pytest.mark.parametrize("python", KINDS)
def test_an_environment_holds_exactly_its_lock(index: Index, tmp_path: Path, python: str):
    (tmp_path / "venv" / "left-over").mkdir(parents=True)
    done = run(index, "sh", SCRIPT, python, tmp_path / "venv", tmp_path / "lock.txt")
    assert done.returncode == 0, done.stderr
    held = run(index, tmp_path / "venv/bin/python", "-c", LISTED).stdout
    assert json.loads(held) == {"base": "1.0", "lead": "1.0"}
    assert not (tmp_path / "venv" / "left-over").exists()


@only_with_an_old_pip
@pytest.mark.parametrize("python", OLD)
def test_an_old_pip_alone_would_take_the_newest_release_for_an_extra(index: Index, tmp_path: Path, python: str):
    """Else the test above would show nothing about it."""
    run(index, python, "-m", "venv", tmp_path / "venv")
    pip = (tmp_path / "venv/bin/python", "-m", "pip")
    done = run(index, *pip, "install", "--require-hashes", "-r", tmp_path / "lock.txt")
    assert done.returncode != 0
    assert "all requirements must have their versions pinned" in done.stderr


@pytest.mark.parametrize("name", ["installer.txt", "lock.txt"])
def test_a_package_with_another_hash_is_not_installed(index: Index, tmp_path: Path, name: str):
    lock = tmp_path / name
    lock.write_text(re.sub("sha256:.{8}", "sha256:00000000", lock.read_text(encoding="utf-8")), encoding="utf-8")
    done = run(index, "sh", SCRIPT, sys.executable, tmp_path / "venv", tmp_path / "lock.txt")
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


# Who uses the script, and who does not.


def made(*arguments: str) -> str:
    """Return the commands that make would run."""
    done = subprocess.run(["make", "-n", *arguments], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60)
    return done.stdout


@pytest.mark.parametrize(
    ("target", "lock"),
    [
        (".venv/.ready", "dev"),
        (".venv-uv/.ready", "uv"),
        (".venv-plain/.ready", "plain-litellm"),
        (".venv-docs/.ready", "docs"),
        (".venv-mutate/.ready", "mutate"),
        (".venv-panels/.ready", "panels"),
    ],
)
def test_make_installs_each_lock_with_the_script(target: str, lock: str):
    commands = made(target, "PYTHON=a-python", "-W", f"requirements/{lock}.txt")
    assert f'sh requirements/install.sh "a-python" {Path(target).parent} requirements/{lock}.txt' in commands


def test_nothing_else_installs_packages_with_pip():
    """The checkout itself is installed too, without anything that it needs."""
    places = [ROOT / "Makefile", ROOT / "Dockerfile", *(ROOT / "docker").iterdir(), *(ROOT / "tools").rglob("*.py")]
    lines = [line for place in places for line in place.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if re.search(r"pip\b.*\binstall\b", line) and "--no-deps" not in line] == []


def test_a_lock_is_made_without_the_environment_of_the_former_lock():
    commands = made("lock", "-W", "pyproject.toml")
    assert "tools/lock.sh .venv-uv/bin/uv" in commands
    assert "requirements/dev.txt" not in commands


# What the locks hold.


@pytest.mark.parametrize("lock", NEEDED)
def test_a_lock_satisfies_pyproject(lock: str):
    """Red after a change to pyproject.toml until `make lock`."""
    pinned = locked(lock)
    needed = [Requirement(text) for text in NEEDED[lock]]
    missing = [str(each) for each in needed if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0.dev0"))]
    assert missing == [], "run make lock"


def test_every_group_has_a_lock_and_every_lock_is_for_one():
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == NEEDED.keys()


@pytest.mark.parametrize("lock", NEEDED)
def test_every_locked_package_has_hashes(lock: str):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    hashed = re.findall(r"^\S+==\S+.*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(hashed) == len(re.findall(r"^[^\s#]+==", text, re.MULTILINE)) > 0


def test_the_installer_takes_the_locked_release():
    """The installer is one package, which takes the locked release for an extra."""
    ((name, version),) = locked("installer").items()
    assert name == "pip"
    assert tuple(int(part) for part in version.split(".")) >= (23, 3)


# LiteLLM's version is written by hand in pyproject.toml alone: make bump-litellm VERSION=…

PINNED = next(str(need.specifier) for need in map(Requirement, EXTRA["gateway"]) if need.name == "litellm").removeprefix("==")


@pytest.mark.parametrize("lock", ["gateway", "dev"])  # plain-litellm: the newest whose proxy extra resolves
def test_a_lock_has_the_pinned_litellm(lock: str):
    assert locked(lock)["litellm"] == PINNED, "run make lock"


def test_the_installed_litellm_is_the_pinned_one():
    assert importlib.metadata.version("litellm") == PINNED, "run make setup"


def test_a_configuration_names_the_pinned_litellm():
    assert litellm_version() == PINNED, "run make litellm-schema"


def test_no_other_file_that_is_written_by_hand_names_that_version():
    folders = [
        ".ci",
        "deploy",
        "docker",
        "docs",
        "examples",
        "langop_model",
        "schema",
        "stand_in",
        "templates",
        "tests",
        "tools",
    ]
    files = [*ROOT.glob("*"), *(file for folder in folders for file in (ROOT / folder).rglob("*"))]
    generated = ("tests/golden/", "schema/litellm-config.schema.json")
    paths = {str(file.relative_to(ROOT)): file for file in files if file.is_file() and "__pycache__" not in file.parts}
    naming = {path for path, file in paths.items() if PINNED.encode() in file.read_bytes() and not path.startswith(generated)}
    assert naming == {"pyproject.toml"}
