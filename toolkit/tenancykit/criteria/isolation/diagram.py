"""Reduced ordered binary decision diagrams of monotone functions, with probability and cheapest cut by one pass each.

Bryant 1986, doi:10.1109/TC.1986.1676819. Variables are independent events; a function is true or false once it is known
which of them have happened.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

FALSE: Final = 0
TRUE: Final = 1

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
        self._nodes: dict[int, Sequence[int]] = {}
        self._fixed: dict[tuple[int, frozenset[Hashable], frozenset[Hashable]], int] = {}

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
        return self._join(first, second, TRUE, self._both)

    def either(self, first: int, second: int) -> int:
        """Return the function that is true where one is."""
        return self._join(first, second, FALSE, self._either)

    def _join(self, first: int, second: int, neutral: int, memory: dict[tuple[int, int], int]) -> int:
        """Return two functions joined, where the neutral one changes nothing and its opposite decides."""
        opposite = 1 - neutral
        levels, lows, highs, unique = self.level, self.low, self.high, self._unique

        def joined(one: int, other: int) -> int:
            # One function calls itself, without helpers: a comparison takes a hundred thousand of these steps.
            if other in (one, neutral):
                return one
            if one == neutral:
                return other
            if opposite in (one, other):
                return opposite
            pair = (one, other) if one < other else (other, one)
            found = memory.get(pair)
            if found is None:
                upper, lower = levels[one], levels[other]
                if upper == lower:
                    level, low, high = upper, joined(lows[one], lows[other]), joined(highs[one], highs[other])
                elif upper < lower:
                    level, low, high = upper, joined(lows[one], other), joined(highs[one], other)
                else:
                    level, low, high = lower, joined(one, lows[other]), joined(one, highs[other])
                if low == high:
                    found = low
                else:
                    key = (level, low, high)
                    found = unique.get(key)
                    if found is None:
                        found = unique[key] = len(levels)
                        levels.append(level)
                        lows.append(low)
                        highs.append(high)
                memory[pair] = found
            return found

        return joined(first, second)

    def probability(self, roots: Sequence[int], chance: Mapping[Any, float]) -> list[float]:
        """Return the probability that each function is true.

        Args:
            roots: functions of this diagram.
            chance: probability of every variable that may matter; 0 where absent. Branches that cannot be reached
                under these chances are not visited.
        """
        chances = [chance.get(name, 0.0) for name in self.order]
        costs = [math.inf if p <= 0.0 else 0.0 if p >= 1.0 else 1.0 for p in chances]
        return [self.solve_at(root, chances, costs)[0] for root in roots]

    def solve_at(self, root: int, chances: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
        """Return the probability that a function is true and the least total cost of variables that make it true.

        Args:
            root: a function of this diagram.
            chances: probability of every variable, in their order; 0 where the cost is infinite, 1 where it is 0.
            costs: cost of every variable, infinite where it cannot happen. Branches that cannot be reached so are not
                visited.
        """
        likely: dict[int, float] = {FALSE: 0.0, TRUE: 1.0}
        least: dict[int, float] = {FALSE: math.inf, TRUE: 0.0}
        levels, lows, highs, never = self.level, self.low, self.high, math.inf

        def visit(node: int) -> None:
            level, low, high = levels[node], lows[node], highs[node]
            price = costs[level]
            if price in (0.0, never):
                only = low if price else high
                if only not in likely:
                    visit(only)
                likely[node], least[node] = likely[only], least[only]
                return
            if low not in likely:
                visit(low)
            if high not in likely:
                visit(high)
            below, cheap, dear = likely[low], least[low], price + least[high]
            likely[node] = below + chances[level] * (likely[high] - below)
            least[node] = min(dear, cheap)

        if root > TRUE:
            visit(root)
        return likely[root], least[root]

    def slopes_at(self, root: int, chances: Sequence[float]) -> list[float]:
        """Return how much the probability of a function grows per unit of each variable's chance.

        One pass up for the probability of every node, one down for the chance of arriving there: the derivative of a
        multilinear function (Birnbaum's importance; Birnbaum 1969, On the importance of different components).
        """
        known: dict[int, float] = {FALSE: 0.0, TRUE: 1.0}
        nodes = self._under(root)
        levels, lows, highs = self.level, self.low, self.high
        for node in nodes:
            below = known[lows[node]]
            known[node] = below + chances[levels[node]] * (known[highs[node]] - below)
        arrives = dict.fromkeys(nodes, 0.0)
        slopes = [0.0] * len(self.order)
        if root > TRUE:
            arrives[root] = 1.0
        for node in reversed(nodes):
            weight = arrives[node]
            if not weight:
                continue
            level, low, high = levels[node], lows[node], highs[node]
            slopes[level] += weight * (known[high] - known[low])
            for child, share in ((low, 1.0 - chances[level]), (high, chances[level])):
                if child > TRUE:
                    arrives[child] += weight * share
        return slopes

    def cheapest(self, roots: Sequence[int], cost: Mapping[Any, float]) -> list[float]:
        """Return, per function, the least total cost of variables that make it true; infinite where nothing does.

        Args:
            roots: functions of this diagram.
            cost: cost of every variable that can happen; infinite where absent.
        """
        costs = [cost.get(name, math.inf) for name in self.order]
        chances = [0.0] * len(costs)
        return [self.solve_at(root, chances, costs)[1] for root in roots]

    def fixed(self, root: int, never: AbstractSet[Hashable], always: AbstractSet[Hashable]) -> int:
        """Return a function where some variables never happen and others always have."""
        key = (root, frozenset(never), frozenset(always))
        if key not in self._fixed:
            known = {FALSE: FALSE, TRUE: TRUE}
            # Asked once per variable: names take longer to look up than a node to make.
            happens = [False if name in never else True if name in always else None for name in self.order]
            for node in self._under(root):
                level, low, high = self.level[node], known[self.low[node]], known[self.high[node]]
                sure = happens[level]
                known[node] = self._node(level, low, high) if sure is None else high if sure else low
            self._fixed[key] = known[root]
        return self._fixed[key]

    def _walk(self, root: int) -> _Walk:
        """Return the nodes under a function from the leaves up, each with the nodes nobody needs after it."""
        found = self._walks.get(root)
        if found is None:
            needed = self._under(root)
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

    def _under(self, root: int) -> Sequence[int]:
        """Return the nodes under a function, leaves first; found once."""
        found = self._nodes.get(root)
        if found is None:
            found = self._nodes[root] = self._reachable([root])
        return found

    def _reachable(self, roots: Sequence[int]) -> list[int]:
        lows, highs = self.low, self.high
        seen = {root for root in roots if root > TRUE}
        stack = list(seen)
        while stack:
            node = stack.pop()
            for child in (lows[node], highs[node]):
                if child > TRUE and child not in seen:
                    seen.add(child)
                    stack.append(child)
        return sorted(seen)

    def probability_over(self, root: int, chance: Mapping[Any, np.ndarray]) -> np.ndarray:
        """Return the probability that a function is true for every column of the variables' chances."""
        import numpy as np  # noqa: PLC0415 - single designs need no arrays

        size = len(next(iter(chance.values())))
        known: dict[int, np.ndarray] = {FALSE: np.zeros(size), TRUE: np.ones(size)}
        for node, name, low, high, done in self._walk(root):
            value = known[high] - known[low] if high > TRUE else 1.0 - known[low]
            value *= chance[name]
            value += known[low]
            known[node] = value
            for child in done:
                del known[child]
        return known[root]

    def fewest_over(self, root: int, cost: Mapping[Any, np.ndarray], most: int) -> np.ndarray:
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
