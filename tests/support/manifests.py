"""The manifests of deploy/, as `kubectl kustomize` builds them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

Manifest = dict[str, Any]

DEPLOY = ROOT / "deploy"
KUBERNETES = "1.30"  # the oldest whose schemas the manifests must satisfy; the newest is tested too
CUSTOM = {"ServiceMonitor", "PrometheusRule"}  # prometheus-operator's, whose schemas are not Kubernetes's
BUILDS = ["base", *sorted(f"overlays/{path.name}" for path in (DEPLOY / "overlays").iterdir())]


@cache
def built(name: str) -> tuple[Manifest, ...]:
    """Return the objects of deploy/`name`. Skips the test where kubectl is not installed."""
    if not shutil.which("kubectl"):
        pytest.skip("THE MANIFESTS ARE NOT BUILT: kubectl is not installed (https://kubernetes.io/docs/tasks/tools)")
    done = subprocess.run(["kubectl", "kustomize", str(DEPLOY / name)], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(build: str, kind: str) -> list[Manifest]:
    """Return the objects of a kind."""
    return [manifest for manifest in built(build) if manifest["kind"] == kind]


def gateway(build: str) -> Manifest:
    """Return the Deployment that runs this project's image."""
    (deployment,) = [each for each in of_kind(build, "Deployment") if "langop/model" in container(each)["image"]]
    return deployment


def container(deployment: Manifest) -> Manifest:
    """Return the container of a Deployment's pods."""
    (only,) = pod(deployment)["containers"]
    assert isinstance(only, dict)
    return only


def pod(deployment: Manifest) -> Manifest:
    """Return the pod of a Deployment's template."""
    spec = deployment["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def pod_labels(deployment: Manifest) -> dict[str, str]:
    """Return the labels of a Deployment's pods."""
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return labels


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector's labels are all there. An empty selector, which matches everything, counts as a mistake."""
    assert selector
    return selector.items() <= labels.items()


def seconds(duration: str) -> float:
    """Return a duration of the examples in seconds: 30s, 5m."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def nodes(value: Any) -> Iterator[Manifest]:
    """Yield every mapping inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)
