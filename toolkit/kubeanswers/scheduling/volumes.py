"""Where a pod's volumes let it go, and what they say while no machine is in sight.

Rules: https://kubernetes.io/docs/concepts/storage/persistent-volumes/ and the pages on storage classes, storage
capacity and volume limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kubeanswers.scheduling.storage import (
    CLAIM,
    CLASS,
    DISK,
    NO_PROVISIONER,
    Claim,
    Disk,
    Storage,
    StorageClass,
)
from kubeanswers.scheduling.values import InlineDisk, Machine, NodeTerm, Pod, holds

IN_USE: Final = "node(s) had no available disk"
ALONE: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
ATTACHED: Final = "node(s) exceed max volume count"
OUT_OF_ZONE: Final = "node(s) had no available volume zone"
OUT_OF_REACH: Final = "node(s) didn't match PersistentVolume's node affinity"
UNBOUND: Final = "node(s) didn't find available persistent volumes to bind"
NO_ROOM: Final = "node(s) did not have enough free storage"
IMMEDIATE: Final = "pod has unbound immediate PersistentVolumeClaims"
_BETA: Final = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}


class Volumes:
    """The volumes of a cluster while pods are bound: which volume went to which claim, and where.

    Attributes:
        found: what the dump says.
    """

    def __init__(self, found: Storage) -> None:
        self.found = found
        self._taken: dict[str, str] = {}
        self._chosen: dict[str, str] = {}
        self._selected: dict[str, str] = {}

    def undecided(self, pod: Pod) -> bool:
        """Return whether the dump lacks a kind of object without which nothing can be said of the pod's volumes."""
        if not pod.claims:
            return False
        kinds, claims = self.found.kinds, [c for name, _ in pod.claims if (c := self._claim(pod, name)) is not None]
        return (
            CLAIM not in kinds
            or (DISK not in kinds and any(claim.disk for claim in claims))
            or (CLASS not in kinds and any(not claim.disk and claim.storage_class for claim in claims))
        )

    def upfront(self, pod: Pod) -> str:
        """Return why the pod cannot go anywhere yet, worded like the scheduler; empty where it can."""
        absent = [(name, ephemeral) for name, ephemeral in pod.claims if self._claim(pod, name) is None]
        if not all(ephemeral for _, ephemeral in absent):
            return f'persistentvolumeclaim "{next(name for name, ephemeral in absent if not ephemeral)}" not found'
        for name, _ in pod.claims:
            claim = self._claim(pod, name)
            if claim is None:
                return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            if claim.lost:
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.disk}"'
            if claim.deleting:
                return f'persistentvolumeclaim "{name}" is being deleted'
        claims = self._claims(pod)
        if any(not self._disk_of(claim) and not self._waits(claim) for claim in claims):
            return IMMEDIATE
        lacking = [disk for claim in claims if (disk := self._disk_of(claim)) and disk not in self.found.disks]
        return f'persistentvolume "{lacking[0]}" not found' if lacking else ""

    def alone(self, pod: Pod, others: Iterable[Pod]) -> bool:
        """Return whether a claim that only one pod may use is used by another."""
        own = {claim.key for claim in self._claims(pod) if "ReadWriteOncePod" in claim.access}
        return bool(own) and any(f"{other.namespace}/{name}" in own for other in others for name, _ in other.claims)

    def exceeds(self, pod: Pod, machine: Machine, others: Iterable[Pod]) -> bool:
        """Return whether the machine cannot attach as many volumes as it would have with the pod."""
        limits = self.found.limits.get(machine.name)
        if not limits:
            return False
        mounted = {unique: driver for other in others for unique, driver in self._attachable(other).items()}
        new = {unique: driver for unique, driver in self._attachable(pod).items() if unique not in mounted}
        held = {**mounted, **self.found.attached.get(machine.name, {})}
        return any(
            _count(held, driver) + _count(new, driver) > limit
            for driver, limit in limits.items()
            if driver in new.values()
        )

    def out_of_zone(self, pod: Pod, machine: Machine) -> bool:
        """Return whether a bound volume's zone labels are not the machine's; a machine without any is in every zone."""
        if not any(key in machine.labels for pair in _BETA.items() for key in pair):
            return False
        return any(
            machine.labels.get(key, machine.labels.get(_BETA.get(key, key), "")) not in values
            for claim in self._claims(pod)
            for key, values in self._zones(claim)
        )

    def conflicts(self, pod: Pod, machine: Machine) -> tuple[str, ...]:
        """Return why the pod's claims cannot be satisfied on a machine; empty where they can."""
        claims = self._claims(pod)
        bound = [self.found.disks[disk] for claim in claims if (disk := self._disk_of(claim))]
        out = () if all(_reaches(disk.terms, machine) for disk in bound) else (OUT_OF_REACH,)
        _, reason = self._assign([claim for claim in claims if not self._disk_of(claim)], machine)
        return (*out, reason) if reason else out

    def bind(self, pod: Pod, machine: Machine) -> None:
        """Keep for the pod's claims the volumes chosen on its machine; the others are provisioned for it there."""
        if self.undecided(pod):
            return
        open_claims = [claim for claim in self._claims(pod) if not self._disk_of(claim)]
        chosen, _ = self._assign(open_claims, machine)
        for claim in open_claims:
            if claim.key in chosen:
                self._taken[chosen[claim.key]] = claim.key
                self._chosen[claim.key] = chosen[claim.key]
            else:
                self._selected[claim.key] = machine.name

    def _assign(self, claims: Iterable[Claim], machine: Machine) -> tuple[dict[str, str], str]:
        """Return volumes by claim, the smallest that do, and why a claim gets none and none can be made."""
        chosen: dict[str, str] = {}
        provision = []
        for claim in sorted(claims, key=lambda claim: claim.size or 0):
            selected = self._selected.get(claim.key, claim.selected)
            if selected and selected != machine.name:
                return {}, UNBOUND
            disk = None if selected else self._smallest(claim, machine, set(chosen.values()))
            if disk is None:
                provision.append(claim)
            else:
                chosen[claim.key] = disk.name
        reasons = (self._provision(claim, machine) for claim in provision)
        return chosen, next((reason for reason in reasons if reason), "")

    def _smallest(self, claim: Claim, machine: Machine, taken: set[str]) -> Disk | None:
        """Return the volume meant for a claim, or the smallest that would do, if it can be used from a machine."""
        alike = [disk for disk in self.found.disks.values() if disk.name not in taken and self._alike(disk, claim)]
        own = [disk for disk in alike if self._owner(disk) == claim.key][:1]
        open_ones = (disk for disk in alike if self._open(disk, claim))
        fitting = [disk for disk in own or open_ones if _reaches(disk.terms, machine)]
        return min(fitting, key=lambda disk: disk.size, default=None)

    def _owner(self, disk: Disk) -> str:
        return self._taken.get(disk.name, disk.claim)

    def _alike(self, disk: Disk, claim: Claim) -> bool:
        """Return whether a volume is no other claim's, large enough, and of the claim's mode."""
        same = (disk.mode, disk.attributes_class) == (claim.mode, claim.attributes_class)
        return same and self._owner(disk) in ("", claim.key) and not disk.deleting and disk.size >= (claim.size or 0)

    def _open(self, disk: Disk, claim: Claim) -> bool:
        """Return whether a volume nobody asked for by name is what the claim asks for."""
        selected = claim.selector is None or holds(claim.selector, disk.labels)
        return disk.available and selected and disk.storage_class == claim.storage_class and claim.access <= disk.access

    def _provision(self, claim: Claim, machine: Machine) -> str:
        found = self.found.classes.get(claim.storage_class)
        if found is None or found.provisioner in ("", NO_PROVISIONER) or not _allowed(found, machine):
            return UNBOUND
        if claim.size is None or found.provisioner not in self.found.tracked:
            return ""
        rooms = (room for room in self.found.rooms if room.storage_class == found.name and room.largest >= claim.size)
        return "" if any(holds(room.where, machine.labels) for room in rooms) else NO_ROOM

    def _waits(self, claim: Claim) -> bool:
        found = self.found.classes.get(claim.storage_class)
        return not claim.disk and found is not None and found.waits

    def _claim(self, pod: Pod, name: str) -> Claim | None:
        return self.found.claims.get(f"{pod.namespace}/{name}")

    def _claims(self, pod: Pod) -> list[Claim]:
        return [claim for name, _ in pod.claims if (claim := self._claim(pod, name)) is not None]

    def _disk_of(self, claim: Claim) -> str:
        return self._chosen.get(claim.key) or (claim.disk if claim.bound else "")

    def _zones(self, claim: Claim) -> tuple[tuple[str, frozenset[str]], ...]:
        disk = self.found.disks.get(self._disk_of(claim))
        return disk.zones if disk is not None else ()

    def _attachable(self, pod: Pod) -> dict[str, str]:
        """Return driver by unique name of the volumes a CSI driver attaches for a pod."""
        found = {}
        for claim in self._claims(pod):
            disk = self.found.disks.get(self._chosen.get(claim.key) or claim.disk)
            chosen = self.found.classes.get(claim.storage_class)
            if disk is not None and disk.driver:
                found[f"{disk.driver}/{disk.handle}"] = disk.driver
            elif disk is None and chosen is not None and chosen.provisioner:
                found[f"{chosen.provisioner}/{claim.key}"] = chosen.provisioner
        return found


def clash(own: Iterable[InlineDisk], others: Iterable[InlineDisk]) -> bool:
    """Return whether disks named in pods cannot be mounted on one machine."""
    held = list(others)
    return any(disk.clashes(other) for disk in own for other in held)


def _reaches(terms: tuple[NodeTerm, ...] | None, machine: Machine) -> bool:
    if terms is None:
        return True
    return any(bool(term.labels) and holds(term.labels, machine.labels) for term in terms)


def _allowed(found: StorageClass, machine: Machine) -> bool:
    return not found.topologies or any(
        all(machine.labels.get(key) in values for key, values in term) for term in found.topologies
    )


def _count(volumes: Mapping[str, str], driver: str) -> int:
    return sum(value == driver for value in volumes.values())
