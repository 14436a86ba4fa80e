"""Every example is a test: tests/golden/ holds what it becomes, and what is said about it.

Cases are found by file name alone. A right example `examples/x.yaml` has `x.config.yaml` and `x.findings.txt`; a wrong one
`examples/wrong/x.yaml` has `wrong/x.yaml.txt`; the folder examples/gateway is rendered into one configuration.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.renderer.findings import lint_codes
from tests.conftest import ROOT, Golden

EXAMPLES = ROOT / "examples"
GOLDEN = ROOT / "tests" / "golden"
REFRESH = "run `make golden`, and read the difference before you commit it"

RIGHT = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
WRONG = sorted(path.name for path in (EXAMPLES / "wrong").iterdir())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("name", RIGHT)
def test_an_example_becomes_its_golden_configuration_and_findings(name: str, golden: Golden):
    result = run("render", f"examples/{name}.yaml")
    assert result.exit_code == 0, result.stderr
    golden(GOLDEN / f"{name}.config.yaml", result.stdout)
    golden(GOLDEN / f"{name}.findings.txt", result.stderr)


def test_the_models_of_a_folder_become_one_golden_gateway(golden: Golden):
    result = run("render", "--gateway", "examples/gateway")
    assert result.exit_code == 0, result.stderr
    golden(GOLDEN / "gateway.config.yaml", result.stdout)
    golden(GOLDEN / "gateway.findings.txt", result.stderr)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_specification_gets_its_golden_error_and_nothing_else(name: str, golden: Golden):
    result = run("render", f"examples/wrong/{name}")
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.stderr
    golden(GOLDEN / "wrong" / f"{name}.txt", result.stderr)


LINTED_ON_PURPOSE = {"every-field": {"LM618", "LM623"}}  # a reference, not a recommendation


@pytest.mark.parametrize("name", [*RIGHT, "gateway"])
def test_lint_finds_nothing_in_an_example_but_what_it_shows(name: str):
    said = (GOLDEN / f"{name}.findings.txt").read_text(encoding="utf-8")
    assert {code for code in lint_codes() if f" {code}" in said} == LINTED_ON_PURPOSE.get(name, set())


def test_no_golden_file_is_orphaned():
    expected = {f"{name}.{kind}" for name in [*RIGHT, "gateway"] for kind in ("config.yaml", "findings.txt")}
    expected |= {f"wrong/{name}.txt" for name in WRONG}
    ours = [path for folder in (GOLDEN, GOLDEN / "wrong") for path in folder.iterdir() if path.is_file()]
    actual = {str(path.relative_to(GOLDEN)) for path in ours}  # those of explain and diff are in folders that these own
    assert actual == expected, REFRESH


def test_rendering_twice_gives_the_same_bytes():
    assert run("render", "examples/every-field.yaml").stdout == run("render", "examples/every-field.yaml").stdout


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")) + sorted(EXAMPLES.glob("gateway/*.yaml")), ids=str)
def test_an_example_starts_with_the_line_that_shows_editors_its_schema(path: Path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    marker, _, target = first.partition("$schema=")
    assert marker == "# yaml-language-server: "
    assert (path.parent / target).resolve() == ROOT / "schema" / "languagemodel.schema.json"
