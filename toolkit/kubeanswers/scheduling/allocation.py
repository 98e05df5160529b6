"""Which devices satisfy a pod's claims from one machine: the first full solution in the scheduler's order of search.

Claims, their requests and a request's alternatives are taken in order, devices by driver, pool, slice and place; a
choice that leads nowhere is taken back and the next one tried.

Two slips of Kubernetes 1.36 are not repeated: it does not give back a pool's counters where a device is refused after
they were counted, and it keeps them by the pool's name without the driver's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from decimal import Decimal
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.scheduling.claims import (
    Constraint,
    Device,
    DeviceClass,
    DeviceId,
    Option,
    ResourceClaim,
    Slice,
    Taken,
)
from kubeanswers.scheduling.values import Machine

DeviceTest = Callable[[str, Mapping[str, Any]], bool]
"""Whether an expression selects a device; raises ValueError where it cannot be evaluated."""
MOST_DEVICES: Final = 32
"""Devices a claim holds at most."""
INVALID: Final = "invalid resource pools were encountered"


class ClaimError(Exception):
    """A claim or class is wrong in itself, so that no machine can be tried."""


class _TooManyDevices(Exception):  # noqa: N818 - a signal between steps of the search, never seen outside
    """The claim would hold more devices than it may."""


@dataclass(frozen=True)
class Pool:
    """A driver's pool as seen from one machine.

    Attributes:
        id: driver and name.
        devices: devices in slices that say something about the machine, in order.
        everything: all devices of the pool.
        counters: shared counters.
        incomplete, invalid: whether slices are missing, or contradict each other.
    """

    id: tuple[str, str]
    devices: tuple[Device, ...] = ()
    everything: tuple[Device, ...] = ()
    counters: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    incomplete: bool = False
    invalid: bool = False


def pools(slices: Iterable[Slice], machine: Machine) -> list[Pool]:
    """Return the pools with devices for a machine, those with devices to be made ready last."""
    by_pool: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    for one in slices:
        by_pool[one.pool].append(one)
    found = []
    for identity, listed in sorted(by_pool.items()):
        relevant = [one for one in listed if one.relevant(machine)]
        newest = max((one.generation for one in listed), default=0)
        if not relevant or max(one.generation for one in relevant) < newest:
            continue
        current = sorted((one for one in listed if one.generation == newest), key=lambda one: one.name)
        if len(current) != current[0].number:
            found.append(Pool(identity, incomplete=True))
        else:
            found.append(_pool(identity, current, machine))
    return sorted(found, key=lambda pool: any(device.waits for device in pool.devices))


def _pool(identity: tuple[str, str], slices: Sequence[Slice], machine: Machine) -> Pool:
    everything = tuple(device for one in slices for device in one.devices)
    counters = {
        (group, name): amount
        for one in slices
        for group, values in one.counters.items()
        for name, amount in values.items()
    }
    groups = Counter(group for one in slices for group in one.counters)
    names = Counter(device.id for device in everything)
    known = all((group, name) in counters for device in everything for group, name, _ in device.counters)
    if not known or any(number > 1 for number in (*groups.values(), *names.values())):
        return Pool(identity, invalid=True)
    devices = tuple(device for one in slices if one.relevant(machine) for device in one.devices)
    return Pool(identity, devices, everything, counters)


@dataclass(frozen=True)
class InUse:
    """Devices given to claims: ``whole`` ones, and amounts taken of those that are shared."""

    whole: frozenset[DeviceId] = frozenset()
    portions: Mapping[DeviceId, Mapping[str, Decimal]] = field(default_factory=dict)

    @classmethod
    def of(cls, claims: Iterable[ResourceClaim]) -> InUse:
        """Return what claims hold; devices used for administration stay free."""
        whole: set[DeviceId] = set()
        portions: dict[DeviceId, dict[str, Decimal]] = {}
        for taken in (one for claim in claims for one in claim.taken or () if not one.admin):
            if taken.portions is None:
                whole.add(taken.device)
            else:
                _add(portions.setdefault(taken.device, {}), taken.portions, 1)
        return cls(frozenset(whole), portions)


def _add(total: dict[str, Decimal], amounts: Mapping[str, Decimal], sign: int) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, Decimal(0)) + sign * amount


class Allocation:
    """The search for one pod's claims on one machine.

    Attributes:
        taken: devices per claim, in order.
    """

    def __init__(
        self,
        claims: Sequence[ResourceClaim],
        found: Sequence[Pool],
        classes: Mapping[str, DeviceClass],
        used: InUse,
        test: DeviceTest | None,
    ) -> None:
        self._claims, self._pools, self._classes, self._used, self._test = claims, found, classes, used, test
        self._open = [(d, pool) for pool in found if not (pool.incomplete or pool.invalid) for d in pool.devices]
        self._counters: dict[tuple[str, str], dict[tuple[str, str], Decimal]] = {}
        self._holders: dict[DeviceId, set[int]] = defaultdict(set)
        self._portions: dict[DeviceId, dict[str, Decimal]] = defaultdict(dict)
        self._selected: dict[tuple[int, Option, DeviceId], bool] = {}
        self._every: dict[tuple[int, Option], list[tuple[Device, Pool]]] = {}
        self.taken: list[list[tuple[Option, Device, Taken]]] = [[] for _ in claims]

    def run(self, machine: Machine) -> bool:
        """Return whether everything was allocated; where not, ``taken`` is empty.

        Raises:
            ClaimError: a claim or class is wrong in itself.
        """
        for number, claim in enumerate(self._claims):
            for option in (option for request in claim.requests for option in request.options):
                if option.every:
                    self._every[number, option] = list(self._all(number, option, machine))
        try:
            return self._request(0, 0, machine)
        except _TooManyDevices:
            return False

    def results(self) -> list[tuple[Taken, ...]]:
        """Return what each claim was given, in order."""
        return [tuple(one for _, _, one in claim) for claim in self.taken]

    def _all(self, number: int, option: Option, machine: Machine) -> Iterator[tuple[Device, Pool]]:
        for pool in self._pools:
            state = "being updated" if pool.incomplete else "invalid" if pool.invalid else ""
            if state:
                which = f"resource pool {'/'.join(pool.id)} is currently {state}"
                raise ClaimError(f"{self._asked(number, option)}: asks for all devices, but {which}")
            for device in pool.devices:
                if self._suits(number, option, device, machine) and self._portion(option, device) is not None:
                    yield device, pool

    def _request(self, number: int, place: int, machine: Machine) -> bool:
        """Return whether the rest, from a claim's request on, could be allocated."""
        if number >= len(self._claims):
            return True
        requests = self._claims[number].requests
        if place >= len(requests):
            try:
                return self._request(number + 1, 0, machine)
            except _TooManyDevices:
                return False
        exceeded = True
        for option in requests[place].options:
            try:
                if self._device((number, place), option, (0, 0), machine):
                    return True
            except _TooManyDevices:
                if not requests[place].alternatives:
                    raise
                continue
            exceeded = False
        if exceeded:
            raise _TooManyDevices
        return False

    def _device(self, where: tuple[int, int], option: Option, step: tuple[int, int], machine: Machine) -> bool:
        """Return whether the rest could be allocated, from the next device of a request on.

        Args:
            where: claim and request, by position.
            option: how the request is to be satisfied.
            step: devices it has already, and the first candidate that may come next.
            machine: where the pod would run.
        """
        number, (have, start) = where[0], step
        every = self._every.get((number, option))
        wanted = option.count if every is None else len(every)
        if every is not None and not every:
            return False
        if have >= wanted:
            return self._request(number, where[1] + 1, machine)
        if len(self.taken[number]) + wanted - have > MOST_DEVICES:
            raise _TooManyDevices
        choice = self._open[start:] if every is None else every[have : have + 1]
        for at, (device, pool) in enumerate(choice, start):
            if self._held(number, option, device) or (
                every is None and not self._suits(number, option, device, machine)
            ):
                continue
            taken = self._take(number, option, device, pool)
            if taken is None:
                continue
            with self._holding(number, option, device, taken) as kept:
                if self._device(where, option, (have + 1, at + 1), machine):
                    kept.append(True)
                    return True
        return False

    def _held(self, number: int, option: Option, device: Device) -> bool:
        """Return whether a device is out of reach because a claim has it; administration only minds its own claim."""
        holders = self._holders[device.id]
        return number in holders if option.admin else device.id in self._used.whole or bool(holders)

    def _take(self, number: int, option: Option, device: Device, pool: Pool) -> Taken | None:
        """Return what a claim would get of a device; ``None`` where it cannot have it."""
        portions = self._portion(option, device)
        if portions is None or not self._counted(device, pool) or _keeps_away(device, option):
            return None
        if not all(self._allows(constraint, number, option, device) for constraint in self._claims[number].constraints):
            if option.every:
                asked, name = self._asked(number, option), "/".join(device.id)
                raise ClaimError(f"{asked}: cannot add device {name} because a claim constraint would not be satisfied")
            return None
        options = next(r.options for r in self._claims[number].requests if r.name == option.request)
        rank = options.index(option) if option.sub else None
        return Taken(device.id, option.request, option.admin, portions if device.shared else None, rank)

    def _asked(self, number: int, option: Option) -> str:
        return f"claim {self._claims[number].key}, request {option.sub or option.request}"

    @contextmanager
    def _holding(self, number: int, option: Option, device: Device, taken: Taken) -> Iterator[list[bool]]:
        """Hold a device for a claim, and give it back unless the list yielded is filled."""
        kept: list[bool] = []
        self.taken[number].append((option, device, taken))
        if taken.portions is None:
            self._holders[device.id].add(number)
        else:
            _add(self._portions[device.id], taken.portions, 1)
        try:
            yield kept
        finally:
            if not kept:
                self.taken[number].pop()
                if taken.portions is None:
                    self._holders[device.id].discard(number)
                else:
                    _add(self._portions[device.id], taken.portions, -1)

    def _portion(self, option: Option, device: Device) -> dict[str, Decimal] | None:
        """Return the amounts a request takes of a device; ``None`` where too little is left."""
        asked = dict(option.capacity)
        if not set(asked) <= set(device.capacity):
            return None
        found: dict[str, Decimal] = {}
        used, taking = self._used.portions.get(device.id, {}), self._portions[device.id]
        for name, capacity in device.capacity.items():
            portion = capacity.portion(asked.get(name))
            if portion is None or portion + used.get(name, 0) + taking.get(name, 0) > capacity.value:
                return None
            found[name] = portion
        return found

    def _counted(self, device: Device, pool: Pool) -> bool:
        """Return whether the pool's counters cover a device beside those that are held."""
        if not device.counters or (device.shared and (self._used.portions.get(device.id) or self._portions[device.id])):
            return True
        left = dict(self._left(pool))
        held = {other.id: other for claim in self.taken for _, other, _ in claim}
        for other in (*held.values(), device):
            for group, name, amount in other.counters if other.id[:2] == pool.id else ():
                left[group, name] -= amount
        return all(left[group, name] >= 0 for group, name, _ in device.counters)

    def _left(self, pool: Pool) -> Mapping[tuple[str, str], Decimal]:
        if pool.id not in self._counters:
            left = dict(pool.counters)
            for device in pool.everything:
                if device.id in self._used.whole or device.id in self._used.portions:
                    for group, name, amount in device.counters:
                        left[group, name] -= amount
            self._counters[pool.id] = left
        return self._counters[pool.id]

    def _allows(self, constraint: Constraint, number: int, option: Option, device: Device) -> bool:
        if not constraint.covers(option):
            return True
        value = device.attribute(constraint.attribute)
        if value is None:
            return False
        held = [(o, d.attribute(constraint.attribute)) for o, d, _ in self.taken[number] if constraint.covers(o)]
        if constraint.agree:
            return not held or held[0][1] == value
        latest = {other.request: theirs for other, theirs in held}
        return value not in latest.values()

    def _suits(self, number: int, option: Option, device: Device, machine: Machine) -> bool:
        """Return whether the class's and the request's selectors mean a device that the machine can use."""
        key = (number, option, device.id)
        if key not in self._selected:
            found = self._classes[option.device_class]
            chosen = self._selects(f"class {found.name}", found.selectors, device)
            chosen = chosen and self._selects(f"claim {self._claims[number].key}", option.selectors, device)
            self._selected[key] = chosen and device.reach.holds(machine)
        return self._selected[key]

    def _selects(self, where: str, selectors: tuple[str, ...], device: Device) -> bool:
        for i, expression in enumerate(selectors):
            if self._test is None:
                raise ClaimError(f"{where}: selector #{i}: nothing here evaluates it")
            try:
                if not self._test(expression, device.described()):
                    return False
            except ValueError as error:
                raise ClaimError(f"{where}: selector #{i}: {error}") from error
        return True


def _keeps_away(device: Device, option: Option) -> bool:
    return any(
        taint.effect in ("NoSchedule", "NoExecute") and not any(t.tolerates(taint) for t in option.tolerations)
        for taint in device.taints
    )
