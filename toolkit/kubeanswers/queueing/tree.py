"""The cohort tree: who may use how much of what, and who uses it.

Every queue and cohort is a node.  A node lends its parent what it does not keep (its lending limit) and counts
against it only what exceeds the part it keeps.  Quotas are numbered: slot ``i`` is one resource of one flavor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kubeanswers.queueing.values import Limit, ResourceGroup

Slot = tuple[str, str]
"""A flavor and a resource."""


class Slots:
    """Numbers for flavors and resources; a number, once given, stays."""

    __slots__ = ("_numbers", "names", "resources")

    def __init__(self) -> None:
        self._numbers: dict[Slot, int] = {}
        self.names: list[Slot] = []
        self.resources: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def number(self, flavor: str, resource: str) -> int:
        """Return the number of a flavor's resource."""
        slot = (flavor, resource)
        found = self._numbers.get(slot)
        if found is None:
            found = self._numbers[slot] = len(self.names)
            self.names.append(slot)
            self.resources.append(resource)
        return found


class Node:
    """A queue or a cohort in the tree.

    Attributes:
        nominal: its own quota, by slot.
        quota: its own and what its members lend it.
        kept: the part of ``quota`` it does not lend.
        limit: how much it may borrow; ``None`` without bound.
        potential: the most it could ever use.
        usage: what counts against ``quota``.
        slots: the slots it has quota of.
        height: distance to the furthest queue below.
        flat: of a root, whether there are only queues below it.
        version: of a root, grows with every change of usage in its tree.
        lendable: by resource, what the subtree could use; only for cohorts.
    """

    __slots__ = (
        "children",
        "flat",
        "height",
        "kept",
        "lendable",
        "limit",
        "name",
        "nominal",
        "parent",
        "potential",
        "queue",
        "quota",
        "slots",
        "usage",
        "version",
        "weight",
    )

    def __init__(self, name: str, weight: float, *, queue: bool) -> None:
        self.name = name
        self.weight = weight
        self.queue = queue
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.height = 0
        self.version = 0
        self.flat = False
        self.nominal: list[int] = []
        self.quota: list[int] = []
        self.kept: list[int] = []
        self.limit: list[int | None] = []
        self.potential: list[int] = []
        self.usage: list[int] = []
        self.slots: list[int] = []
        self.lendable: dict[str, int] = {}

    @property
    def key(self) -> str:
        """Its name, told apart from a queue's or cohort's of the same name."""
        return self.name if self.queue else f"cohort:{self.name}"

    def path(self) -> Iterator[Node]:
        """Yield the cohorts above, from the nearest to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    @property
    def root(self) -> Node:
        """The top of the tree."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    def free(self, slot: int) -> int:
        """Return what could be taken now, borrowing included; below zero if more is in use than there is."""
        used, parent = self.usage[slot], self.parent
        if parent is None:
            return self.quota[slot] - used
        above = parent.quota[slot] - parent.usage[slot] if parent.parent is None else parent.free(slot)
        kept = self.kept[slot]
        own = kept - used
        limit = self.limit[slot]
        if limit is not None:
            most = self.quota[slot] - kept + limit + min(0, own)
            above = min(above, most)
        return above + own if own > 0 else above

    def spare(self, slot: int) -> int:
        """Return what is left of the part it does not lend."""
        left = self.kept[slot] - self.usage[slot]
        return max(0, left)

    def take(self, slot: int, amount: int) -> None:
        """Count usage here and, as far as it exceeds what is kept, above."""
        node: Node | None = self
        while node is not None:
            spare = node.kept[slot] - node.usage[slot]
            node.usage[slot] += amount
            spare = max(spare, 0)
            if amount <= spare:
                return
            amount -= spare
            node = node.parent

    def give(self, slot: int, amount: int) -> None:
        """Undo ``take``."""
        node: Node | None = self
        while node is not None:
            above = node.usage[slot] - node.kept[slot]
            node.usage[slot] -= amount
            if above <= 0:
                return
            amount = min(amount, above)
            node = node.parent

    def exceeds(self, slot: int, amount: int = 0) -> bool:
        """Return whether usage, with an amount more, is above its quota (a queue's own, a cohort's with members')."""
        return self.usage[slot] + amount > self.quota[slot]

    def within(self, slots: Iterable[int]) -> bool:
        """Return whether no usage in the slots is above quota."""
        usage, quota = self.usage, self.quota
        return all(usage[slot] <= quota[slot] for slot in slots)


def reach(node: Node, slot: int, amount: int) -> tuple[int, bool]:
    """Return how far up an amount has to be borrowed from (0 own quota), and whether something lies above that."""
    parent = node.parent
    if parent is None:
        return 0, False
    if node.usage[slot] + amount <= node.quota[slot]:
        return 0, True
    amount -= node.spare(slot)
    while True:
        if parent.usage[slot] + amount <= parent.quota[slot]:
            return parent.height, parent.parent is not None
        amount -= parent.spare(slot)
        if parent.parent is None:
            return parent.height, False
        parent = parent.parent


def limits_of(groups: Iterable[ResourceGroup]) -> dict[Slot, Limit]:
    """Return quotas by flavor and resource."""
    return {
        (flavor.flavor, resource): limit
        for group in groups
        for flavor in group.flavors
        for resource, limit in flavor.limits.items()
    }


def number_limits(slots: Slots, limits: Mapping[Slot, Limit]) -> dict[int, Limit]:
    """Return quotas by slot."""
    return {slots.number(*slot): limit for slot, limit in limits.items()}


def settle(root: Node, limits: Mapping[str, Mapping[int, Limit]], slots: Slots) -> None:
    """Work out quotas and usage from the bottom up, and what each node could reach from the top down.

    A queue's ``usage`` has to be there before; ``limits`` go by ``Node.key``.
    """
    _gather(root, limits, len(slots))
    _spread(root, root.slots, slots.resources)


def _gather(node: Node, limits: Mapping[str, Mapping[int, Limit]], size: int) -> None:
    own = limits.get(node.key, {})
    nominal = [0] * size
    for slot, limit in own.items():
        nominal[slot] = limit.nominal
    node.nominal = nominal
    node.quota = quota = list(nominal)
    node.usage = usage = node.usage + [0] * (size - len(node.usage)) if node.queue else [0] * size
    slots = set(own)
    for child in node.children:
        _gather(child, limits, size)
        slots.update(child.slots)
        for slot in range(size):
            quota[slot] += child.quota[slot] - child.kept[slot]
            usage[slot] += max(0, child.usage[slot] - child.kept[slot])
    node.slots = sorted(slots)
    node.kept = [0] * size
    node.limit = [None] * size
    for slot, limit in own.items():
        node.limit[slot] = limit.borrowing
        if limit.lending is not None:
            node.kept[slot] = max(0, quota[slot] - limit.lending)


def _spread(node: Node, everything: list[int], names: list[str]) -> None:
    parent = node.parent
    if parent is None:
        node.potential = list(node.quota)
    else:
        node.potential = []
        for slot, most in enumerate(parent.potential):
            limit = node.limit[slot]
            reachable = node.kept[slot] + most
            node.potential.append(reachable if limit is None else min(reachable, node.quota[slot] + limit))
    if not node.queue:
        node.lendable = {}
        for slot in everything:
            node.lendable[names[slot]] = node.lendable.get(names[slot], 0) + node.potential[slot]
    for child in node.children:
        _spread(child, everything, names)
