"""`make findings-doc`: docs/findings.md, what each finding means, why there is one, how to fix it, and an input that gives it.

The texts are those of schema/findings.json; why, and the inputs, are in tools/findings_reference.yaml. Where that file has no
input, an example of examples/ or a case of tests/importing/cases gives the finding: their golden files say so.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from langop_model.renderer import findings, lint
from tools import generated
from tools.generated import Section

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).with_name("findings_reference.yaml")
INPUTS = ("spec", "bare", "text", "models", "extra")
BASE = {"provider": "openai-compatible", "modelName": "llama", "endpoint": "https://llm.example.com/v1"}
GROUPS = {
    "LM0": "Reading", "LM1": "The specification", "LM2": "Not supported", "LM3": "Approximate", "LM4": "Without effect",
    "LM5": "Elsewhere", "LM6": "Lint, and the rendered file", "LM7": "Launch, and the extra configuration", "LM8": "Import",
}  # fmt: skip
_VALUE = re.compile(r"\{(\w+)(?:![rs])?\}")


@cache
def reference() -> dict[str, dict[str, Any]]:
    """Return why each finding exists, and its input, by code."""
    read: dict[str, dict[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return read


def spec_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a right spec with `fields`; what is null is omitted."""
    return {name: value for name, value in {**BASE, **fields}.items() if value is not None}


def entries() -> Iterator[str]:
    """Yield a section of Markdown for each finding, in the order of the codes."""
    group = ""
    for code, entry in sorted(findings.catalogue().items()):
        if code[:3] != group:
            group = code[:3]
            yield f"## {GROUPS[group]}"
        kept = f", {entry['fidelity']}" if "fidelity" in entry else ""
        fix = _placeholders(entry.get("fix", "")) or "nothing: it is said for your information"
        fix = "what the finding says" if fix.isupper() else fix
        yield (
            f"### {code} {entry['title']}\n\n{entry['level'].capitalize()}{kept}: {_placeholders(entry['message'])}\n\n"
            f"Why: {why(code)}\n\nWhat to do: {fix}.\n\n{given_by(code)}"
        )


def why(code: str) -> str:
    """Return why there is a finding: for a rule of lint what its docstring says."""
    rule = {**lint.RULES, **lint.FILE_RULES}.get(code)
    return " ".join((inspect.getdoc(rule) or "").split()) if rule else str(reference()[code]["why"])


def given_by(code: str) -> str:
    """Return the input that gives a finding, in Markdown."""
    own = reference().get(code, {})
    kind = next((kind for kind in INPUTS if kind in own), "")
    if "situation" in own:
        return f"Given by: {own['situation']}."
    if "test" in own:
        return f"Given in a test: {_link(test_of(code))}"
    if kind:
        return f"Given by:\n\n```yaml\n{_shown(kind, own)}\n```"
    return f"Given by {_link(example_of(code))}"


def example_of(code: str) -> Path:
    """Return the example whose golden findings have a code. Raises LookupError for none."""
    for golden in sorted((ROOT / "tests" / "golden").rglob("*.txt")):
        if re.search(rf"\b{code}\b", golden.read_text(encoding="utf-8")):
            name = golden.name.removesuffix(".txt").removesuffix(".findings")
            wrong = golden.parent.name == "wrong"
            found = ROOT / "examples" / ("wrong" if wrong else "") / (name if wrong else f"{name}.yaml")
            return found if found.exists() else ROOT / "examples" / name
    for golden in sorted((ROOT / "tests" / "importing" / "cases").glob("*.findings.txt")):
        if re.search(rf"\b{code}\b", golden.read_text(encoding="utf-8")):
            return golden.with_name(golden.name.removesuffix(".findings.txt") + ".yaml")
    raise LookupError(f"{code} has no input: write one into {DATA.name}")


def test_of(code: str) -> Path:
    """Return the first test that has a code, below the place that the reference names. Raises LookupError for none."""
    place = ROOT / str(reference()[code]["test"])
    for path in sorted([place] if place.is_file() else place.rglob("test_*.py")):
        if re.search(rf"\b{code}\b", path.read_text(encoding="utf-8")):
            return path
    raise LookupError(f"no test below {place} has {code}")


def _link(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return f"[{relative}](../{relative})"


def _placeholders(text: str) -> str:
    return _VALUE.sub(lambda value: value[1].upper(), text)


def _shown(kind: str, own: dict[str, Any]) -> str:
    comment = "".join(f"# {name}: {json.dumps(value)}\n" for name, value in own.get("settings", {}).items())
    if kind in ("text", "extra"):
        return ("# LANGOP_GATEWAY_EXTRA_CONFIG\n" if kind == "extra" else comment) + str(own[kind]).rstrip("\n")
    if kind == "models":
        return comment + "\n---\n".join(_yaml(_manifest(each["name"], each["spec"])) for each in own[kind])
    return comment + _yaml(spec_of(own[kind]) if kind == "bare" else {"spec": spec_of(own[kind])})


def _manifest(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec_of(fields)}


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")


SECTION = Section(Path("docs/findings.md"), "findings-doc", "catalogue of findings", lambda: "\n\n".join(entries()))

if __name__ == "__main__":
    generated.main(SECTION)
