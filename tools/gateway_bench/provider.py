"""A provider that is faster than what is measured: nginx with fixed answers, and a stream of many chunks."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.load_generator import ANSWER, wait_for
from tools.processes import free_port

MODEL = "bench"
CHUNKS = 200  # of a stream
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


def temporary_paths(prefix: Path) -> str:
    """Return nginx's directives for its temporary files, which are then in a folder of this user's."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {prefix}-{kind}; " for kind in kinds)


def stream() -> str:
    """Return a streamed answer of CHUNKS chunks, as OpenAI writes it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": MODEL}
    deltas = [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}] * CHUNKS
    choices = [*deltas, {"index": 0, "delta": {}, "finish_reason": "stop"}]
    events = [{**head, "choices": [choice]} for choice in choices] + [{**head, "choices": [], "usage": ANSWER["usage"]}]
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run the provider, and yield its address. Raises SystemExit where nginx is missing."""
    nginx = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")
    if not nginx:
        sys.exit("not measured: nginx is missing, and nothing else here is fast enough to be the provider")
    port = free_port()
    (folder / "stream").write_text(stream(), encoding="utf-8")
    paths = "".join(
        f"{kind}_temp_path {folder}/nginx-{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "provider.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/provider.pid; error_log {folder}/provider.log;\n"
        "events { worker_connections 2048; }\n"
        f"http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 300s; {paths}\n"
        "map $http_accept $streams { default 0; ~event-stream 1; }\n"
        f"server {{ listen 127.0.0.1:{port}; listen 127.0.0.2:{port};\n"
        f"location /v1/messages {{ default_type application/json; return 200 '{json.dumps(ANTHROPIC)}'; }}\n"
        f"location /stream {{ default_type text/event-stream; root {folder}; error_page 405 =200 /stream; }}\n"
        f"location / {{ default_type application/json; return 200 '{json.dumps(ANSWER)}'; }} }} }}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [nginx, "-c", str(folder / "provider.conf"), "-p", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
