"""How many pods a workload starts with that may start smaller: the most that can be admitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kubeanswers.queueing.shapes import Shape

Found = TypeVar("Found")


def largest(shape: Shape, attempt: Callable[[list[int]], Found | None]) -> Found | None:
    """Return what the attempt finds at the largest counts that succeed; ``None`` if none does.

    The pod sets shrink together, each in proportion to what it may give up; sizes are searched by halving, so that
    of several that succeed with larger ones between that do not, any may be found - as the controller does.
    """
    full = [part.count for part in shape.pod_sets]
    spare = [part.count - (part.count if part.min_count is None else part.min_count) for part in shape.pod_sets]
    total = sum(spare)
    low, high = 0, total + 1
    found: Found | None = None
    at = 0
    while low < high:
        middle = (low + high) // 2
        counts = [count - give * middle // total for count, give in zip(full, spare, strict=True)]
        result = attempt(counts)
        if result is None:
            low = middle + 1
        else:
            found, at, high = result, middle, middle
    return found if found is not None and at == low else None
