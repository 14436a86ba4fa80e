"""`make bench`: how fast the renderer is. One run, whole processes, ratios: the machine's own speed drops out."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

RUNS = 31
EXAMPLE = "examples/openai-model.yaml"
COUNT = 1000
MANY = 3000


def main() -> None:
    """Measure, and print one line for each figure."""
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch:
        folder = Path(scratch)
        print("figure".ljust(62), "value")
        _whole_process(folder)
        _many_specifications(folder)
        _on_all_cores(folder)
        _gateway(folder)


def _whole_process(folder: Path) -> None:
    as_json = folder / "model.json"
    as_json.write_text(json.dumps(yaml.safe_load(Path(EXAMPLE).read_text(encoding="utf-8"))), encoding="utf-8")
    commands = {
        "empty": [sys.executable, "-c", "pass"],
        "YAML": [sys.executable, "render.py", "render", EXAMPLE],
        "JSON": [sys.executable, "render.py", "render", str(as_json)],
        "--help": [sys.executable, "render.py", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            times[name].append(_cpu_seconds(command))
    for name in ("YAML", "JSON", "--help"):
        # Each start with the empty one of its own round: a slow moment of the machine hits both.
        ratio = statistics.median(own / empty for own, empty in zip(times[name], times["empty"], strict=True))
        took = statistics.median(times[name]) * 1000
        _print(f"one process, {name}, against `python -c pass`", f"{ratio:.1f} times ({took:.0f} ms CPU)")


def _many_specifications(folder: Path) -> None:
    specs, output = folder / "specs", folder / "output"
    specs.mkdir()
    output.mkdir()
    _write_specifications(specs, COUNT)
    peaks, seconds = {}, {}
    for count in (COUNT // 10, COUNT):
        paths = [str(path) for path in sorted(specs.iterdir())[:count]]
        report = _measured_child(["render", *paths, "-o", str(output)])
        peaks[count], seconds[count] = report["peak_mb"], report["cpu_seconds"]
    rate = (COUNT - COUNT // 10) / (seconds[COUNT] - seconds[COUNT // 10])
    _print(f"{COUNT} specifications in one process, each to its own file", f"{rate:.0f} specifications/s of CPU")
    growth = peaks[COUNT] / peaks[COUNT // 10]
    _print(f"peak memory of {COUNT} against {COUNT // 10}", f"{growth:.2f} times ({peaks[COUNT]:.0f} MB)")


def _on_all_cores(folder: Path) -> None:
    specs = folder / "many"
    specs.mkdir()
    _write_specifications(specs, MANY)
    written = f"{folder}/written/"
    for what, command, jobs in (
        ("validated", ["validate"], "1"),
        ("validated", ["validate"], "0"),
        ("rendered", ["render"], "0"),
        ("rendered, each to its own file,", ["render", "-o", written], "0"),
    ):
        start = time.perf_counter()
        used = _cpu_seconds([sys.executable, "render.py", *command, "--quiet", "--jobs", jobs, str(specs)])
        wall = MANY / (time.perf_counter() - start)
        rates = f"{MANY / used:.0f} specifications/s of CPU, {wall:.0f} of wall clock"
        _print(f"{MANY} specifications {what} with --jobs {jobs}", rates)


def _gateway(folder: Path) -> None:
    times = {}
    for count in (1, COUNT):
        specs = folder / f"gateway-{count}"
        specs.mkdir()
        _write_specifications(specs, count)
        times[count] = _measured_child(["render", "--gateway", str(specs), "-o", str(folder / f"{count}.yaml")])
    size = (folder / f"{COUNT}.yaml").stat().st_size / 1024
    per_model = (times[COUNT]["cpu_seconds"] - times[1]["cpu_seconds"]) / COUNT * 1000
    _print(
        f"a gateway of {COUNT} models against one of 1", f"{times[COUNT]['cpu_seconds'] / times[1]['cpu_seconds']:.0f} times"
    )
    _print("  each further model", f"{per_model:.1f} ms CPU, {size / COUNT:.1f} KiB of configuration")


def _write_specifications(folder: Path, count: int) -> None:
    manifest: dict[str, Any] = yaml.safe_load(Path(EXAMPLE).read_text(encoding="utf-8"))
    for index in range(count):
        manifest["metadata"]["name"] = f"model-{index}"
        manifest["spec"]["modelName"] = f"gpt-{index}"
        (folder / f"model-{index}.json").write_text(json.dumps(manifest), encoding="utf-8")


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment() -> dict[str, str]:
    """Return the environment of an installation: what Python compiled is kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _measured_child(arguments: list[str]) -> dict[str, float]:
    """Run the command in a child that reports its own CPU seconds and peak memory in MB."""
    code = (
        "import gc, json, resource, sys\n"
        "from langop_model.cli import main\n"
        "from langop_model.start import GC_THRESHOLD\n"
        "gc.set_threshold(GC_THRESHOLD)\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(json.dumps({'cpu_seconds': used.ru_utime + used.ru_stime, 'peak_mb': used.ru_maxrss / 1024}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    report: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return report


def _print(figure: str, value: str) -> None:
    print(figure.ljust(62), value, flush=True)


if __name__ == "__main__":
    main()
