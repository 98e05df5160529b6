"""Which options an existing cluster uses, told by its objects, and the objects that tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final, Literal

from kubeanswers.objects import ManifestObject, mapping, scalar_text
from kubeanswers.records import dataclass
from tenancykit.auditing import AuditReport
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import Dimension, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.signs import Sign, Trace, load_signs
from tenancykit.labels import SERVES

How = Literal["objects", "audit", "nothing else shows", "not shown"]

_MOST: Final = 5
"""Objects kept as evidence of one option."""


@dataclass(frozen=True)
class Recognised:
    """An option taken for part of the design, with what shows it.

    Attributes:
        option: its id.
        dimension: its dimension.
        layer: its layer.
        how: by objects, by what the audit found, or because no other option of the layer shows.
        evidence: objects with their places, at most a few.
        objects: how many there are.
        why: what makes them a sign.
        others: further options of the layer that show, and gave way.
        lacking: tenants of the class that have none of what others of it have; an option is part of the design only
            where every tenant has it.
        assumption: whether the reading is ours.
    """

    option: str
    dimension: Dimension
    layer: str
    how: How
    evidence: tuple[str, ...]
    objects: int
    why: str
    others: tuple[str, ...] = ()
    assumption: bool = False
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """An object with whose it is and where.

    Attributes:
        item: the object.
        owner: tenant it belongs to; empty for the platform's.
        acting: whether tenants of the class run pods, or may, in its cluster.
    """

    item: ManifestObject
    owner: str
    acting: bool


@dataclass(frozen=True)
class Scene:
    """What the signs of one tenant class are looked for in.

    Attributes:
        objects: every object of the clusters tenants of the class are in, charts included.
        tenants: tenants of the class.
        audits: the audits of those clusters, and whether tenants of the class act there.
        per_tenant: whether each of the tenants is alone in the cluster it acts in.
    """

    objects: Sequence[Placed]
    tenants: frozenset[str]
    audits: Sequence[tuple[AuditReport, bool]]
    per_tenant: bool

    def matches(self, trace: Trace) -> Iterator[Placed]:
        """Yield the objects that bear a trace and speak of the class.

        What a tenant of its own cluster owns elsewhere is about its control plane; only kinds that say so count there.
        """
        if trace.only != "any" and (trace.only == "per-tenant") != self.per_tenant:
            return
        for placed in self.objects:
            mine = placed.owner in self.tenants if placed.owner else trace.scope == "cluster"
            here = placed.acting or not self.per_tenant or trace.scope == "cluster"
            if mine and here and _bears(placed.item, trace):
                yield placed

    def lacking(self, found: Iterable[Placed]) -> tuple[str, ...]:
        """Return the tenants of the class that have nothing of what is found at others; nobody where it is everybody's.

        What belongs to no tenant is the whole cluster's, so that every tenant has it.
        """
        owners = {placed.owner for placed in found}
        return () if not owners or "" in owners else tuple(sorted(self.tenants - owners))

    def is_closed(self, crossing: str) -> bool:
        """Return whether the audits find a crossing closed for every tenant of the class, towards anybody."""
        counted = [report for report, acting in self.audits if acting or not self.per_tenant]
        for report in counted:
            for state in report.crossings:
                if state.id == crossing and any(
                    (state.victims.get(t, frozenset()) | state.doubts.get(t, frozenset())) - {t} for t in self.tenants
                ):
                    return False
        return bool(counted)


def _bears(item: ManifestObject, trace: Trace) -> bool:
    if not fnmatchcase(item.kind, trace.kind) or not fnmatchcase(item.group, trace.group):
        return False
    if trace.name and not fnmatchcase(item.name, trace.name):
        return False
    if trace.label and not _labelled(item, trace.label):
        return False
    if not trace.field:
        return True
    return any(not trace.value or fnmatchcase(text, trace.value) for text in _values(item.data, trace.field.split("/")))


def _labelled(item: ManifestObject, wanted: str) -> bool:
    key, sign, value = wanted.partition("=")
    return any(
        fnmatchcase(name, key) and (not sign or fnmatchcase(found, value)) for name, found in item.labels.items()
    )


def _values(data: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield what stands at a path, as text; a mapping or list at its end is one empty text."""
    if isinstance(data, list):
        for entry in data:
            yield from _values(entry, path)
    elif not path:
        if data is not None:
            yield "" if isinstance(data, Mapping) else scalar_text(data)
    else:
        for key, value in mapping(data).items():
            if fnmatchcase(str(key), path[0]):
                yield from _values(value, path[1:])


@cache
def _own_traces(catalogue: Catalogue) -> Mapping[str, tuple[Trace, ...]]:
    """Return the traces that follow from the options themselves: kinds and charts that are of one option only."""
    users: dict[tuple[str, str], set[str]] = {}
    charts: dict[str, set[str]] = {}
    for option in catalogue.options.values():
        for stated in option.objects:
            group = stated.api_version.rpartition("/")[0]
            if "." in group and not group.endswith(".k8s.io"):
                users.setdefault((group, stated.kind), set()).add(option.id)
        for component in option.components:
            chart = catalogue.components[component].helm
            if chart is not None:
                charts.setdefault(chart.chart, set()).add(option.id)
    found: dict[str, list[Trace]] = {}
    for (group, kind), options in sorted(users.items()):
        if len(options) == 1:
            found.setdefault(min(options), []).append(Trace(kind=kind, group=group))
    for name, options in sorted(charts.items()):
        if len(options) == 1:
            found.setdefault(min(options), []).append(Trace(kind="Chart", group="helm", name=name))
    return {option: tuple(traces) for option, traces in found.items()}


def recognise(scene: Scene, catalogue: Catalogue) -> tuple[Recognised, ...]:
    """Return the options a class is found to use, at most one per layer, in the order of dimensions and layers."""
    tenancy = _recognised(scene, catalogue, {"tenancy"})
    cluster = catalogue.options[tenancy[0].option].cluster if tenancy else None
    if cluster is not None:
        scene = replace(scene, per_tenant=cluster.per_tenant)
    return (
        *tenancy,
        *_recognised(scene, catalogue, {layer for layers in LAYERS.values() for layer in layers} - {"tenancy"}),
    )


def _recognised(scene: Scene, catalogue: Catalogue, wanted: AbstractSet[str]) -> tuple[Recognised, ...]:
    shown: dict[tuple[Dimension, str], list[tuple[int, Recognised]]] = {}
    for option in catalogue.options.values():
        if option.layer not in wanted:
            continue
        sign = load_signs(catalogue).get(option.id) or Sign(id=option.id)
        found = _shown(option, sign, scene, catalogue)
        if found is not None:
            shown.setdefault((option.dimension, option.layer), []).append((sign.rank, found))
    chosen: list[Recognised] = []
    for dimension, layers in LAYERS.items():
        for layer, required in layers.items():
            if layer not in wanted:
                continue
            entries = sorted(shown.get((dimension, layer), []), key=lambda entry: (-entry[0], entry[1].option))
            candidates = [entry for entry in entries if not entry[1].lacking]
            chosen.extend(found for _, found in entries if found.lacking)
            if candidates:
                chosen.append(_first(candidates))
            elif required or (dimension, layer) == ("gpu_sharing", "whole"):
                rest = _remainder(dimension, layer, scene, catalogue)
                chosen.extend([rest] if rest else [])
    return tuple(chosen)


def _first(candidates: Sequence[tuple[int, Recognised]]) -> Recognised:
    best = candidates[0][1]
    others = tuple(found.option for _, found in candidates[1:])
    return Recognised(
        best.option,
        best.dimension,
        best.layer,
        best.how,
        best.evidence,
        best.objects,
        best.why,
        others,
        best.assumption,
    )


def _shown(option: Option, sign: Sign, scene: Scene, catalogue: Catalogue) -> Recognised | None:
    if not _counts(sign, scene):
        return None
    traces = (*sign.any_of, *(_own_traces(catalogue).get(option.id, ()) if sign.objects else ()))
    placed = list(dict.fromkeys(item for trace in traces for item in scene.matches(trace)))
    found = list(dict.fromkeys(one.item for one in placed))
    if sign.closed and not scene.is_closed(sign.closed):
        return None
    if not found and (traces or not sign.closed or (sign.remainder and scene.per_tenant)):
        return None
    how: How = "objects" if found else "audit"
    why = sign.because or "kinds or charts that only this option brings"
    return Recognised(
        option.id,
        option.dimension,
        option.layer,
        how,
        _named(found),
        len(found),
        why,
        assumption=sign.assumption,
        lacking=scene.lacking(placed),
    )


def _counts(sign: Sign, scene: Scene) -> bool:
    return sign.only == "any" or (sign.only == "per-tenant") == scene.per_tenant


def _named(found: Iterable[ManifestObject]) -> tuple[str, ...]:
    return tuple(f"{item} ({item.where})" for item in list(found)[:_MOST])


def _remainder(dimension: Dimension, layer: str, scene: Scene, catalogue: Catalogue) -> Recognised | None:
    """Return the option that is left where nothing of a layer shows."""
    signs = load_signs(catalogue)
    left = [
        option
        for option in catalogue.in_dimension(dimension)
        if option.layer == layer
        and option.id in signs
        and signs[option.id].remainder
        and _counts(signs[option.id], scene)
    ]
    if not left:
        return None
    option = min(left, key=lambda o: (signs[o.id].only == "any", -signs[o.id].rank * scene.per_tenant, o.id))
    sign = signs[option.id]
    return Recognised(
        option.id, dimension, layer, "nothing else shows", (), 0, sign.because, assumption=sign.assumption
    )


def owner_of(item: ManifestObject, by_namespace: Mapping[str, str], tenants: frozenset[str], label: str) -> str:
    """Return the tenant an object belongs to: by its namespace, its label or the tenant it is said to serve."""
    if item.kind == "Namespace" and not item.group:
        return by_namespace.get(item.name, "")
    owner = by_namespace.get(item.namespace, "") if item.namespaced else ""
    stated = owner or item.labels.get(label, "") or item.annotations.get(SERVES, "")
    return stated if stated in tenants else ""
