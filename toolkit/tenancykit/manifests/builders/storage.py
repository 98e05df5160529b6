"""Storage classes, shared or per tenant, with the tenant's key where one is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.records import dataclass
from tenancykit.manifests.builders import quota
from tenancykit.manifests.builds import KUBERNETES, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope, storage_class

API: Final = "storage.k8s.io/v1"


@dataclass(frozen=True)
class Driver:
    """CSI drivers of a provider: for volumes of one pod and for volumes many pods mount.

    Attributes:
        block: provisioner of volumes of one pod.
        block_parameters: its parameters.
        shared: provisioner of volumes many pods mount.
        shared_parameters: its parameters; angle brackets are the operator's to fill in.
    """

    block: str
    block_parameters: dict[str, str]
    shared: str
    shared_parameters: dict[str, str]


_CEPH: Final = Driver(
    "rook-ceph.rbd.csi.ceph.com",
    {
        "clusterID": "rook-ceph",
        "pool": "replicapool",
        "csi.storage.k8s.io/fstype": "ext4",
        "csi.storage.k8s.io/provisioner-secret-name": "rook-csi-rbd-provisioner",
        "csi.storage.k8s.io/provisioner-secret-namespace": "rook-ceph",
        "csi.storage.k8s.io/node-stage-secret-name": "rook-csi-rbd-node",
        "csi.storage.k8s.io/node-stage-secret-namespace": "rook-ceph",
    },
    "rook-ceph.cephfs.csi.ceph.com",
    {
        "clusterID": "rook-ceph",
        "fsName": "sharedfs",
        "csi.storage.k8s.io/provisioner-secret-name": "rook-csi-cephfs-provisioner",
        "csi.storage.k8s.io/provisioner-secret-namespace": "rook-ceph",
        "csi.storage.k8s.io/node-stage-secret-name": "rook-csi-cephfs-node",
        "csi.storage.k8s.io/node-stage-secret-namespace": "rook-ceph",
    },
)
DRIVERS: Final[dict[str, Driver]] = {
    "aws": Driver(
        "ebs.csi.aws.com",
        {"type": "gp3", "encrypted": "true"},
        "efs.csi.aws.com",
        {"provisioningMode": "efs-ap", "fileSystemId": "<file-system-id>", "directoryPerms": "700"},
    ),
    "azure": Driver("disk.csi.azure.com", {"skuName": "Premium_LRS"}, "file.csi.azure.com", {"skuName": "Premium_LRS"}),
    "gcp": Driver(
        "pd.csi.storage.gke.io", {"type": "pd-balanced"}, "filestore.csi.storage.gke.io", {"tier": "standard"}
    ),
}
"""Drivers by provider; everywhere else Rook 1.x with Ceph, the CNCF-graduated default (catalogue: st_dedicated)."""


def driver_of(cls: ClassScope) -> Driver:
    """Return the CSI drivers of a class's first site."""
    return DRIVERS.get(cls.provider, _CEPH)


def _storage_class(
    because: tuple[str, ...], name: str, provisioner: str, parameters: dict[str, str], **more: Any
) -> Manifest:
    return manifest(
        because,
        "isolation.storage",
        "storage",
        API,
        "StorageClass",
        name,
        annotations={"storageclass.kubernetes.io/is-default-class": "false"},
        provisioner=provisioner,
        parameters=parameters,
        reclaimPolicy="Delete",
        allowVolumeExpansion=True,
        **more,
    )


def shared_classes(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the StorageClasses all tenants use; volumes are deleted with their claims, never handed on."""
    driver = driver_of(scope.classes[0])
    because = ("st_shared_sc",)
    yield _storage_class(
        because,
        "tenancykit-standard",
        driver.block,
        dict(driver.block_parameters),
        volumeBindingMode="WaitForFirstConsumer",
    )
    if any(_mounts_together(cls) for cls in scope.classes):
        yield _storage_class(
            because,
            "tenancykit-standard-shared",
            driver.shared,
            dict(driver.shared_parameters),
            volumeBindingMode="Immediate",
        )


def _mounts_together(cls: ClassScope) -> bool:
    return any(w.storage is not None and w.storage.shared for w in cls.scenario.workloads)


def tenant_classes(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the StorageClasses of one tenant, in its own pool where the storage is dedicated, under its own key."""
    driver = driver_of(scope.cls)
    option = next(o for o in scope.cls.found.choice.options if o in ("st_sc_quota", "st_dedicated"))
    because = (option, "st_tenant_keys") if "st_tenant_keys" in scope.options else (option,)
    for shared in (False, True):
        if shared and not _mounts_together(scope.cls):
            continue
        provisioner = driver.shared if shared else driver.block
        parameters = dict(driver.shared_parameters if shared else driver.block_parameters)
        if driver is _CEPH:
            parameters |= _ceph_parameters(scope, shared=shared)
        if "st_tenant_keys" in scope.options:
            parameters |= key_parameters(scope, shared=shared)
        yield _storage_class(
            because,
            storage_class(scope.cls, scope.tenant, shared=shared),
            provisioner,
            parameters,
            volumeBindingMode="Immediate" if shared else "WaitForFirstConsumer",
        )


def _ceph_parameters(scope: TenantScope, *, shared: bool) -> dict[str, str]:
    if "st_dedicated" in scope.options:
        return {"clusterID": "rook-ceph", **({} if shared else {"pool": scope.namespace})}
    return {} if shared else {"pool": "replicapool"}


def key_parameters(scope: TenantScope, *, shared: bool) -> dict[str, str]:
    """Return the parameters that make the driver use the tenant's key; what stands in angle brackets is the operator's.

    AWS EBS ``kmsKeyId``, Azure ``diskEncryptionSetID``, GCP ``disk-encryption-kms-key``, Ceph CSI ``encryptionKMSID``,
    as each driver's own documentation names them; assumption: one key per tenant, named after it.
    """
    name = scope.namespace
    if scope.cls.provider == "aws":
        key = f"arn:aws:kms:<region>:<account>:alias/{name}"
        return {"kmsKeyId": key}
    if scope.cls.provider == "azure":
        group = "/subscriptions/<subscription>/resourceGroups/<group>"
        resource = f"{group}/providers/Microsoft.Compute/diskEncryptionSets/{name}"
        return {} if shared else {"diskEncryptionSetID": resource}
    if scope.cls.provider == "gcp":
        ring = "projects/<project>/locations/<region>/keyRings/tenants/cryptoKeys"
        key_name = "instance-encryption-kms-key" if shared else "disk-encryption-kms-key"
        return {key_name: f"{ring}/{name}"}
    return {"encrypted": "true", "encryptionKMSID": f"kms-{name}"}


def ceph_pool(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's own Ceph cluster (in a cluster of its own) or pool (beside others), on own hardware.

    Where a provider sells storage, dedicated storage is the tenant's own account and leaves no object here.
    """
    if driver_of(scope.cls) is not _CEPH:
        return
    if scope.cls.found.cluster.per_tenant:
        yield manifest(
            "st_dedicated",
            "isolation.storage",
            "storage",
            "ceph.rook.io/v1",
            "CephCluster",
            "rook-ceph",
            namespace="rook-ceph",
            spec={
                "cephVersion": {"image": "quay.io/ceph/ceph:v19"},
                "dataDirHostPath": "/var/lib/rook",
                "mon": {"count": 3, "allowMultiplePerNode": False},
                "storage": {"useAllNodes": True, "useAllDevices": True},
                "network": {"connections": {"encryption": {"enabled": True}}},
            },
        )
    yield manifest(
        "st_dedicated",
        "isolation.storage",
        "storage",
        "ceph.rook.io/v1",
        "CephBlockPool",
        scope.namespace,
        namespace="rook-ceph",
        spec={"failureDomain": "host", "replicated": {"size": 3}},
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "st_shared_sc": OptionBuild((("pods", shared_classes),), upstream=KUBERNETES),
    "st_sc_quota": OptionBuild(tenant=(("pods", tenant_classes), ("pods", quota.storage_quota)), upstream=KUBERNETES),
    "st_dedicated": OptionBuild(
        tenant=(("pods", tenant_classes), ("pods", quota.storage_quota), ("pods", ceph_pool)),
        upstream="Rook ceph.rook.io/v1",
    ),
}
"""What is built for each option that only this module serves."""
