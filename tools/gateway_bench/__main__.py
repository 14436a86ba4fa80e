"""Measure, in turn, and print a table of ratios.

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
from pathlib import Path

from tools import load_generator
from tools.gateway_bench import contenders, provider
from tools.gateway_bench.measuring import CONNECTIONS, Figures, measure

PAIRS = {"relay": "plain litellm", "relay, every policy": "plain litellm", "translation": "plain litellm, translating"}


def main() -> None:
    """Measure each contender in each round, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.gateway_bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of load, for each number of connections")
    parser.add_argument("--only", action="append", help="a contender's name; several times")
    options = parser.parse_args()
    if subprocess.run(["make", "--silent", ".venv-plain/.ready", f"PYTHON={sys.executable}"], check=False).returncode:
        sys.exit("not measured: .venv-plain, the plain installation, can't be made")
    compileall.compile_dir("langop_model", quiet=1)  # as the image does, and pip did with the plain installation
    chosen = [each for each in contenders.all_of_them() if not options.only or each.name in options.only]
    found = {each.name: Figures() for each in chosen}
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch, provider.running(Path(scratch)) as url:
        direct = {n: load_generator.run(f"{url}/v1/chat/completions", provider.MODEL, n, 2) for n in CONNECTIONS}
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load by {direct[1].by}, nginx as the provider:")
        print(f"{direct[16].rate:.0f} requests/s straight to it; {options.rounds} rounds of {options.seconds:g} s, medians\n")
        for _ in range(options.rounds):
            for each in chosen:
                measure(found[each.name], each, each.make(Path(scratch), url), url, options.seconds)
    _print(found, {number: (load.p50, load.p99) for number, load in direct.items()})


def _print(found: dict[str, Figures], direct: dict[int, tuple[float, float]]) -> None:
    head = (
        "ready s",
        "CPU s",
        "MiB",
        "MiB after",
        *(f"{text} c={n}" for n in CONNECTIONS for text in ("req/s", "us", "+p50 ms", "+p99 ms")),
    )
    print(f"{'':<28}" + "".join(f"{text:>13}" for text in head))
    for name, figures in found.items():
        cells = [
            f"{figures.median('ready'):.2f}",
            f"{figures.median('ready_cpu'):.2f}",
            f"{figures.median('memory'):.0f}",
            f"{figures.median('memory_after'):.0f}",
        ]
        for number in CONNECTIONS:
            p50, p99 = direct[number]
            cells += [
                f"{figures.median('rate', number):.0f}",
                f"{figures.median('cpu', number):.0f}",
                f"{(figures.median('p50', number) - p50) * 1000:.2f}",
                f"{(figures.median('p99', number) - p99) * 1000:.2f}",
            ]
        print(f"{name:<28}" + "".join(f"{cell:>13}" for cell in cells))
    print()
    for name, other in PAIRS.items():
        if name in found and other in found:
            _compare(name, found[name], other, found[other])
    if "relay" in found and "bare relay" in found:
        _compare("relay", found["relay"], "bare relay", found["bare relay"])


def _compare(name: str, figures: Figures, other: str, others: Figures) -> None:
    def ratio(what: str, number: int | None = None) -> str:
        return f"{figures.median(what, number) / others.median(what, number):.3f}"

    print(
        f"{name} / {other}: start {ratio('ready')}, memory {ratio('memory')}, CPU for a request {ratio('cpu', 1)} and "
        f"{ratio('cpu', 16)}, requests/s {ratio('rate', 1)} and {ratio('rate', 16)} (1 and 16 connections)"
    )


if __name__ == "__main__":
    main()
