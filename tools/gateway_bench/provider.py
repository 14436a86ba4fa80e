"""A provider that is faster than what is measured: nginx with fixed answers, and a process that streams."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.load_generator import ANSWER, wait_for
from tools.processes import free_port

MODEL = "bench"
NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "Hello! How can I help you today?"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 9},
}
LONG = 3072  # characters of the answer below /long/; nginx has room for 4 KiB


@dataclass(frozen=True)
class Provider:
    """Addresses without a slash at the end: of fixed answers, and of streams."""

    url: str
    streams: str


def temporary_paths(prefix: str) -> str:
    """Return nginx's directives for its temporary files, which are then in a folder of this user's."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {prefix}-{kind}; " for kind in kinds)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """Run the provider. Raises SystemExit where nginx is missing."""
    if not NGINX:
        sys.exit("not measured: nginx is missing, and nothing else here is fast enough to be the provider")
    port, streams = free_port(), free_port()
    choice = {**ANSWER["choices"][0], "message": {"role": "assistant", "content": "x" * LONG}}  # type: ignore[index]
    (folder / "provider.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/provider.pid; error_log {folder}/provider.log;\n"
        "events { worker_connections 2048; }\n"
        f"http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 300s; {temporary_paths(f'{folder}/nginx')}\n"
        "client_max_body_size 64m;\n"
        f"server {{ listen 127.0.0.1:{port}; listen 127.0.0.2:{port}; default_type application/json;\n"
        f"location /v1/messages {{ return 200 '{json.dumps(ANTHROPIC)}'; }}\n"
        f"location /long/ {{ return 200 '{json.dumps({**ANSWER, 'choices': [choice]})}'; }}\n"
        f"location / {{ return 200 '{json.dumps(ANSWER)}'; }} }} }}\n",
        encoding="utf-8",
    )
    commands = (
        [NGINX, "-c", str(folder / "provider.conf"), "-p", str(folder)],
        [sys.executable, "-m", "tools.gateway_bench.stream_provider", str(streams)],
    )
    processes = [subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in commands]
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        wait_for(f"http://127.0.0.1:{streams}/")
        yield Provider(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{streams}")
    finally:
        for process in processes:
            process.terminate()
            process.wait()
