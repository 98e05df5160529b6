"""Hosted control planes on a management cluster: Kamaji, HyperShift, k0smotron and Gardener."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.quantities import memory_text
from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builders.machines import workers
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

POD_CIDR: Final = "10.64.0.0/16"
SERVICE_CIDR: Final = "10.128.0.0/16"
"""Address ranges inside every tenant's cluster: they never meet, so each cluster may use the same ones."""
_PATCH: Final = {"1.30": 14, "1.31": 12, "1.32": 8, "1.33": 6, "1.34": 4, "1.35": 2, "1.36": 2, "1.37": 1}
"""Assumption: patch release named for each Kubernetes minor; the operator takes the newest."""


def kubernetes_release(version: str) -> str:
    """Return a full release of a Kubernetes minor, as hosted control planes ask for it."""
    return f"v{version}.{_PATCH.get(version, 0)}"


def _replicas(scope: TenantScope, many: int = 3) -> int:
    return many if scope.scenario.infrastructure.high_availability else 1


def _amounts(cpu: str, memory: str) -> dict[str, dict[str, str]]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


def kamaji_datastore(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the datastore that control planes share; its certificates are the operator's Secrets (Kamaji 26.8)."""

    def secret(name: str, key: str) -> dict[str, Any]:
        return {"secretReference": {"name": name, "namespace": "kamaji-system", "keyPath": key}}

    spec = {
        "driver": "etcd",
        "endpoints": [f"etcd-{n}.etcd.kamaji-system.svc.cluster.local:2379" for n in range(3)],
        "tlsConfig": {
            "certificateAuthority": {
                "certificate": secret("etcd-certs", "ca.crt"),
                "privateKey": secret("etcd-certs", "ca.key"),
            },
            "clientCertificate": {
                "certificate": secret("root-client-certs", "tls.crt"),
                "privateKey": secret("root-client-certs", "tls.key"),
            },
        },
    }
    api, name = "kamaji.clastix.io/v1alpha1", "tenants"
    yield manifest("cp_kamaji", "isolation.control-plane", "control-plane", api, "DataStore", name, spec=spec)


def kamaji_control_planes(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's control plane: upstream components as one Deployment, joined over Konnectivity.

    Requests are those of Kamaji's documented example (catalogue source kamaji_aws).
    """
    spec = {
        "dataStore": "tenants",
        "controlPlane": {
            "deployment": {
                "replicas": _replicas(scope),
                "resources": {
                    "apiServer": _amounts("250m", "512Mi"),
                    "controllerManager": _amounts("125m", "256Mi"),
                    "scheduler": _amounts("125m", "256Mi"),
                },
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": {"kamaji.clastix.io/name": scope.name}},
                    }
                ],
            },
            "service": {"serviceType": "LoadBalancer"},
        },
        "kubernetes": {
            "version": kubernetes_release(scope.scenario.kubernetes),
            "kubelet": {"cgroupfs": "systemd", "preferredAddressTypes": ["InternalIP", "Hostname"]},
        },
        "networkProfile": {
            "port": 6443,
            "podCidr": POD_CIDR,
            "serviceCidr": SERVICE_CIDR,
            "dnsServiceIPs": ["10.128.0.10"],
        },
        "addons": {"coreDNS": {}, "kubeProxy": {}, "konnectivity": {"server": {"port": 8132}, "agent": {}}},
    }
    yield manifest(
        "cp_kamaji",
        "isolation.control-plane",
        "control-plane",
        "kamaji.clastix.io/v1alpha1",
        "TenantControlPlane",
        scope.name,
        namespace=scope.namespace,
        spec=spec,
    )


def hypershift_clusters(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a hosted OpenShift cluster and its workers (``hypershift.openshift.io/v1beta1``, agent platform)."""
    release = {"image": "quay.io/openshift-release-dev/ocp-release:<release>"}
    services = ["APIServer", "OAuthServer", "Konnectivity", "Ignition"]
    publishing = [
        {"service": name, "servicePublishingStrategy": {"type": "LoadBalancer" if name == "APIServer" else "Route"}}
        for name in services
    ]
    availability = "HighlyAvailable" if scope.scenario.infrastructure.high_availability else "SingleReplica"
    volume = {"type": "PersistentVolume", "persistentVolume": {"size": "8Gi"}}
    api = "hypershift.openshift.io/v1beta1"
    yield _hosted(
        scope,
        "cp_hypershift",
        api,
        "HostedCluster",
        {
            "release": release,
            "pullSecret": {"name": "pull-secret"},
            "dns": {"baseDomain": "clusters.example.com"},
            "controllerAvailabilityPolicy": availability,
            "etcd": {"managementType": "Managed", "managed": {"storage": volume}},
            "networking": {
                "networkType": "OVNKubernetes",
                "clusterNetwork": [{"cidr": POD_CIDR}],
                "serviceNetwork": [{"cidr": SERVICE_CIDR}],
            },
            "platform": {"type": "Agent", "agent": {"agentNamespace": scope.namespace}},
            "services": publishing,
        },
    )
    _, count = workers(scope)
    yield _hosted(
        scope,
        "cp_hypershift",
        api,
        "NodePool",
        {
            "clusterName": scope.name,
            "replicas": count,
            "release": release,
            "management": {"upgradeType": "InPlace", "autoRepair": False},
            "platform": {
                "type": "Agent",
                "agent": {"agentLabelSelector": {"matchLabels": {POOL_LABEL: scope.namespace}}},
            },
        },
    )


def _hosted(scope: TenantScope, option: str, api: str, kind: str, spec: dict[str, Any]) -> Manifest:
    return manifest(
        option,
        "isolation.control-plane",
        "control-plane",
        api,
        kind,
        scope.name,
        namespace=scope.namespace,
        spec=spec,
    )


def k0smotron_clusters(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a hosted k0s control plane (``k0smotron.io/v1beta2``).

    It stores in etcd: kine loses writes under churn in the project's own benchmark (catalogue source k0smotron_bench).
    """
    spec = {
        "replicas": _replicas(scope),
        "version": f"{kubernetes_release(scope.scenario.kubernetes)}-k0s.0",
        "service": {"type": "LoadBalancer", "apiPort": 6443, "konnectivityPort": 8132},
        "storage": {
            "type": "etcd",
            "etcd": {"image": "quay.io/k0sproject/etcd:v3.6.4", "persistence": {"size": "8Gi"}},
        },
        "persistence": {"type": "emptyDir"},
        "resources": _amounts("500m", memory_text(1 << 30)),
    }
    yield _hosted(scope, "cp_k0smotron", "k0smotron.io/v1beta2", "Cluster", spec)


def gardener_shoots(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a Shoot in the tenant's project of the garden (``core.gardener.cloud/v1beta1``, Gardener 1.149)."""
    machine, count = workers(scope)
    site = scope.scenario.infrastructure.sites[0]
    provider = {"own": "metal"}.get(site.provider, site.provider)
    worker = {
        "name": "workers",
        "machine": {"type": machine.type, "image": {"name": "gardenlinux"}},
        "minimum": count,
        "maximum": count,
        "maxSurge": 0,
        "maxUnavailable": 1,
    }
    high = {"highAvailability": {"failureTolerance": {"type": "node"}}}
    spec = {
        "cloudProfile": {"name": provider},
        "region": site.region or "<region>",
        "credentialsBindingName": "tenant-credentials",
        "kubernetes": {"version": scope.scenario.kubernetes, "enableStaticTokenKubeconfig": False},
        "networking": {"type": "cilium", "pods": POD_CIDR, "services": SERVICE_CIDR},
        "provider": {"type": provider, "workers": [worker]},
        "purpose": "production" if scope.cls.found.tenant_class.environment == "production" else "development",
        **({"controlPlane": high} if scope.scenario.infrastructure.high_availability else {}),
    }
    yield manifest(
        "cp_gardener",
        "isolation.control-plane",
        "control-plane",
        "core.gardener.cloud/v1beta1",
        "Shoot",
        scope.name[:21].rstrip("-"),
        namespace=scope.namespace,
        spec=spec,
    )
