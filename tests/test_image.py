"""The Dockerfile as text, and the tools around it. `make image-test` builds the image and runs it."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.kubelet import MountedFolder
from tools.image_test import checks
from tools.image_test.engine import CommandLine, Container, find

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


def test_the_image_says_what_it_is():
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]+)"', DOCKERFILE))
    assert labels["licenses"] == PROJECT["project"]["license"]
    assert labels.keys() == {"title", "description", "licenses", "base.name"}


def test_a_build_says_which_version_commit_and_litellm_it_is():
    command = ["make", "--silent", "build", "CONTAINER=echo", "IMAGE=registry/model"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=60)
    labels = dict(re.findall(r"--label org\.opencontainers\.image\.(\w+)=(\S*)", done.stdout))
    assert labels.keys() == {"version", "revision", "created"}
    assert labels["version"] == PROJECT["project"]["version"]
    assert f"--label ai.litellm.version={locked('litellm')} " in done.stdout
    assert "--tag registry/model:dev" in done.stdout


PLATFORMS = "linux/amd64,linux/arm64"


@pytest.mark.parametrize(
    ("engine", "command"),
    [
        ("docker", "docker buildx build --platform PLATFORMS --tag registry/model:dev"),
        ("podman", "podman build --platform PLATFORMS --format docker --manifest registry/model:dev"),
        ("buildah", "buildah build --platform PLATFORMS --format docker --manifest registry/model:dev"),
    ],
)
def test_several_platforms_are_one_image(engine: str, command: str):
    """A dry run; a manifest of several images is what podman and buildah call an image of several platforms."""
    make = ["make", "--dry-run", "build", f"CONTAINER={engine}", "IMAGE=registry/model", f"PLATFORMS={PLATFORMS}"]
    done = subprocess.run(make, check=True, capture_output=True, text=True, cwd=ROOT)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(engine)]
    assert " ".join(line.split()).startswith(command.replace("PLATFORMS", PLATFORMS))


def test_without_a_builder_a_build_says_so(tmp_path: Path):
    make = shutil.which("make")
    assert make
    for program in ("sh", "sed", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    done = subprocess.run([make, "build"], check=False, capture_output=True, text=True, cwd=ROOT, env={"PATH": str(tmp_path)})
    assert done.returncode != 0
    assert "none of docker, podman and buildah answers here" in done.stderr


@pytest.mark.parametrize(
    ("package", "without_it"),
    [
        ("opentelemetry-sdk", "there are no traces"),
        ("opentelemetry-exporter-otlp-proto-http", "there are no traces"),
        ("google-auth", "vertex answers nothing"),
        ("boto3", "bedrock and sagemaker requests can't be signed"),
        ("azure-identity", "azure knows keys only"),
        ("redis", "replicas share nothing"),
        ("hiredis", "the client of redis can't be imported"),
        ("uvloop", "uvicorn serves on a slower event loop"),
        ("httptools", "uvicorn parses HTTP in Python"),
    ],
)
def test_the_image_has_what_litellm_or_the_gateway_needs(package: str, without_it: str):
    assert locked(package), f"without {package}, {without_it}"


def test_every_package_is_pinned_by_hash_and_none_is_built():
    assert "/install.sh python3 venv /build/requirements/gateway.txt" in DOCKERFILE  # tests/test_setup.py: by hash
    assert "--only-binary :all:" in DOCKERFILE
    pinned = re.findall(r"^\S+==\S+.*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCKED, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[^\s#]+==", LOCKED, re.MULTILINE)) > 50


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


def test_the_scripts_keep_their_place_and_can_be_run():
    """Their mode is the checkout's: COPY --chmod would need a newer builder."""
    assert re.search(r"^COPY docker/entrypoint.sh docker/generate-config.py /usr/local/bin/$", DOCKERFILE, re.MULTILINE)
    assert all((ROOT / "docker" / name).stat().st_mode & 0o111 == 0o111 for name in ("entrypoint.sh", "generate-config.py"))
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


# make sbom


def test_the_bill_of_materials_lists_what_is_locked(tmp_path: Path):
    done = subprocess.run(
        ["make", "sbom", f"BIN={Path(sys.executable).parent}", "-o", "setup", f"SBOM={tmp_path}/sbom.json"],
        check=False, capture_output=True, text=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bill = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "langop-model")
    listed = {(part["name"], part["version"]) for part in bill["components"]}
    assert listed == set(re.findall(r"^([^\s#=\[]+)==([^\s;]+)", LOCKED, re.MULTILINE))


# make image-test


@pytest.fixture
def engine(tmp_path: Path) -> CommandLine:
    """A docker that writes down its arguments, one a line."""
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/told\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return CommandLine(str(program))


def test_the_image_is_run_with_as_little_as_the_manifests_allow(engine: CommandLine, tmp_path: Path):
    mounts = {"/etc/langop": tmp_path, "/dev/termination-log": tmp_path}
    engine.start("a", Container("image", ["--port", "1"], {"A": "b"}, mounts, frozenset({"/dev/termination-log"})))
    told = (tmp_path / "told").read_text(encoding="utf-8")
    for words in (
        "--read-only",
        "--user 1000:1000",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--memory 512m",
        f"--volume {tmp_path}:/etc/langop:ro",
        f"--volume {tmp_path}:/dev/termination-log:rw",
        "--env A=b",
    ):
        assert words.replace(" ", "\n") in told
    assert told.endswith("image\n--port\n1\n")


def test_an_engine_that_refuses_to_run_the_image_is_quoted(engine: CommandLine):
    Path(engine.program).write_text("#!/bin/sh\necho no such image >&2; exit 125\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="no such image"):
        engine.start("a", Container("image"))


def test_a_mounted_folder_changes_all_at_once_as_the_kubelet_does_it(tmp_path: Path):
    mounted = MountedFolder(tmp_path / "secret")
    mounted.write({"key": "one"})
    link = (mounted.folder / "..data").readlink()
    mounted.write({"key": "two"})
    assert (mounted.folder / "key").read_text(encoding="utf-8") == "two"
    assert (mounted.folder / "..data").readlink() != link
    assert not (mounted.folder / link).exists()


def test_an_engine_that_only_builds_runs_nothing(tmp_path: Path):
    builder = tmp_path / "buildah"
    builder.write_text("#!/bin/sh\n", encoding="utf-8")
    builder.chmod(0o755)
    assert find(str(builder)) is None


def test_without_an_engine_every_check_is_named_as_left_out(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.image_test", "image"],
        check=False, capture_output=True, text=True, cwd=ROOT, env={"PATH": str(tmp_path)}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "NOTHING WAS RUN" in done.stderr
    assert [check.__doc__ for check in checks.ALL if f"  {check.__doc__}" not in done.stderr] == []
