"""A cluster per tenant, declared on the management cluster: Cluster API 1.14 and the providers' managed services.

Managed clusters are declared through Cluster API as well, so that one API covers three providers: CAPA
``AWSManagedControlPlane`` (v1beta2), CAPZ ``AzureASOManagedControlPlane`` (v1beta1), CAPG ``GCPManagedControlPlane``
(v1beta1). Elsewhere the provider's own API is used by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builders.hosted import POD_CIDR, SERVICE_CIDR, kubernetes_release
from tenancykit.manifests.builders.machines import Machine, workers
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import TenantScope

CAPI: Final = "cluster.x-k8s.io/v1beta2"
_INFRA: Final = "infrastructure.cluster.x-k8s.io"
_CONTROL: Final = "controlplane.cluster.x-k8s.io"
_BOOTSTRAP: Final = "bootstrap.cluster.x-k8s.io"
_PROVIDERS: Final = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}
_VERSIONS: Final = {"AWS": "v1beta2", "Azure": "v1beta1", "GCP": "v1beta1", "Metal3": "v1beta1"}


def _object(scope: TenantScope, option: str, api: str, kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest(
        option,
        "isolation.control-plane",
        "cluster",
        api,
        kind,
        name,
        namespace=scope.namespace,
        labels={"cluster.x-k8s.io/cluster-name": scope.name},
        spec=spec,
    )


def _reference(group: str, kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": group, "kind": kind, "name": name}


def _cluster(scope: TenantScope, option: str, control: str, infrastructure: str) -> Manifest:
    group = _CONTROL if "GCP" not in control and "AzureASO" not in control else _INFRA
    spec = {
        "clusterNetwork": {"pods": {"cidrBlocks": [POD_CIDR]}, "services": {"cidrBlocks": [SERVICE_CIDR]}},
        "controlPlaneRef": _reference(group, control, scope.name),
        "infrastructureRef": _reference(_INFRA, infrastructure, scope.name),
    }
    return _object(scope, option, CAPI, "Cluster", scope.name, spec)


def vpc_cidr(scope: TenantScope) -> str:
    """Return the address range of a tenant's VPC: one of 4,096 /20 ranges in 10.0.0.0/8, then again.

    VPCs do not meet; distinct ranges keep later peering possible for the first 4,096 tenants.
    """
    number = scope.ordinal % 4096
    return f"10.{number // 16}.{(number % 16) * 16}.0/20"


def capi_clusters(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's own cluster: control-plane machines, workers, and the health check that replaces broken ones."""
    family = _PROVIDERS.get(scope.cls.provider, "Metal3")
    high = scope.scenario.infrastructure.high_availability
    option, version = "cp_capi_dedicated", kubernetes_release(scope.scenario.kubernetes)
    api = f"{_INFRA}/{_VERSIONS[family]}"
    machine, count = workers(scope)
    yield _cluster(scope, option, "KubeadmControlPlane", f"{family}Cluster")
    yield _object(scope, option, api, f"{family}Cluster", scope.name, _infrastructure(scope, family))
    template = f"{family}MachineTemplate"
    control = f"{scope.name}-control-plane"
    yield _object(
        scope,
        option,
        f"{_CONTROL}/v1beta2",
        "KubeadmControlPlane",
        scope.name,
        {
            "replicas": 3 if high else 1,
            "version": version,
            "machineTemplate": {"spec": {"infrastructureRef": _reference(_INFRA, template, control)}},
            "kubeadmConfigSpec": {
                "clusterConfiguration": {
                    "apiServer": {
                        "extraArgs": [
                            {"name": "authentication-config", "value": "/etc/kubernetes/authentication.yaml"},
                            {"name": "enable-admission-plugins", "value": "NodeRestriction,PodSecurity"},
                        ]
                    }
                }
            },
        },
    )
    yield _object(scope, option, api, template, control, _machine_template(family, machine, "control-plane"))
    yield from _workers(scope, option, family, machine, count)


def _workers(scope: TenantScope, option: str, family: str, machine: Machine, count: int) -> Iterator[Manifest]:
    name, template = f"{scope.name}-workers", f"{family}MachineTemplate"
    yield _object(
        scope,
        option,
        f"{_INFRA}/{_VERSIONS[family]}",
        template,
        name,
        _machine_template(family, machine, "worker"),
    )
    joining = {
        "nodeRegistration": {"kubeletExtraArgs": [{"name": "node-labels", "value": f"{POOL_LABEL}={scope.namespace}"}]}
    }
    bootstrap = {"template": {"spec": {"joinConfiguration": joining}}}
    yield _object(scope, option, f"{_BOOTSTRAP}/v1beta2", "KubeadmConfigTemplate", name, bootstrap)
    labels = {"cluster.x-k8s.io/cluster-name": scope.name, "tenancykit.dev/role": "worker"}
    yield _object(
        scope,
        option,
        CAPI,
        "MachineDeployment",
        name,
        {
            "clusterName": scope.name,
            "replicas": count,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "clusterName": scope.name,
                    "version": kubernetes_release(scope.scenario.kubernetes),
                    "bootstrap": {"configRef": _reference(_BOOTSTRAP, "KubeadmConfigTemplate", name)},
                    "infrastructureRef": _reference(_INFRA, template, name),
                },
            },
        },
    )
    unhealthy = [{"type": "Ready", "status": status, "timeoutSeconds": 600} for status in ("False", "Unknown")]
    yield _object(
        scope,
        option,
        CAPI,
        "MachineHealthCheck",
        name,
        {
            "clusterName": scope.name,
            "selector": {"matchLabels": labels},
            "checks": {"unhealthyNodeConditions": unhealthy, "nodeStartupTimeoutSeconds": 1800},
            "remediation": {"triggerIf": {"unhealthyLessThanOrEqualTo": "40%"}},
        },
    )


def _infrastructure(scope: TenantScope, family: str) -> dict[str, Any]:
    site = scope.scenario.infrastructure.sites[0]
    region = site.region or "<region>"
    if family == "AWS":
        return {"region": region, "network": {"vpc": {"cidrBlock": vpc_cidr(scope)}}}
    if family == "Azure":
        return {
            "location": region,
            "resourceGroup": scope.namespace,
            "networkSpec": {"vnet": {"name": scope.namespace, "cidrBlocks": [vpc_cidr(scope)]}},
            "identityRef": {"kind": "AzureClusterIdentity", "name": "platform"},
        }
    if family == "GCP":
        return {"project": "<project>", "region": region, "network": {"name": scope.namespace}}
    return {"controlPlaneEndpoint": {"host": f"<endpoint-of-{scope.name}>", "port": 6443}}


def _machine_template(family: str, machine: Machine, role: str) -> dict[str, Any]:
    if family == "AWS":
        size = machine.type if role == "worker" else "m6i.xlarge"
        return {
            "template": {
                "spec": {"instanceType": size, "iamInstanceProfile": f"{role}.cluster-api-provider-aws.sigs.k8s.io"}
            }
        }
    if family == "Azure":
        disk = {"osType": "Linux", "diskSizeGB": 128}
        size = machine.type if role == "worker" else "Standard_D4s_v5"
        return {"template": {"spec": {"vmSize": size, "osDisk": disk}}}
    if family == "GCP":
        return {"template": {"spec": {"instanceType": machine.type if role == "worker" else "n2-standard-4"}}}
    image = {
        "url": "https://images.example.com/node.qcow2",
        "checksum": "<sha256-of-image>",
        "checksumType": "sha256",
        "format": "qcow2",
    }
    selector = {"matchLabels": {"tenancykit.dev/role": role}}
    return {"template": {"spec": {"image": image, "hostSelector": selector, "automatedCleaningMode": "metadata"}}}


def managed_clusters(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's managed cluster with its workers; nothing where the provider has no Cluster API provider."""
    builder = {"aws": _eks, "azure": _aks, "gcp": _gke}.get(scope.cls.provider)
    if builder is not None:
        yield from builder(scope)


_MANAGED: Final = "cp_managed_per_tenant"


def _region(scope: TenantScope) -> str:
    return scope.scenario.infrastructure.sites[0].region or "<region>"


def _eks(scope: TenantScope) -> Iterator[Manifest]:
    machine, count = workers(scope)
    yield _cluster(scope, _MANAGED, "AWSManagedControlPlane", "AWSManagedCluster")
    api = f"{_INFRA}/v1beta2"
    yield _object(scope, _MANAGED, api, "AWSManagedCluster", scope.name, {})
    yield _object(
        scope,
        _MANAGED,
        f"{_CONTROL}/v1beta2",
        "AWSManagedControlPlane",
        scope.name,
        {
            "region": _region(scope),
            "eksClusterName": scope.namespace,
            "version": f"v{scope.scenario.kubernetes}",
            "accessConfig": {"authenticationMode": "api", "bootstrapClusterCreatorAdminPermissions": False},
            "associateOIDCProvider": True,
            "endpointAccess": {"private": True, "public": False},
            "identityRef": {"kind": "AWSClusterRoleIdentity", "name": f"tenant-{scope.name}"},
            "network": {"vpc": {"cidrBlock": vpc_cidr(scope)}},
            "logging": {
                "apiServer": True,
                "audit": True,
                "authenticator": True,
                "controllerManager": True,
                "scheduler": True,
            },
            "oidcIdentityProviderConfig": {
                "clientId": "kubernetes",
                "identityProviderConfigName": "tenants",
                "issuerUrl": "https://identity.example.com",
                "groupsClaim": "groups",
            },
        },
    )
    image = "AL2023_x86_64_NVIDIA" if machine.gpus else "AL2023_x86_64_STANDARD"
    pool = {
        "amiType": image,
        "instanceType": machine.type,
        "scaling": {"minSize": count, "maxSize": count},
        "labels": {POOL_LABEL: scope.namespace},
    }
    yield from _machine_pool(scope, api, "AWSManagedMachinePool", pool, count)


def _machine_pool(scope: TenantScope, api: str, kind: str, spec: dict[str, Any], count: int) -> Iterator[Manifest]:
    name = f"{scope.name}-workers"
    yield _object(scope, _MANAGED, api, kind, name, spec)
    template = {
        "spec": {
            "clusterName": scope.name,
            "version": kubernetes_release(scope.scenario.kubernetes),
            "bootstrap": {"dataSecretName": ""},
            "infrastructureRef": _reference(_INFRA, kind, name),
        }
    }
    yield _object(
        scope,
        _MANAGED,
        CAPI,
        "MachinePool",
        name,
        {"clusterName": scope.name, "replicas": count, "template": template},
    )


def _gke(scope: TenantScope) -> Iterator[Manifest]:
    machine, count = workers(scope)
    api = f"{_INFRA}/v1beta1"
    yield _cluster(scope, _MANAGED, "GCPManagedControlPlane", "GCPManagedCluster")
    network = {"name": scope.namespace, "autoCreateSubnetworks": False}
    project = f"<project-of-{scope.name}>"
    subnet = {"name": scope.namespace, "cidrBlock": vpc_cidr(scope), "region": _region(scope)}
    cluster = {"project": project, "region": _region(scope), "network": {**network, "subnets": [subnet]}}
    yield _object(scope, _MANAGED, api, "GCPManagedCluster", scope.name, cluster)
    control = {
        "project": project,
        "location": _region(scope),
        "clusterName": scope.namespace,
        "releaseChannel": "stable",
        "enableIdentityService": True,
        "clusterNetwork": {"privateCluster": {"enablePrivateEndpoint": True, "enablePrivateNodes": True}},
    }
    yield _object(scope, _MANAGED, api, "GCPManagedControlPlane", scope.name, control)
    pool = {
        "machineType": machine.type,
        "scaling": {"enableAutoscaling": False, "minCount": count, "maxCount": count},
        "kubernetesLabels": {POOL_LABEL: scope.namespace},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "nodeSecurity": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
    }
    yield from _machine_pool(scope, api, "GCPManagedMachinePool", pool, count)


def _aks(scope: TenantScope) -> Iterator[Manifest]:
    machine, count = workers(scope)
    api = f"{_INFRA}/v1beta1"
    yield _cluster(scope, _MANAGED, "AzureASOManagedControlPlane", "AzureASOManagedCluster")
    group = {
        "apiVersion": "resources.azure.com/v1api20200601",
        "kind": "ResourceGroup",
        "metadata": {"name": scope.namespace},
        "spec": {"location": _region(scope)},
    }
    yield _object(scope, _MANAGED, api, "AzureASOManagedCluster", scope.name, {"resources": [group]})
    cluster = {
        "apiVersion": "containerservice.azure.com/v1api20240901",
        "kind": "ManagedCluster",
        "metadata": {"name": scope.namespace},
        "spec": {
            "location": _region(scope),
            "owner": {"name": scope.namespace},
            "dnsPrefix": scope.namespace,
            "identity": {"type": "SystemAssigned"},
            "disableLocalAccounts": True,
            "aadProfile": {"managed": True, "enableAzureRBAC": False},
            "apiServerAccessProfile": {"enablePrivateCluster": True},
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPolicy": "cilium",
                "networkDataplane": "cilium",
                "podCidr": POD_CIDR,
                "serviceCidr": SERVICE_CIDR,
                "dnsServiceIP": "10.128.0.10",
            },
            "sku": {"name": "Base", "tier": "Standard"},
        },
    }
    version = kubernetes_release(scope.scenario.kubernetes)
    control = {"version": version, "resources": [cluster]}
    yield _object(scope, _MANAGED, api, "AzureASOManagedControlPlane", scope.name, control)
    pool = {
        "apiVersion": "containerservice.azure.com/v1api20240901",
        "kind": "ManagedClustersAgentPool",
        "metadata": {"name": f"{scope.namespace}-workers"},
        "spec": {
            "azureName": "workers",
            "owner": {"name": scope.namespace},
            "vmSize": machine.type,
            "count": count,
            "mode": "System",
            "osType": "Linux",
            "nodeLabels": {POOL_LABEL: scope.namespace},
        },
    }
    yield from _machine_pool(scope, api, "AzureASOManagedMachinePool", {"resources": [pool]}, count)
