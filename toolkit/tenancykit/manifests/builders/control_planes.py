"""Tenancy inside one host cluster: Capsule, Rancher projects, kcp workspaces, vCluster and k3k."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import GIB, cpu_text, memory_text
from tenancykit.design.facts import class_workloads
from tenancykit.labels import CLASS_LABEL, POOL_LABEL, TENANT_LABEL
from tenancykit.manifests.builders.access import MEMBER_ROLE, bound, groups
from tenancykit.manifests.builders.scheduling import pod_placement
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope, pool_of, priority_class, storage_class
from tenancykit.manifests.sizing import with_headroom

CAPSULE: Final = "capsule.clastix.io/v1beta2"
_CAPSULE_NAMESPACES: Final = 5
"""Assumption: namespaces a tenant may make for itself."""


def capsule_tenants(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the Capsule Tenant and its owners, with the same limits the fixed namespace has (Capsule 0.14)."""
    cls, options = scope.cls, scope.options
    spec: dict[str, Any] = {
        "owners": [{"kind": "Group", "name": group, "clusterRoles": [MEMBER_ROLE]} for group in scope.tenant.groups],
        "preventDeletion": True,
        "namespaceOptions": {
            "quota": _CAPSULE_NAMESPACES,
            "additionalMetadataList": [{"labels": {TENANT_LABEL: scope.name, CLASS_LABEL: cls.id}}],
        },
        "serviceOptions": {
            "allowedServices": {"nodePort": False, "externalName": False, "loadBalancer": False},
            "externalIPs": {"allowed": []},
        },
        "storageClasses": {"allowed": _storage_names(scope)},
        "priorityClasses": {"allowed": _priorities(scope)},
        "runtimeClasses": {"allowed": [n for n in (cls.found.sandbox.runtime_class,) if n]},
    }
    pool = pool_of(cls, scope.tenant)
    if pool:
        spec["nodeSelector"] = {POOL_LABEL: pool}
    yield manifest("cp_capsule", "isolation.control-plane", "control-plane", CAPSULE, "Tenant", scope.name, spec=spec)
    for number, group in enumerate(scope.tenant.groups if cls.has_api_access else ()):
        yield manifest(
            "cp_capsule",
            "identity",
            "control-plane",
            CAPSULE,
            "TenantOwner",
            f"{scope.name}-{number}" if number else scope.name,
            labels={"projectcapsule.dev/tenant": scope.name},
            spec={"kind": "Group", "name": group, "clusterRoles": [MEMBER_ROLE]},
        )
    if "sch_quota" in options:
        yield _capsule_quota(scope)


def _storage_names(scope: TenantScope) -> list[str]:
    return [storage_class(scope.cls, scope.tenant, shared=shared) for shared in (False, True)]


def _priorities(scope: TenantScope) -> list[str]:
    if "sch_priority" not in scope.options:
        return []
    return sorted({priority_class(workload) for workload, _ in scope.cls.workloads(scope.tenant)})


def _capsule_quota(scope: TenantScope) -> Manifest:
    """Return the cap over all namespaces of a tenant, which a quota per namespace would multiply."""
    demand = scope.cls.demand(scope.tenant)
    hard = {
        "requests.cpu": cpu_text(with_headroom(demand.cpu_milli, 500)),
        "requests.memory": memory_text(with_headroom(demand.memory, GIB)),
        "requests.storage": memory_text(with_headroom(demand.storage, GIB)),
        **{f"requests.{name}": str(count) for name, count in sorted(demand.devices.items())},
    }
    selector = {"matchLabels": {"capsule.clastix.io/tenant": scope.name}}
    spec = {"namespaceSelectors": [selector], "quota": {"hard": hard}}
    return manifest("cp_capsule", "fair-share", "control-plane", CAPSULE, "GlobalResourceQuota", scope.name, spec=spec)


def capsule_configuration(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield Capsule's settings: who its users are, and namespaces nobody may claim."""
    groups = [{"kind": "Group", "name": "capsule.clastix.io"}]
    spec = {
        "users": groups,
        "forceTenantPrefix": True,
        "protectedNamespaceRegex": "^(kube|tenancykit|capsule|gpu-operator|argocd|flux)-?.*",
        "enableTLSReconciler": True,
        "cacheInvalidation": "24h",
        "rbac": {"deleter": "capsule-namespace-deleter", "provisioner": "capsule-namespace-provisioner"},
    }
    api, why = CAPSULE, "isolation.control-plane"
    yield manifest(
        "cp_capsule", "isolation.control-plane", "control-plane", api, "CapsuleConfiguration", "default", spec=spec
    )
    yield _replicated(scope, why)


def _replicated(scope: ClusterScope, _: str) -> Manifest:
    """Return the fences every namespace a tenant makes for itself gets at once."""
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "tenant-default-deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "tenant-defaults"},
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {"cpu": "500m", "memory": "512Mi"},
                    "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                }
            ]
        },
    }
    classes = [cls.id for cls in scope.classes]
    selector = {"matchExpressions": [{"key": CLASS_LABEL, "operator": "In", "values": classes}]}
    spec = {
        "tenantSelector": selector,
        "resyncPeriod": "60s",
        "pruningOnDelete": True,
        "scope": "Namespace",
        "settings": {"adopt": True, "force": True},
        "resources": [{"rawItems": [deny, limits]}],
    }
    name = "tenancykit-fences"
    return manifest(
        "cp_capsule", "isolation.network", "control-plane", CAPSULE, "GlobalTenantResource", name, spec=spec
    )


def rancher_projects(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a Rancher Project with its members."""
    demand = scope.cls.demand(scope.tenant)
    limit = {
        "limitsCpu": cpu_text(with_headroom(demand.cpu_milli, 500)),
        "limitsMemory": memory_text(with_headroom(demand.memory, GIB)),
        "requestsStorage": memory_text(with_headroom(demand.storage, GIB)),
        "pods": str(with_headroom(demand.pods)),
    }
    name = f"p-{scope.name}"
    api = "management.cattle.io/v3"
    yield manifest(
        "cp_rancher_projects",
        "isolation.control-plane",
        "control-plane",
        api,
        "Project",
        name,
        namespace="local",
        spec={
            "clusterName": "local",
            "displayName": scope.name,
            "resourceQuota": {"limit": limit},
            "namespaceDefaultResourceQuota": {"limit": limit},
        },
    )
    for number, group in enumerate(scope.tenant.groups if scope.cls.has_api_access else ()):
        yield manifest(
            "cp_rancher_projects",
            "identity",
            "control-plane",
            api,
            "ProjectRoleTemplateBinding",
            f"members-{number}",
            namespace=name,
            projectName=f"local:{name}",
            roleTemplateName="project-member",
            groupPrincipalName=f"oidc_group://{group}",
        )


KCP: Final = "tenancy.kcp.io/v1alpha1"


def kcp_types(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the workspace type and the API that workspaces consume (kcp 0.32)."""
    for cls in scope.classes:
        yield manifest(
            "cp_kcp",
            "isolation.control-plane",
            "control-plane",
            KCP,
            "WorkspaceType",
            f"tenancykit-{cls.id}",
            spec={
                "extend": {"with": [{"name": "universal", "path": "root"}]},
                "limitAllowedChildren": {"none": True},
                "defaultAPIBindings": [{"export": "tenancykit-workloads", "path": "root"}],
            },
        )
    yield manifest(
        "cp_kcp",
        "isolation.control-plane",
        "control-plane",
        "apis.kcp.io/v1alpha2",
        "APIExport",
        "tenancykit-workloads",
        spec={"maximalPermissionPolicy": {"local": {}}},
    )


def kcp_workspaces(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's workspace in the root workspace."""
    spec = {"type": {"name": f"tenancykit-{scope.cls.id}", "path": "root"}}
    yield manifest("cp_kcp", "isolation.control-plane", "control-plane", KCP, "Workspace", scope.name, spec=spec)


def kcp_access(scope: TenantScope) -> Iterator[Manifest]:
    """Yield, inside a tenant's workspace, the binding to the platform's API and the rights of the tenant's groups."""
    yield manifest(
        "cp_kcp",
        "isolation.control-plane",
        "control-plane",
        "apis.kcp.io/v1alpha2",
        "APIBinding",
        "tenancykit-workloads",
        spec={"reference": {"export": {"path": "root", "name": "tenancykit-workloads"}}},
    )
    if not scope.cls.has_api_access:
        return
    yield bound(("cp_kcp", "identity"), "tenant-admins", "cluster-admin", groups(scope))


def vcluster_values(scope: TenantScope) -> dict[str, Any]:
    """Return vCluster's Helm values for one tenant on shared nodes (chart 0.36): unprivileged, quotas on the host.

    Its own quota, limit and network policies are off: the host namespace's are the ones tenants cannot reach.
    """
    high = scope.scenario.infrastructure.high_availability
    placement = pod_placement(scope)
    pods: dict[str, Any] = {}
    if placement:
        pool = placement["nodeSelector"][POOL_LABEL]
        pods["enforceTolerations"] = [f"{POOL_LABEL}={pool}:NoSchedule"]
    values: dict[str, Any] = {
        "controlPlane": {
            **(
                {
                    "backingStore": {
                        "etcd": {"deploy": {"enabled": True, "statefulSet": {"highAvailability": {"replicas": 3}}}}
                    }
                }
                if high
                else {}
            ),
            "statefulSet": {
                "highAvailability": {"replicas": 3 if high else 1},
                "security": {
                    "podSecurityContext": {
                        "fsGroup": 12345,
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containerSecurityContext": {
                        "allowPrivilegeEscalation": False,
                        "runAsUser": 12345,
                        "runAsGroup": 12345,
                        "capabilities": {"drop": ["ALL"]},
                    },
                },
                "scheduling": placement,
            },
        },
        "sync": {
            "toHost": {"pods": pods},
            "fromHost": {"storageClasses": {"enabled": True}, "runtimeClasses": {"enabled": True}},
        },
        "policies": {
            "resourceQuota": {"enabled": False},
            "limitRange": {"enabled": False},
            "networkPolicy": {"enabled": False},
        },
    }
    if placement:
        selector = {"labels": placement["nodeSelector"]}
        values["sync"]["fromHost"]["nodes"] = {"enabled": True, "selector": selector}
    return values


def private_vcluster_values(scope: TenantScope) -> dict[str, Any]:
    """Return vCluster's Helm values for one tenant with own nodes (chart 0.36): nothing is synced to the host."""
    high = scope.scenario.infrastructure.high_availability
    return {
        "privateNodes": {"enabled": True},
        "controlPlane": {
            "backingStore": {"etcd": {"embedded": {"enabled": True}}},
            "service": {"spec": {"type": "LoadBalancer"}},
            "statefulSet": {
                "highAvailability": {"replicas": 3 if high else 1},
                "resources": {
                    "requests": {"cpu": "4", "memory": "8Gi"},
                    "limits": {"cpu": "4", "memory": "8Gi"},
                },
            },
        },
        "networking": {"podCIDR": "10.64.0.0/16", "serviceCIDR": "10.128.0.0/16"},
    }


def k3k_clusters(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a k3k Cluster in shared mode (k3k 1.1): pods run as the host's pods, under the host's fences."""
    placement = pod_placement(scope)
    spec: dict[str, Any] = {
        "mode": "shared",
        "servers": 3 if scope.scenario.infrastructure.high_availability else 1,
        "persistence": {"type": "dynamic", "storageClassName": storage_class(scope.cls, scope.tenant, shared=False)},
        "serverLimit": {"cpu": "1", "memory": "2Gi"},
        "sync": {name: {"enabled": True} for name in ("configMaps", "persistentVolumeClaims", "secrets", "services")},
    }
    if placement:
        spec["nodeSelector"] = placement["nodeSelector"]
    api = "k3k.io/v1beta1"
    yield manifest(
        "cp_k3k",
        "isolation.control-plane",
        "control-plane",
        api,
        "Cluster",
        scope.name,
        namespace=scope.namespace,
        spec=spec,
    )


def k3k_policies(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the policy of virtual clusters of each class: shared mode only, restricted pods."""
    for cls in scope.classes:
        priorities = class_workloads(cls.scenario, cls.found.tenant_class)
        spec: dict[str, Any] = {"allowedMode": "shared", "podSecurityAdmissionLevel": "restricted"}
        if "sch_priority" in cls.options and priorities:
            spec["defaultPriorityClass"] = priority_class(min(priorities, key=lambda w: w.priority))
        yield manifest(
            "cp_k3k",
            "isolation.control-plane",
            "control-plane",
            "k3k.io/v1beta1",
            "VirtualClusterPolicy",
            f"tenancykit-{cls.id}",
            spec=spec,
        )
