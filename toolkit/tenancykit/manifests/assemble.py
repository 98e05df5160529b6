"""Runs the builders of a cluster's options and finishes their objects: merged, labelled, annotated, sorted by file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.labels import CLASS_LABEL, PREFIX, TENANT_LABEL
from tenancykit.manifests.builds import Side
from tenancykit.manifests.model import CONCERNS, SIGNATURE, SIGNED, KubernetesObject, Manifest, PlainFile
from tenancykit.manifests.plan import ClusterPlan
from tenancykit.manifests.promises import Promises, fleet_of
from tenancykit.manifests.registry import build_of
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope
from tenancykit.manifests.sizing import Demand
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants

_ORDER: Final = {name: position for position, name in enumerate(CONCERNS)}


def sides_of(found: ClassDesign, plan: ClusterPlan) -> frozenset[Side]:
    """Return which parts of a class's objects belong into a cluster."""
    kind = found.cluster.control_plane
    hosts_are_elsewhere = found.cluster.per_tenant and "vm-nodes" in found.facts
    if plan.role == "shared":
        here: set[Side] = {"pods", "hosts", "machines", "delivery"}
        if kind != "virtual":
            here.add("run")
        if kind not in ("virtual", "logical"):
            here.add("api")
        return frozenset(here)
    if plan.role == "tenant":
        own: set[Side] = {"pods", "api", "run"}
        return frozenset(own if hosts_are_elsewhere else {*own, "hosts"})
    if plan.role == "virtual":
        return frozenset({"api", "run"})
    if plan.role == "workspace":
        return frozenset({"workspace"})
    if plan.role == "logical":
        return frozenset({"hub"})
    hub: set[Side] = {"hub", "machines", "delivery"}
    return frozenset({*hub, "hosts"} if hosts_are_elsewhere else hub)


@dataclass(frozen=True)
class Finish:
    """What every object of an export carries.

    Attributes:
        design: id of the design; as a label, what no label may hold becomes a dash.
        decision: hash of the decision record; empty when there is none.
    """

    design: str
    decision: str

    def __call__(self, made: Manifest, cls: ClassScope | None = None, tenant: str = "") -> KubernetesObject:
        """Return the object with the labels and annotations that say what it is and why it is there.

        An object about a tenant in a namespace of the platform names the tenant in an annotation, not by the label
        that marks what is the tenant's own.
        """
        data = made.data
        metadata = data["metadata"]
        labels = dict(zip(SIGNATURE, (SIGNED, label_of(self.design)), strict=True))
        if cls is not None:
            labels[CLASS_LABEL] = cls.id
        annotations = {f"{PREFIX}/because": ",".join(made.because), f"{PREFIX}/requirement": made.requirement}
        if tenant and metadata.get("namespace", f"t-{tenant}") == f"t-{tenant}":
            labels[TENANT_LABEL] = tenant
        elif tenant:
            annotations[f"{PREFIX}/serves"] = tenant
        if self.decision:
            annotations[f"{PREFIX}/decision"] = self.decision
        finished: dict[str, Any] = {"name": metadata["name"]}
        if "namespace" in metadata:
            finished["namespace"] = metadata["namespace"]
        finished["labels"] = {**labels, **metadata.get("labels", {})}
        finished["annotations"] = {**annotations, **metadata.get("annotations", {})}
        rest = {key: value for key, value in data.items() if key not in ("apiVersion", "kind", "metadata")}
        return {"apiVersion": data["apiVersion"], "kind": data["kind"], "metadata": finished, **rest}


def label_of(design: str) -> str:
    """Return a design's id as a label's value: a variant's holds signs that labels may not."""
    return re.sub(r"[^a-z0-9._-]+", "-", design.lower())[:63].strip("-_.")


def class_scopes(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> dict[str, ClassScope]:
    """Return the scope of each class by its id."""
    promises = Promises(fleet_of(scenario, catalogue))
    scopes = {found.tenant_class.id: ClassScope(scenario, catalogue, found, promises) for found in design.classes}
    promises.classes = {name: (partial(_demands, scope), scope.devices) for name, scope in scopes.items()}
    return scopes


def _demands(scope: ClassScope) -> Iterator[Demand]:
    return (scope.demand(tenant) for tenant in class_tenants(scope.scenario, scope.found.tenant_class))


def cluster_scope(plan: ClusterPlan, scopes: dict[str, ClassScope], option: str, side: Side | None) -> ClusterScope:
    """Return a cluster with the classes that chose an option and have that side of theirs there."""
    everyone = tuple(scopes[found.tenant_class.id] for found in plan.classes)
    chosen = tuple(
        scope
        for scope in everyone
        if (not option or option in scope.options) and (side is None or side in sides_of(scope.found, plan))
    )
    return ClusterScope(plan, chosen, everyone)


def plain_files(plan: ClusterPlan) -> Iterator[PlainFile]:
    """Yield the files of a cluster that no API server takes."""
    for option in plan.chosen:
        files = build_of(option).files
        if files and any(files[0] in sides_of(found, plan) for found in plan.choosing(option.id)):
            yield files[1](option.id)


def base_manifests(plan: ClusterPlan, scopes: dict[str, ClassScope]) -> list[Manifest]:
    """Return what a cluster needs once; the same object asked for by several options is there once, with all reasons.

    Raises:
        ValueError: two options ask for one object with different content: a fault of ours, found by tests.
    """
    found: dict[tuple[str, str, str, str], Manifest] = {}
    for option in plan.chosen:
        for side, build in build_of(option).base:
            scope = cluster_scope(plan, scopes, option.id, side)
            if scope.classes:
                for made in build(scope):
                    _merge(found, made)
    return list(found.values())


def _merge(found: dict[tuple[str, str, str, str], Manifest], made: Manifest) -> None:
    known = found.get(made.identity)
    if known is None:
        found[made.identity] = made
        return
    if known.data != made.data:
        raise ValueError(f"{made.identity} is built in two ways, by {known.because} and {made.because}")
    because = tuple(dict.fromkeys((*known.because, *made.because)))
    found[made.identity] = Manifest(known.data, known.concern, because, known.requirement)


def tenant_manifests(scope: TenantScope) -> list[Manifest]:
    """Return what one tenant needs in a cluster."""
    sides = sides_of(scope.cls.found, scope.plan)
    found: dict[tuple[str, str, str, str], Manifest] = {}
    for option in scope.cls.found.options:
        for side, build in build_of(option).tenant:
            if side in sides:
                for made in build(scope):
                    _merge(found, made)
    return list(found.values())


def by_file(made: Iterable[Manifest]) -> Iterator[tuple[str, Sequence[Manifest]]]:
    """Yield the files of a folder with their objects, in the order they are applied."""
    groups: dict[str, list[Manifest]] = {}
    for one in made:
        groups.setdefault(one.concern, []).append(one)
    for concern in sorted(groups, key=lambda name: _ORDER[name]):
        yield f"{concern}.yaml", groups[concern]
