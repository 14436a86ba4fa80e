"""`diff`: its sides, its formats, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from langop_model.cli import main
from langop_model.renderer import json_schema
from langop_model.resources import load_json
from tests.conftest import ROOT, Golden
from tests.unit.specs import a_manifest, a_spec

MINIMAL = "examples/minimal.yaml"
WRONG = "examples/wrong/unknown-fields.yaml"
GOLDEN = ROOT / "tests" / "golden" / "diff"

Write = Callable[..., str]


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["diff", *arguments], input=stdin)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: object, name: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def pair(write: Write) -> tuple[str, str]:
    """Two files whose difference breaks clients, changes behaviour and is cosmetic."""
    old = a_spec(
        aliases=["fast"], timeout="1m", loadBalancing={"endpoints": [{"url": "https://a.example.com/v1"}]}, endpoint=None
    )
    new = a_spec(timeout="2m", loadBalancing={"endpoints": [{"url": "https://a.example.com/v1", "region": "a"}]}, endpoint=None)
    return write(a_manifest(old), "old.json"), write(a_manifest(new), "new.json")


def models(write: Write, folder: str, count: int, timeout: str) -> str:
    for number in range(count):
        write(a_manifest(a_spec(timeout=timeout), f"model-{number}"), f"{folder}/model-{number}.json")
    return str(Path(write("", f"{folder}/ignored.txt")).parent)


# What a side may be.


def test_two_specifications(pair: tuple[str, str]):
    result = run(*pair)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "model",
        "  breaks clients     name removed: clients that ask for fast get 404",
        "  changes behaviour  timeout 60 s → 120 s (a provider that hangs is noticed later)",
        "  cosmetic           endpoint https://a.example.com/v1 is called a in metrics and logs",
        "",
        "3 differences: 1 breaks clients, 1 changes behaviour, 1 cosmetic",
    ]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "examples").glob("*.yaml")))
def test_a_specification_does_not_differ_from_its_own_configuration(name: str):
    result = run("--exit-code", f"examples/{name}.yaml", f"tests/golden/{name}.config.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_a_folder_of_a_gateway_does_not_differ_from_its_own_configuration():
    result = run("examples/gateway", "tests/golden/gateway.config.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_a_folder_does_not_differ_from_what_it_was_rendered_to(tmp_path: Path):
    output = str(tmp_path / "rendered")
    assert CliRunner().invoke(main, ["render", "examples", "-o", output]).exit_code == 0
    result = run("--exit-code", "examples", output)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_one_side_may_be_standard_input():
    result = run("-", MINIMAL, stdin=(ROOT / MINIMAL).read_text(encoding="utf-8"))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_models_of_two_folders_belong_together_by_their_names(write: Write):
    old = [write(a_manifest(a_spec(), name), f"old/{name}.json") for name in "ab"]
    new = [write(a_manifest(a_spec(timeout="1m"), name), f"new/{file}.json") for name, file in zip("ab", "yx", strict=True)]
    assert run(str(Path(old[0]).parent), str(Path(new[0]).parent)).stdout.splitlines()[0] == "2 models: a, b"


def test_what_models_have_in_common_is_said_once(write: Write):
    old, new = models(write, "old", 20, "5m"), models(write, "new", 20, "10m")
    lines = run(old, new).stdout.splitlines()
    assert lines[0] == "20 models: model-0, model-1, model-10, model-11, model-12 and 15 more"
    assert lines[1] == "  changes behaviour  timeout 300 s → 600 s (a provider that hangs is noticed later)"
    assert lines[2:] == ["", "20 differences: 20 change behaviour"]


def test_all_names_every_model(write: Write):
    old, new = models(write, "old", 7, "5m"), models(write, "new", 7, "10m")
    assert run("--all", old, new).stdout.startswith("7 models: " + ", ".join(f"model-{number}" for number in range(7)) + "\n")


def test_a_model_that_is_missing_on_one_side_is_said(write: Write):
    old, new = models(write, "old", 3, "5m"), models(write, "new", 2, "5m")
    assert "  breaks clients     model removed: clients that ask for llama or model-2 get 404" in run(old, new).stdout
    assert "  changes behaviour  model added: clients may ask for llama or model-2" in run(new, old).stdout


def test_gateway_renders_a_folder_as_one(write: Write):
    write(a_manifest(a_spec(modelName="one", observability={"metrics": True}), "a"), "old/a.json")
    folder = str(Path(write(a_manifest(a_spec(modelName="two"), "b"), "old/b.json")).parent)
    write(a_manifest(a_spec(modelName="one"), "a"), "new/a.json")
    other = str(Path(write(a_manifest(a_spec(modelName="two"), "b"), "new/b.json")).parent)
    assert run("--gateway", folder, other).stdout.splitlines()[0] == "gateway gateway"


# What differs in specifications only.


def test_a_field_that_the_operator_reads_is_said(write: Write):
    egress = [[{"to": {"cidr": cidr}}] for cidr in ("10.0.0.0/8", "192.0.2.0/24")]
    old, new = (write(a_manifest(a_spec(egress=rules)), f"{rules[0]['to']['cidr'][:2]}.json") for rules in egress)
    assert "  changes behaviour  egress changed, which the operator reads and the gateway does not" in run(old, new).stdout


def test_the_same_in_other_words_is_cosmetic(write: Write):
    old, new = write(a_manifest(a_spec(timeout="5m")), "old.json"), write(a_manifest(a_spec(timeout="300s")), "new.json")
    result = run("--exit-code", old, new)
    assert "  cosmetic           written differently, with the same effect: spec.timeout" in result.stdout
    assert result.exit_code == 1


def test_the_same_in_other_words_is_not_said_beside_a_change(write: Write):
    old = write(a_manifest(a_spec(timeout="5m")), "old.json")
    new = write(a_manifest(a_spec(timeout="300s", aliases=["x"])), "new.json")
    assert "written differently" not in run(old, new).stdout


def test_a_field_without_effect_is_cosmetic(write: Write):
    old, new = (write(a_manifest(a_spec(caching={"enabled": False, "ttl": ttl})), f"{ttl}.json") for ttl in ("1m", "2m"))
    assert "with the same effect: spec.caching.ttl" in run(old, new).stdout


# How it ends.


def test_it_ends_with_0_whatever_differs(pair: tuple[str, str]):
    assert run(*pair).exit_code == 0


def test_exit_code_tells_equal_from_different_from_breaking(pair: tuple[str, str], write: Write):
    slower = write(a_manifest(a_spec(timeout="1m")), "slower.json")
    assert run("--exit-code", MINIMAL, MINIMAL).exit_code == 0
    assert run("--exit-code", write(a_manifest(a_spec()), "same.json"), slower).exit_code == 1
    assert run("--exit-code", *pair).exit_code == 3


@pytest.mark.parametrize("sides", [(MINIMAL, WRONG), (WRONG, MINIMAL), ("missing.yaml", MINIMAL)])
def test_a_side_that_can_not_be_rendered_is_an_error(sides: tuple[str, str]):
    assert (run(*sides).exit_code, run(*sides).stdout) == (1, "")
    assert run("--exit-code", *sides).exit_code == 2


def test_several_configurations_are_not_compared_as_if_they_were_one(write: Write):
    text = CliRunner().invoke(main, ["render", MINIMAL, "examples/ollama-local.yaml"]).stdout
    assert len(list(yaml.safe_load_all(text))) == 2
    result = run(write(text, "both.yaml"), MINIMAL)
    assert (result.exit_code, result.stdout, "error LM021" in result.stderr) == (1, "", True)


def test_a_configuration_of_a_strange_shape_is_no_crash(write: Write):
    assert run(write("model_list: [{model_info: null}]\n", "strange.yaml"), MINIMAL).exit_code == 0
    langop = "callback_settings: {langop: {models: {a: {retries: 5, endpoints: x, limits: [1]}, b: 3}}}\n"
    assert run(write(langop, "stranger.yaml"), MINIMAL).exit_code == 0


@pytest.mark.parametrize("sides", [(), (MINIMAL,), (MINIMAL, MINIMAL, MINIMAL)])
def test_anything_but_two_sides_is_wrong_usage(sides: tuple[str, ...]):
    result = run(*sides)
    assert result.exit_code == 2
    assert "name two sides" in result.stderr


# Formats.


def test_json_is_what_its_published_schema_says(pair: tuple[str, str]):
    document = json.loads(run("--format", "json", *pair).stdout)
    json_schema.validator(load_json("difference.schema.json")).validate(document)
    assert document["summary"] == {"breaks": 1, "changes": 1, "cosmetic": 1}
    timeout = next(each for each in document["differences"] if each["place"] == "timeout")
    assert (timeout["before"], timeout["after"], timeout["severity"]) == (60, 120, "changes")


def test_json_says_that_nothing_differs():
    document = json.loads(run("--format", "json", MINIMAL, MINIMAL).stdout)
    json_schema.validator(load_json("difference.schema.json")).validate(document)
    assert (document["equal"], document["differences"]) == (True, [])


def test_markdown_folds_each_model(pair: tuple[str, str]):
    text = run("--format", "markdown", *pair).stdout
    assert text.startswith("**3 differences: 1 breaks clients, 1 changes behaviour, 1 cosmetic**\n")
    assert text.count("<details>") == text.count("</details>") == 1
    assert "- **breaks clients**: name removed: clients that ask for fast get 404" in text


def test_a_value_is_no_markup(write: Write):
    old = write(a_manifest(a_spec()), "old.json")
    new = write(a_manifest(a_spec(aliases=["<img src=x>|[a](b)"])), "new.json")
    text = run("--format", "markdown", old, new).stdout
    assert "<img" not in text
    assert "[a]" not in text.replace("\\[a\\]", "")


def test_a_value_is_no_template(write: Write):
    old, new = (write(a_manifest(a_spec(aliases=aliases)), f"{len(aliases)}.json") for aliases in ([], ["{{ 7 ~ 191 }}"]))
    assert "clients may ask for {{ 7 ~ 191 }}" in run(old, new).stdout


def test_a_value_does_not_write_to_the_terminal(write: Write):
    old = write(a_manifest(a_spec(configuration={"stopSequences": ["a"]})), "old.json")
    new = write(a_manifest(a_spec(configuration={"stopSequences": ["\u001b[31m\nred"]})), "new.json")
    assert "\u001b" not in run(old, new).stdout


# Golden: what somebody reads when an example is replaced by another.

PAIRS = {
    "minimal-to-openai": ("examples/minimal.yaml", "examples/openai-model.yaml"),
    "weighted-to-balanced": ("examples/weighted-endpoints.yaml", "examples/multi-endpoint-loadbalanced.yaml"),
    "gateway-to-one": ("tests/golden/gateway.config.yaml", "examples/minimal.yaml"),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(("style", "suffix"), [("text", "txt"), ("markdown", "md")])
def test_a_difference_of_examples_is_golden(name: str, style: str, suffix: str, golden: Golden):
    actual = run("--format", style, *PAIRS[name]).stdout
    golden(GOLDEN / f"{name}.{suffix}", actual)
