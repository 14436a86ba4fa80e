"""deploy/chart as Helm renders it: by the helm command, by the package helm-python-sdk, or as it was recorded.

Helm is in neither Debian nor the locked packages. So what it rendered is recorded in tests/data/chart, with a digest of the
chart: a chart that has changed since can't pass by its old rendering. Alerts and dashboard, which change more often, are
replaced by samples: the chart passes them on as they are.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

CHART = ROOT / "deploy" / "chart"
RECORDED = ROOT / "tests" / "data" / "chart"
RELEASE = "gpt-4"  # the base's name
Manifest = dict[str, Any]


def has_helm() -> bool:
    """Whether Helm can be asked here."""
    return bool(shutil.which("helm") or importlib.util.find_spec("helm_python"))


def render(values: Path | None) -> list[Manifest]:
    """Return the objects that Helm renders. Raises RuntimeError with what it says against the values."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(CHART, Path(folder) / "chart", ignore=shutil.ignore_patterns("files"))
        shutil.copytree(RECORDED / "files", copy / "files")
        text = _by_command(values, copy) if shutil.which("helm") else _by_package(values, copy)
    return [found for found in yaml.safe_load_all(text) if found]


def _by_command(values: Path | None, chart: Path) -> str:
    command = ["helm", "template", RELEASE, str(chart), *(["--values", str(values)] if values else [])]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def _by_package(values: Path | None, chart: Path) -> str:
    helm: Any = importlib.import_module("helm_python")
    given = yaml.safe_load(values.read_text(encoding="utf-8")) if values else {}
    try:
        with helm.Chart.load(str(chart)) as loaded:
            rendered: dict[str, str] = loaded.render(given, name=RELEASE, namespace="default")
    except helm.HelmError as problem:
        raise RuntimeError(str(problem)) from None
    return "\n---\n".join(text for name, text in sorted(rendered.items()) if name.endswith(".yaml"))


def digest() -> str:
    """Return what tells one state of the chart and of the recorded values from another, but for the versions in Chart.yaml.

    No template reads those (a test), so that a release can be made where Helm is not.
    """
    files = [path for path in CHART.rglob("*") if path.is_file() and path.parent.name != "files"]
    files += [path for path in RECORDED.rglob("*") if path.is_file() and not path.name.endswith(".rendered.yaml")]
    sha = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        if path.name == "Chart.yaml":
            content = re.sub(rb"^(version|appVersion): .*$", rb"\1:", content, flags=re.MULTILINE)
        sha.update(f"{path.relative_to(ROOT)}\0".encode() + content + b"\0")
    return sha.hexdigest()


def recorded(name: str) -> tuple[str, list[Manifest]]:
    """Return the digest and the objects of a recorded rendering."""
    text = (RECORDED / f"{name}.rendered.yaml").read_text(encoding="utf-8")
    return text.splitlines()[1].removeprefix("# "), list(yaml.safe_load_all(text))


def record(name: str, objects: list[Manifest]) -> None:
    """Record a rendering."""
    head = "# Written by Helm: pytest tests/test_chart.py --update-golden. The next line is the digest of the chart.\n"
    text = f"{head}# {digest()}\n{yaml.safe_dump_all(objects, sort_keys=False, width=120)}"
    (RECORDED / f"{name}.rendered.yaml").write_text(text, encoding="utf-8")


def by_name(objects: list[Manifest] | tuple[Manifest, ...]) -> dict[str, Manifest]:
    """Return objects by their kind and name."""
    return {f"{each['kind']} {each['metadata']['name']}": each for each in objects}
