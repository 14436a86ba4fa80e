"""Sides of `diff` in the past: what files or folders become in a revision of git, by that revision's own renderer.

A revision of this project is rendered by its own templates, schemas and code, in another process: so a change of a template is
read as its effect on each specification. Specifications in another repository are rendered by this program.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from langop_model.outcome import Outcome
from langop_model.renderer import source
from langop_model.renderer.findings import Finding, make
from langop_model.renderer.settings import Settings
from langop_model.sides import Configuration, Side, specs_of

RANGE, SINCE = "..", "..."
_OWN = ("render.py", "langop_model/cli.py", "templates/config.yaml.j2", "schema/languagemodel.schema.json")


class RevisionError(Exception):
    """A revision can't be used; the text says why, and is for the user."""


def of_range(text: str) -> tuple[str, str] | None:
    """Return the two revisions of `A..B`; None for a path, and for what is no range. An empty one is HEAD, as in git.

    `A...B` is what B changes since it left A, as in git: the first one is where both have come from. Raises RevisionError.
    """
    if os.path.exists(text) or RANGE not in text or "/.." in text or text.startswith((f"{RANGE}/", f"{SINCE}/")):  # noqa: PTH110
        return None
    old, dots, new = text.partition(SINCE if SINCE in text else RANGE)
    old, new = old or "HEAD", new or "HEAD"
    if dots == SINCE:
        both = [_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{each}^{{commit}}") for each in (old, new)]
        old = _git("merge-base", *(each.decode().strip() for each in both)).decode().strip()
    return old, new


def of_object(text: str) -> tuple[str, str] | None:
    """Return revision and path of `REVISION:PATH`, as git writes it; None for a path that exists, and for what is neither."""
    revision, colon, path = text.partition(":")
    if not colon or not revision or os.path.exists(text):  # noqa: PTH110 - false for a name that no file can have
        return None
    try:
        _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except RevisionError:
        return None
    return revision, inside(path) if path.startswith(("./", "../")) else path


def require(revisions: Sequence[str], paths: Iterable[str]) -> None:
    """Raise RevisionError for a path that none of `revisions` has. A file that is new is on one side only."""
    trees = [
        _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{each}^{{tree}}").decode().strip() for each in revisions
    ]
    for path in paths:
        if not any(_has(tree, path) for tree in trees):
            raise RevisionError(f"{path} is not in {', and not in '.join(revisions)}")


def _has(tree: str, path: str) -> bool:
    try:
        _git("cat-file", "-e", f"{tree}:{'' if path == os.curdir else path}")
    except RevisionError:
        return False
    return True


def read(
    revision: str, paths: Sequence[str], settings: Settings, outcome: Outcome, *, gateway: bool = False
) -> list[Configuration]:
    """Return what those of `paths` become that a revision has. Raises RevisionError where git can't tell."""
    with _tree(revision) as tree:
        there = [path for path in paths if (tree / path).is_file() or _holds_files(tree / path)]
        if not there:
            return []
        if all((tree / name).is_file() for name in _OWN):
            return _by_its_own_renderer(revision, tree, there, settings, outcome, gateway=gateway)
        return _by_this_program(revision, tree, there, settings, outcome, gateway=gateway)


def inside(path: str) -> str:
    """Return a path of the working tree from the top of its repository. Raises RevisionError outside of one."""
    top = Path(_git("rev-parse", "--show-toplevel").decode().strip()).resolve()
    try:
        return str(Path(path).resolve().relative_to(top))
    except ValueError:
        raise RevisionError(f"{path} is outside of the repository") from None


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and bool(source.specifications(str(folder)))


@contextmanager
def _tree(revision: str) -> Iterator[Path]:
    """Yield a folder with the files of a revision, which is removed afterwards."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    # zip, not tar: zipfile writes nothing outside of the folder. tarfile needs a filter for that, which Python 3.11.0 lacks.
    archive = _git("-C", top, "archive", "--format=zip", "-0", commit)
    with tempfile.TemporaryDirectory(prefix="langop-diff-") as folder:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            files.extractall(folder)
        yield Path(folder)


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607 - no shell
    except FileNotFoundError:
        raise RevisionError("git is not installed") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        wanted = arguments[-1].partition("^{")[0]
        raise RevisionError(said[-1] if said else f"git knows no revision {wanted}")
    return done.stdout


def _by_its_own_renderer(
    revision: str, tree: Path, paths: list[str], settings: Settings, outcome: Outcome, *, gateway: bool
) -> list[Configuration]:
    files = (
        paths
        if gateway
        else [str(Path(name).relative_to(tree)) for name in source.expand([str(tree / path) for path in paths])]
    )
    found, code, said = _rendered(tree, files, tree / "rendered", gateway=gateway)
    if code == 2 and len(files) > 1:  # two of them have one name: each for itself
        found, said, code = [], "", 0
        for index, file in enumerate(files):
            each, ended, words = _rendered(tree, [file], tree / f"rendered-{index}", gateway=False)
            found, said, code = [*found, *each], said + words, max(code, ended)
    if not found and not code:
        outcome.add([make("LM022", revision=revision, reason="it wrote no configuration")])
    if code:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        reasons = [line for line in lines if " error LM" in line] or lines[-1:] or [f"it ended with {code}"]
        outcome.add(make("LM022", revision=revision, reason=reason) for reason in reasons)
    specs = {name: spec for file in files for name, spec in specs_of(str(tree / file), settings).items()} if not gateway else {}
    return [replace(each, specs={each.name: specs[each.name]} if each.name in specs else {}) for each in found]


def _rendered(tree: Path, files: list[str], output: Path, *, gateway: bool) -> tuple[list[Configuration], int, str]:
    """Run a revision's own command; return its configurations, its exit code and what it printed."""
    command = [sys.executable, "render.py", "render", *(["--gateway"] if gateway else []), "-o", f"{output}{os.sep}", *files]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONPATH", None)
    output.mkdir()  # else an older revision would take it for the name of one file
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    results = sorted(output.glob("*.yaml"))
    return [Configuration(path.stem, path.stem, _data(path)) for path in results], done.returncode, done.stderr


def _data(path: Path) -> dict[str, object]:
    value: dict[str, object] = source.read(str(path))[0].value
    return value


def _by_this_program(
    revision: str, tree: Path, paths: list[str], settings: Settings, outcome: Outcome, *, gateway: bool
) -> list[Configuration]:
    found: list[Configuration] = []
    placed = _Placed(outcome, tree, revision)
    for path in paths:
        each = Side(str(tree / path)).configurations(settings, placed, gateway=gateway)
        found += [replace(one, file=str(Path(one.file).relative_to(tree))) for one in each]
    return found


class _Placed(Outcome):
    """Passes findings about a copy of files on as findings about the revision."""

    def __init__(self, outcome: Outcome, tree: Path, revision: str) -> None:
        super().__init__(outcome.style)
        self.outcome, self.tree, self.revision = outcome, tree, revision

    def add(self, findings: Iterable[Finding], source: str = "") -> None:
        """Print `findings` with the places that the user knows."""
        found = [each.replace(file=self._known(each.file)) for each in findings]
        self.failed |= any(each.level == "error" for each in found)
        self.outcome.add(found, source)

    def _known(self, file: str) -> str:
        return f"{self.revision}:" if file == str(self.tree) else file.replace(f"{self.tree}{os.sep}", f"{self.revision}:")
