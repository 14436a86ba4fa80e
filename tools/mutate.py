"""`make mutate`: changes the code in thousands of small ways, one at a time, and counts those that the fast tests notice.

    python -m tools.mutate [limits] [routing] [renderer] [renderer.MODULE] [--sample NUMBER]

mutmut makes the changes and runs the tests (its settings are in pyproject.toml); here is which part of the code is meant, and
the score. A part that is named is run again as a whole, or NUMBER of its changes, drawn at random; without a name only what has
changed since, or was not reached.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PARTS = {
    "limits": "langop_model.gateway.limits",
    "routing": "langop_model.gateway.routing",
    "renderer": "langop_model.renderer",
}
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
# What mutmut calls a change that some test noticed, and one that was not tried.
NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
NOT_ASKED = {"not checked", "check was interrupted by user", "skipped"}
# mutmut makes all changes before it tries any: these are few, and tried in a moment.
SMALLEST = "langop_model.gateway.limits.usage.*"


def results(listing: str) -> Iterator[tuple[str, str]]:
    """Yield each change and what became of it, from what `mutmut results --all true` prints."""
    yield from re.findall(r"^ +(\S+): (.+)$", listing, re.MULTILINE)


def prefix(part: str) -> str:
    """Return how the names of a part's changes begin: of one module where the part names it. Raises KeyError."""
    package, _, module = part.partition(".")
    return f"{PARTS[package]}.{module}." if module else f"{PARTS[package]}."


def report(listing: str, parts: list[str]) -> Iterator[str]:
    """Yield the changes that no test noticed, and the score of each part: of the changes that were tried."""
    for part in parts:
        mine = [(name, status) for name, status in results(listing) if name.startswith(prefix(part))]
        tried = [(name, status) for name, status in mine if status not in NOT_ASKED]
        unnoticed = [(name, status) for name, status in tried if status not in NOTICED]
        yield from (f"{name}: {status}" for name, status in unnoticed)
        counts = Counter(status for _, status in mine)
        noticed = len(tried) - len(unnoticed)
        share = f"{noticed / len(tried):.1%}" if tried else "nothing"
        details = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        yield f"{part}: {share} of {len(tried)} changes noticed ({details})"


def drawn(listing: str, parts: list[str], number: int) -> list[str]:
    """Return `number` changes of each part, always the same ones of the same listing; all of a part that has fewer."""
    names = [name for name, _ in results(listing)]
    chosen: list[str] = []
    for part in parts:
        mine = sorted(name for name in names if name.startswith(prefix(part)))
        chosen += random.Random(part).sample(mine, min(number, len(mine)))
    return chosen


def main(arguments: list[str]) -> int:
    """Run the parts, all by default, and return the exit code: that of mutmut, or 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutate")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--sample", type=int, default=0, help="so many changes of each part, drawn at random")
    asked = parser.parse_args(arguments)
    parts: list[str] = asked.parts
    if unknown := [part for part in parts if part.partition(".")[0] not in PARTS]:
        sys.stderr.write(f"there is no part {', '.join(unknown)}: {', '.join(PARTS)}\n")
        return 2
    changes = [f"{prefix(part)}*" for part in parts]
    if asked.sample:
        if code := _run([SMALLEST]):
            return code
        changes = drawn(_listing(), parts or [*PARTS], asked.sample)
    if code := _run(changes):
        return code
    listing = _listing()
    if asked.sample:  # what an earlier run has tried is in no sample
        listing = "".join(f"    {name}: {status}\n" for name, status in results(listing) if name in changes)
    for line in report(listing, parts or [*PARTS]):
        print(line)
    print("To see one: .venv-mutate/bin/mutmut show NAME")
    return 0


def _run(changes: list[str]) -> int:
    return subprocess.run([MUTMUT, "run", *changes], check=False).returncode


def _listing() -> str:
    return subprocess.run([MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
