"""`make operations-doc`: the findings of launch in docs/operations.md, from schema/findings.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from langop_model.renderer import findings
from tools import generated
from tools.generated import Section

# The findings that launch alone has; those of the specification are in docs/findings.md.
OF_LAUNCH = "LM7"
_VALUE = re.compile(r"\{(\w+)(![rs])?\}")


def _filled(text: str) -> str:
    """Return a text of the catalogue with NAME where it has {name}."""
    return _VALUE.sub(lambda value: value[1].upper(), text)


def sections() -> Iterator[str]:
    """Yield a section for each finding of launch, in the order of the codes."""
    for code, entry in sorted(findings.catalogue().items()):
        if code.startswith(OF_LAUNCH):
            yield (
                f"#### {code} {entry['title']}\n\n> {entry['level']}: {_filled(entry['message'])}\n\n"
                f"Means: {entry['means']}.\nLook at: {entry['look']}.\n"
                f"Do: {_filled(entry['fix']) or 'write an allowed value'}."
            )


SECTION = Section(Path("docs/operations.md"), "operations-doc", "findings of launch", lambda: "\n\n".join(sections()))


if __name__ == "__main__":
    generated.main(SECTION)
