"""`make run`: a gateway on this machine in a minute.

Without a MODEL it serves examples/quick-start.yaml behind the stand-in provider, which needs no key. With one, it serves that;
keys are read from ./secrets/<name>/<key>, and where one is missing a placeholder takes its place, which the provider refuses.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

from langop_model import ports
from langop_model.renderer import rendering
from langop_model.renderer.findings import SpecError
from langop_model.renderer.settings import Settings
from langop_model.report import print_findings
from stand_in import StandIn
from tools.processes import Gateway, free_port

QUICK_START = Path("examples/quick-start.yaml")
HOST = "127.0.0.1"
STAND_IN_PORT = 4001  # as in examples/quick-start.yaml
SECRETS = Path("secrets")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.run", description="Serve a model on this machine.")
    parser.add_argument("model", type=Path, nargs="?", default=QUICK_START)
    parser.add_argument("--port", type=int, default=4000)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _refuse_a_taken_port(arguments.port)
    try:
        if arguments.model == QUICK_START:
            with _stand_in() as provider, tempfile.TemporaryDirectory(prefix="langop-") as scratch:
                print(f"stand-in provider on {provider.url}")
                _serve(_quick_start(provider, Path(scratch)), arguments.port)
        else:
            _serve(arguments.model, arguments.port)
    except KeyboardInterrupt:
        print("\nstopped")
    except SpecError as problem:
        print_findings(problem.findings)
        sys.exit(1)
    except OSError as problem:
        sys.exit(str(problem))


def _refuse_a_taken_port(port: int) -> None:
    """End here, before anything is started, where the gateway could not listen."""
    if reason := _why_not(port):
        sys.exit(f"can't listen on {HOST}:{port}: {reason}\nstop that, or choose another port: make run PORT={free_port()}")


def _stand_in() -> StandIn:
    """Return the stand-in provider for the port that the example names, or for a free one where another `make run` has that."""
    reason = _why_not(STAND_IN_PORT)
    if reason:
        print(f"port {STAND_IN_PORT}: {reason}; the stand-in provider takes another one")
    return StandIn(0 if reason else STAND_IN_PORT)


def _why_not(port: int) -> str:
    """Return why nobody can listen on `port` now; "" where it is free."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as problem:
        return ports.why_not(problem, port)
    return ""


def _quick_start(provider: StandIn, folder: Path) -> Path:
    """Return the example, or a copy for a stand-in provider on another port."""
    if provider.port == STAND_IN_PORT:
        return QUICK_START
    copy = folder / QUICK_START.name
    text = QUICK_START.read_text(encoding="utf-8")
    copy.write_text(text.replace(f"127.0.0.1:{STAND_IN_PORT}", f"{provider.host}:{provider.port}"), encoding="utf-8")
    return copy


def _serve(model: Path, port: int) -> None:
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch:
        folder = Path(scratch)
        secrets = _secrets(model, folder)
        gateway = Gateway(model, secrets, folder, port)
        gateway.start(sys.stdout.buffer)
        try:
            gateway.wait_until_ready()
            print(_try_it(gateway), flush=True)
            if gateway.process is not None:
                gateway.process.wait()
        except RuntimeError as problem:
            print(str(problem).splitlines()[0], file=sys.stderr)
            sys.exit(1)
        finally:
            gateway.stop()


def _secrets(model: Path, folder: Path) -> Path:
    """Return a folder with every Secret that `model` names: from ./secrets, else a placeholder."""
    settings = Settings(secrets_folder=str(folder / "secrets"))
    for result in rendering.render_file(str(model), settings):
        for secret in (each for model in result.models for each in model.credentials.items if each.file):
            mounted = Path(secret.file)
            own = SECRETS / mounted.relative_to(folder / "secrets")
            mounted.parent.mkdir(parents=True, exist_ok=True)
            if own.is_file():
                mounted.symlink_to(own.resolve())
            else:
                print(f"no key at {own}: a placeholder takes its place, and the provider will refuse it")
                mounted.write_text("placeholder\n", encoding="utf-8")
    return folder / "secrets"


def _try_it(gateway: Gateway) -> str:
    """Return a line to paste into another terminal."""
    import yaml

    model = yaml.safe_load(gateway.config.read_text(encoding="utf-8"))["model_list"][0]["model_name"]
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello!"}]})
    return (
        f"\nready. Try, in another terminal:\n\n  curl {gateway.url}/v1/chat/completions "
        f"-H 'Content-Type: application/json' -d '{body}'\n\nCtrl-C stops it (process {os.getpid()}).\n"
    )


if __name__ == "__main__":
    main()
