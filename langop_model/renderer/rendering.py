"""The straight way: resources in, the text of a LiteLLM configuration and everything there is to say about it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langop_model.renderer import (
    extra,
    field_parameters,
    global_settings,
    lint,
    manifest,
    output_check,
    plan,
    references,
    specification,
    templating,
    zero_values,
)
from langop_model.renderer.findings import Finding, Findings, SpecError
from langop_model.renderer.manifest import Read, Resource
from langop_model.renderer.plan import Model
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:
    from langop_model.renderer.rejected import Rejections

ModelCheck = Callable[[Model], Iterable[Finding]]
"""What else may be wrong with a model, such as a key that is not mounted: it returns findings, errors and others."""


class Rendering(Record):
    """A configuration: its `text`, the same as data (`config`), what there is to say, and the `models` it was made of.

    `variables` are the pod's that LANGOP_GATEWAY_EXTRA_CONFIG refers to: the name in the configuration to the pod's own.
    `resources` are what the models were made of, in the same order. `outdated` are the names of those in a previous version.
    """

    name: str
    text: str
    config: dict[str, Any]
    findings: tuple[Finding, ...]
    models: tuple[Model, ...]
    variables: Mapping[str, str] = MappingProxyType({})
    resources: tuple[Resource, ...] = ()
    outdated: frozenset[str] = frozenset()


def render_file(
    name: str, settings: Settings, downgraded: frozenset[str] = frozenset(), also: ModelCheck | None = None
) -> list[Rendering]:
    """Return one configuration for each LanguageModel in a file (`-`: standard input). Raises SpecError for all at once."""
    return render_each(manifest.read(name, settings), settings, downgraded, also)


def render_each(
    read: Read, settings: Settings, downgraded: frozenset[str] = frozenset(), also: ModelCheck | None = None
) -> list[Rendering]:
    """Return one configuration for each LanguageModel that a file held. Raises SpecError for all at once.

    What was found while reading is said with the first one.
    """
    renderings: list[Rendering] = []
    refused: list[Finding] = []
    for resource in read.resources:
        try:
            renderings.append(render([resource], settings, downgraded=downgraded, also=also))
        except SpecError as problem:
            refused += problem.findings
    if refused:
        raise SpecError([*read.findings, *refused])
    said = [*read.findings, *lint.check_file(read.resources, settings.ignored)]
    return [_with(said, rendering) for rendering in renderings[:1]] + renderings[1:]


def render_gateway(names: Sequence[str], settings: Settings, downgraded: frozenset[str] = frozenset()) -> Rendering:
    """Return one configuration of all LanguageModels in the files and folders `names`. Raises SpecError for all at once."""
    resources, found = [], []
    for name in names:
        read = manifest.read_all(name, settings)
        resources += read.resources
        found += [*read.findings, *lint.check_file(read.resources, settings.ignored)]
    return _with(found, render(resources, settings, gateway=True, downgraded=downgraded))


def render(
    resources: Sequence[Resource],
    settings: Settings,
    *,
    gateway: bool = False,
    downgraded: frozenset[str] = frozenset(),
    rejections: Rejections | None = None,
    also: ModelCheck | None = None,
) -> Rendering:
    """Return the configuration of `resources`: of one alone, or of a gateway's.

    `downgraded` names codes of errors that count as warnings. `rejections` are the LanguageModels that this gateway does not
    serve: with it, a fallback to one of them, or to nobody, is skipped instead of refused. `also` is asked about each model.
    Raises RejectedResourcesError, a SpecError, with the findings of all resources.
    """
    wanted = extra.read(settings)
    settings = wanted.settings(settings)
    models = check(
        resources, settings, gateway=gateway, downgraded=downgraded, lenient=rejections is not None, also=also, wanted=wanted
    )
    groups = extra.groups_of(wanted, models)
    shared = {**references.shared_names(models), **wanted.shared}
    served = [*shared, *references.names(models), *(name for group in groups for name in (group.name, *group.aliases))]
    unavailable, outdated = rejections.sections(served) if rejections is not None else ({}, {})
    pieces = templating.render(
        "config.yaml.j2",
        models=models,
        gateway=gateway,
        settings=settings,
        process=extra.process_of(wanted, global_settings.decide(models), groups),
        shared=shared,
        extra=wanted,
        groups=groups,
        unavailable=unavailable,
        outdated=outdated,
    )
    _stop_on_errors(model.findings for model in models)
    lint.check(models, settings.ignored)
    unknown = {name for model in models for name in [*model.parameters, *model.provider.credentials]}
    config = output_check.parse(pieces, unknown)
    text, config = extra.merge(wanted, "".join(pieces), config, unknown)
    return Rendering(
        name=models[0].name if len(models) == 1 else "gateway",
        text=text,
        config=config,
        findings=(
            *extra.findings(wanted, [*models, *groups]),
            *(finding for model in models for finding in model.findings.in_order),
        ),
        models=tuple(models),
        variables=wanted.variables,
        resources=tuple(resources),
    )


def check(  # noqa: PLR0913 - what render was given
    resources: Sequence[Resource],
    settings: Settings,
    *,
    gateway: bool = False,
    downgraded: frozenset[str] = frozenset(),
    lenient: bool = False,
    also: ModelCheck | None = None,
    wanted: extra.Extra = extra.NOTHING,
) -> list[Model]:
    """Return the plans of valid resources: everything that can be said without templates. Raises RejectedResourcesError.

    `wanted` is the extra configuration, whose defaults fill what a resource does not state; for the others see `render`.
    """
    all_found = [Findings(resource.document, resource.name, downgraded) for resource in resources]
    resources = [zero_values.without_zero_values(each, found) for each, found in zip(resources, all_found, strict=True)]
    for resource, found in zip(resources, all_found, strict=True):
        specification.validate(resource, found)
    _stop_on_errors(all_found)
    models = [_plan(resource, settings, found, wanted) for resource, found in zip(resources, all_found, strict=True)]
    references.name(models)
    references.resolve(models, [resource.namespace for resource in resources], settings, gateway=gateway, lenient=lenient)
    for model in models if also else ():
        for finding in also(model) if also else ():
            model.findings.record(finding)
    _stop_on_errors(model.findings for model in models)
    return models


def _plan(resource: Resource, settings: Settings, found: Findings, wanted: extra.Extra) -> Model:
    stated = field_parameters.as_fields(resource.manifest["spec"], found)
    name = resource.name
    if not name:
        name = plan.resource_name(stated["modelName"])
        found.resource = name
        found.add("LM504", "metadata", "name", name=name)
    stated = extra.fill(stated, wanted, names=[name, stated["modelName"], *stated.get("aliases", [])], bare=resource.bare)
    resource = resource.replace(manifest={**resource.manifest, "spec": stated})
    model = plan.make(name, specification.with_defaults(resource), stated, settings, found)
    model.namespace = resource.namespace
    return model


def _stop_on_errors(all_found: Iterable[Findings]) -> None:
    """Raise RejectedResourcesError if any resource has an error; `all_found` are the findings of each."""
    all_found = list(all_found)
    if any(found.errors for found in all_found):
        from langop_model.renderer.rejected import RejectedResourcesError

        raise RejectedResourcesError([tuple(found.in_order) for found in all_found])


def _with(earlier: Sequence[Finding], rendering: Rendering) -> Rendering:
    return rendering.replace(findings=(*earlier, *rendering.findings)) if earlier else rendering
