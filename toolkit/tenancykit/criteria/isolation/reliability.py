"""Exact two-terminal reliability of directed networks whose links fall with shared, independent events.

Convention: a *variable* is an event that happens or not, independently of the others. A *link* may be crossed when all
its variables have happened. A target is *exposed* when some chain of links from a start to it may be crossed. Exposure
is a monotone function of the variables, held as a decision diagram.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from kubeanswers.records import dataclass
from tenancykit.criteria.isolation.diagram import FALSE, TRUE, Diagram


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


def expose(
    links: Sequence[Link], starts: Mapping[Hashable, Hashable | None], targets: Sequence[Hashable]
) -> tuple[Diagram, list[int]]:
    """Return a diagram and, per target, the function in it that says when the target is exposed.

    Variables are ordered by the walk from the starts, so that the diagram only has to remember which nodes with ways
    still ahead were reached. Of those into one node, the first of each link come before the rest, which other links may
    share. Circles are followed until nothing changes. Ways that lead through a target are not ways to another one.

    Args:
        links: the network.
        starts: start nodes, each with the variable that must have happened for the attacker to stand there, or None.
        targets: nodes asked for.
    """
    ends = set(targets)
    useful = _towards(links, ends)
    rank = _ranks([link for link in useful if link.target not in ends], starts)
    useful = sorted((link for link in useful if link.source in rank), key=lambda link: _place(link, ends, rank))
    order: dict[Hashable, None] = dict.fromkeys(name for name in starts.values() if name is not None)
    for _, group in itertools.groupby(useful, key=lambda link: _place(link, ends, rank)[:2]):
        listed = sorted((link.variables for link in group), key=lambda names: len(names) > 1)
        order.update(dict.fromkeys(name for names in listed for name in names[:1]))
        order.update(dict.fromkeys(name for names in listed for name in names[1:]))
    diagram = Diagram(list(order))
    incoming: dict[Hashable, list[tuple[Hashable, int]]] = {}
    for link in useful:
        term = TRUE
        for name in sorted(link.variables, key=diagram.position, reverse=True):
            term = diagram.both(diagram.variable(name), term)
        incoming.setdefault(link.target, []).append((link.source, term))
    reached = {node: TRUE if name is None else diagram.variable(name) for node, name in starts.items()}

    def arrive(node: Hashable) -> bool:
        before, after = reached.get(node, FALSE), FALSE
        ways = {diagram.both(reached.get(source, FALSE), term) for source, term in incoming.get(node, ())}
        # The lowest first: what is joined to them later lies above and leaves most of them as they are.
        for way in sorted({before, *ways}, key=lambda way: (-diagram.level[way], way)):
            after = diagram.either(after, way)
        reached[node] = after
        return after != before

    inner = sorted((node for node in incoming if node not in ends), key=lambda node: rank[node])
    changed = True
    while changed:
        changed = False
        for node in inner:
            changed |= arrive(node)
    for target in ends:
        arrive(target)
    return diagram, [reached[target] for target in targets]


def _towards(links: Sequence[Link], targets: Iterable[Hashable]) -> list[Link]:
    """Return the links on ways to the targets; ways end at a target."""
    ends = set(targets)
    incoming: dict[Hashable, list[Link]] = {}
    for link in links:
        if link.source not in ends:
            incoming.setdefault(link.target, []).append(link)
    seen = set(ends)
    stack = list(ends)
    while stack:
        for link in incoming.get(stack.pop(), ()):
            if link.source not in seen:
                seen.add(link.source)
                stack.append(link.source)
    return [link for link in links if link.target in seen and link.source in seen and link.source not in ends]


def _ranks(links: Sequence[Link], starts: Iterable[Hashable]) -> dict[Hashable, int]:
    """Return the nodes reached from the starts in an order that keeps few of them waiting.

    A node waits from its turn until every node it leads to had its turn; the diagram has to remember which of the
    waiting nodes were reached. Of the nodes whose predecessors all had theirs, the one that leaves fewest waiting is
    next; where a circle leaves none ready, any may be.
    """
    before: dict[Hashable, set[Hashable]] = {}
    after: dict[Hashable, set[Hashable]] = {}
    for link in links:
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


def _place(link: Link, ends: set[Hashable], rank: Mapping[Hashable, int]) -> tuple[int, int, int]:
    if link.target in ends:
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
    bits: dict[Hashable, int] = {}
    outgoing: dict[Hashable, list[tuple[int, Hashable, int, list[tuple[int, float]]]]] = {}
    for index, link in enumerate(links):
        paid = [(bits.setdefault(name, 1 << len(bits)), cost[name]) for name in dict.fromkeys(link.variables)]
        if not any(math.isinf(price) for _, price in paid):
            mask = sum(bit for bit, _ in paid)
            outgoing.setdefault(link.source, []).append((index, link.target, mask, paid))
    wanted = set(targets)
    found: dict[Hashable, Route] = {}
    settled: dict[Hashable, list[int]] = {}
    queue: list[tuple[float, int, int, Hashable, int, tuple[int, ...]]] = []
    for start in starts:
        queue.append((0.0, 0, len(queue), start, 0, ()))
    count = len(queue)
    waiting: dict[tuple[Hashable, int], tuple[float, int]] = {}
    while queue and wanted:
        spent, steps, _, node, held, route = heapq.heappop(queue)
        if _holds_one_of(held, settled.get(node, ())):
            continue
        settled.setdefault(node, []).append(held)
        if node in wanted:
            wanted.discard(node)
            found[node] = Route(spent, route, frozenset(name for name, bit in bits.items() if bit & held))
        for index, target, mask, paid in outgoing.get(node, ()):
            now = held | mask
            if target in settled and _holds_one_of(now, settled[target]):
                continue
            price = spent + math.fsum([each for bit, each in paid if not bit & held]) if now != held else spent
            state, rank = (target, now), (price, steps + 1)
            if state in waiting and waiting[state] <= rank:
                continue  # the same set waits there already, and will be settled first
            waiting[state] = rank
            count += 1
            heapq.heappush(queue, (price, steps + 1, count, target, now, (*route, index)))
    return found


def _holds_one_of(held: int, sets: Sequence[int]) -> bool:
    """Return whether a set, as bits, holds one of some sets; a loop, as it is asked a hundred thousand times."""
    for other in sets:  # noqa: SIM110
        if other & held == other:
            return True
    return False


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
