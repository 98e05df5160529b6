"""Volumes made by hand that whoever claims first gets: hostPath and others, past Pod Security.

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume; Pod Security looks
at a pod's volumes and not through its claims (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kubeanswers.objects import ManifestObject, mapping, scalar_text
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import NODE, VOLUMES, Path, Scene, finding

_SYSTEM: Final = (
    "/etc", "/var/lib", "/var/run", "/run", "/root", "/proc", "/sys", "/dev", "/boot", "/usr", "/bin", "/sbin", "/lib",
    "/home", "/opt",
)  # fmt: skip
"""Directories from which whoever writes them takes a node over. Assumption."""


def volume_paths(scene: Scene) -> Iterator[Path]:
    """Yield the volumes of nodes and of nobody that tenants have or may claim."""
    makers = scene.makers_of("", "persistentvolumeclaims")
    claims = {(item.namespace, item.name): item for item in scene.objects.of("", "PersistentVolumeClaim")}
    for item in scene.objects.of("", "PersistentVolume"):
        bound = mapping(item.spec.get("claimRef"))
        space = scalar_text(bound.get("namespace"))
        owner = scene.tenancy.by_namespace.get(space, "")
        if space and not owner:
            continue
        if space:
            takers = {owner: f"claim {space}/{scalar_text(bound.get('name'))} has it"}
        else:
            wanted = {
                tenant: f"{claim} asks for it"
                for key, claim in claims.items()
                if (tenant := scene.tenancy.by_namespace.get(key[0], "")) and _fits(claim, item)
            }
            takers = {**makers, **wanted}
        if takers:
            yield from _volume(scene, item, takers, is_bound=bool(space))
    yield from _shared_storage(scene)


_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "nfs": ("server", "path"),
    "csi": ("driver", "volumeHandle"),
    "iscsi": ("targetPortal", "iqn", "lun"),
    "fc": ("targetWWNs", "wwids", "lun"),
    "cephfs": ("monitors", "path"),
    "rbd": ("monitors", "pool", "image"),
    "glusterfs": ("endpoints", "path"),
    "azureFile": ("shareName", "secretName", "secretNamespace"),
    "awsElasticBlockStore": ("volumeID",),
    "gcePersistentDisk": ("pdName",),
    "azureDisk": ("diskURI",),
    "vsphereVolume": ("volumePath",),
}
"""Fields that name the storage behind a volume, by the volume's source."""


def _storage(item: ManifestObject) -> str:
    """Return what names the storage behind a volume; empty where nothing does."""
    for source, fields in _PLACES.items():
        stated = mapping(item.spec.get(source))
        if stated:
            return " ".join((source, *(str(stated.get(name, "")) for name in fields)))
    return ""


def _shared_storage(scene: Scene) -> Iterator[Path]:
    """Yield the storage that volumes of several tenants lead to."""
    users: dict[str, list[tuple[str, ManifestObject]]] = {}
    directories: dict[str, list[tuple[str, str, ManifestObject]]] = {}
    claims = {
        scalar_text(claim.spec.get("volumeName")): tenant
        for claim, tenant in scene.of_tenants("", "PersistentVolumeClaim")
    }
    for item in scene.objects.of("", "PersistentVolume"):
        bound = scalar_text(mapping(item.spec.get("claimRef")).get("namespace"))
        tenant = scene.tenancy.by_namespace.get(bound, "") or claims.get(item.name, "")
        if tenant and (place := _storage(item)):
            users.setdefault(place, []).append((tenant, item))
            root, path = _directory(item)
            if path:
                directories.setdefault(root, []).append((path, tenant, item))
    for _, inside in sorted(directories.items()):
        yield from _holding(inside)
    for place, found in sorted(users.items()):
        tenants = frozenset(tenant for tenant, _ in found)
        if len(tenants) < 2:
            continue
        first = min(tenants)
        item = next(item for tenant, item in found if tenant == first)
        yield Path(
            finding(
                "volume-open",
                Severity.HIGH,
                item,
                f"leads to the same storage ({place}) as volumes of {len(tenants) - 1} other "
                f"tenant{'s' if len(tenants) > 2 else ''}",
                f"{first} -> {item} -> {place} -> data of {', '.join(sorted(tenants - {first})[:3])}",
                "give each tenant storage of its own, or a directory of its own with credentials of its own",
                VOLUMES,
                tenants,
            ),
            tenants,
            tenants,
        )


def _directory(item: ManifestObject) -> tuple[str, str]:
    """Return the share a volume is a directory of, and the directory, ending in a slash; empty for other volumes."""
    for source, (*fields, last) in _PLACES.items():
        stated = mapping(item.spec.get(source))
        if stated and last == "path":
            root = " ".join((source, *(str(stated.get(name, "")) for name in fields)))
            return root, f"{scalar_text(stated.get('path')).rstrip('/')}/"
    return "", ""


def _holding(found: list[tuple[str, str, ManifestObject]]) -> Iterator[Path]:
    """Yield the directories of a share that hold those of another tenant."""
    for path, tenant, item in found:
        held = {
            other: below for below, other, _ in found if other != tenant and below != path and below.startswith(path)
        }
        if not held:
            continue
        first = min(held)
        yield Path(
            finding(
                "volume-open",
                Severity.HIGH,
                item,
                f"its directory {path} holds {held[first]} of tenant {first}",
                f"{tenant} -> {item} -> {path} -> {held[first]} of {first}",
                "give each tenant a directory beside the others', with credentials of its own",
                VOLUMES,
                [tenant],
            ),
            frozenset({tenant}),
            frozenset(held),
        )


def _fits(claim: ManifestObject, volume: ManifestObject) -> bool:
    named = scalar_text(claim.spec.get("volumeName"))
    if named:
        return named == volume.name
    return scalar_text(claim.spec.get("storageClassName")) == scalar_text(volume.spec.get("storageClassName"))


def _volume(scene: Scene, item: ManifestObject, takers: dict[str, str], *, is_bound: bool) -> Iterator[Path]:
    tenant = min(takers, key=lambda name: ("asks for" not in takers[name], name))
    path = scalar_text(mapping(item.spec.get("hostPath")).get("path"))
    if path:
        root = path == "/" or path.rstrip("/").startswith(_SYSTEM)
        yield Path(
            finding(
                "volume-open",
                Severity.CRITICAL if root else Severity.HIGH,
                item,
                f"is the directory {path} of a node; {takers[tenant]}",
                f"{tenant} -> claim -> {item} -> {path} of its node" + (" -> root of the node" if root else ""),
                "remove hostPath volumes from clusters with tenants, or reserve each for the platform (spec.claimRef)",
                NODE,
                takers,
            ),
            frozenset(takers),
            scene.everybody,
            sure=root,
        )
    elif not is_bound and len(scene.everybody) > 1:
        yield Path(
            finding(
                "volume-open",
                Severity.MEDIUM,
                item,
                f"waits for whoever claims it first; {takers[tenant]}",
                f"{tenant} -> claim -> {item} -> what another tenant left on it, or was meant to have",
                "reserve it for one claim (spec.claimRef), or provision volumes dynamically",
                VOLUMES,
                takers,
            )
        )
