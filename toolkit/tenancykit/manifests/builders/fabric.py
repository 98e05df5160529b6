"""RDMA fabrics kept apart per tenant: InfiniBand partitions and Spectrum-X (NVIDIA Network Operator 26.7, SR-IOV)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builds import OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

NAMESPACE: Final = "nvidia-network-operator"
_RESOURCE: Final = "tenantrdma"
_PARTITIONS: Final = 0x7FFE
"""Partition keys 0x0001 to 0x7ffe; 0x7fff is the default partition of InfiniBand."""


def partition_key(ordinal: int) -> str:
    """Return the partition key of a tenant by its position; the fabric manager must hold the same assignment.

    Raises:
        ValueError: an InfiniBand subnet has 32,766 partitions.
    """
    if ordinal >= _PARTITIONS:
        raise ValueError(f"an InfiniBand subnet holds {_PARTITIONS} tenants' partitions; split the fabric")
    return f"0x{ordinal + 1:04x}"


def _namespace(option: str) -> Manifest:
    labels = {"pod-security.kubernetes.io/enforce": "privileged", "tenancykit.dev/system": "true"}
    return manifest(option, "isolation.network", "namespaces", "v1", "Namespace", NAMESPACE, labels=labels)


def infiniband(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the operator's namespace, the controller that talks to UFM, and virtual functions on every host."""
    option, release = "net_rdma_pkey", "<network-operator-release>"
    yield _namespace(option)
    image = {"repository": "nvcr.io/nvidia/mellanox", "version": release}
    yield manifest(
        option,
        "isolation.network",
        "fabric",
        "mellanox.com/v1alpha1",
        "NicClusterPolicy",
        "nic-cluster-policy",
        spec={
            "ofedDriver": {"image": "doca-driver", **image},
            "ibKubernetes": {
                "image": "ib-kubernetes",
                **image,
                "ufmSecret": "ufm-secret",
                "pKeyGUIDPoolRangeStart": "02:00:00:00:00:00:00:00",
                "pKeyGUIDPoolRangeEnd": "02:FF:FF:FF:FF:FF:FF:FF",
                "periodicUpdateSeconds": 5,
            },
            "nvIpam": {"image": "nvidia-k8s-ipam", **image, "enableWebhook": False},
        },
    )
    yield manifest(
        option,
        "isolation.network",
        "fabric",
        "sriovnetwork.openshift.io/v1",
        "SriovNetworkNodePolicy",
        "tenant-rdma",
        namespace=NAMESPACE,
        spec={
            "resourceName": _RESOURCE,
            "nodeSelector": {"feature.node.kubernetes.io/pci-15b3.present": "true"},
            "nicSelector": {"vendor": "15b3"},
            "numVfs": 8,
            "linkType": "ib",
            "isRdma": True,
            "deviceType": "netdevice",
        },
    )


def infiniband_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's attachment: its virtual functions join its partition only (ib-sriov CNI, ib-kubernetes)."""
    configuration = {
        "cniVersion": "0.3.1",
        "name": "tenant-rdma",
        "type": "ib-sriov",
        "pkey": partition_key(scope.ordinal),
        "link_state": "enable",
        "rdmaIsolation": True,
        "ibKubernetesEnabled": True,
        "ipam": {"type": "nv-ipam", "poolName": "tenant-rdma"},
    }
    yield _attachment("net_rdma_pkey", scope, configuration)


def _attachment(option: str, scope: TenantScope, configuration: dict[str, Any]) -> Manifest:
    return manifest(
        option,
        "isolation.network",
        "fabric",
        "k8s.cni.cncf.io/v1",
        "NetworkAttachmentDefinition",
        "tenant-rdma",
        namespace=scope.namespace,
        annotations={"k8s.v1.cni.cncf.io/resourceName": f"nvidia.com/{_RESOURCE}"},
        spec={"config": json.dumps(configuration, sort_keys=True)},
    )


def spectrum_x(scope: ClusterScope) -> Iterator[Manifest]:  # noqa: ARG001 - every builder takes its scope
    """Yield the SuperNICs' Spectrum-X profile; which tenant a host belongs to is set in the fabric by its VNI."""
    option = "net_spectrum_x"
    yield _namespace(option)
    yield manifest(
        option,
        "isolation.network",
        "fabric",
        "configuration.net.nvidia.com/v1alpha1",
        "NicConfigurationTemplate",
        "tenancykit-spectrum-x",
        namespace=NAMESPACE,
        spec={
            "nodeSelector": {"feature.node.kubernetes.io/pci-15b3.present": "true"},
            "nicSelector": {"nicType": "a2dc"},
            "template": {
                "numVfs": 1,
                "linkType": "Ethernet",
                "spectrumXOptimized": {"enabled": True, "version": "<spectrum-x-release>", "overlay": "l3"},
            },
        },
    )


def spectrum_x_tenant(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's attachment to the RoCE rails of its hosts."""
    configuration = {
        "cniVersion": "0.3.1",
        "name": "tenant-rdma",
        "type": "sriov",
        "ipam": {"type": "nv-ipam", "poolName": "tenant-rdma"},
    }
    yield _attachment("net_spectrum_x", scope, configuration)


BUILDS: Final[dict[str, OptionBuild]] = {
    "net_rdma_pkey": OptionBuild(
        (("pods", infiniband),), (("pods", infiniband_tenant),), upstream="NVIDIA Network Operator 26.7"
    ),
    "net_spectrum_x": OptionBuild(
        (("pods", spectrum_x),), (("pods", spectrum_x_tenant),), upstream="NVIDIA Network Operator 26.7"
    ),
}
"""What is built for each option that only this module serves."""
