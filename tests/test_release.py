"""A release has one version in every place, dated entries in the changelog, and a tag that fits both."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from langop_model import __version__
from tests.conftest import ROOT
from tools.release import CHANGELOG, PLACES, ReleaseError, notes, prepare, versions

DAY = datetime.date(2030, 1, 31)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the places that name the version, with a changelog of one change that is not released."""
    for name in PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    changelog(tmp_path, f"# Changelog\n\n## Unreleased\n\n- new\n\n## {__version__} - 2020-01-01\n\n- old\n")
    return tmp_path


def changelog(project: Path, text: str) -> None:
    (project / CHANGELOG).write_text(text, encoding="utf-8")


def contents(project: Path) -> dict[str, str]:
    return {name: (project / name).read_text(encoding="utf-8") for name in (*PLACES, CHANGELOG)}


# This project.


def test_every_place_names_the_same_version():
    assert versions() == {
        "pyproject.toml": [__version__],
        "langop_model/__init__.py": [__version__],
        "deploy/chart/Chart.yaml": [__version__] * 2,
        "docs/installing.md": [__version__] * 2,
    }


def test_the_changelog_says_when_this_version_was_released():
    assert f"\n## {__version__} - 20" in (ROOT / CHANGELOG).read_text(encoding="utf-8")


# The next release.


def test_a_release_changes_the_version_and_nothing_else(project: Path):
    before = contents(project)
    prepare("9.8.7", DAY, project)
    after = contents(project)
    assert versions(project) == {name: ["9.8.7"] * len(found) for name, found in versions().items()}
    assert {name: after[name].replace("9.8.7", __version__) for name in PLACES} == {name: before[name] for name in PLACES}


def test_unreleased_changes_are_dated(project: Path):
    prepare("9.8.7", DAY, project)
    text = (project / CHANGELOG).read_text(encoding="utf-8")
    assert text == (
        f"# Changelog\n\n## Unreleased\n\n## 9.8.7 - 2030-01-31\n\n- new\n\n## {__version__} - 2020-01-01\n\n- old\n"
    )


@pytest.mark.parametrize("version", ["9.8", "v9.8.7", "9.8.7rc1", ""])
def test_what_is_no_version_is_refused(project: Path, version: str):
    before = contents(project)
    with pytest.raises(ReleaseError, match="is not a version"):
        prepare(version, DAY, project)
    assert contents(project) == before


def test_a_release_without_changes_is_refused(project: Path):
    changelog(project, "## Unreleased\n\n## 1.0.0 - 2020-01-01\n\n- old\n")
    before = contents(project)
    with pytest.raises(ReleaseError, match="has no entries under Unreleased"):
        prepare("9.8.7", DAY, project)
    assert contents(project) == before


# The tag of a release.


def test_the_notes_of_a_tag_are_the_entries_of_its_version(project: Path):
    prepare("9.8.7", DAY, project)
    assert notes("v9.8.7", project) == "- new\n"


def test_a_tag_that_is_not_the_version_is_refused(project: Path):
    with pytest.raises(ReleaseError, match=f"the tag is v9.8.7, .* its tag is v{__version__}"):
        notes("v9.8.7", project)


def test_a_tag_with_changes_that_are_not_dated_is_refused(project: Path):
    with pytest.raises(ReleaseError, match="still has entries under Unreleased"):
        notes(f"v{__version__}", project)


@pytest.mark.parametrize("heading", [f"## {__version__}", f"## {__version__} - soon", f"## 1{__version__} - 2020-01-01"])
def test_a_tag_without_dated_entries_is_refused(project: Path, heading: str):
    changelog(project, f"## Unreleased\n\n{heading}\n\n- old\n")
    with pytest.raises(ReleaseError, match="has no entries under a heading like"):
        notes(f"v{__version__}", project)


# The command.


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of this checkout as the workflow does: without the installed packages."""
    command = [sys.executable, "-IS", "tools/release.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_a_wrong_tag_ends_the_workflow_with_what_is_wrong():
    done = run("notes", "v0.0.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"the tag is v0.0.0, but the version in pyproject.toml is {__version__}: its tag is v{__version__}\n"


def test_wrong_usage_shows_the_right_one():
    done = run("notes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tools/release.py prepare 1.2.3" in done.stderr
