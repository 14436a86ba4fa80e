"""What the documentation says is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langop_model.resources import load_json
from tests.conftest import ROOT
from tools import (
    architecture,
    command_help,
    environment_reference,
    field_reference,
    field_table,
    findings_reference,
    lint_table,
    operations_doc,
    provider_catalogue,
)
from tools.generated import Section

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = "azure-openai"  # the one that the README shows
FIELDS = list(field_table.fields(load_json("languagemodel.schema.json")["properties"]["spec"]))


def test_the_field_table_is_the_schemas():
    text = (ROOT / field_table.DOCUMENT).read_text(encoding="utf-8")
    assert field_table.filled(text) == text, "run `make field-table`"


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_the_readme_shows_an_example_and_what_it_renders_to():
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    specification = (ROOT / "examples" / f"{EXAMPLE}.yaml").read_text(encoding="utf-8")
    assert specification.endswith(blocks[0])
    rendered = (ROOT / "tests" / "golden" / f"{EXAMPLE}.config.yaml").read_text(encoding="utf-8").splitlines()
    assert [line for line in blocks[1].splitlines() if line and line not in rendered] == []


def test_the_rules_of_lint_are_the_codes():
    text = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    assert lint_table.filled(text) == text, "run `make lint-table`"


SECTIONS = [
    architecture.SECTION,
    field_reference.SECTION,
    findings_reference.SECTION,
    command_help.SECTION,
    environment_reference.SECTION,
    operations_doc.SECTION,
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: f"{section.document}")
def test_a_generated_section_is_current(section: Section):
    assert section.is_current(ROOT), f"run `make {section.target}`"


def test_every_variable_that_the_code_reads_is_documented():
    documented = {name for row in environment_reference.rows() for name in row["variables"]}
    ours = re.compile(r'"((?:LANGOP|REDIS|MEMCACHED|OTEL)_[A-Z_]*[A-Z])"')
    read = {name for path in (ROOT / "langop_model").rglob("*.py") for name in ours.findall(path.read_text(encoding="utf-8"))}
    assert read - documented == set()


def test_every_variable_that_is_documented_is_read():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "langop_model").rglob("*.py"))
    documented = {name for row in environment_reference.rows() for name in row["variables"]}
    assert {name for name in documented if name not in code and not name.startswith(("OTEL_", "MEMCACHED_"))} == set()


def test_the_table_of_providers_is_the_catalogues():
    text = (ROOT / provider_catalogue.DOCUMENT).read_text(encoding="utf-8")
    assert provider_catalogue.filled(text) == text, "run `make providers`"


@pytest.mark.parametrize(("name", "node"), FIELDS, ids=[name for name, _ in FIELDS])
def test_every_field_says_what_it_becomes_and_which_tests_see_it(name: str, node: dict[str, Any]):
    proof = ROOT / node["x-proof"]
    assert node["x-becomes"]
    assert node["x-fidelity"]
    assert "def test_" in proof.read_text(encoding="utf-8"), f"{name}: no test in {proof}"


PLACES = (".", ".github", "deploy", "docs", "docs/decisions")
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for place in PLACES for path in (ROOT / place).glob("*.md"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_linked_exists(document: str):
    path = ROOT / document
    links = [link for link in re.findall(r"\]\(([^)#]+)[)#]", path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_section_is_there_once(document: str):
    headings = re.findall(r"^## (.+)$", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(headings)) == sorted(headings)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_heading_that_is_linked_exists(document: str):
    path = ROOT / document
    links = re.findall(r"\]\(([^):]*)#([^)]+)\)", path.read_text(encoding="utf-8"))
    missing = [anchor for file, anchor in links if anchor not in anchors(path.parent / file if file else path)]
    assert missing == []


def test_every_target_of_make_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        name
        for text in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
        for name in re.findall(r"`make ([a-z-]+)", text)
    }
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_every_page_is_in_the_sites_menu(document: str):
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2].partition("\nhooks:")[0] + "\n"
    assert menu.count(f"- {document.removeprefix('docs/')}\n") == 1


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if re.fullmatch(r"docs/[^/]+", name)])
def test_every_page_is_linked_from_the_readme(document: str):
    assert re.search(rf"\({document}[)#]", README)


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name.startswith("docs/decisions/0")])
def test_every_decision_is_in_the_list(document: str):
    assert f"({Path(document).name})" in (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "langop_model", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Turn LanguageModels into LiteLLM configurations" in done.stdout
