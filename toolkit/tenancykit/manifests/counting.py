"""Counts the objects of an export without writing it: what a design leaves in clusters to be understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ClassDesign, ResolvedDesign
from tenancykit.manifests.assemble import base_manifests, class_scopes, tenant_manifests
from tenancykit.manifests.model import Manifest
from tenancykit.manifests.plan import ClusterPlan, common_clusters, own_cluster
from tenancykit.manifests.scope import ClassScope, TenantScope
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import Tenant, class_tenants


@dataclass(frozen=True)
class ObjectCounts:
    """What an export holds.

    Attributes:
        kinds: objects by kind.
        parameters: values set in those objects, names, labels and annotations aside.
    """

    kinds: Mapping[str, int]
    parameters: int

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
        counting.add(base_manifests(plan, scopes))
        for found in plan.classes:
            for tenant, number in _distinct(scenario, found):
                counting.add(tenant_manifests(_scope(scopes, found, tenant, plan)), number)
    for found in design.classes:
        for tenant, number in _distinct(scenario, found):
            own = own_cluster(found, tenant)
            if own is not None:
                counting.add(base_manifests(own, scopes), number)
                counting.add(tenant_manifests(_scope(scopes, found, tenant, own)), number)
    return ObjectCounts(MappingProxyType(dict(sorted(counting.kinds.items()))), counting.parameters)


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


class _Counting:
    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.parameters = 0

    def add(self, made: Iterable[Manifest], times: int = 1) -> None:
        for manifest in made:
            data = manifest.data
            self.kinds[str(data["kind"])] += times
            settings = (value for key, value in data.items() if key not in ("apiVersion", "kind", "metadata"))
            self.parameters += times * sum(map(_leaves, settings))


def _leaves(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_leaves, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_leaves, value))
    return 1
