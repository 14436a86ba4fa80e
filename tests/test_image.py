"""The Dockerfile as text. `make image-test` builds the image and runs it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LOCKED = (ROOT / "requirements" / "gateway.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(package: str) -> str | None:
    """Return the version at which the image's requirements pin a package."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", LOCKED, re.MULTILINE)
    return found and found[1]


def test_hadolint_finds_nothing():
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], check=False, capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_label_names_the_litellm_that_is_locked():
    (label,) = re.findall(r"^ARG LITELLM_VERSION=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert label == locked("litellm")
    assert f"litellm[proxy]=={label}" in PROJECT["project"]["optional-dependencies"]["gateway"]
    assert 'ai.litellm.version="${LITELLM_VERSION}"' in DOCKERFILE


@pytest.mark.parametrize("name", ["title", "description", "licenses", "base.name", "version", "revision", "created"])
def test_the_image_says_what_it_is(name: str):
    (value,) = re.findall(rf'org\.opencontainers\.image\.{re.escape(name)}="([^"]+)"', DOCKERFILE)
    arguments = re.findall(r"\$\{(\w+)\}", value)
    assert all(re.search(rf"^ARG {argument}\b", DOCKERFILE, re.MULTILINE) for argument in arguments)
    if name == "licenses":
        assert value == PROJECT["project"]["license"]


@pytest.mark.parametrize(
    ("package", "without_it"),
    [
        ("prisma", "LiteLLM answers 500 where it means 401"),
        ("prometheus-client", "LiteLLM dies at start when metrics are on"),
        ("opentelemetry-sdk", "LiteLLM recompiles a module on every request"),
        ("opentelemetry-exporter-otlp-proto-http", "there are no traces"),
        ("google-auth", "vertex answers nothing"),
        ("boto3", "bedrock and sagemaker requests can't be signed"),
        ("azure-identity", "azure knows keys only"),
        ("redis", "replicas share nothing"),
        ("uvloop", "uvicorn serves on a slower event loop"),
        ("httptools", "uvicorn parses HTTP in Python"),
    ],
)
def test_the_image_has_what_litellm_leaves_out_or_needs(package: str, without_it: str):
    assert locked(package), f"without {package}, {without_it}"


def test_every_package_is_pinned_by_hash_and_none_is_built():
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary :all:" in DOCKERFILE
    pinned = re.findall(r"^\S+==\S+.*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCKED, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[^\s#]+==", LOCKED, re.MULTILINE)) > 100


def test_the_user_is_a_number_that_kubernetes_can_tell_from_root():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["1000:1000"]
    assert "useradd --uid 1000 --gid 1000" in DOCKERFILE


def test_the_build_sees_only_what_the_image_needs():
    """Else a key in ./secrets, or the history, would travel into a layer."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source.split("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    }
    assert allowed == copied
    assert not re.search(r"^(ADD|COPY \.)", DOCKERFILE, re.MULTILINE)


def test_the_scripts_keep_their_place():
    assert re.search(
        r"^COPY --chmod=0755 docker/entrypoint.sh docker/generate-config.py /usr/local/bin/$", DOCKERFILE, re.MULTILINE
    )
    (entrypoint,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)
    assert "/usr/local/bin/entrypoint.sh" in entrypoint
    assert "/opt/langop/render.py" in (ROOT / "docker" / "entrypoint.sh").read_text(encoding="utf-8")


def test_the_entrypoint_becomes_the_gateway_so_that_a_signal_reaches_it():
    """A shell that waited would swallow SIGTERM: the gateway could not drain."""
    commands = [
        line.strip() for line in (ROOT / "docker" / "entrypoint.sh").read_text(encoding="utf-8").splitlines() if ";;" in line
    ]
    assert commands
    assert all(") exec " in command for command in commands)
