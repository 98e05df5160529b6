"""Finds the machines every placement domain takes: bought as needed, or taken from the fleet there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from typing import Final

import numpy as np

from kubeanswers.records import dataclass
from tenancykit.criteria.cost.domains import Domain
from tenancykit.criteria.cost.machines import taken_milli
from tenancykit.criteria.cost.placement.devices import WHOLE
from tenancykit.criteria.cost.placement.elastic import buy
from tenancykit.criteria.cost.placement.values import NodeClass, Pending, PodClass, Purchase
from tenancykit.criteria.cost.shapes import machine_name
from tenancykit.criteria.cost.wrapping import slowed


@dataclass(frozen=True)
class Housed:
    """What one placement domain takes.

    Attributes:
        domain: the domain.
        copies: copies housed alike.
        nodes: machines of one copy, by machine name.
        purchase: where the pods are at the hour that needs most.
        least: lower bound of the price of one copy's machines per hour; 0 where none was computed.
        extra: machines of one copy that a fixed fleet lacks, for pods it leaves pending and for nodes a cluster has at
            least, by machine name.
        pending: pods of one copy that find no place: in a fixed fleet for want of machines, else larger than any.
        unhoused: share of the pods of a class (by name) that no machine on offer can hold.
        running: share of the hours that a machine bought as needed runs, by machine name, if it is given back when
            idle; the whole month where none is stated.
    """

    domain: Domain
    copies: int
    nodes: Mapping[str, int]
    purchase: Purchase = field(repr=False)
    least: Decimal = Decimal(0)
    extra: Mapping[str, int] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()
    unhoused: Mapping[str, Decimal] = field(default_factory=dict)
    running: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def machines(self) -> int:
        """Machines of all copies that are in the fleet or bought outright."""
        return sum(self.nodes.values()) * self.copies


@dataclass(frozen=True)
class Housing:
    """What all domains of a design take.

    Attributes:
        housed: per domain, in the layout's order.
        spare: machines of a fixed fleet that no domain uses, by machine name.
        is_fixed: whether machines were taken from a fleet rather than bought.
        hosts: machines of a fixed fleet that components take whole (control planes), by machine name.
        missing_hosts: machines that components take whole and a fixed fleet lacks.
    """

    housed: tuple[Housed, ...]
    spare: Mapping[str, int]
    is_fixed: bool = False
    hosts: Mapping[str, int] = field(default_factory=dict)
    missing_hosts: int = 0

    def totals(self, *, extra: bool = False) -> dict[str, int]:
        """Return machines by name that domains use, or that a fixed fleet lacks."""
        counts: dict[str, int] = {}
        for one in self.housed:
            for name, number in (one.extra if extra else one.nodes).items():
                counts[name] = counts.get(name, 0) + number * one.copies
        return counts

    def on_average(self) -> dict[str, Decimal]:
        """Return machines by name as they run on average over the month, if idle ones are given back."""
        counts: dict[str, Decimal] = {}
        for one in self.housed:
            for name, number in one.nodes.items():
                counts[name] = counts.get(name, Decimal(0)) + number * one.copies * one.running.get(name, Decimal(1))
        return counts


def house(
    domains: Sequence[Domain],
    fleet: Mapping[str, int] | None,
    committed: frozenset[str] = frozenset(),
    *,
    hosts: int = 0,
    fit: Sequence[str] = (),
) -> Housing:
    """Return the machines that house the domains.

    Capacity is bought for the hours at which a domain asks most of GPUs, of CPU and of memory; where those are
    different hours, machines of each type cover the larger need. A fixed fleet has to hold services at these hours and
    jobs on average: jobs wait where there is no room (assumption; fleets bought as needed hold their peak as well).

    Args:
        domains: domains in the order in which they are served from a fixed fleet.
        fleet: machines there are, by name; None where they are bought as needed.
        hosts: machines that components take whole; a fixed fleet gives them those without GPUs first, and of those
            with GPUs what work leaves.
        fit: names of the machines that may be such hosts, in the order they are taken.
        committed: names of machines that are bought as needed and then paid around the clock.
    """
    if fleet is None:
        return Housing(tuple(one for domain in domains for one in _bought(domain, committed)), {})
    left = dict(fleet)
    taken: dict[str, int] = {}
    with_gpus = {machine_name(node.name) for domain in domains for node in domain.types if node.gpu_count}
    _give(hosts, [name for name in fit if name not in with_gpus], left, taken)
    housed = [one for domain in domains for one in _taken(domain, left, with_gpus)]
    _give(hosts, fit, left, taken)
    housed = [_with_minimum(one, left) for one in housed]
    spare = {name: number for name, number in left.items() if number}
    return Housing(tuple(housed), spare, is_fixed=True, hosts=taken, missing_hosts=hosts - sum(taken.values()))


def _give(hosts: int, fit: Iterable[str], left: dict[str, int], taken: dict[str, int]) -> None:
    """Give as many hosts as are asked from what is left of a fleet, in the order of their names."""
    for name in fit:
        number = min(hosts - sum(taken.values()), left.get(name, 0))
        if number > 0:
            taken[name] = taken.get(name, 0) + number
            left[name] -= number


def quotas_apart(domain: Domain, *, queued: bool = False) -> tuple[PodClass, ...]:
    """Return the pods to house if every tenant has room for its own demand, as quotas that nobody lends keep it.

    Args:
        domain: the domain.
        queued: count jobs at each tenant's mean instead of its greatest demand.
    """
    shapes: dict[str, PodClass] = {}
    counts: dict[str, float] = {}
    for stream in domain.streams:
        shapes.setdefault(stream.pod.name, stream.pod)
        moving = stream.apart_mean if queued and stream.waits else stream.apart
        alone = stream.steady + (moving if stream.series is not None else 0)
        counts[stream.pod.name] = counts.get(stream.pod.name, 0.0) + alone
    return _counted(shapes, counts, domain)


def keeps_quotas_apart(domain: Domain, committed: frozenset[str] | None) -> bool:
    """Return whether room is kept for each tenant's own peak: quotas are not lent, and machines not given back.

    Args:
        domain: the domain.
        committed: machines that are paid around the clock; None for all, as in a fixed fleet.
    """
    if domain.lends or not any(stream.apart for stream in domain.streams):
        return False
    asks_gpus = any(stream.pod.gpu_count for stream in domain.streams)
    offered = {machine_name(t.name) for t in domain.types if t.gpu_count or not asks_gpus}
    return committed is None or offered <= committed


def peaks(
    domain: Domain, committed: frozenset[str] | None = frozenset(), *, queued: bool = False
) -> tuple[tuple[PodClass, ...], ...]:
    """Return the pods to house at each hour that needs most of a resource, without repetition.

    Pods of equal shape are counted together; the pods of gangs are rounded up to whole gangs. Where quotas are kept
    apart (:func:`keeps_quotas_apart`), all tenants are at their own greatest demand at once.

    Args:
        domain: the domain.
        committed: machines that are paid around the clock; None for all, as in a fixed fleet.
        queued: count jobs at their mean: where machines are all there is, jobs wait until there is room.
    """
    if keeps_quotas_apart(domain, committed):
        return (quotas_apart(domain, queued=queued),)
    shapes: dict[str, PodClass] = {}
    steady: dict[str, float] = {}
    moving: dict[str, np.ndarray] = {}
    for stream in domain.streams:
        shapes.setdefault(stream.pod.name, stream.pod)
        steady[stream.pod.name] = steady.get(stream.pod.name, 0.0) + stream.steady
        if stream.series is not None and queued and stream.waits:
            steady[stream.pod.name] += stream.mean
        elif stream.series is not None:
            known = moving.get(stream.pod.name)
            moving[stream.pod.name] = stream.series if known is None else known + stream.series
    if not moving:
        return (_counted(shapes, steady, domain),)
    names = list(moving)
    table = np.array([moving[name] for name in names])
    sizes = np.array([_size(shapes[name], domain.types) for name in names]).T
    hours = [int(np.argmax(size @ table)) for size in sizes if size.any()]
    vectors = []
    for hour in dict.fromkeys(hours):
        counts = dict(steady)
        for name, value in zip(names, table[:, hour].tolist(), strict=True):
            counts[name] += value
        vectors.append(_counted(shapes, counts, domain))
    return tuple(v for v in dict.fromkeys(vectors) if not any(_dominates(other, v) for other in vectors))


def _dominates(vector: tuple[PodClass, ...], other: tuple[PodClass, ...]) -> bool:
    """Return whether a vector asks for at least as many of every pod, and is not the same."""
    have = {pod.name: pod.count for pod in vector}
    return vector != other and all(have.get(pod.name, 0) >= pod.count for pod in other)


def _counted(shapes: Mapping[str, PodClass], counts: Mapping[str, float], domain: Domain) -> tuple[PodClass, ...]:
    times = {stream.pod.name: stream.wrapped.times(gpu=True) for stream in domain.streams}
    pods = []
    for name, pod in shapes.items():
        held = slowed(counts[name], times[name]) if pod.gpu_count else counts[name]
        number = int(np.ceil(held - 1e-6))
        number = -(-number // pod.gang) * pod.gang
        if number:
            pods.append(replace(pod, count=number))
    return (*pods, *domain.fixed)


_BACK_AFTER_HOURS: Final = 1
"""Hours a machine stays after it is no longer needed. Assumption: an autoscaler waits ten minutes (cluster-autoscaler's
default ``--scale-down-unneeded-time``) and nodes drain; rounded up to the hour that demand is known by."""


def _running(domain: Domain, nodes: Mapping[str, int], lost: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the share of the hours each machine runs, if as many run as the scarcest resource of the hour asks for.

    Machines follow the greatest of the shares of GPUs, CPU and memory that an hour takes of what the greatest hour
    takes, rounded up to whole machines, never fewer than the domain has at least. Pods that find no machine (`lost`,
    their share by name) ask for none.
    """
    if all(stream.series is None for stream in domain.streams):
        return {}
    loads = np.zeros((3, 1))
    for stream in domain.streams:
        hourly = stream.steady if stream.series is None else stream.steady + stream.series
        found = float(1 - lost.get(stream.pod.name, Decimal(0)))
        loads = loads + np.outer(_size(stream.pod, domain.types), np.atleast_1d(hourly)) * found
    for pod in domain.fixed:
        found = float(1 - lost.get(pod.name, Decimal(0)))
        loads = loads + np.outer(_size(pod, domain.types), [pod.count * found])
    share = np.max([load / load.max() for load in loads if load.max() > 0], axis=0, initial=0)
    runs, stays = {}, _names(domain.counted)
    for name, number in nodes.items():
        least = min(number, domain.minimum) if name in stays else 0
        needed = np.maximum(np.ceil(number * share - 1e-9), least)
        for _ in range(_BACK_AFTER_HOURS):
            needed = np.maximum(needed, np.roll(needed, 1))
        runs[name] = Decimal(repr(round(float(needed.mean()) / number, 6))) if number else Decimal(1)
    return runs


def gpu_share(types: tuple[NodeClass, ...], pod: PodClass) -> int:
    """Return the thousandths of each of its GPUs a pod keeps from others; the least, where node types differ in it."""
    if not pod.gpu_count:
        return 0
    shares = [
        taken_milli(node.gpu_sharing, node.gpu_model, pod.gpu_milli, pod.gpu_memory_bytes)
        for node in types
        if node.gpu_count and pod.needs <= node.labels and (not pod.gpu_models or node.gpu_model in pod.gpu_models)
    ]
    return min(shares, default=pod.gpu_milli)


def _size(pod: PodClass, types: tuple[NodeClass, ...]) -> tuple[float, float, float]:
    """Return what a pod takes of a machine: thousandths of GPUs and of cores, bytes of memory."""
    return float(pod.gpu_count * gpu_share(types, pod)), float(pod.cpu_total_milli), float(pod.memory_total_bytes)


def _bought(domain: Domain, committed: frozenset[str]) -> tuple[Housed, ...]:
    """Return the machines bought for a domain, or for its two parts where that costs less by the month.

    Whatever runs around the clock keeps a machine with GPUs running if it stands on one. Where jobs come and go, the
    machines with GPUs are given back, and all that asks for none stands on others.
    """
    together = _together(domain, committed)
    parts = tuple(_together(part, committed) for part in (apart(domain) if together.running else ()))
    if not parts or sum(len(one.pending) for one in parts) > len(together.pending):
        return (together,)
    return min((together,), parts, key=_mean_price)


def apart(domain: Domain) -> tuple[Domain, ...]:
    """Return what asks for GPUs and what asks for none as domains of their own; empty where there are not both."""
    asking = tuple(stream for stream in domain.streams if stream.pod.gpu_count)
    plain = tuple(node for node in domain.types if not node.gpu_count)
    rest = tuple(stream for stream in domain.streams if not stream.pod.gpu_count)
    if domain.kind != "shared" or not (asking and plain and (rest or domain.fixed)):
        return ()
    without = replace(domain, id=f"{domain.id}/plain", streams=rest, types=plain)
    return replace(domain, streams=asking, fixed=(), minimum=0), without


def _mean_price(housed: tuple[Housed, ...]) -> Decimal:
    """Return what machines cost per hour, on average over the month."""
    types = (node for one in housed for node in one.domain.types)
    return hourly(Housing(housed, {}).on_average(), _prices(types))


def _together(domain: Domain, committed: frozenset[str]) -> Housed:
    vectors = peaks(domain, committed)
    purchases = [buy(pods, domain.types) for pods in vectors]
    if any(purchase.pending for purchase in purchases):
        # Pods that no machine holds choose no hour: others' greatest demand may be at another.
        homeless = _never_housed(domain, ())
        rest = tuple(stream for stream in domain.streams if stream.pod.name not in homeless)
        others = tuple(v for v in peaks(replace(domain, streams=rest), committed) if v not in vectors)
        vectors += others
        purchases += [buy(pods, domain.types) for pods in others]
    nodes: dict[str, int] = {}
    for purchase in purchases:
        for name, number in _by_machine(purchase.nodes).items():
            nodes[name] = max(nodes.get(name, 0), number)
    chief = max(purchases, key=lambda p: p.price)
    _raise_to_minimum(domain, nodes, None)
    least = max((_least(domain, purchase) for purchase in purchases), default=Decimal(0))
    lost = _never_housed(domain, vectors)
    pending: dict[tuple[str, str], Pending] = {}
    for pods, purchase in zip(vectors, purchases, strict=True):
        for name, share in _unhoused(pods, purchase.pending).items():
            lost[name] = max(share, lost.get(name, Decimal(0)))
        for one in purchase.pending:
            key = (one.pod_class, one.kind)
            if key not in pending or one.count > pending[key].count:
                pending[key] = one
    running = {name: share for name, share in _running(domain, nodes, lost).items() if name not in committed}
    return Housed(
        domain, domain.copies, nodes, chief, least, pending=tuple(pending.values()), unhoused=lost, running=running
    )


def _least(domain: Domain, purchase: Purchase) -> Decimal:
    """Return a price per hour no machines that house a purchase's pods can go below.

    The greatest of: the linear program; the price itself where it is proven cheapest; for each pod the cheapest
    machine that holds one; the machines a copy has at least, at the cheapest price.
    """
    if purchase.optimal or not purchase.nodes:
        return purchase.price
    cheapest = min((node.price for node in domain.counted), default=Decimal(0))
    bounds = [cheapest * domain.minimum]
    bounds += [] if purchase.bound is None else [Decimal(repr(purchase.bound.price))]
    bounds += [_cheapest_for(s.pod, domain.types) for s in domain.streams if purchase.placed.get(s.pod.name)]
    return min(purchase.price, max(bounds))


def _cheapest_for(pod: PodClass, types: Iterable[NodeClass]) -> Decimal:
    """Return the price of the cheapest machine that may hold a pod; GPU memory is not looked at."""
    fitting = [
        node.price
        for node in types
        if pod.needs <= node.labels
        and node.gpu_count >= pod.gpu_count
        and (not pod.gpu_models or node.gpu_model in pod.gpu_models)
        and node.cpu_milli >= pod.cpu_total_milli
        and node.memory_bytes >= pod.memory_total_bytes
    ]
    return min(fitting, default=Decimal(0))


def _unhoused(pods: Sequence[PodClass], pending: Sequence[Pending]) -> dict[str, Decimal]:
    counts = {pod.name: pod.count for pod in pods}
    lost: dict[str, Decimal] = {}
    for one in pending:
        share = Decimal(one.count) / counts[one.pod_class]
        lost[one.pod_class] = min(Decimal(1), lost.get(one.pod_class, Decimal(0)) + share)
    return lost


def _never_housed(domain: Domain, vectors: Iterable[Sequence[PodClass]]) -> dict[str, Decimal]:
    """Return the pods no machine on offer holds, of the classes that run at other hours than the greatest demand."""
    bought = {pod.name for pods in vectors for pod in pods}
    alone = [replace(s.pod, count=s.pod.gang) for s in domain.streams if s.pod.name not in bought]
    return {pod.name: Decimal(1) for pod in alone if buy((pod,), domain.types, bound=None).pending}


def _by_machine(nodes: Mapping[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node_class, number in nodes.items():
        name = machine_name(node_class)
        counts[name] = counts.get(name, 0) + number
    return counts


def _names(types: Iterable[NodeClass]) -> frozenset[str]:
    return frozenset(machine_name(node.name) for node in types)


def _missing(domain: Domain, *counts: Mapping[str, int]) -> int:
    """Return how many machines a copy of a domain lacks of those that carry its system pods."""
    counted = _names(domain.counted)
    return domain.minimum - sum(n for nodes in counts for name, n in nodes.items() if name in counted)


def _raise_to_minimum(
    domain: Domain, nodes: dict[str, int], free: Mapping[str, int] | None, *others: Mapping[str, int]
) -> None:
    """Add the nodes a copy has at least, cheapest first, as far as machines are free for it; None where all are."""
    missing = _missing(domain, nodes, *others)
    for node in sorted(domain.counted, key=lambda t: (t.price, t.name)):
        if missing <= 0:
            return
        name = machine_name(node.name)
        room = missing if free is None else min(missing, free.get(name, 0))
        if room > 0:
            nodes[name] = nodes.get(name, 0) + room
            missing -= room


# --- fixed fleets -------------------------------------------------------------------------------------------------


def _taken(domain: Domain, left: dict[str, int], with_gpus: Collection[str]) -> list[Housed]:
    """Return how the copies of a domain are housed from what is left of a fleet, which is reduced.

    Where machines without GPUs run short, system pods stand on those with GPUs, before any is bought for them. Nodes
    that a copy has at least beside those its pods take are not taken from these: others' work may need them.
    """
    vectors = peaks(domain, None, queued=True)
    pods = _largest(vectors)
    never = _never_housed(domain, vectors)
    free = domain.unrestrained
    free_pods = (*(pod for pod in pods if pod not in domain.fixed), *free.fixed)
    result: list[Housed] = []
    waiting = domain.copies
    while waiting:
        purchase = _from_fleet(domain, pods, left)
        nodes = _by_machine(purchase.nodes)
        room = {name: number - nodes.get(name, 0) for name, number in left.items() if name not in with_gpus}
        _raise_to_minimum(domain, nodes, room)
        if domain != free and _runs_short(domain, nodes, purchase):
            domain, pods = free, free_pods
            continue
        copies = min([waiting, *(left[name] // number for name, number in nodes.items() if number)])
        for name, number in nodes.items():
            left[name] -= number * copies
        pending = purchase.pending
        extra: dict[str, int] = {}
        lost = never
        if pending:
            expansion = _expansion(domain, pods, pending)
            extra = _cheaper(domain, _by_machine(expansion.nodes), _rest(domain, pods, nodes))
            lost = {**never, **_unhoused(pods, expansion.pending)}
        result.append(Housed(domain, copies, nodes, purchase, extra=extra, pending=pending, unhoused=lost))
        waiting -= copies
    return result


def _runs_short(domain: Domain, nodes: Mapping[str, int], purchase: Purchase) -> bool:
    """Return whether a fleet has too few machines for system pods alone."""
    system = {pod.name for pod in domain.fixed}
    return _missing(domain, nodes) > 0 or any(one.pod_class in system for one in purchase.pending)


def _largest(vectors: Sequence[tuple[PodClass, ...]]) -> tuple[PodClass, ...]:
    """Return the greatest number of each pod class over several hours."""
    most: dict[str, PodClass] = {}
    for vector in vectors:
        for pod in vector:
            known = most.get(pod.name)
            most[pod.name] = pod if known is None or pod.count > known.count else known
    return tuple(most.values())


def _from_fleet(domain: Domain, pods: Sequence[PodClass], left: Mapping[str, int]) -> Purchase:
    """Return a placement on what is left; machines whose GPUs are cut for shares are set apart first."""
    cut = [t for t in domain.types if t.gpu_sharing != WHOLE]
    labels = frozenset(label for t in cut for label in t.labels)
    sharers = [pod for pod in pods if pod.gpu_count and pod.needs & labels]
    whole_left = dict(left)
    limited: list[NodeClass] = []
    if sharers:
        apart = buy(sharers, [replace(t, count=left.get(machine_name(t.name), 0)) for t in cut], bound=None)
        for node in cut:
            number = apart.nodes.get(node.name, 0)
            whole_left[machine_name(node.name)] -= number
            limited.append(replace(node, count=max(0, number)))
    limited += [replace(t, count=max(0, whole_left.get(t.name, 0))) for t in domain.types if t.gpu_sharing == WHOLE]
    return buy(pods, limited, bound=None)


def _expansion(domain: Domain, pods: Sequence[PodClass], pending: Sequence[Pending]) -> Purchase:
    """Return what it would take to house what found no place, bought as needed."""
    by_name = {pod.name: pod for pod in pods}
    counts: dict[str, int] = {}
    for one in pending:
        counts[one.pod_class] = counts.get(one.pod_class, 0) + one.count
    missing = [replace(by_name[name], count=number) for name, number in counts.items()]
    return buy(missing, [replace(node, count=None) for node in domain.types], bound=None)


def _rest(domain: Domain, pods: Sequence[PodClass], have: Mapping[str, int]) -> dict[str, int]:
    """Return what machines bought for the whole demand would add to those a copy has."""
    whole = buy(pods, [replace(node, count=None) for node in domain.types], bound=None)
    wanted = _by_machine(whole.nodes)
    return {name: number - have.get(name, 0) for name, number in wanted.items() if number > have.get(name, 0)}


def _cheaper(domain: Domain, *ways: dict[str, int]) -> dict[str, int]:
    """Return the cheapest of several sets of machines."""
    prices = _prices(domain.types)
    return min(ways, key=lambda nodes: hourly(nodes, prices))


def _prices(types: Iterable[NodeClass]) -> dict[str, Decimal]:
    return {machine_name(node.name): node.price for node in types}


def _with_minimum(housed: Housed, left: dict[str, int]) -> Housed:
    """Return the same with the nodes a copy has at least: of what nobody's work took, the rest is lacking."""
    nodes, extra, copies = dict(housed.nodes), dict(housed.extra), housed.copies
    _raise_to_minimum(housed.domain, nodes, {name: number // copies for name, number in left.items()}, extra)
    for name, number in nodes.items():
        left[name] = left.get(name, 0) - (number - housed.nodes.get(name, 0)) * copies
    _add_missing(housed.domain, nodes, extra)
    return replace(housed, nodes=nodes, extra=extra)


def _add_missing(domain: Domain, nodes: Mapping[str, int], extra: dict[str, int]) -> None:
    """Add the machines that a copy has at least, for high availability, and the fleet does not give it."""
    missing = _missing(domain, nodes, extra)
    if missing > 0 and domain.counted:
        name = machine_name(min(domain.counted, key=lambda node: (node.price, node.name)).name)
        extra[name] = extra.get(name, 0) + missing


def hourly(nodes: Mapping[str, int] | Mapping[str, Decimal], prices: Mapping[str, Decimal]) -> Decimal:
    """Return the price of machines per hour."""
    return sum((prices[name] * number for name, number in nodes.items()), Decimal(0))
