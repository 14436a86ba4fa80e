"""docs/findings.md: each finding has a reason, and an input that gives it, which is run here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer import findings, lint, manifest, rendering
from langop_model.renderer.findings import SpecError
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_manifest, a_resource
from tools import findings_reference
from tools.findings_reference import spec_of

REFERENCE = findings_reference.reference()
RUN = [code for code, entry in REFERENCE.items() if any(kind in entry for kind in findings_reference.INPUTS)]
TESTED = [code for code, entry in REFERENCE.items() if "test" in entry]
SITUATIONS = {code for code, entry in REFERENCE.items() if "situation" in entry}
LINKED = sorted(findings.catalogue().keys() - {*RUN, *TESTED, *SITUATIONS})


def said(code: str, folder: Path) -> set[str]:
    """Return the codes that the input of `code` gives."""
    entry = REFERENCE[code]
    settings = Settings(redis=True, memcached=True, **entry.get("settings", {}))
    try:
        if "models" in entry:
            return codes(render_gateway(entry["models"], settings))
        if "extra" in entry:
            return codes(render({"spec": spec_of({})}, Settings(extra_config=entry["extra"]), folder))
        if "text" in entry:
            return codes(render(entry["text"], settings, folder))
        value = spec_of(entry["bare"]) if "bare" in entry else a_manifest(spec_of(entry["spec"]))
        return codes(render(value, settings, folder))
    except SpecError as problem:
        return codes(problem.findings)


def render(value: Any, settings: Settings, folder: Path) -> Any:
    file = folder / "model.yaml"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    read = manifest.read(str(file), settings)
    return [finding for each in rendering.render_each(read, settings) for finding in each.findings]


def render_gateway(models: list[dict[str, Any]], settings: Settings) -> Any:
    resources = [a_resource(spec_of(each["spec"]), each["name"]) for each in models]
    return rendering.render(resources, settings, gateway=True).findings


def codes(found: Any) -> set[str]:
    return {finding.code for finding in found}


@pytest.mark.parametrize("code", RUN)
def test_its_input_gives_the_finding(tmp_path: Path, code: str):
    assert code in said(code, tmp_path)


@pytest.mark.parametrize("code", LINKED)
def test_an_example_gives_the_finding(code: str):
    assert findings_reference.example_of(code).exists()


@pytest.mark.parametrize("code", TESTED)
def test_a_test_gives_the_finding(code: str):
    assert re.search(rf"\b{code}\b", findings_reference.test_of(code).read_text(encoding="utf-8"))


def test_only_this_finding_has_no_input_but_a_situation():
    assert {"LM022"} == SITUATIONS


@pytest.mark.parametrize("code", sorted(findings.catalogue()))
def test_every_finding_says_why(code: str):
    assert len(findings_reference.why(code)) > 20


def test_no_entry_is_left_of_a_code_that_is_gone():
    assert set(REFERENCE) <= set(findings.catalogue())


def test_a_rule_of_lint_says_why_where_it_is_written():
    assert [code for code in {**lint.RULES, **lint.FILE_RULES} if "why" in REFERENCE.get(code, {})] == []
