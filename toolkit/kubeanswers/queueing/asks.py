"""What a shape asks of a queue, worked out once: per group of resources the slots and amounts in every flavor."""

from __future__ import annotations

from kubeanswers.queueing.pool import Pool, Reason
from kubeanswers.queueing.shapes import Shape, scaled
from kubeanswers.records import dataclass
from kubeanswers.scheduling.values import PODS


@dataclass(frozen=True, slots=True)
class Offer:
    """One flavor: the slot and amount of every resource asked for, or why pods may not use it."""

    flavor: str
    pairs: tuple[tuple[int, int, str], ...]
    refusal: Reason | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Resources that come from the same flavor; ``first`` is the one asked for first."""

    first: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A pod set: its position, name, count and what all its pods ask for."""

    position: int
    name: str
    count: int
    wants: dict[str, int]


@dataclass(frozen=True, slots=True)
class Together:
    """Pod sets that get the same flavors; ``problem`` if the queue has nothing of some resource."""

    members: tuple[Member, ...]
    asks: tuple[Ask, ...]
    problem: Reason | None


@dataclass(frozen=True, slots=True)
class Asks:
    """What a shape asks of a queue.

    Attributes:
        together: its pod sets, those that get the same flavors together.
        simple: whether it fits exactly if, for each of ``offers``, some flavor has room for every amount; if it does
            not, no flavor is left to try.
        offers: slots and amounts in the flavors it may use, per group of resources.
        single: the slots and amounts where there is but one flavor for each; ``None`` otherwise.
    """

    together: tuple[Together, ...]
    simple: bool
    offers: tuple[tuple[tuple[tuple[int, int, str], ...], ...], ...]
    single: tuple[tuple[int, int], ...] | None


def asks_of(pool: Pool, shape: Shape, counts: list[int] | None = None) -> Asks:
    """Return what a shape asks of a queue, at full size or with the counts given."""
    together = _all_together(pool, shape, counts)
    asks = together[0].asks if together else ()
    simple = (
        len(together) == 1
        and len(together[0].members) == 1
        and together[0].problem is None
        and not shape.partial
        and (len(asks) == 1 or all(len(ask.offers) == 1 for ask in asks))
    )
    offers = tuple(tuple(offer.pairs for offer in ask.offers if offer.refusal is None) for ask in asks)
    single = None
    if simple and all(len(ask.offers) == len(usable) == 1 for ask, usable in zip(asks, offers, strict=True)):
        single = tuple((slot, amount) for (pairs,) in offers for slot, amount, _ in pairs)
    return Asks(together, simple, offers, single)


def _all_together(pool: Pool, shape: Shape, counts: list[int] | None) -> tuple[Together, ...]:
    sizes = counts or [part.count for part in shape.pod_sets]
    found = []
    for positions in shape.groups:
        members = tuple(_member(pool, shape, position, sizes[position]) for position in positions)
        requests: dict[str, int] = {}
        for member in members:
            for resource, amount in member.wants.items():
                requests[resource] = requests.get(resource, 0) + amount
        found.append(_together(pool, shape, members, requests))
    return tuple(found)


def _member(pool: Pool, shape: Shape, position: int, size: int) -> Member:
    part = shape.pod_sets[position]
    wants = scaled(part, size)
    if pool.drops_zeros:
        wants = {name: amount for name, amount in wants.items() if amount or name in pool.group_of}
    if PODS in pool.group_of:
        wants[PODS] = size
    return Member(position, part.name, size, wants)


def _together(pool: Pool, shape: Shape, members: tuple[Member, ...], requests: dict[str, int]) -> Together:
    asks = []
    seen: set[str] = set()
    parts = [shape.pod_sets[member.position] for member in members]
    for resource in requests:
        if resource in seen:
            continue
        group = pool.group_of.get(resource)
        if group is None:
            return Together(members, (), ("ResourceUnavailable", resource))
        wanted = [name for name in requests if name in group.resources]
        seen.update(wanted)
        offers = tuple(
            Offer(
                flavor,
                tuple((slots[name], requests[name], name) for name in wanted),
                pool.refusal(parts, flavor, group),
            )
            for flavor, slots in zip(group.flavors, group.slots, strict=True)
        )
        asks.append(Ask(resource, offers))
    return Together(members, tuple(asks), None)
