"""Backups of one tenant: its own place, credential and schedule (Velero 1.18, chart 12.1).

Sources: https://velero.io/docs/v1.18/locations/ (several locations, each with a credential of its own) and
https://velero.io/docs/v1.18/csi-snapshot-data-movement/ (node agents move snapshots to the location).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

VELERO_NAMESPACE: Final = "velero"
_OPTION: Final = "st_velero_tenant"
_API: Final = "velero.io/v1"
_KEEP: Final = "720h0m0s"
"""How long a backup is kept: Velero's own default of 30 days."""
_WHEN: Final = "{minute} 1 * * *"
"""Assumption: once a night; tenants' minutes differ, so that not all start at once."""
PLUGINS: Final = {"aws": "aws", "azure": "microsoft-azure", "gcp": "gcp"}
"""Plugin of the object store by provider; what speaks S3 takes that of AWS."""


def backup_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the namespace of the backup server, whose node agents mount volumes from their host."""
    yield platform_namespace(scope, _OPTION, "persistence", VELERO_NAMESPACE, "privileged")


def tenant_backups(scope: TenantScope) -> Iterator[Manifest]:
    """Yield where a tenant's backups go and when they are made: its own bucket and credential, its namespace only.

    What stands in angle brackets is the operator's to fill in; so is the Secret ``<tenant>-backup``, which is in no
    export. Objects outside the namespace are left out, so that a restore writes nothing that others use.
    """
    provider = scope.cls.provider
    yield _velero(
        "BackupStorageLocation",
        scope.namespace,
        {
            "provider": PLUGINS.get(provider, "aws").removeprefix("microsoft-"),
            "objectStorage": {"bucket": f"<prefix>-{scope.namespace}"},
            "credential": {"name": f"{scope.namespace}-backup", "key": "cloud"},
            "accessMode": "ReadWrite",
        },
    )
    template: dict[str, Any] = {
        "includedNamespaces": [scope.namespace],
        "includeClusterResources": False,
        "storageLocation": scope.namespace,
        "snapshotMoveData": True,
        "ttl": _KEEP,
    }
    yield _velero(
        "Schedule", scope.namespace, {"schedule": _WHEN.format(minute=scope.ordinal % 60), "template": template}
    )


def _velero(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest(_OPTION, "persistence", "storage", _API, kind, name, namespace=VELERO_NAMESPACE, spec=spec)


def velero_values(scope: ClusterScope) -> dict[str, Any]:
    """Return Velero's Helm values: node agents, no location and no credential that all tenants share."""
    plugins = sorted({PLUGINS.get(cls.provider, "aws") for cls in scope.classes})
    mount = [{"mountPath": "/target", "name": "plugins"}]
    return {
        "deployNodeAgent": True,
        "credentials": {"useSecret": False},
        "configuration": {"backupStorageLocation": [], "volumeSnapshotLocation": [], "features": "EnableCSI"},
        "snapshotsEnabled": False,
        "resources": {"requests": {"cpu": "500m", "memory": "128Mi"}},
        "initContainers": [
            {
                "name": f"velero-plugin-for-{name}",
                "image": f"velero/velero-plugin-for-{name}:<version>",
                "volumeMounts": mount,
            }
            for name in plugins
        ],
    }


BUILDS: Final[dict[str, OptionBuild]] = {
    "st_velero_tenant": OptionBuild(
        (("pods", backup_namespace),),
        (("pods", tenant_backups),),
        (Chart("velero", VELERO_NAMESPACE, values=velero_values, requirement="persistence"),),
        upstream="Velero 1.18 (velero.io/v1)",
    ),
}
"""What is built for each option that only this module serves."""
