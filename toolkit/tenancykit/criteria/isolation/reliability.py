"""Exact two-terminal reliability of directed networks whose links fall with shared, independent events.

Convention: a *variable* is an event that happens or not, independently of the others. A *link* may be crossed when all
its variables have happened. A target is *exposed* when some chain of links from a start to it may be crossed. Exposure
is a monotone function of the variables; it is held as a reduced ordered binary decision diagram (Bryant 1986,
doi:10.1109/TC.1986.1676819), on which probability and cheapest cut follow by one pass each.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

FALSE: Final = 0
TRUE: Final = 1


@dataclass(frozen=True)
class Link:
    """A step that may be taken when all its variables have happened.

    Attributes:
        source: node it starts at.
        target: node it leads to.
        variables: events that must all have happened; none: always open.
    """

    source: Hashable
    target: Hashable
    variables: tuple[Hashable, ...] = ()


_Walk = list[tuple[int, Hashable, int, int, tuple[int, ...]]]


class Diagram:
    """A reduced ordered binary decision diagram over named variables, shared by several functions.

    Args:
        order: the variables, from the root down.
    """

    def __init__(self, order: Sequence[Hashable]) -> None:
        self.order = tuple(order)
        self._level = {name: i for i, name in enumerate(self.order)}
        end = len(self.order)
        self.level: list[int] = [end, end]
        self.low: list[int] = [FALSE, TRUE]
        self.high: list[int] = [FALSE, TRUE]
        self._unique: dict[tuple[int, int, int], int] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}
        self._walks: dict[int, _Walk] = {}

    def __len__(self) -> int:
        return len(self.level)

    def position(self, name: Hashable) -> int:
        """Return the place of a variable in the order."""
        return self._level[name]

    def variable(self, name: Hashable) -> int:
        """Return the function that is true when the event has happened."""
        return self._node(self._level[name], FALSE, TRUE)

    def _node(self, level: int, low: int, high: int) -> int:
        if low == high:
            return low
        key = (level, low, high)
        found = self._unique.get(key)
        if found is None:
            found = self._unique[key] = len(self.level)
            self.level.append(level)
            self.low.append(low)
            self.high.append(high)
        return found

    def both(self, first: int, second: int) -> int:
        """Return the function that is true where both are."""
        if first == second or second == TRUE:
            return first
        if first == TRUE:
            return second
        if FALSE in (first, second):
            return FALSE
        return self._apply(self.both, self._both, first, second)

    def either(self, first: int, second: int) -> int:
        """Return the function that is true where one is."""
        if first == second or second == FALSE:
            return first
        if first == FALSE:
            return second
        if TRUE in (first, second):
            return TRUE
        return self._apply(self.either, self._either, first, second)

    def _apply(
        self, join: Callable[[int, int], int], memory: dict[tuple[int, int], int], first: int, second: int
    ) -> int:
        key = (first, second) if first < second else (second, first)
        found = memory.get(key)
        if found is None:
            level = min(self.level[first], self.level[second])
            first_low, first_high = self._branches(first, level)
            second_low, second_high = self._branches(second, level)
            found = self._node(level, join(first_low, second_low), join(first_high, second_high))
            memory[key] = found
        return found

    def _branches(self, node: int, level: int) -> tuple[int, int]:
        return (self.low[node], self.high[node]) if self.level[node] == level else (node, node)

    def probability(self, roots: Sequence[int], chance: Mapping[Hashable, float]) -> list[float]:
        """Return the probability that each function is true.

        Args:
            roots: functions of this diagram.
            chance: probability of every variable that may matter; 0 where absent. Branches that cannot be reached
                under these chances are not visited.
        """
        chances = [chance.get(name, 0.0) for name in self.order]
        return [self.probability_at(root, chances) for root in roots]

    def probability_at(self, root: int, chances: Sequence[float]) -> float:
        """Return the probability that a function is true, given the variables' chances in their order."""
        known: dict[int, float] = {FALSE: 0.0, TRUE: 1.0}
        level, low, high = self.level, self.low, self.high

        def value(node: int) -> float:
            found = known.get(node)
            if found is None:
                p = chances[level[node]]
                if p <= 0.0:
                    found = value(low[node])
                elif p >= 1.0:
                    found = value(high[node])
                else:
                    below = value(low[node])
                    found = below + p * (value(high[node]) - below)
                known[node] = found
            return found

        return value(root)

    def cheapest(self, roots: Sequence[int], cost: Mapping[Hashable, float]) -> list[float]:
        """Return, per function, the least total cost of variables that make it true; infinite where nothing does.

        Args:
            roots: functions of this diagram.
            cost: cost of every variable that can happen; infinite where absent.
        """
        costs = [cost.get(name, math.inf) for name in self.order]
        return [self.cheapest_at(root, costs) for root in roots]

    def cheapest_at(self, root: int, costs: Sequence[float]) -> float:
        """Return the least total cost that makes a function true, given the variables' costs in their order."""
        known: dict[int, float] = {FALSE: math.inf, TRUE: 0.0}
        level, low, high = self.level, self.low, self.high

        def value(node: int) -> float:
            found = known.get(node)
            if found is None:
                price = costs[level[node]]
                if price == 0.0:
                    found = value(high[node])
                elif math.isinf(price):
                    found = value(low[node])
                else:
                    found = min(value(low[node]), price + value(high[node]))
                known[node] = found
            return found

        return value(root)

    def _walk(self, root: int) -> _Walk:
        """Return the nodes under a function from the leaves up, each with the nodes nobody needs after it."""
        found = self._walks.get(root)
        if found is None:
            needed = self._reachable([root])
            last: dict[int, int] = {}
            for node in needed:
                last[self.low[node]] = last[self.high[node]] = node
            done: dict[int, list[int]] = {}
            for child, node in last.items():
                if child > TRUE:
                    done.setdefault(node, []).append(child)
            found = self._walks[root] = [
                (node, self.order[self.level[node]], self.low[node], self.high[node], tuple(done.get(node, ())))
                for node in needed
            ]
        return found

    def _reachable(self, roots: Sequence[int]) -> list[int]:
        seen: set[int] = set()
        stack = [root for root in roots if root > TRUE]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(child for child in (self.low[node], self.high[node]) if child > TRUE)
        return sorted(seen)

    def probability_over(self, root: int, chance: Mapping[Hashable, np.ndarray]) -> np.ndarray:
        """Return the probability that a function is true for every column of the variables' chances."""
        import numpy as np  # noqa: PLC0415 - single designs need no arrays

        size = len(next(iter(chance.values())))
        known: dict[int, np.ndarray] = {FALSE: np.zeros(size), TRUE: np.ones(size)}
        for node, name, low, high, done in self._walk(root):
            value = known[high] - known[low]
            value *= chance[name]
            value += known[low]
            known[node] = value
            for child in done:
                del known[child]
        return known[root]

    def fewest_over(self, root: int, cost: Mapping[Hashable, np.ndarray], most: int) -> np.ndarray:
        """Return the least total cost of variables that make a function true, for every column of costs.

        Args:
            root: a function of this diagram.
            cost: whole cost of each variable, ``most`` where it cannot happen.
            most: least cost that counts as never; costs are added in eight-bit integers, so at most 63.
        """
        import numpy as np  # noqa: PLC0415 - as above

        size = len(next(iter(cost.values())))
        known: dict[int, np.ndarray] = {FALSE: np.full(size, most, np.int8), TRUE: np.zeros(size, np.int8)}
        for node, name, low, high, done in self._walk(root):
            value = known[high] + cost[name]
            np.minimum(value, known[low], out=value)
            np.minimum(value, most, out=value)
            known[node] = value
            for child in done:
                del known[child]
        return known[root]


def expose(links: Sequence[Link], starts: Mapping[Hashable, Hashable | None], target: Hashable) -> tuple[Diagram, int]:
    """Return a diagram and the function in it that says when the target is exposed.

    Variables are ordered by the walk from the starts, those into one node together, so that the diagram only has to
    remember which nodes with ways still ahead were reached; circles are followed until nothing changes.

    Args:
        links: the network.
        starts: start nodes, each with the variable that must have happened for the attacker to stand there, or None.
        target: node asked for.
    """
    useful = _towards(links, target)
    rank = _ranks(useful, starts, target)
    useful = sorted((link for link in useful if link.source in rank), key=lambda link: _place(link, target, rank))
    order: dict[Hashable, None] = dict.fromkeys(name for name in starts.values() if name is not None)
    for link in useful:
        order.update(dict.fromkeys(link.variables))
    diagram = Diagram(list(order))
    incoming: dict[Hashable, list[tuple[Hashable, int]]] = {}
    for link in useful:
        term = TRUE
        for name in sorted(link.variables, key=diagram.position, reverse=True):
            term = diagram.both(diagram.variable(name), term)
        incoming.setdefault(link.target, []).append((link.source, term))
    reached = {node: TRUE if name is None else diagram.variable(name) for node, name in starts.items()}
    nodes = sorted(incoming, key=lambda node: rank[node])
    changed = True
    while changed:
        changed = False
        for node in nodes:
            before = after = reached.get(node, FALSE)
            for source, term in incoming[node]:
                after = diagram.either(after, diagram.both(reached.get(source, FALSE), term))
            if after != before:
                reached[node] = after
                changed = True
    return diagram, reached.get(target, FALSE)


def _towards(links: Sequence[Link], target: Hashable) -> list[Link]:
    """Return the links on ways to the target."""
    incoming: dict[Hashable, list[Link]] = {}
    for link in links:
        incoming.setdefault(link.target, []).append(link)
    seen = {target}
    stack = [target]
    found: list[Link] = []
    while stack:
        for link in incoming.get(stack.pop(), ()):
            if link.source != target:
                found.append(link)
                if link.source not in seen:
                    seen.add(link.source)
                    stack.append(link.source)
    return found


def _ranks(links: Sequence[Link], starts: Iterable[Hashable], target: Hashable) -> dict[Hashable, int]:
    """Return the nodes reached from the starts in an order that keeps few of them waiting.

    A node waits from its turn until every node it leads to had its turn; the diagram has to remember which of the
    waiting nodes were reached. Of the nodes whose predecessors all had theirs, the one that leaves fewest waiting is
    next; where a circle leaves none ready, any may be.
    """
    before: dict[Hashable, set[Hashable]] = {}
    after: dict[Hashable, set[Hashable]] = {}
    for link in links:
        if link.target != target:
            before.setdefault(link.target, set()).add(link.source)
            after.setdefault(link.source, set()).add(link.target)
    placed: dict[Hashable, int] = {node: place for place, node in enumerate(starts)}
    reached = _forward(after, placed)
    while len(placed) < len(reached):
        left = [node for node in reached if node not in placed]
        ready = [node for node in left if before[node] & reached.keys() <= placed.keys()] or left

        def waiting(node: Hashable) -> tuple[int, int, int]:
            had = {*placed, node}
            here = sum(1 for other in had if after.get(other, set()) - had)
            return here, -len(before[node]), len(after.get(node, ()))

        placed[min(ready, key=waiting)] = len(placed)
    placed[target] = len(placed)
    return placed


def _forward(after: Mapping[Hashable, set[Hashable]], starts: Iterable[Hashable]) -> dict[Hashable, None]:
    reached = dict.fromkeys(starts)
    stack = list(reached)
    while stack:
        for node in sorted(after.get(stack.pop(), ()), key=str):
            if node not in reached:
                reached[node] = None
                stack.append(node)
    return reached


def _place(link: Link, target: Hashable, rank: Mapping[Hashable, int]) -> tuple[int, int, int]:
    if link.target == target:
        return rank[link.source], 1, 0
    return rank[link.target], 0, rank[link.source]


@dataclass(frozen=True)
class Route:
    """A cheapest way to a target.

    Attributes:
        cost: total cost of the distinct variables on it.
        links: indices of the links taken, in order.
        variables: the distinct variables on it.
    """

    cost: float
    links: tuple[int, ...]
    variables: frozenset[Hashable]


def cheapest_routes(
    links: Sequence[Link],
    starts: Iterable[Hashable],
    targets: Iterable[Hashable],
    cost: Mapping[Hashable, float],
) -> dict[Hashable, Route]:
    """Return the cheapest route to each target that can be reached; a variable used twice is paid once.

    Best-first search over (node, set of variables); a set that contains a cheaper one found at the same node is
    dropped, because whatever completes it completes the smaller set as well. Ties go to the route found first, links
    being tried in their order.
    """
    outgoing: dict[Hashable, list[int]] = {}
    for index, link in enumerate(links):
        outgoing.setdefault(link.source, []).append(index)
    wanted = set(targets)
    found: dict[Hashable, Route] = {}
    settled: dict[Hashable, list[frozenset[Hashable]]] = {}
    count = 0
    queue: list[tuple[float, int, int, Hashable, frozenset[Hashable], tuple[int, ...]]] = []
    for start in starts:
        queue.append((0.0, 0, count, start, frozenset(), ()))
        count += 1
    heapq.heapify(queue)
    while queue and wanted:
        spent, steps, _, node, held, route = heapq.heappop(queue)
        if any(other <= held for other in settled.get(node, ())):
            continue
        settled.setdefault(node, []).append(held)
        if node in wanted:
            wanted.discard(node)
            found[node] = Route(spent, route, held)
        for index in outgoing.get(node, ()):
            link = links[index]
            extra = [name for name in link.variables if name not in held]
            price = spent + math.fsum(cost[name] for name in extra)
            if math.isinf(price):
                continue
            now = held.union(extra) if extra else held
            if any(other <= now for other in settled.get(link.target, ())):
                continue
            count += 1
            heapq.heappush(queue, (price, steps + 1, count, link.target, now, (*route, index)))
    return found


def minimal_sets(
    links: Sequence[Link], starts: Iterable[Hashable], target: Hashable
) -> frozenset[frozenset[Hashable]]:
    """Return the minimal path sets of a target: least sets of variables that open a way to it."""
    outgoing: dict[Hashable, list[Link]] = {}
    for link in links:
        outgoing.setdefault(link.source, []).append(link)
    families: dict[Hashable, set[frozenset[Hashable]]] = {}
    waiting: list[tuple[Hashable, frozenset[Hashable]]] = [(start, frozenset()) for start in starts]
    while waiting:
        node, held = waiting.pop()
        family = families.setdefault(node, set())
        if any(other <= held for other in family):
            continue
        family.difference_update([other for other in family if held < other])
        family.add(held)
        waiting.extend((link.target, held.union(link.variables)) for link in outgoing.get(node, ()))
    return frozenset(families.get(target, ()))


def reachable(links: Iterable[Link], starts: Iterable[Hashable], down: Callable[[Hashable], bool]) -> set[Hashable]:
    """Return the nodes reached over links all of whose variables are down."""
    outgoing: dict[Hashable, list[Hashable]] = {}
    for link in links:
        if all(down(name) for name in link.variables):
            outgoing.setdefault(link.source, []).append(link.target)
    seen = set(starts)
    stack = list(seen)
    while stack:
        for target in outgoing.get(stack.pop(), ()):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


def single_openers(
    links: Sequence[Link], starts: Iterable[Hashable], targets: Iterable[Hashable]
) -> frozenset[Hashable | None]:
    """Return the variables each of which alone opens a way to some target; None among them: a way is open already."""
    wanted = set(targets)
    outgoing: dict[Hashable, list[Link]] = {}
    for link in links:
        outgoing.setdefault(link.source, []).append(link)
    seen: set[tuple[Hashable, Hashable | None]] = {(start, None) for start in starts}
    stack = list(seen)
    found: set[Hashable | None] = set()
    while stack:
        node, held = stack.pop()
        if node in wanted:
            found.add(held)
        for link in outgoing.get(node, ()):
            needed = {held, *link.variables} - {None}
            if len(needed) > 1 or (link.target, None) in seen:
                continue
            state = (link.target, next(iter(needed), None))
            if state not in seen:
                seen.add(state)
                stack.append(state)
    return frozenset(found)
