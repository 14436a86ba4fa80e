"""The arguments of LiteLLM's own command, with which the upstream image is started: what of them means something here.

`litellm --config PATH --port N --host H --num_workers N` is understood. The file at PATH is what this image renders: it is
written there where that can be done, and never over a configuration that somebody wrote by hand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from langop_model.renderer import findings

COMMAND = "litellm"
MARK = "rendered by langop/model"  # in the first line of what templates/config.yaml.j2 writes


def environment_of(
    environment: Mapping[str, str], others: Sequence[str], config: str | None, workers: int | None
) -> dict[str, str]:
    """Return `environment` as `--config` and `--num_workers` change it; None where they are not given.

    `others` are all further arguments. Raises SpecError for one that is not understood (LM763), which names no value, and for
    a file at `config` that was not rendered (LM764).
    """
    unknown = others[1:] if others and others[0] == COMMAND else others
    if unknown:
        names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
        raise findings.error("LM763", names=", ".join(names or [unknown[0]]))
    changed = dict(environment)
    if workers is not None:
        changed["LANGOP_WORKERS"] = str(workers)
    if config is not None:
        _refuse_a_foreign(Path(config))
        if os.access(Path(config).parent, os.W_OK):
            changed["LANGOP_CONFIG_PATH"] = config
    return changed


def _refuse_a_foreign(path: Path) -> None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline()
    except (OSError, ValueError):
        return  # nothing is there to be read, nor to be overwritten
    if first.strip() and MARK not in first:
        raise findings.error("LM764", file=str(path))
