"""Lint: what a specification may say and hardly ever means. Warnings, each of which a comment switches off.

A rule is a function of one model (or of all resources in a file) that yields a problem for each place it finds. Its docstring
says why the rule exists, schema/findings.json holds its texts, and docs/lint.md is made of both. A new rule is a function, an
entry of one of the tables here, its texts, and a case in tests/unit/renderer/test_lint.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from langop_model.renderer import findings
from langop_model.renderer.findings import Finding
from langop_model.renderer.lint import balancing, comments, exposure, leftovers, resources, sampling, timing, usage
from langop_model.renderer.lint.rule import FileRule, Rule
from langop_model.renderer.manifest import Resource
from langop_model.renderer.plan import Model
from langop_model.renderer.source import Document

RULES: dict[str, Rule] = {
    "LM610": timing.backoff_above_maximum,
    "LM611": balancing.endpoint_twice,
    "LM612": timing.check_longer_than_interval,
    "LM613": timing.too_short,
    "LM614": usage.one_price,
    "LM615": usage.answer_above_limit,
    "LM616": exposure.key_in_clear,
    "LM618": timing.longer_than_the_pod_lives,
    "LM619": leftovers.placeholder,
    "LM620": sampling.refused_together,
    "LM621": balancing.all_weights_zero,
    "LM622": balancing.weights_of_another_strategy,
    "LM623": exposure.content_in_log,
    "LM624": balancing.address_without_version,
}
FILE_RULES: dict[str, FileRule] = {
    "LM617": resources.name_twice,
    "LM625": resources.comment_without_effect,
}


def check(models: Sequence[Model], ignored: Collection[str]) -> None:
    """Record what the rules find in each of the models, but for `ignored` codes and what comments switch off."""
    for model in models:
        document = model.findings.document if isinstance(model.findings.document, Document) else None
        switches = comments.read(document.text) if document is not None else comments.NONE
        for code, rule in RULES.items():
            if code in ignored or code in switches.file:
                continue
            for problem in rule(model):
                if document is None or not switches.hides(code, document, problem.path):
                    model.findings.add(code, *problem.path, **problem.values)


def check_file(resources: Sequence[Resource], ignored: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what the rules find among the resources of one file, but for `ignored` codes and what comments switch off."""
    for code, rule in FILE_RULES.items():
        for problem in () if code in ignored else rule(resources):
            document = problem.resource.document
            switches = comments.read(document.text)
            if code in switches.file or switches.hides(code, document, problem.path):
                continue
            line, column = problem.place or document.locate(problem.path)
            found = findings.make(code, problem.path, **problem.values)
            yield found.replace(resource=problem.resource.name, file=document.name, line=line, column=column)
