"""Priority classes, and what node pools must carry so that tenants stay apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.design.facts import class_workloads
from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builders.namespaces import configuration_namespace
from tenancykit.manifests.builds import KUBERNETES, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import (
    SYSTEM_NAMESPACE,
    ClassScope,
    ClusterScope,
    TenantScope,
    is_alone,
    pool_of,
    priority_class,
)
from tenancykit.scenario.model import Workload

SCHEDULING: Final = "scheduling.k8s.io/v1"
_MOST_PRIORITY: Final = 1_000_000_000
"""Largest value a user may give a PriorityClass; above it are the system's."""


def priority_classes(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield one PriorityClass per priority the workloads use; preemptible ones never preempt others."""
    found: dict[str, Workload] = {}
    for cls in scope.classes:
        for workload in class_workloads(cls.scenario, cls.found.tenant_class):
            found.setdefault(priority_class(workload), workload)
    for name in sorted(found):
        workload = found[name]
        preempts = (
            "may be stopped by any higher class and stops none" if workload.preemptible else "may stop lower ones"
        )
        yield manifest(
            "sch_priority",
            "priority",
            "scheduling",
            SCHEDULING,
            "PriorityClass",
            name,
            value=min(workload.priority, _MOST_PRIORITY),
            globalDefault=False,
            preemptionPolicy="Never" if workload.preemptible else "PreemptLowerPriority",
            description=f"Workloads of priority {workload.priority}; {preempts}.",
        )


def node_pools(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield what nodes of each pool must be labelled and tainted with, as data for whoever provisions them.

    Node objects are made by kubelets; this states the contract that admission and scheduling rely on. It lies in the
    platform's namespace, which comes along where nothing else of the platform runs.
    """
    if scope.plan.role == "hub":
        yield configuration_namespace(scope)
    for cls in scope.classes:
        if is_alone(cls) and scope.plan.role == "tenant":
            continue
        value = "t-<tenant>" if cls.found.placement.domain == "tenant" else cls.id
        yield _contract(cls, f"node-pool-{cls.id}", value)


def _contract(cls: ClassScope, name: str, value: str) -> Manifest:
    option = next(o for o in cls.found.choice.options if o.startswith("node_"))
    contract: dict[str, Any] = {
        "labels": {POOL_LABEL: value},
        "taints": [{"key": POOL_LABEL, "value": value, "effect": "NoSchedule"}],
        "wholeHosts": cls.found.placement.whole_hosts,
        "gpuModels": sorted({m for w in _workloads(cls) if w.gpu for m in w.gpu.models}),
        "kubelet": {"registerWithTaints": True},
    }
    return manifest(
        option,
        "placement",
        "placement",
        "v1",
        "ConfigMap",
        name,
        namespace=SYSTEM_NAMESPACE,
        data={"pool.yaml": dump_yaml(contract)},
    )


def _workloads(cls: ClassScope) -> tuple[Workload, ...]:
    return class_workloads(cls.scenario, cls.found.tenant_class)


def pod_placement(scope: TenantScope) -> dict[str, Any]:
    """Return the node selector and toleration of a tenant's pods; empty where nodes are shared."""
    pool = pool_of(scope.cls, scope.tenant)
    if not pool:
        return {}
    return {
        "nodeSelector": {POOL_LABEL: pool},
        "tolerations": [{"key": POOL_LABEL, "operator": "Equal", "value": pool, "effect": "NoSchedule"}],
    }


BUILDS: Final[dict[str, OptionBuild]] = {
    "node_pool_class": OptionBuild((("hosts", node_pools),), upstream=KUBERNETES),
    "node_dedicated_tenant": OptionBuild((("pods", node_pools),), upstream=KUBERNETES),
    "sch_priority": OptionBuild((("pods", priority_classes),), upstream=KUBERNETES),
}
"""What is built for each option that only this module serves."""
