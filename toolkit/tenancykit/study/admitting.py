"""What Kueue lets in, with hazards of the design, a what-if beside it, and whether nodes have room for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

from kubeanswers.device_selectors import selects_device
from kubeanswers.errors import Fault, InputError
from kubeanswers.objects import ManifestObject, ObjectSet, Where, mapping
from kubeanswers.parsing import parse_documents
from kubeanswers.queueing.answer import Admission, Admitted, admit, settings_of
from kubeanswers.queueing.hazards import LOOP, Hazard, hazards
from kubeanswers.queueing.values import Flavor, Granted, Version
from kubeanswers.reading import read_objects
from kubeanswers.records import dataclass
from kubeanswers.scheduling.dump import DumpPlacement, place_dump
from kubeanswers.source import read_text
from tenancykit.drawing import Drawable

_GATE: Final = "kueue.x-k8s.io/"
_POD_KINDS: Final = ("Pod",)


@dataclass(frozen=True)
class Change:
    """One thing a what-if changes about a workload."""

    workload: str
    before: str
    after: str


@dataclass(frozen=True)
class AdmitAnswer(Drawable):
    """What Kueue lets in.

    Attributes:
        now: what happens with the objects as they are.
        hazards: ways in which the design surprises.
        placement: where the pods of admitted workloads go; ``None`` without nodes, or where nothing is admitted.
        then: what happens with the other objects, where some were given.
        changes: workloads that fare differently then.
    """

    now: Admission
    hazards: tuple[Hazard, ...]
    placement: DumpPlacement | None = None
    then: Admission | None = None
    changes: tuple[Change, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody waits or leaves, the design has hazards, or something is undecided.

        That the design can loop is told, but leaves nothing open: most designs that preempt and reclaim can.
        """
        now = self.now
        faults = any(hazard.rule != LOOP for hazard in self.hazards)
        homeless = self.placement is not None and bool(self.placement.pending)
        return bool(now.waiting or now.preempted or now.undecided or now.crash or not now.settled or faults or homeless)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "schema": "tenancykit/admit/v1",
            **admission_dict(self.now),
            "hazards": [vars_of(one) for one in self.hazards],
            "placement": None if self.placement is None else self.placement.to_dict(),
            "against": None if self.then is None else admission_dict(self.then),
            "changes": [vars_of(one) for one in self.changes],
        }


def vars_of(thing: Any) -> dict[str, Any]:
    """Return a frozen dataclass of plain values as a mapping."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(thing).items()}


def admission_dict(found: Admission) -> dict[str, Any]:
    """Return an admission as plain data."""
    return {
        "kueue": found.version,
        "fair_sharing": found.fair_sharing,
        "cycles": found.cycles,
        "settled": found.settled,
        "crash": found.crash,
        "admitted": [{**vars_of(one), "pod_sets": [_granted(part) for part in one.pod_sets]} for one in found.admitted],
        "preempted": [vars_of(one) for one in found.preempted],
        "waiting": [{**vars_of(one), "causes": [vars_of(cause) for cause in one.causes]} for one in found.waiting],
        "running": list(found.running),
        "queues": [vars_of(one) for one in found.queues],
        "undecided": list(found.undecided),
        "notes": list(found.notes),
    }


def _granted(part: Granted) -> dict[str, Any]:
    return {
        "name": part.name,
        "count": part.count,
        "flavors": dict(part.flavors),
        "topology": [{"values": list(one.values), "count": one.count} for one in part.topology],
    }


def answer(
    paths: Iterable[str | os.PathLike[str]],
    stdin: TextIO,
    *,
    against: Iterable[str | os.PathLike[str]] = (),
    fair_sharing: bool | None = None,
    version: Version | None = None,
    exclude: Iterable[str] = (),
) -> AdmitAnswer:
    """Return what Kueue would do with the workloads of files, and what changes with others in their place.

    Raises:
        InputError: every fault of the objects.
    """
    objects = read_queues(paths, stdin)
    exclude = tuple(exclude)
    now = admit(objects, fair_sharing=fair_sharing, version=version, exclude=exclude)
    settings = settings_of(objects, fair_sharing=fair_sharing, version=version, exclude=exclude)
    others = list(against)
    then = None
    if others:
        then = admit(read_queues(others, stdin), fair_sharing=fair_sharing, version=version, exclude=exclude)
    return AdmitAnswer(
        now,
        hazards(now.design, replace(settings, topology_aware=False)),
        _placement(objects, now),
        then,
        () if then is None else tuple(_changes(now, then)),
    )


def read_queues(paths: Iterable[str | os.PathLike[str]], stdin: TextIO) -> ObjectSet:
    """Return the objects of files; Helm values with Kueue's configuration among them are taken as that."""
    configurations: list[ManifestObject] = []
    others = []
    for path in paths:
        found = list(_helm_configurations(Path(path)))
        configurations += found
        if not (found and Path(path).is_file()):
            others.append(path)
    if not others:
        raise InputError(Fault("files", "Helm values alone", "objects beside them", "name the manifests as well"))
    read = read_objects(others, stdin=stdin)
    if read.faults:
        raise InputError(read.faults)
    return ObjectSet((*read.objects, *configurations), read.objects.duplicates, read.objects.kinds)


def _helm_configurations(path: Path) -> Iterator[ManifestObject]:
    """Yield Kueue's configuration in the values of its chart: ``managerConfig.controllerManagerConfigYaml``."""
    for file in [path] if path.suffix in (".yaml", ".yml") else sorted(path.rglob("values*.yaml")):
        if not file.is_file() or _VALUES not in (text := read_text(file)):
            continue
        faults: list[Fault] = []
        for values, line in parse_documents(text, str(file), faults):
            inner = mapping(mapping(values).get("managerConfig")).get(_VALUES)
            for data, _ in parse_documents(str(inner), str(file), faults) if inner else ():
                yield ManifestObject(mapping(data), Where(str(file), line, 0))
        if faults:
            raise InputError(faults)


_VALUES: Final = "controllerManagerConfigYaml"


def _changes(now: Admission, then: Admission) -> Iterator[Change]:
    before, after = _fates(now), _fates(then)
    for name in sorted(before.keys() | after.keys()):
        was, becomes = before.get(name, "is not there"), after.get(name, "is not there")
        if was != becomes:
            yield Change(name, was, becomes)


def _fates(found: Admission) -> dict[str, str]:
    """Return how every workload fares, in words."""
    fates = dict.fromkeys(found.running, "runs")
    for admitted in found.admitted:
        if admitted.workload in fates:
            flavors = sorted({flavor for part in admitted.pod_sets for flavor in part.flavors.values()})
            over = ", borrowing" if admitted.over_nominal else ""
            fates[admitted.workload] = f"is admitted to {admitted.queue} on {' and '.join(flavors)}{over}"
    for waiting in found.waiting:
        fates[waiting.workload] = f"waits in {waiting.queue} ({waiting.reason})"
    for gone in found.preempted:
        if gone.workload not in found.running:
            fates[gone.workload] = f"has to leave {gone.queue} for {gone.by} ({gone.reason})"
    return fates


def _placement(objects: ObjectSet, found: Admission) -> DumpPlacement | None:
    """Return where the pods of newly admitted workloads go on the nodes there are."""
    nodes = any((item.group, item.kind) == ("", "Node") for item in objects)
    running = set(found.running)
    fresh = {one.workload: one for one in found.admitted if one.workload in running}
    if not nodes or not fresh:
        return None
    flavors = {flavor.name: flavor for flavor in found.design.flavors}
    gone = {id(found.jobs.items[key].data) for key in fresh if found.jobs.items[key].kind in _POD_KINDS}
    kept = [
        item.data
        for item in objects
        if id(item.data) not in gone and item.kind in _PLACED and (item.kind != "Pod" or not _waits(item.data))
    ]
    pods = [pod for one in fresh.values() for pod in _pods(one, found, flavors)]
    return place_dump([*kept, *pods], device_test=selects_device)


_PLACED: Final = frozenset(
    {
        "DeviceClass",
        "KubeSchedulerConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PriorityClass",
        "ResourceClaim",
        "ResourceClaimTemplate",
        "ResourceSlice",
        "RuntimeClass",
        "StorageClass",
    }
)
"""Kinds that bear on where admitted pods go; controllers and quotas are asked elsewhere."""


def _waits(pod: Mapping[str, Any]) -> bool:
    return not mapping(pod.get("spec")).get("nodeName")


def _pods(one: Admitted, found: Admission, flavors: Mapping[str, Flavor]) -> Iterator[dict[str, Any]]:
    """Yield the pods of an admitted workload, with the rules of their flavors."""
    namespace, _, name = one.workload.partition("/")
    for part in one.pod_sets:
        template = found.jobs.templates.get((one.workload, part.name), {})
        spec = dict(mapping(template.get("spec")))
        chosen = [flavors[flavor] for flavor in dict.fromkeys(part.flavors.values())]
        selector = dict(mapping(spec.get("nodeSelector")))
        tolerations = list(spec.get("tolerations") or ())
        for flavor in chosen:
            selector |= flavor.labels
            tolerations += [{k: v for k, v in vars(one).items() if v} for one in flavor.tolerations]
        gates = [gate for gate in spec.get("schedulingGates") or () if not str(gate.get("name")).startswith(_GATE)]
        spec |= {"nodeSelector": selector, "tolerations": tolerations, "schedulingGates": gates}
        spec.pop("nodeName", None)
        labels = dict(mapping(mapping(template.get("metadata")).get("labels")))
        for number in range(part.count):
            meta = {"name": f"{name}-{part.name}-{number}", "namespace": namespace, "labels": labels, "uid": "admitted"}
            meta["uid"] = f"{one.workload}/{part.name}/{number}"
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}
