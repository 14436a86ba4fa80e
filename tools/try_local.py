"""`make test-local`: a chat through the gateway with a server on this machine that needs no key.

Ollama with the model of examples/ollama-local.yaml if it runs, else the stand-in provider.
"""

from __future__ import annotations

import contextlib
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml
from openai import OpenAI

from stand_in import StandIn
from tools.processes import Gateway

EXAMPLE = Path("examples/ollama-local.yaml")
OLLAMA = "http://127.0.0.1:11434"


def main() -> None:
    """Ask one question, and print the answer."""
    with _server() as endpoint, tempfile.TemporaryDirectory(prefix="langop-") as scratch:
        manifest = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        manifest["spec"]["endpoint"] = endpoint
        model = Path(scratch) / "model.yaml"
        model.write_text(yaml.safe_dump(manifest), encoding="utf-8")
        print(f"starting the gateway with {EXAMPLE} on {endpoint}")
        with Gateway(model, Path(scratch) / "secrets", Path(scratch)) as gateway:
            client = OpenAI(base_url=f"{gateway.url}/v1", api_key="not-needed")
            answer = client.chat.completions.create(
                model=manifest["spec"]["modelName"], messages=[{"role": "user", "content": "Say hello in one word."}]
            )
            print(f"answer: {answer.choices[0].message.content}")


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """Yield the base URL of Ollama, or of the stand-in where Ollama does not run."""
    try:
        with urllib.request.urlopen(f"{OLLAMA}/v1/models", timeout=2):
            yield f"{OLLAMA}/v1"
    except OSError:
        print(f"no Ollama on {OLLAMA}: the stand-in provider takes its place")
        with StandIn() as provider:
            yield f"{provider.url}/v1"


if __name__ == "__main__":
    main()
