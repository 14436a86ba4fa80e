"""Redis as people run it: a cluster of three, a master behind a sentinel, and one with TLS; each on loopback."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tools.processes import free_port

SLOTS = 16384
PASSWORD = "not-a-real-password-0816"
TIMEOUT = 30.0  # seconds


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            if condition():
                return
        except redis.RedisError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("redis did not get ready")
        time.sleep(0.05)


class Node:
    """A redis process with options of its own."""

    def __init__(self, program: str, folder: Path, *options: str, port: int = 0, tls: bool = False) -> None:
        self.port = port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        listen = ["--port", "0", "--tls-port", str(self.port)] if tls else ["--port", str(self.port)]
        self.command = [program, *listen, "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def cluster(program: str, folder: Path) -> Iterator[list[Node]]:
    """Three masters that divide the slots among them; they ask for PASSWORD."""
    options = [
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "1000",
        "--requirepass",
        PASSWORD,
        "--masterauth",
        PASSWORD,
    ]
    nodes = []
    for number in range(3):
        bus = ["--cluster-port", str(free_port())]
        nodes.append(Node(program, folder / str(number), *options, *bus))
    try:
        for node in nodes:
            node.start()
        clients: list[Any] = [redis.Redis("127.0.0.1", node.port, password=PASSWORD) for node in nodes]
        for client in clients:
            _until(client.ping)
        for number, client in enumerate(clients):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            bus_port = nodes[number].command[nodes[number].command.index("--cluster-port") + 1]
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[number].port, bus_port)
        for client in clients:
            _until(lambda client=client: "ok" in client.cluster("info")["cluster_state"])  # type: ignore[misc]
        yield nodes
    finally:
        for node in nodes:
            node.stop()


@contextmanager
def behind_sentinel(program: str, folder: Path) -> Iterator[tuple[list[Node], int]]:
    """A master with one replica, and the port of a sentinel that watches them as `main`; the master is the first node."""
    secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    master = Node(program, folder / "master", *secret)
    replica = Node(program, folder / "replica", *secret, "--replicaof", "127.0.0.1", str(master.port))
    configuration = folder / "sentinel.conf"
    sentinel = Node(program, folder / "sentinel")
    configuration.write_text(
        f"port {sentinel.port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master.port} 1\n"
        f"sentinel auth-pass main {PASSWORD}\nsentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 2000\n",
        encoding="utf-8",
    )
    sentinel.command = [program, str(configuration), "--sentinel"]
    nodes = [master, replica, sentinel]
    try:
        for node in nodes:
            node.start()
        client = redis.Redis("127.0.0.1", master.port, password=PASSWORD)
        _until(lambda: client.info("replication")["connected_slaves"] == 1)
        watcher: Any = redis.Redis("127.0.0.1", sentinel.port)
        _until(lambda: len(watcher.sentinel_slaves("main")) == 1)
        _until(lambda: watcher.sentinel_master("main")["flags"] == "master")  # not before it has answered a ping
        yield nodes, sentinel.port
    finally:
        for node in nodes:
            node.stop()


@contextmanager
def with_tls(program: str, folder: Path) -> Iterator[tuple[Node, Path]]:
    """A redis that speaks TLS only, and the certificate that vouches for it."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    openssl = shutil.which("openssl")
    assert openssl is not None
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    node = Node(program, folder / "tls", *files, "--tls-auth-clients", "no", "--requirepass", PASSWORD, tls=True)
    try:
        node.start()
        client = redis.Redis("127.0.0.1", node.port, password=PASSWORD, ssl=True, ssl_ca_certs=str(certificate))
        _until(client.ping)
        yield node, certificate
    finally:
        node.stop()
