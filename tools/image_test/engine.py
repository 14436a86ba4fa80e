"""What builds and runs containers: docker or podman by their command line, which is the same but for a few options."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

DEPLOYMENT = Path("deploy/base/deployment.yaml")
# podman would put writable folders into a root that is to be read-only.
OPTIONS = {"docker": (), "podman": ("--read-only-tmpfs=false",)}


@dataclass(frozen=True)
class Container:
    """What to run: the image's own entrypoint, hardened as deploy/base/deployment.yaml says.

    `mounts` are files and folders of this machine by their place in the container; only those in `writable` can be changed.
    `user` is "uid:gid"; empty is the Deployment's.
    """

    image: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: frozenset[str] = frozenset()
    user: str = ""


class Engine(Protocol):
    """The few things that the checks need of an engine. A name is a running container's."""

    def start(self, name: str, container: Container) -> None:
        """Start a container in the background."""

    def execute(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside it."""

    def logs(self, name: str) -> str:
        """Return what it has written to its standard output and error."""

    def stop(self, name: str, patience: float) -> None:
        """Send SIGTERM, and SIGKILL after `patience` seconds; return when it has ended."""

    def exit_code(self, name: str, patience: float) -> int:
        """Wait until it has ended, at most `patience` seconds, and return its exit code. Raises TimeoutError."""

    def remove(self, name: str) -> None:
        """Stop it if it runs, and forget it if it is there."""


class CommandLine:
    """Docker or podman. `program` is the command."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.options = OPTIONS[Path(program).name]

    def start(self, name: str, container: Container) -> None:
        """Start a container in the background. Raises RuntimeError with what the engine says when it can't."""
        pod = yaml.safe_load(DEPLOYMENT.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
        security = pod["securityContext"]
        memory = pod["containers"][0]["resources"]["limits"]["memory"].replace("Mi", "m")
        command = ["run", "--detach", "--name", name, "--pull", "never", "--network", "host", *self.options]
        command += ["--user", container.user or f"{security['runAsUser']}:{security['runAsGroup']}"]
        command += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "200"]
        command += ["--memory", memory, "--memory-swap", memory]  # the same: no swap, as in a pod
        command += ["--tmpfs", "/tmp:rw,size=64m,mode=1777", "--volume", "/app"]
        for place, source in container.mounts.items():
            command += ["--volume", f"{source}:{place}:{'rw' if place in container.writable else 'ro'},z"]
        for variable, value in container.environment.items():
            command += ["--env", f"{variable}={value}"]
        done = self._run(*command, container.image, *container.arguments)
        if done.returncode:
            raise RuntimeError(f"{self.program} can't run the image: {done.stderr.strip()[-500:]}")

    def execute(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside the container."""
        return self._run("exec", name, *command)

    def logs(self, name: str) -> str:
        """Return standard output and error, one after the other."""
        done = self._run("logs", name)
        return done.stdout + done.stderr

    def stop(self, name: str, patience: float) -> None:
        """Send SIGTERM, and SIGKILL after `patience` seconds."""
        self._run("stop", "-t", f"{patience:.0f}", name)

    def exit_code(self, name: str, patience: float) -> int:
        """Wait for the end. Raises TimeoutError."""
        try:
            return int(self._run("wait", name, timeout=patience).stdout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the container still runs after {patience:.0f} s") from None

    def remove(self, name: str) -> None:
        """Stop and forget it, with its anonymous volume."""
        self._run("rm", "--force", "--volumes", name)

    def _run(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        command = [self.program, *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout)


def find(wanted: str = "") -> CommandLine | None:
    """Return `wanted`, or else docker or podman, if it answers. A docker command without its service does not."""
    for name in [wanted] if wanted else OPTIONS:
        program = shutil.which(name)
        known = Path(name).name in OPTIONS
        if program and known and subprocess.run([program, "info"], check=False, capture_output=True).returncode == 0:
            return CommandLine(program)
    return None
