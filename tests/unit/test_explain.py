"""`explain`: its formats, and what it can be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from langop_model.cli import main
from langop_model.renderer import json_schema
from langop_model.resources import load_json
from tests.conftest import ROOT, Golden
from tests.unit.specs import EAST, WEST, a_manifest, a_spec, balanced

EVERY_FIELD = "examples/every-field.yaml"
MINIMAL = "examples/minimal.yaml"
GOLDEN = ROOT / "tests" / "golden" / "explain"

Write = Callable[..., str]


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["explain", *arguments], input=stdin)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(spec: object, name: str = "model.json") -> str:
        path = tmp_path / name
        path.write_text(json.dumps(a_manifest(spec, Path(name).stem)), encoding="utf-8")
        return str(path)

    return write


# Text.


def test_each_field_has_one_line():
    lines = run(MINIMAL).stdout.splitlines()
    (timeout,) = [line for line in lines if line.startswith("timeout ")]
    assert re.fullmatch(r"timeout +5m +resource default +exact +An attempt may take 300 s until the answer, .*", timeout)
    assert "and 1 more" in timeout


def test_all_names_every_place():
    text = run("--all", "--field", "spec.timeout", MINIMAL).stdout
    assert "    model_list[gpt-4o-mini/endpoint-0].litellm_params.timeout\n" in text
    assert "    callback_settings.langop.models.gpt-4o-mini.timeout\n" in text
    assert " more" not in text


def test_findings_are_named_beside_the_field_and_printed_below():
    text = run(EVERY_FIELD).stdout
    assert re.search(r"^costTracking.currency +EUR .*\[LM311\] The prices are in EUR", text, re.M)
    assert re.search(r"^  warning LM311:81: costs are counted in USD", text, re.M)


def test_standard_input_is_a_source():
    assert "provider " in run("-", stdin=json.dumps(a_spec())).stdout


def test_a_folder_is_explained_model_by_model(write: Write):
    write(a_spec(modelName="one"), "a.json")
    folder = str(Path(write(a_spec(modelName="two"), "b.json")).parent)
    text = run(folder).stdout
    assert [line.split()[0] for line in text.splitlines() if line.startswith("default/")] == ["default/a", "default/b"]


def test_a_gateway_is_explained_as_one():
    """A fallback is one of its models, and not another proxy."""
    assert "in this gateway, without retries" in run("--gateway", "examples/gateway").stdout
    assert "svc.cluster.local" in run("examples/gateway").stdout


def test_one_field_is_explained_alone():
    rows = [
        line for line in run("--field", "spec.rateLimits", EVERY_FIELD).stdout.splitlines() if line.startswith("rateLimits")
    ]
    assert len(rows) == 3
    assert "retryPolicy" not in run("--field", "spec.rateLimits", EVERY_FIELD).stdout.split("FIELD")[1].split("\n\n")[0]


@pytest.mark.parametrize(
    "field", ["rateLimits", "spec.loadBalancing.endpoints[0].url", "configuration.additionalParameters.top_k"]
)
def test_a_field_may_be_named_with_and_without_spec_and_with_a_position(field: str):
    assert run("--field", field, EVERY_FIELD).exit_code == 0


def test_a_field_that_does_not_exist_is_wrong_usage():
    result = run("--field", "spec.rateLimit", MINIMAL)
    assert result.exit_code == 2
    assert "there is no field spec.rateLimit. Did you mean rateLimits?" in result.stderr


def test_a_field_that_no_model_has_is_said():
    result = run("--field", "spec.params.seed", MINIMAL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no LanguageModel of {MINIMAL} has spec.params.seed" in result.stderr


def test_a_value_does_not_write_to_the_terminal(write: Write):
    assert "\u001b" not in run(write(a_spec(configuration={"stopSequences": ["\u001b[31m\nred"]}))).stdout


def test_lines_are_cut_to_the_width_of_a_terminal():
    from langop_model.presentation import explanation
    from langop_model.renderer import effective
    from tests.unit.specs import SETTINGS, a_resource

    models = effective.explain([a_resource(a_spec())], SETTINGS)
    table = explanation.as_text(models, width=100).split("\n\n")[1].splitlines()
    assert max(map(len, table)) == 100


def test_fields_of_one_object_are_below_its_name_on_a_terminal():
    from langop_model.presentation import explanation
    from langop_model.renderer import effective
    from tests.unit.specs import SETTINGS, a_resource

    models = effective.explain([a_resource(balanced(EAST, WEST, rateLimits={"requestsPerMinute": 5}))], SETTINGS)
    lines = explanation.as_text(models, width=150).splitlines()
    at = lines.index("rateLimits")
    assert lines[at + 1].startswith("  requestsPerMinute")
    assert "[LM345] At most 5 requests are sent" in lines[at + 1]
    assert "loadBalancing.endpoints[1]" in lines


# JSON.


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "examples").glob("*.yaml")))
def test_json_is_what_its_published_schema_says(name: str):
    document = json.loads(run("--format", "json", f"examples/{name}.yaml").stdout)
    json_schema.validator(load_json("explanation.schema.json")).validate(document)
    assert document["models"][0]["fields"]


def test_json_has_every_place_and_every_value():
    (model,) = json.loads(run("--format", "json", EVERY_FIELD).stdout)["models"]
    fields = {each["field"]: each for each in model["fields"]}
    assert fields["spec.retryPolicy.retryableStatusCodes"]["value"] == [408, 429, 500, 503]
    assert len(fields["spec.timeout"]["places"]) == 9
    assert fields["spec.caching.ttl"]["origin"] == "written"


@pytest.mark.parametrize("name", ["explanation", "difference"])
def test_a_published_schema_is_one_and_can_be_printed(name: str):
    printed = json.loads(CliRunner().invoke(main, ["schema", name]).stdout)
    Draft202012Validator.check_schema(printed)
    assert printed == load_json(f"{name}.schema.json")


# The path of a request.


def drawing(spec: object, write: Write) -> str:
    text = run("--format", "markdown", write(spec)).stdout
    return text.split("```mermaid\n")[1].split("```")[0]


def test_the_way_of_a_request_is_drawn_in_the_order_of_the_gateway(write: Write):
    """An answer of the cache counts towards no limit, so the cache comes first."""
    spec = balanced(
        {**EAST, "weight": 3},
        {**WEST, "weight": 1},
        caching={"enabled": True},
        rateLimits={"concurrentRequests": 2},
        retryPolicy={"maxAttempts": 1},
        fallbacks=[{"modelRef": "b", "conditions": ["timeout"]}],
    )
    ways = [line.strip() for line in drawing(spec, write).splitlines() if ">" in line and "[" not in line]
    assert ways == [
        "names --> cache",
        'cache -->|"not kept"| limits',
        'limits -->|"75 %"| endpoint0',
        'limits -->|"25 %"| endpoint1',
        'endpoint0 -.->|"all fail"| retries',
        'endpoint1 -.->|"all fail"| retries',
        'retries -.->|"again"| limits',
        'retries -.->|"timeout"| fallback0',
    ]


def test_a_plain_model_is_two_boxes(write: Write):
    lines = drawing(a_spec(), write).splitlines()
    assert lines[0] == "flowchart LR"
    assert [line.strip() for line in lines[1:]] == [
        'names["clients ask for<br>llama<br>model"]',
        'endpoint0["https://llm.example.com/v1"]',
        "names --> endpoint0",
    ]


def test_many_endpoints_and_names_are_counted(write: Write):
    many = [{"url": f"https://{number}.example.com/v1"} for number in range(31)]
    text = drawing(balanced(*many, strategy="random", aliases=[f"alias-{n}" for n in range(9)]), write)
    assert "and 25 more endpoints" in text
    assert "and 5 more" in text


def test_a_name_is_no_syntax_of_mermaid(write: Write):
    text = drawing(a_spec(aliases=['x"]; click names "javascript:alert(1)" <script>']), write)
    assert '"]; click' not in text
    assert "<script>" not in text
    assert "x#34;#93;#59; click names" in text


# Markdown and HTML: values are no markup.

HOSTILE = "<img src=x onerror=alert(1)>|`_[a](javascript:b)"


@pytest.mark.parametrize("style", ["markdown", "html"])
def test_a_value_is_no_markup(write: Write, style: str):
    spec = a_spec(aliases=[HOSTILE], configuration={"stopSequences": [HOSTILE], "additionalParameters": {"x": HOSTILE}})
    text = run("--format", style, write(spec)).stdout
    assert "alert" in text
    assert "<img" not in text
    assert style == "html" or not re.search(r"(?<!\\)\]\(javascript", text)


@pytest.mark.parametrize("style", ["text", "json", "markdown", "html"])
def test_a_value_is_no_template(write: Write, style: str):
    text = run("--format", style, write(a_spec(aliases=["{{ 7 ~ 191 }}", "{% for x in y %}"]))).stdout
    assert "7 ~ 191" in text.replace("\\~", "~")
    assert "7191" not in text


# Golden.

GOLDENS = {
    "minimal.txt": ("text", MINIMAL),
    "every-field.txt": ("text", EVERY_FIELD),
    "fallbacks.md": ("markdown", "examples/fallbacks.yaml"),
    "gateway.md": ("markdown", "--gateway", "examples/gateway"),
    "minimal.json": ("json", MINIMAL),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_an_explanation_is_golden(name: str, golden: Golden):
    actual = run("--format", *GOLDENS[name]).stdout
    golden(GOLDEN / name, actual)
