"""The command: `python -m tools.image_test IMAGE`. Exit code 0 when every check of a container that really ran has passed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tools.image_test import checks, engine
from tools.image_test.stage import Stage, set_up


def main() -> None:
    """Run the image, and print a line for each check."""
    parser = argparse.ArgumentParser(prog="python -m tools.image_test", description="Run the image and look at what it does.")
    parser.add_argument("image", help="an image that `make build` has built")
    parser.add_argument("--engine", default="", help="docker or podman (default: whichever answers)")
    arguments = parser.parse_args()
    image, found = arguments.image, engine.find(arguments.engine)
    if found is None:
        print("NOTHING WAS RUN: neither docker nor podman answers here, and nothing else can. Skipped:", file=sys.stderr)
        for check in checks.ALL:
            print(f"  {_title(check)}", file=sys.stderr)
        sys.exit(1)
    print(f"{image} with {found.program}:")
    with tempfile.TemporaryDirectory(prefix="langop-image-test-") as scratch, set_up(found, image, Path(scratch)) as stage:
        passed = [_passes(check, stage) for check in checks.ALL]
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    sys.exit(not all(passed))


def _title(check: checks.Check) -> str:
    return (check.__doc__ or "").splitlines()[0]


def _passes(check: checks.Check, stage: Stage) -> bool:
    started = time.monotonic()
    try:
        said = check(stage)
    except checks.SkippedError as problem:
        print(f"SKIPPED   {_title(check)}\n          {problem}", flush=True)
        return False
    except Exception as problem:  # noqa: BLE001 - whatever it is, the next checks may still tell something
        print(f"FAILED    {_title(check)}\n          {problem}", flush=True)
        return False
    print(f"ok {time.monotonic() - started:5.1f} s  {_title(check)}{f' [{said}]' if said else ''}", flush=True)
    return True


if __name__ == "__main__":
    main()
