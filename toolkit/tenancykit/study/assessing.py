"""The other way round: objects of an existing cluster, the design they amount to, its figures, what a target adds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Final, TextIO

from kubeanswers.access.rbac import AccessRules
from kubeanswers.errors import Fault, InputError
from kubeanswers.objects import ManifestObject
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing import AuditOptions, AuditReport, Reading, audit, audit_clusters, read_clusters
from tenancykit.auditing.crossings.hostile_pods import pod_makers
from tenancykit.auditing.tenant_signs import is_platform_namespace
from tenancykit.auditing.tenants import PLATFORM_GROUPS, Tenancy
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import Dimension
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Design, choose
from tenancykit.design.variants import variant
from tenancykit.drawing import Drawable
from tenancykit.labels import CLASS_LABEL, TENANT_LABEL
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.scenario.naming import class_tenants
from tenancykit.study.assessing_charts import charts_in, charts_of
from tenancykit.study.assessing_signs import Placed, Recognised, Scene, owner_of, recognise
from tenancykit.study.comparison import Study, compare
from tenancykit.study.evaluation import Evaluation

FOUND: Final = "FOUND"
"""Id of the design that was found."""


@dataclass(frozen=True)
class Gap:
    """What a target design has in one layer and a tenant class lacks.

    Attributes:
        tenant_class: the class.
        dimension: dimension of the layer.
        layer: the layer.
        found: option found; empty for none.
        wanted: option of the target.
        lacking: tenants that lack it although others of the class have it.
    """

    tenant_class: str
    dimension: Dimension
    layer: str
    found: str
    wanted: str
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assessment(Drawable):
    """An existing cluster as a design beside the reference architectures.

    Attributes:
        recognised: options per tenant class, each with what shows it.
        tenants: tenants found per class, by their names in the cluster.
        study: the design found, compared with the reference architectures.
        report: the audit of everything that was read.
        target_id: id of the design the gaps lead to; None where no design is admitted and none was named.
        notes: what was assumed to read the cluster at all.
        charts: Helm charts an export among what was read pins.
        partial: options that only some tenants of a class have, with those that lack them.
    """

    recognised: Mapping[str, tuple[Recognised, ...]]
    tenants: Mapping[str, tuple[str, ...]]
    study: Study
    report: AuditReport
    target_id: str | None
    notes: tuple[str, ...]
    charts: tuple[str, ...] = ()
    _readings: tuple[Reading, ...] = field(repr=False, default=())
    partial: Mapping[str, tuple[Recognised, ...]] = field(default_factory=dict)

    @property
    def found(self) -> Evaluation:
        """The design found, with its figures."""
        return self.study[FOUND]

    @property
    def target(self) -> Evaluation | None:
        """The design the gaps lead to, with its figures."""
        return None if self.target_id is None else self.study[self.target_id]

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Every layer in which a class lacks what the target has; what it has beyond the target is no gap."""
        return () if self.target is None else tuple(_gaps(self.found, self.target, self.partial))

    @cached_property
    def beyond(self) -> tuple[tuple[str, str], ...]:
        """Class and option of every add-on found in a layer in which the target has none."""
        if self.target is None:
            return ()
        return tuple(
            (wanted.tenant_class.id, have.id)
            for wanted in self.target.resolved.classes
            for dimension, layers in LAYERS.items()
            for layer in layers
            if (have := self.found.resolved.of_class(wanted.tenant_class.id).chosen(dimension, layer))
            and wanted.chosen(dimension, layer) is None
        )

    @cached_property
    def days(self) -> float | None:
        """Person-days (means) of the target's tasks that the design found does not have; None without a target."""
        if self.target is None:
            return None
        done = self.found.scores["effort"].detail.plan.tasks
        planned = self.target.scores["effort"].detail.plan.tasks
        return float(sum(task.days.mean for name, task in planned.items() if name not in done))

    def objects(self) -> Iterator[ManifestObject]:
        """Yield every object that was read; values of Secrets are not in them."""
        for reading in self._readings:
            yield from reading.objects


def assess(
    paths: Iterable[str | os.PathLike[str]],
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    target: str = "",
    tenants: Mapping[str, str] | None = None,
    stdin: TextIO | None = None,
) -> Assessment:
    """Return what an existing cluster amounts to, beside the reference architectures.

    The arguments are those of :func:`tenancykit.assess`; ``stdin`` is what ``-`` reads.

    Raises:
        InputError: nothing could be read, or the target is unknown.
    """
    listed = list(paths)
    readings = read_clusters(listed, stdin=stdin)
    if not any(len(reading.objects) for reading in readings.values()):
        faults = [fault for reading in readings.values() for fault in reading.faults]
        raise InputError(faults or Fault("assess", "no Kubernetes object was found", cure="name a dump or a folder"))
    views, notes = _views(readings, dict(tenants or {}))
    classes, more = _classes(views, scenario)
    charts = charts_in(path for path in listed if str(path) != "-")
    seen = {name: recognise(_scene(views, charts, name, members), catalogue) for name, members in classes.items()}
    recognised = {name: tuple(r for r in found if not r.lacking) for name, found in seen.items()}
    partial = {name: tuple(r for r in found if r.lacking) for name, found in seen.items()}
    design = Design(
        FOUND,
        "the cluster as it was found",
        {name: choose(catalogue, [r.option for r in found]) for name, found in recognised.items()},
        "assessed",
    )
    further = [variant(target, scenario, catalogue)] if target and target.upper() not in catalogue.references else []
    study = compare(scenario, catalogue, [design, *further])
    chosen = further[0].id if further else target or _best(study)
    return Assessment(
        recognised,
        {name: tuple(sorted(members)) for name, members in classes.items()},
        study,
        audit_clusters(readings, AuditOptions(_given(views))),
        study[chosen].id if chosen else None,
        (*notes, *more),
        tuple(sorted({chart.name for found in charts.values() for chart in found})),
        tuple(readings.values()),
        partial,
    )


def _best(study: Study) -> str:
    """Return the best admitted design other than the one found; an empty text where there is none."""
    if study.ranking is None:
        return ""
    return next((name for name in study.ranking.ordered() if name != FOUND), "")


@dataclass(frozen=True)
class _View:
    """One cluster: its reading, its audit, who its tenants are and which of them act there."""

    reading: Reading
    report: AuditReport
    tenancy: Tenancy
    acting: frozenset[str]


def _views(readings: Mapping[str, Reading], given: dict[str, str]) -> tuple[dict[str, _View], tuple[str, ...]]:
    views = {name: _view(reading, given) for name, reading in readings.items()}
    if any(view.tenancy.tenants for view in views.values()):
        return views, ()
    guessed = {
        name: name
        for reading in readings.values()
        for name, labels in reading.objects.namespaces.items()
        if not is_platform_namespace(name, labels)
    }
    note = f"no label says whose a namespace is: each of {len(guessed)} namespaces is taken for a tenant"
    return {name: _view(reading, guessed) for name, reading in readings.items()}, (note,)


def _view(reading: Reading, given: Mapping[str, str]) -> _View:
    objects = reading.objects
    tenancy = Tenancy(objects, AccessRules(objects), given, PLATFORM_GROUPS)
    running = {tenancy.by_namespace[pod.namespace] for pod in pods_of(objects) if pod.namespace in tenancy.by_namespace}
    acting = frozenset(running | pod_makers(objects).keys()) & frozenset(tenancy.tenants)
    return _View(reading, audit(reading, AuditOptions(given)), tenancy, acting)


def _given(views: Mapping[str, _View]) -> dict[str, str]:
    return {name: tenant for view in views.values() for name, tenant in view.tenancy.given.items()}


def _classes(views: Mapping[str, _View], scenario: Scenario) -> tuple[dict[str, frozenset[str]], tuple[str, ...]]:
    """Return the tenants found of each class, and notes on those that no class claims."""
    everybody = {tenant for view in views.values() for tenant in view.tenancy.tenants}
    known = {t.kubernetes_name: c.id for c in scenario.tenants.classes for t in class_tenants(scenario, c)}
    labelled = dict(_labels(views.values()))
    ids = [c.id for c in scenario.tenants.classes]
    place: dict[str, str] = {}
    for tenant in sorted(everybody):
        stated = labelled.get(tenant, "")
        place[tenant] = stated if stated in ids else known.get(tenant, "")
    unplaced = sorted(tenant for tenant, name in place.items() if not name)
    found = {name: frozenset(t for t, c in place.items() if c == name) for name in ids}
    notes = []
    for tenant_class in scenario.tenants.classes:
        if not found[tenant_class.id]:
            found[tenant_class.id] = frozenset(unplaced or everybody)
            notes.append(_unfound(tenant_class, unplaced))
    return found, tuple(notes)


def _unfound(tenant_class: TenantClass, unplaced: list[str]) -> str:
    whose = "tenants that belong to no class" if unplaced else "all tenants"
    return f"no tenant found is of class {tenant_class.id}: it gets what is found at {whose}"


def _labels(views: Iterable[_View]) -> Iterator[tuple[str, str]]:
    for view in views:
        for namespace, tenant in view.tenancy.by_namespace.items():
            label = view.reading.objects.namespaces[namespace].get(CLASS_LABEL)
            if label:
                yield tenant, label


def _scene(
    views: Mapping[str, _View], charts: Mapping[str, list[ManifestObject]], class_id: str, members: frozenset[str]
) -> Scene:
    everybody = frozenset(tenant for view in views.values() for tenant in view.tenancy.tenants)
    objects: list[Placed] = []
    homes: list[tuple[str, _View]] = []
    for name, view in views.items():
        if view.tenancy.tenants and not members & frozenset(view.tenancy.tenants):
            continue
        homes.append((name, view))
        own, acting = view.tenancy.by_namespace, bool(members & view.acting)
        installed = (*charts.get(f"clusters/{name}" if name else "", ()), *charts_of(view.reading.objects))
        objects += [
            Placed(item, owner_of(item, own, everybody, TENANT_LABEL), acting)
            for item in (*view.reading.objects, *installed)
        ]
    objects += [Placed(item, "", acting=True) for item in charts.get(f"classes/{class_id}", ())]
    acts = [view for _, view in homes if members & view.acting]
    alone = bool(acts) and len(views) > 1 and all(len(view.tenancy.tenants) == 1 for view in acts)
    return Scene(objects, members, [(view.report, bool(members & view.acting)) for _, view in homes], alone)


def _gaps(found: Evaluation, target: Evaluation, partial: Mapping[str, tuple[Recognised, ...]]) -> Iterator[Gap]:
    for wanted in target.resolved.classes:
        name = wanted.tenant_class.id
        have = found.resolved.of_class(name)
        lacking = {item.option: item.lacking for item in partial.get(name, ())}
        for dimension, layers in LAYERS.items():
            for layer in layers:
                one, other = have.chosen(dimension, layer), wanted.chosen(dimension, layer)
                if other is not None and one != other:
                    yield Gap(name, dimension, layer, one.id if one else "", other.id, lacking.get(other.id, ()))
