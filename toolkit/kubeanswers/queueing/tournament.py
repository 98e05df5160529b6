"""In which order the heads of the queues are served in one round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Generic, Protocol, TypeVar

from kubeanswers.queueing.assignment import Assignment
from kubeanswers.queueing.fairness import NONE, Share, share
from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.shapes import Job
from kubeanswers.queueing.tree import Node, Slots
from kubeanswers.queueing.values import Settings, Version


class Head(Protocol):
    """The head of a queue, with what it would get."""

    job: Job
    pool: Pool
    found: Assignment


H = TypeVar("H", bound=Head)

OWN_FIRST: Final[Version] = (0, 15)
"""Since then (0.15.5, 0.16.2) who stays within its own quota of what it asks for goes before who borrows."""


def served_by(head: Head) -> tuple[int, int, float]:
    """Return a head's place in the order: those that borrow least, high priority, old ones first."""
    return head.found.borrowing, -head.job.priority, head.job.created


class Tournament(Generic[H]):
    """Fair sharing: at every cohort the member wins whose share, with its head admitted, is lowest."""

    def __init__(self, heads: Sequence[H], slots: Slots, *, own_first: bool = False) -> None:
        self._slots = slots
        self._own_first = own_first
        self._heads: dict[Node, H] = {head.pool.node: head for head in heads}
        self._shares: dict[tuple[Node, Node], tuple[bool, Share]] = {}
        self._below: dict[Node, list[Node]] = {}
        self._lined_up: dict[Node, Iterator[Node]] = {}
        for node in self._heads:
            self._below.setdefault(node.root, []).append(node)

    def __iter__(self) -> Iterator[H]:
        while self._heads:
            node = next(iter(self._heads))
            if node.parent is not None:
                root = node.root
                if root.flat:
                    node = next(self._line(root))
                else:
                    self._weigh(root)
                    winner = self._winner(root)
                    if winner is None:
                        return
                    node = winner.pool.node
            yield self._heads.pop(node)

    def _line(self, root: Node) -> Iterator[Node]:
        """Return the heads below a root with queues alone; their shares do not change by what others are admitted."""
        line = self._lined_up.get(root)
        if line is None:
            self._weigh(root)
            place = {child: at for at, child in enumerate(root.children)}
            nodes = sorted(self._below[root], key=lambda node: (*self._key(root, self._heads[node]), place[node]))
            line = self._lined_up[root] = iter(nodes)
        return line

    def _key(self, cohort: Node, head: H) -> tuple[tuple[bool, Share], int, float]:
        return self._shares[cohort, head.pool.node], -head.job.priority, head.job.created

    def _weigh(self, root: Node) -> None:
        """Work out every head's share at each cohort above it, as if it were admitted."""
        self._shares = {}
        for node in self._below[root]:
            head = self._heads.get(node)
            if head is None:
                continue
            for slot, amount in head.found.usage.items():
                node.take(slot, amount)
            below = node
            for cohort in node.path():
                over = self._own_first and any(
                    amount and below.usage[slot] > below.quota[slot] for slot, amount in head.found.usage.items()
                )
                self._shares[cohort, node] = over, share(below, self._slots)
                below = cohort
            for slot, amount in head.found.usage.items():
                node.give(slot, amount)

    def _winner(self, cohort: Node) -> H | None:
        best: H | None = None
        best_key: tuple[tuple[bool, Share], int, float] = ((False, NONE), 0, 0)
        for child in cohort.children:
            head = self._heads.get(child) if child.queue else self._winner(child)
            if head is None:
                continue
            key = self._key(cohort, head)
            if best is None or key < best_key:
                best, best_key = head, key
        return best


def ordered(heads: Sequence[H], slots: Slots, settings: Settings) -> Iterator[H]:
    """Return heads in the order of service; with fair sharing it depends on who was admitted before."""
    fair, own_first = settings.fair_sharing, settings.version >= OWN_FIRST
    return iter(Tournament(heads, slots, own_first=own_first)) if fair else iter(sorted(heads, key=served_by))
