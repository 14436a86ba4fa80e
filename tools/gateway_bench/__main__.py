"""Measure, in turn, and print what is wanted beside what was measured.

The machine's speed drifts: read the ratios, and CPU for a request rather than requests a second where somebody else works too.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools import load_generator
from tools.gateway_bench import contenders, provider
from tools.gateway_bench.measuring import CONNECTIONS, TURNS, Figures, measure
from tools.gateway_bench.wanted import DESCRIBED, WANTED, Found

PLAIN_COMMAND = ["make", "--silent", ".venv-plain/.ready", f"PYTHON={sys.executable}"]
# The columns of the table of contenders: a title, the figure, its factor, its digits.
COLUMNS: tuple[tuple[str, str, float, int], ...] = (
    ("ready s", "ready", 1, 2),
    ("CPU s", "ready cpu", 1, 2),
    ("answered s", "answered", 1, 2),
    ("MiB", "memory", 1, 0),
    ("MiB after", "memory after", 1, 0),
    *(
        (f"{title} c={number}", f"{figure} {number}", factor, digits)
        for number in CONNECTIONS
        for title, figure, factor, digits in (
            ("req/s", "rate", 1, 0),
            ("us", "cpu", 1, 0),
            ("p50 ms", "p50", 1e3, 2),
            ("p99 ms", "p99", 1e3, 2),
        )
    ),
    ("us a chunk", "chunk", 1, 1),
)


def main() -> None:
    """Measure the contenders in each round, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.gateway_bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help=f"of each load, which everyone has {TURNS} times in a round")
    parser.add_argument("--only", action="append", help="a contender's name; several times")
    options = parser.parse_args()
    if subprocess.run(PLAIN_COMMAND, check=False).returncode:
        sys.exit("not measured: .venv-plain, the plain installation, can't be made")
    compileall.compile_dir("langop_model", quiet=1)  # as the image does, and pip did with the plain installation
    chosen = [each for each in contenders.all_of_them() if not options.only or each.name in options.only]
    found = {each.name: Figures() for each in chosen}
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch, provider.running(Path(scratch)) as at:
        found["provider"] = _direct(at.url, options.seconds)
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}, wrk or httpx as the client, nginx as the provider,")
        print(f"{found['provider']['rate 16']:.0f} requests/s straight to it;", end=" ")
        print(f"{options.rounds} rounds of {TURNS} times {options.seconds:g} s, medians\n", flush=True)
        for _ in range(options.rounds):
            for problem in measure(found, chosen, at, Path(scratch), options.seconds):
                print(f"{problem}\n", flush=True)
    _print(("", *(column[0] for column in COLUMNS)), _contenders(found))
    _print(("figure", "wanted", "measured", ""), (wanted.row(found) for wanted in WANTED))
    _print(("description", "described", "measured", ""), (wanted.row(found) for wanted in DESCRIBED))


def _direct(url: str, seconds: float) -> Figures:
    """Measure the provider without anything in front."""
    figures = Figures()
    for number in CONNECTIONS:
        load = load_generator.run(f"{url}/v1/chat/completions", provider.MODEL, number, seconds)
        for name, value in {"rate": load.rate, "p50": load.p50, "p99": load.p99}.items():
            figures.add(f"{name} {number}", value)
    return figures


def _contenders(found: Found) -> Iterable[tuple[str, ...]]:
    for name, figures in found.items():
        cells = (
            f"{figures[figure] * factor:.{digits}f}" if figure in figures.values else ""
            for _, figure, factor, digits in COLUMNS
        )
        yield (name, *cells)


def _print(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in columns, as Markdown has it."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        print("| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |")
    print()


if __name__ == "__main__":
    main()
