"""Counts the objects of an export without writing it: what a design leaves in clusters to be understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.manifests.assemble import base_manifests, class_scopes, tenant_manifests
from tenancykit.manifests.model import Manifest
from tenancykit.manifests.plan import ClusterPlan, common_clusters, own_cluster
from tenancykit.manifests.scope import ClassScope, TenantScope
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import Tenant, class_tenants


@dataclass(frozen=True)
class Standing:
    """Objects of one cluster, by kind.

    Attributes:
        own: those it has whatever the tenants.
        tenants: those its tenants bring, all together.
    """

    own: Mapping[str, int]
    tenants: Mapping[str, int]

    @property
    def objects(self) -> int:
        """All objects together."""
        return sum(self.own.values()) + sum(self.tenants.values())


@dataclass(frozen=True)
class ObjectCounts:
    """What an export holds.

    Attributes:
        kinds: objects by kind.
        parameters: values set in those objects, names, labels and annotations aside.
        fields: distinct fields of distinct kinds that those values stand in.
        clusters: the fullest cluster of its kind: ``shared``, ``hub``, and by class id those of single tenants.
    """

    kinds: Mapping[str, int]
    parameters: int
    fields: int
    clusters: Mapping[str, Standing]

    @property
    def objects(self) -> int:
        """All objects together."""
        return sum(self.kinds.values())


def count_objects(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> ObjectCounts:
    """Return the objects that stand in all clusters once an export is applied.

    What the clusters of a class have in common is written once and stands in each of them: it counts once per cluster.
    Work depends on the number of distinct tenants, not on the number of tenants.
    """
    counting = _Counting()
    scopes = class_scopes(design, scenario, catalogue)
    for plan in common_clusters(design):
        base, brought = counting.add(base_manifests(plan, scopes)), Counter[str]()
        for found in plan.classes:
            for tenant, number in _distinct(scenario, found):
                brought += counting.add(tenant_manifests(_scope(scopes, found, tenant, plan)), number)
        if plan.role != "logical":
            counting.stand(plan.role, base, brought)
    for found in design.classes:
        for tenant, number in _distinct(scenario, found):
            own = own_cluster(found, tenant)
            if own is None:
                continue
            base = counting.add(base_manifests(own, scopes), number)
            brought = counting.add(tenant_manifests(_scope(scopes, found, tenant, own)), number)
            if own.role == "tenant":
                each = Counter({kind: count // number for kind, count in (base + brought).items()})
                counting.stand(found.tenant_class.id, each, Counter())
    kinds = MappingProxyType(dict(sorted(counting.kinds.items())))
    return ObjectCounts(kinds, counting.parameters, counting.fields, MappingProxyType(counting.clusters))


def _scope(scopes: Mapping[str, ClassScope], found: ClassDesign, tenant: Tenant, plan: ClusterPlan) -> TenantScope:
    return TenantScope(tenant, scopes[found.tenant_class.id], plan, tenant.index)


def _distinct(scenario: Scenario, found: ClassDesign) -> Iterable[tuple[Tenant, int]]:
    """Yield one tenant of each that run the same, with their number."""
    named = sum(1 for tenant in scenario.tenants.named if tenant.tenant_class == found.tenant_class.id)
    first: dict[object, Tenant] = {}
    numbers: Counter[object] = Counter()
    for position, tenant in enumerate(class_tenants(scenario, found.tenant_class)):
        first.setdefault(tenant.workloads, tenant)
        numbers[tenant.workloads] += 1
        if position >= named:
            numbers[tenant.workloads] += found.tenant_class.count - position - 1
            break
    return [(tenant, numbers[uses]) for uses, tenant in first.items()]


_Fields = dict[str | None, Any]
"""The fields below a field, by name, and so on; None where a value stands in the field itself."""


class _Counting:
    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.parameters = 0
        self.fields = 0
        self._kinds: _Fields = {}
        self.clusters: dict[str, Standing] = {}

    def stand(self, name: str, own: Counter[str], tenants: Counter[str]) -> None:
        """Keep a cluster's objects where they are more than those of another of its kind."""
        found = Standing(MappingProxyType(dict(own)), MappingProxyType(dict(tenants)))
        known = self.clusters.get(name)
        if known is None or found.objects > known.objects:
            self.clusters[name] = found

    def _leaves(self, field: _Fields, value: Any) -> int:
        """Return how many values stand at and below a field; lists are looked through."""
        kind = type(value)  # a comparison counts a hundred thousand values: most are told by their type alone
        if kind is str or kind is int or kind is bool or not isinstance(value, dict | list | tuple):
            if None not in field:
                field[None] = {}
                self.fields += 1
            return 1
        found = 0
        if isinstance(value, dict):
            for key, inner in value.items():
                below = field.get(key)
                if below is None:
                    below = field[key] = {}
                found += self._leaves(below, inner)
        else:
            for inner in value:
                found += self._leaves(field, inner)
        return found

    def add(self, made: Iterable[Manifest], times: int = 1) -> Counter[str]:
        """Count manifests that stand somewhere several times; returns how many there are of each kind."""
        kinds: Counter[str] = Counter()
        for manifest in made:
            data = manifest.data
            kind = str(data["kind"])
            kinds[kind] += times
            for key, value in data.items():
                if key not in ("apiVersion", "kind", "metadata"):
                    self.parameters += times * self._leaves(_below(_below(self._kinds, kind), key), value)
        self.kinds += kinds
        return kinds


def _below(field: _Fields, key: str) -> _Fields:
    found = field.get(key)
    if found is None:
        found = field[key] = {}
    return found
