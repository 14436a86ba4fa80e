"""What LiteLLM's SDK costs: saved before its version changes, and compared afterwards. Each figure is relative to the floor's.

python -m tools.gateway_bench.translation --save FILE
python -m tools.gateway_bench.translation --against FILE
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tools.gateway_bench import contenders, provider
from tools.gateway_bench.contenders import FLOOR, TRANSLATION
from tools.gateway_bench.measuring import Figures, measure

ROUNDS = 2
SECONDS = 4.0
# A figure's name in the measurement, and whether the machine's speed is in it.
FIGURES = {
    "CPU for a request, 1 connection": ("cpu 1", True),
    "CPU for a request, 16 connections": ("cpu 16", True),
    "CPU until ready": ("ready cpu", True),
    "time to the first answer": ("answered", True),
    "memory": ("memory", False),
}


def measured() -> dict[str, float]:
    """Return each figure of the gateway that translates; those with the machine's speed in them as multiples of the floor's."""
    found = {name: Figures() for name in (FLOOR, TRANSLATION)}
    chosen = [each for each in contenders.all_of_them() if each.name in found]
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch, provider.running(Path(scratch)) as at:
        for _ in range(ROUNDS):
            for problem in measure(found, chosen, at, Path(scratch), SECONDS):
                print(problem, flush=True)
    return {
        title: found[TRANSLATION][name] / (found[FLOOR][name] if is_relative else 1)
        for title, (name, is_relative) in FIGURES.items()
    }


def main() -> None:
    """Measure, and save or compare."""
    description = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tools.gateway_bench.translation", description=description)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--save", type=Path, metavar="FILE")
    chosen.add_argument("--against", type=Path, metavar="FILE")
    options = parser.parse_args()
    now = measured()
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
        options.save.write_text(json.dumps(now), encoding="utf-8")
        return
    before = json.loads(options.against.read_text(encoding="utf-8"))
    print("what LiteLLM costs where it translates, new to old:")
    for title, value in now.items():
        print(f"  {title}: {value / before[title]:.2f} times")


if __name__ == "__main__":
    main()
