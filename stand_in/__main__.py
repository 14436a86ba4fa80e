"""Run the stand-in: `python -m stand_in --port 9000`."""

from __future__ import annotations

import argparse
import contextlib
import sys

from langop_model import ports
from stand_in.server import StandIn

KEEP = 100  # requests; nobody reads them here


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m stand_in", description="A stand-in for LLM providers.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9000, help="port to listen on; 0 picks one (default: %(default)s)")
    arguments = parser.parse_args()
    provider = StandIn(arguments.port, arguments.host, KEEP)

    def ready() -> None:
        print(f"Stand-in provider on {provider.url}; no key is needed.", flush=True)
        for name, base in (
            ("OpenAI", "/v1"),
            ("Azure OpenAI", ""),
            ("Anthropic", ""),
            ("Bedrock", ""),
            ("Vertex AI", ""),
            ("Gemini", "/v1beta"),
        ):
            print(f"  {name:13}{provider.url}{base}", flush=True)

    try:
        with contextlib.suppress(KeyboardInterrupt):
            provider.serve(ready)
    except OSError as problem:
        sys.exit(f"can't listen on {arguments.host}:{arguments.port}: {ports.why_not(problem, arguments.port)}")


if __name__ == "__main__":
    main()
