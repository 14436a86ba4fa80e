"""Which variables the packages of launcher.EARLY read at their import, as JSON. python -m tests.litellm.import_early"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, MutableMapping

from langop_model.gateway.serving import launcher


class Watched(MutableMapping[str, str]):
    """An environment that knows what was asked of it."""

    def __init__(self, real: MutableMapping[str, str]) -> None:
        self.real = real
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        """Return a variable."""
        self.asked.add(name)
        return self.real[name]

    def __setitem__(self, name: str, value: str) -> None:
        """Set a variable."""
        self.real[name] = value

    def __delitem__(self, name: str) -> None:
        """Remove a variable."""
        del self.real[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names; who does, may want any."""
        self.asked.add("*")
        return iter(self.real)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.real)


class Waiting:
    """A start that waits until all is imported."""

    def waiting(self) -> bool:
        """Wait."""
        return True

    def variables(self) -> dict[str, str]:
        """Return nothing."""
        return {}


def main() -> None:
    """Import as the launcher does while it waits."""
    before = set(sys.modules)
    os.environ = watched = Watched(os.environ)  # type: ignore[assignment]
    launcher.import_meanwhile(Waiting())
    found = {
        "asked": sorted(watched.asked),
        "missing": [name for name in launcher.EARLY if name not in sys.modules],
        "litellm": sorted(name for name in set(sys.modules) - before if name.partition(".")[0] in ("litellm", "openai")),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
