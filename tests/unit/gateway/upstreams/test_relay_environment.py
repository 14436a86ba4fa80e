"""What the relay takes from the pod's environment: a proxy, hosts without one, and the certificates of an authority."""

from __future__ import annotations

import asyncio
import datetime
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.raw_provider import answer, completion
from tests.unit.gateway.upstreams import ask_provider
from tests.unit.gateway.upstreams.ask_provider import ask


async def ask_behind_proxy(url: str, monkeypatch: pytest.MonkeyPatch, variable: str, without: str = "") -> list[str]:
    """Ask a provider with a proxy in the environment; return the first line of each request that the proxy got."""
    seen: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split(b"\r\n")[0].decode())
        writer.write(answer(completion("hello")))
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setenv("NO_PROXY", without)
    try:
        await ask(url)
    finally:
        server.close()
    return seen


@pytest.mark.parametrize(
    ("url", "variable", "line"),
    [
        ("http://provider.invalid/v1", "HTTP_PROXY", "POST http://provider.invalid/v1/chat HTTP/1.1"),
        ("https://provider.invalid/v1", "HTTPS_PROXY", "CONNECT provider.invalid:443 HTTP/1.1"),
        ("https://provider.invalid/v1", "https_proxy", "CONNECT provider.invalid:443 HTTP/1.1"),
        ("http://provider.invalid/v1", "ALL_PROXY", "POST http://provider.invalid/v1/chat HTTP/1.1"),
    ],
)
def test_a_provider_is_asked_through_the_proxy(url: str, variable: str, line: str, monkeypatch: pytest.MonkeyPatch):
    assert asyncio.run(ask_behind_proxy(url, monkeypatch, variable)) == [line]


@pytest.mark.parametrize("without", ["provider.invalid", ".invalid", "*"])
def test_a_host_without_a_proxy_is_asked_itself(without: str, monkeypatch: pytest.MonkeyPatch):
    assert asyncio.run(ask_behind_proxy("http://provider.invalid/v1", monkeypatch, "HTTP_PROXY", without)) == []


def certificate(folder: Path) -> Path:
    """Write a certificate for localhost that nobody has signed but itself, with its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


async def ask_with_certificate(file: Path, environment: dict[str, str]) -> str:
    """Ask a provider with this certificate from another process, as a worker does."""

    async def provide(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(completion("hello")))
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = await asyncio.start_server(provide, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    command = [sys.executable, "-m", ask_provider.__name__, url]
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    run = await asyncio.to_thread(
        subprocess.run, command, env={**clean, **environment}, capture_output=True, text=True, check=False
    )
    server.close()
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_an_authority_of_the_pods_own_is_trusted(tmp_path: Path):
    file = certificate(tmp_path)
    assert asyncio.run(ask_with_certificate(file, {"SSL_CERT_FILE": str(file)})) == "hello"


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path):
    said = "the provider's certificate can't be verified: self-signed certificate"
    assert asyncio.run(ask_with_certificate(certificate(tmp_path), {})) == said
