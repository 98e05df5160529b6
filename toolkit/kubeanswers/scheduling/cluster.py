"""The state of a cluster while pods are bound: sums per machine as arrays, pods grouped by what rules can tell apart.

Pods with equal namespace, labels and affinity rules are one group with a count per machine, so that counting the pods
a selector means costs one match per group and one sum over an array.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from kubeanswers.scheduling.claims import read_offers
from kubeanswers.scheduling.devices import Devices
from kubeanswers.scheduling.storage import Storage, read_storage
from kubeanswers.scheduling.values import CPU, MEMORY, PODS, REGION, ZONE, Machine, Pod, PodTerm
from kubeanswers.scheduling.volumes import Volumes

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

GroupKey = tuple[
    str, tuple[tuple[str, str], ...], tuple[PodTerm, ...], tuple[PodTerm, ...], tuple[PodTerm, ...], tuple[PodTerm, ...]
]


def zone_order(machines: Sequence[Machine]) -> tuple[Machine, ...]:
    """Return machines as the scheduler lists them: one of each zone in turn, zones and machines as they came."""
    zones: dict[tuple[str, str], list[Machine]] = {}
    for machine in machines:
        place = (machine.labels.get(REGION, ""), machine.labels.get(ZONE, ""))
        zones.setdefault(place, []).append(machine)
    rounds = itertools.zip_longest(*zones.values())
    return tuple(machine for turn in rounds for machine in turn if machine is not None)


def _images(machines: Sequence[Machine]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for machine in machines:
        for name, size in machine.images.items():
            first, holders = found.get(name, (size, 0))
            found[name] = (first, holders + 1)
    return found


@dataclass
class Group:
    """Pods no rule can tell apart, counted by machine; ``live`` leaves out those being deleted.

    ``tallies`` are the sums over several groups that this one is part of.
    """

    pod: Pod
    count: IntArray
    live: IntArray
    tallies: list[Tally] = field(default_factory=list)


@dataclass
class Tally:
    """The pods that something means, counted by machine and kept up as pods come and go."""

    means: Callable[[Pod], bool]
    count: IntArray
    live: IntArray


class Cluster:
    """Machines, the pods on them, and sums over them.

    Attributes:
        machines: in the scheduler's order (:func:`zone_order`); arrays follow it.
        allocatable, requested: by resource, per machine.
        nominal_cpu, nominal_memory: requests with defaults, per machine.
        number: pods per machine.
        volumes: volumes, and which claims they went to.
        devices: devices, and which claims hold them.
        images: bytes and number of machines of each image, by name; the first machine that came says the bytes.
        changes: positions of machines whose pods changed, in order: who keeps sums reads on from where it stopped.
        demanding: groups whose pods want or shun others.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        pods: Iterable[Pod] = (),
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
        storage: Storage | None = None,
        devices: Devices | None = None,
    ) -> None:
        self.machines = zone_order(machines)
        self.position = {machine.name: i for i, machine in enumerate(self.machines)}
        self._namespaces = dict(namespaces or {})
        size = len(self.machines)
        names = sorted({name for machine in self.machines for name in machine.allocatable})
        self.allocatable: dict[str, IntArray] = {
            name: np.array([machine.allocatable.get(name, 0) for machine in self.machines], dtype=np.int64)
            for name in names
        }
        self.requested: dict[str, IntArray] = {}
        self.nominal: dict[str, IntArray] = {CPU: self.zeros(), MEMORY: self.zeros()}
        self.number = self.zeros()
        self.pods_on: list[dict[str, Pod]] = [{} for _ in range(size)]
        self.groups: dict[GroupKey, Group] = {}
        self.demanding: list[Group] = []
        self.changes: list[int] = []
        self._tallies: dict[Hashable, Tally] = {}
        self._codes: dict[str, IntArray] = {}
        self._distinct: dict[str, bool] = {}
        self.images = _images(machines)
        self.volumes = Volumes(storage or read_storage(()))
        self.devices = devices or Devices(read_offers(()))
        for pod in pods:
            if pod.node in self.position:
                self.add(pod, self.position[pod.node])

    def zeros(self) -> IntArray:
        """Return one zero per machine."""
        return np.zeros(len(self.machines), dtype=np.int64)

    def capacity(self, resource: str) -> IntArray:
        """Return the allocatable amount of a resource per machine, 0 where it is absent."""
        found = self.allocatable.get(resource)
        return self.zeros() if found is None else found

    def used(self, resource: str) -> IntArray:
        """Return the requested amount of a resource per machine."""
        found = self.requested.get(resource)
        return self.zeros() if found is None else found

    @property
    def allowed_pods(self) -> IntArray:
        """Return how many pods each machine takes."""
        return self.capacity(PODS)

    def add(self, pod: Pod, at: int) -> None:
        """Put a pod on a machine."""
        self.pods_on[at][pod.key] = pod
        self._count(pod, at, 1)

    def remove(self, pod: Pod, at: int) -> None:
        """Take a pod off a machine."""
        del self.pods_on[at][pod.key]
        self._count(pod, at, -1)

    def _count(self, pod: Pod, at: int, sign: int) -> None:
        for name, amount in pod.requests.items():
            if name not in self.requested:
                self.requested[name] = self.zeros()
            self.requested[name][at] += sign * amount
        self.nominal[CPU][at] += sign * pod.nominal_cpu
        self.nominal[MEMORY][at] += sign * pod.nominal_memory
        self.number[at] += sign
        self.changes.append(at)
        group = self._group(pod)
        counts: tuple[Group | Tally, ...] = (group, *group.tallies)
        for counted in counts:
            counted.count[at] += sign
            if not pod.terminating:
                counted.live[at] += sign

    def _group(self, pod: Pod) -> Group:
        labels = tuple(sorted(pod.labels.items()))
        key = (pod.namespace, labels, pod.near, pod.away, pod.near_wishes, pod.away_wishes)
        group = self.groups.get(key)
        if group is None:
            group = Group(pod, self.zeros(), self.zeros())
            group.tallies = [tally for tally in self._tallies.values() if tally.means(pod)]
            self.groups[key] = group
            if pod.near or pod.away or pod.near_wishes or pod.away_wishes:
                self.demanding.append(group)
        return group

    def tally(self, key: Hashable, means: Callable[[Pod], bool]) -> Tally:
        """Return the pods something means, counted by machine; ``key`` says what it is, so that it is summed once."""
        found = self._tallies.get(key)
        if found is None:
            found = Tally(means, self.zeros(), self.zeros())
            for group in self.groups.values():
                if means(group.pod):
                    found.count += group.count
                    found.live += group.live
                    group.tallies.append(found)
            self._tallies[key] = found
        return found

    def meant(self, term: PodTerm) -> IntArray:
        """Return how many pods an affinity term means, per machine."""
        key = (term.selector, term.namespaces, term.namespace_selector)
        return self.tally(key, lambda pod: self.means(term, pod)).count

    def codes(self, label: str) -> IntArray:
        """Return a number per machine for its value of a label, -1 where it has none."""
        if label not in self._codes:
            values: dict[str, int] = {}
            found = [machine.labels.get(label) for machine in self.machines]
            codes = [-1 if value is None else values.setdefault(value, len(values)) for value in found]
            self._codes[label] = np.array(codes, dtype=np.int64)
        return self._codes[label]

    def by_domain(self, label: str, amount: IntArray) -> IntArray:
        """Return the sum of an amount over the machines with the same value of a label, per machine; 0 without it."""
        codes = self.codes(label)
        present = codes >= 0
        if label not in self._distinct:
            self._distinct[label] = len(np.unique(codes[present])) == int(present.sum())
        if self._distinct[label]:
            return np.where(present, amount, 0)
        sums = np.bincount(codes[present], weights=amount[present]).astype(np.int64)
        result: IntArray = np.where(present, sums[np.maximum(codes, 0)], 0)
        return result

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Return a namespace's labels, among them its name, which the API server adds to every namespace."""
        return {**self._namespaces.get(name, {}), NAMESPACE_NAME: name}

    def means(self, term: PodTerm, pod: Pod) -> bool:
        """Return whether an affinity term means a pod (namespace and labels)."""
        inside = pod.namespace in term.namespaces
        if not inside and term.namespace_selector is not None:
            labels = self.namespace_labels(pod.namespace)
            inside = all(requirement.holds(labels) for requirement in term.namespace_selector)
        if not inside or term.selector is None:
            return False
        return all(requirement.holds(pod.labels) for requirement in term.selector)
