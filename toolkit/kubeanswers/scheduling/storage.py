"""Volumes of a cluster: claims, the volumes bound to them, classes that provision, and what machines can attach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.scheduling.objects import label_selector, labels_of, node_terms
from kubeanswers.scheduling.requests import Object, amount
from kubeanswers.scheduling.values import NodeTerm, Selector

CLAIM: Final = "PersistentVolumeClaim"
DISK: Final = "PersistentVolume"
CLASS: Final = "StorageClass"
KINDS: Final = (CLAIM, DISK, CLASS, "CSINode", "CSIDriver", "CSIStorageCapacity", "VolumeAttachment")
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
_ZONES: Final = (
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
_BOUND: Final = "pv.kubernetes.io/bind-completed"
_SELECTED: Final = "volume.kubernetes.io/selected-node"
_OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim.

    Attributes:
        key, name: ``namespace/name`` and name.
        size: bytes asked for; ``None`` where it says none.
        storage_class, attributes_class, mode: as they are named in its spec.
        access: access modes.
        selector: labels of volumes it accepts; ``None`` for any.
        disk: its volume; empty before one is chosen.
        bound: whether claim and volume are bound to each other.
        selected: machine its volume is to be provisioned for.
        lost, deleting: whether its volume is gone, or it goes itself.
    """

    key: str
    name: str
    size: int | None
    storage_class: str
    attributes_class: str
    mode: str
    access: frozenset[str]
    selector: Selector | None
    disk: str
    bound: bool
    selected: str
    lost: bool
    deleting: bool


@dataclass(frozen=True)
class Disk:
    """A PersistentVolume; ``claim`` is whose it is, ``zones`` are allowed values of topology labels.

    ``handle`` names it to its CSI ``driver``; without a driver it does not count as attached.
    """

    name: str
    labels: Mapping[str, str]
    size: int
    storage_class: str
    attributes_class: str
    mode: str
    access: frozenset[str]
    claim: str
    terms: tuple[NodeTerm, ...] | None
    zones: tuple[tuple[str, frozenset[str]], ...]
    available: bool
    deleting: bool
    driver: str
    handle: str


@dataclass(frozen=True)
class StorageClass:
    """A StorageClass; ``waits`` for the first pod before a volume is chosen; ``topologies`` limit where."""

    name: str
    provisioner: str
    waits: bool
    topologies: tuple[tuple[tuple[str, frozenset[str]], ...], ...]


@dataclass(frozen=True)
class Room:
    """How large a volume of a class can be provisioned for machines with some labels."""

    storage_class: str
    where: Selector | None
    largest: int


@dataclass(frozen=True)
class Storage:
    """Everything a dump says about volumes.

    Attributes:
        kinds: kinds of storage objects that are in the dump at all.
        claims: by ``namespace/name``.
        disks, classes: by name.
        limits: volumes a machine attaches at most, by machine and driver.
        attached: volumes attached to a machine, with their driver, by machine.
        rooms: what can still be provisioned, for drivers in ``tracked`` only.
    """

    kinds: frozenset[str]
    claims: Mapping[str, Claim]
    disks: Mapping[str, Disk]
    classes: Mapping[str, StorageClass]
    limits: Mapping[str, Mapping[str, int]]
    attached: Mapping[str, Mapping[str, str]]
    rooms: tuple[Room, ...]
    tracked: frozenset[str]


def read_storage(objects: Iterable[Object]) -> Storage:
    """Return what objects say about volumes.

    Raises:
        InputError: a quantity is malformed.
        KeyError, TypeError, ValueError, AttributeError: an object is malformed.
    """
    by_kind: dict[str, list[Object]] = {kind: [] for kind in KINDS}
    for thing in objects:
        if thing.get("kind") in by_kind:
            by_kind[thing["kind"]].append(thing)
    disks = {disk.name: disk for disk in map(_disk, by_kind[DISK])}
    return Storage(
        kinds=frozenset(kind for kind, found in by_kind.items() if found),
        claims={claim.key: claim for claim in map(_claim, by_kind[CLAIM])},
        disks=disks,
        classes={found.name: found for found in map(_class, by_kind[CLASS])},
        limits={node["metadata"]["name"]: _limits(node) for node in by_kind["CSINode"]},
        attached=_attached(by_kind["VolumeAttachment"], disks),
        rooms=tuple(room for thing in by_kind["CSIStorageCapacity"] if (room := _room(thing)) is not None),
        tracked=frozenset(
            thing["metadata"]["name"]
            for thing in by_kind["CSIDriver"]
            if (thing.get("spec") or {}).get("storageCapacity")
        ),
    )


def _key(reference: Object) -> str:
    return f"{reference.get('namespace') or 'default'}/{reference['name']}"


def _class_of(meta: Object, spec: Object) -> str:
    return str((meta.get("annotations") or {}).get(_OLD_CLASS) or spec.get("storageClassName") or "")


def _claim(thing: Object) -> Claim:
    meta, spec, status = thing["metadata"], thing.get("spec") or {}, thing.get("status") or {}
    notes, phase = meta.get("annotations") or {}, status.get("phase")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    where = f"{CLAIM} {_key(meta)}: spec.resources.requests"
    disk = spec.get("volumeName") or ""
    return Claim(
        key=_key(meta),
        name=meta["name"],
        size=None if size is None else amount("storage", size, where),
        storage_class=_class_of(meta, spec),
        attributes_class=spec.get("volumeAttributesClassName") or "",
        mode=spec.get("volumeMode") or "Filesystem",
        access=frozenset(spec.get("accessModes") or ()),
        selector=label_selector(spec.get("selector")),
        disk=disk,
        bound=bool(disk) and (_BOUND in notes or phase == "Bound"),
        selected=notes.get(_SELECTED) or "",
        lost=phase == "Lost",
        deleting=bool(meta.get("deletionTimestamp")),
    )


def _disk(thing: Object) -> Disk:
    meta, spec = thing["metadata"], thing.get("spec") or {}
    labels, csi = labels_of(thing), spec.get("csi") or {}
    claim = spec.get("claimRef")
    where = f"{DISK} {meta['name']}: spec.capacity"
    return Disk(
        name=meta["name"],
        labels=labels,
        size=amount("storage", (spec.get("capacity") or {}).get("storage", 0), where),
        storage_class=_class_of(meta, spec),
        attributes_class=spec.get("volumeAttributesClassName") or "",
        mode=spec.get("volumeMode") or "Filesystem",
        access=frozenset(spec.get("accessModes") or ()),
        claim=_key(claim) if claim else "",
        terms=node_terms((spec.get("nodeAffinity") or {}).get("required")),
        zones=tuple((key, frozenset(labels[key].split("__"))) for key in _ZONES if key in labels),
        available=(thing.get("status") or {}).get("phase") == "Available",
        deleting=bool(meta.get("deletionTimestamp")),
        driver=csi.get("driver") or "",
        handle=csi.get("volumeHandle") or "",
    )


def _class(thing: Object) -> StorageClass:
    return StorageClass(
        thing["metadata"]["name"],
        thing.get("provisioner") or "",
        thing.get("volumeBindingMode") == "WaitForFirstConsumer",
        tuple(
            tuple((e["key"], frozenset(e.get("values") or ())) for e in term.get("matchLabelExpressions") or ())
            for term in thing.get("allowedTopologies") or ()
        ),
    )


def _limits(node: Object) -> dict[str, int]:
    drivers = (node.get("spec") or {}).get("drivers") or ()
    counts: dict[str, Any] = {one["name"]: (one.get("allocatable") or {}).get("count") for one in drivers}
    return {name: int(count) for name, count in counts.items() if count is not None}


def _attached(attachments: Iterable[Object], disks: Mapping[str, Disk]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for thing in attachments:
        spec = thing.get("spec") or {}
        disk = disks.get((spec.get("source") or {}).get("persistentVolumeName") or "")
        if disk is not None and disk.driver and spec.get("attacher"):
            volumes = found.setdefault(spec.get("nodeName") or "", {})
            volumes[f"{spec['attacher']}/{disk.handle}"] = spec["attacher"]
    return found


def _room(thing: Object) -> Room | None:
    largest = thing.get("maximumVolumeSize", thing.get("capacity"))
    if largest is None:
        return None
    where = f"CSIStorageCapacity {_key(thing['metadata'])}"
    size = amount("capacity", largest, where)
    return Room(thing.get("storageClassName") or "", label_selector(thing.get("nodeTopology")), size)
