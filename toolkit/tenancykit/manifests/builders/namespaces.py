"""Namespaces of the platform and of each tenant, with the labels that admission, network and mesh read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from kubeanswers.quantities import cpu_text, memory_text
from tenancykit.labels import CLASS_LABEL, EXPOSED_LABEL, PREFIX, SYSTEM_LABEL, TENANT_LABEL
from tenancykit.manifests.model import Manifest, Requirement, manifest
from tenancykit.manifests.scope import (
    INGRESS_NAMESPACE,
    MONITORING_NAMESPACE,
    SYSTEM_NAMESPACE,
    ClusterScope,
    TenantScope,
)
from tenancykit.scenario.model import Scenario

_PSA: Final = "pod-security.kubernetes.io"


def pod_security_labels(level: str, scenario: Scenario) -> dict[str, str]:
    """Return the labels that audit, warn and, unless policies only report, enforce at one Pod Security level.

    They are pinned to the scenario's Kubernetes version.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    labels: dict[str, str] = {}
    for mode in ("audit", "warn") if scenario.team.admission == "audit" else ("enforce", "audit", "warn"):
        labels[f"{_PSA}/{mode}"] = level
        labels[f"{_PSA}/{mode}-version"] = f"v{scenario.kubernetes}"
    return labels


def pod_security_level(scope: TenantScope) -> str:
    """Return the level a tenant's namespace enforces: restricted, or baseline where it holds virtual machines.

    KubeVirt's virt-launcher runs unprivileged, but adds capabilities for pinned CPUs that restricted refuses
    (KubeVirt 1.9, ``pkg/virt-controller/services/rendercontainer.go``).
    """
    if "rt_kubevirt" in scope.options and scope.plan.role in ("hub", "shared"):
        return "baseline"
    return "restricted"


_SYSTEM: Final = (
    (SYSTEM_NAMESPACE, "baseline", "platform configuration", "isolation.control-plane"),
    (INGRESS_NAMESPACE, "baseline", "gateways that expose workloads", "exposure"),
    (MONITORING_NAMESPACE, "privileged", "metrics and logs; node agents read the host", "observability"),
)


def configuration_namespace(scope: ClusterScope) -> Manifest:
    """Return the namespace of the platform's configuration, for a cluster that has no other of the platform."""
    return next(system_namespaces(scope))


def system_namespaces(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the platform's own namespaces of a cluster that runs pods."""
    because = tuple(dict.fromkeys(_tenancy(cls.found.choice.options) for cls in scope.everyone))
    enforce = "pol_psa" in scope.options
    for name, level, purpose, requirement in _SYSTEM:
        labels = {SYSTEM_LABEL: "true"}
        if enforce:
            labels |= pod_security_labels(level, scope.scenario)
        yield manifest(
            because,
            _requirement(requirement),
            "namespaces",
            "v1",
            "Namespace",
            name,
            labels=labels,
            annotations={f"{PREFIX}/purpose": purpose},
        )


def _requirement(text: str) -> Requirement:
    return (
        "exposure" if text == "exposure" else "observability" if text == "observability" else "isolation.control-plane"
    )


def _tenancy(options: tuple[str, ...]) -> str:
    return next(option for option in options if option.startswith("cp_"))


def tenant_namespaces(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the namespace of a tenant with every label its options need at creation."""
    tenant = scope.tenant
    labels = {TENANT_LABEL: scope.name, CLASS_LABEL: scope.cls.id}
    annotations = {f"{PREFIX}/tenant-name": tenant.name}
    because = [_tenancy(scope.cls.found.choice.options)]
    if "pol_psa" in scope.options:
        labels |= pod_security_labels(pod_security_level(scope), scope.scenario)
        because.append("pol_psa")
    for option, (more_labels, more_annotations) in _decorations(scope).items():
        labels |= more_labels
        annotations |= more_annotations
        because.append(option)
    yield manifest(
        tuple(dict.fromkeys(because)),
        "isolation.control-plane",
        "namespaces",
        "v1",
        "Namespace",
        scope.namespace,
        labels=labels,
        annotations=annotations,
    )


def _decorations(scope: TenantScope) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Return labels and annotations by the option that needs them on the namespace."""
    options, runs_pods = scope.options, scope.plan.role in ("shared", "tenant")
    found: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    if runs_pods and scope.cls.exposed(scope.tenant):
        found[_tenancy(scope.cls.found.choice.options)] = ({EXPOSED_LABEL: "true"}, {})
    if "cp_capsule" in options:
        found["cp_capsule"] = ({EXPOSED_LABEL: "true"} if scope.cls.exposed(scope.tenant) else {}, {})
        found["cp_capsule"][0]["capsule.clastix.io/tenant"] = scope.name
    projects = {
        "cp_rancher_projects": ("field.cattle.io/projectId", "local:p-"),
        "cp_projects": ("openshift.io/display-name", ""),
    }
    found |= {name: ({}, {key: f"{prefix}{scope.name}"}) for name, (key, prefix) in projects.items() if name in options}
    if not runs_pods:
        return found
    if "net_mesh_istio_ambient" in options:
        found["net_mesh_istio_ambient"] = ({"istio.io/dataplane-mode": "ambient"}, {})
    if "net_mesh_linkerd" in options:
        found["net_mesh_linkerd"] = ({}, {"linkerd.io/inject": "enabled"})
    if "net_ovnk_udn" in options:
        found["net_ovnk_udn"] = ({"k8s.ovn.org/primary-user-defined-network": ""}, {})
    if "sch_kueue" in options:
        found["sch_kueue"] = ({"kueue.x-k8s.io/managed-namespace": "true"}, {})
    if "sch_yunikorn" in options:
        found["sch_yunikorn"] = ({}, _yunikorn_quota(scope))
    return found


def _yunikorn_quota(scope: TenantScope) -> dict[str, str]:
    """Return the annotation YuniKorn reads a namespace queue's quota from (placement by namespace tag)."""
    demand = scope.cls.demand(scope.tenant)
    quota = {"cpu": cpu_text(demand.cpu_milli), "memory": memory_text(demand.memory)}
    if demand.gpus:
        quota |= dict.fromkeys(scope.cls.devices.resources, str(demand.gpus))
    return {
        "yunikorn.apache.org/namespace.quota": json.dumps(quota, sort_keys=True),
        "yunikorn.apache.org/parentqueue": f"root.{scope.cls.id}",
    }


def platform_namespace(
    scope: ClusterScope, option: str, requirement: Requirement, name: str, level: str = "restricted"
) -> Manifest:
    """Return the namespace a platform's component runs in, at a Pod Security level where the design has levels."""
    labels = {SYSTEM_LABEL: "true"}
    if "pol_psa" in scope.options:
        labels |= pod_security_labels(level, scope.scenario)
    return manifest(option, requirement, "namespaces", "v1", "Namespace", name, labels=labels)
