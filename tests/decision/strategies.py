"""What hypothesis draws for the decision room: small tables full of ties, duplicates and dominance, and weights."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tenancykit.decision import Criterion, DecisionTable, Scaled, Weights, equal_weights, scale

TOP = 8


@st.composite
def tables(draw: st.DrawFn, most: int = 8, least: int = 1) -> DecisionTable:
    """Small integers, so that ties, equal columns, duplicates and dominated designs are common."""
    designs = draw(st.integers(least, most))
    count = draw(st.integers(1, 4))
    cell = st.integers(0, draw(st.integers(1, TOP)))
    rows = draw(st.lists(st.lists(cell, min_size=count, max_size=count), min_size=designs, max_size=designs))
    labels = draw(st.permutations([f"d{number}" for number in range(designs)]))
    directions = draw(st.lists(st.sampled_from(["higher", "lower"]), min_size=count, max_size=count))
    criteria = [Criterion(f"c{number}", better) for number, better in enumerate(directions)]  # type: ignore[arg-type]
    return DecisionTable.of(labels, criteria, np.array(rows, dtype=np.float64))


def weights_of(names: tuple[str, ...], parts: list[int]) -> Weights:
    numbers = np.array(parts[: len(names)], dtype=np.float64)
    return Weights(names, numbers / numbers.sum()) if numbers.sum() else equal_weights(names)


WEIGHT_PARTS = st.lists(st.integers(0, 9), min_size=4, max_size=4)
POSITIVE_PARTS = st.lists(st.integers(1, 9), min_size=4, max_size=4)


def anchored(table: DecisionTable) -> Scaled:
    return scale(table, dict.fromkeys(table.names, (0.0, float(TOP))))


def dominates(table: DecisionTable, one: int, two: int) -> bool:
    first, second = table.oriented[one], table.oriented[two]
    return bool((first >= second).all() and (first > second).any())


def simple(rows: list[list[float]], better: str | None = None, **ends: list[list[float]]) -> DecisionTable:
    """A table with designs a, b, c and criteria x, y, z; ``better`` is a string such as ``hl`` for higher, lower."""
    directions = better or "h" * len(rows[0])
    criteria = [
        Criterion("xyzuvw"[column], "higher" if letter == "h" else "lower") for column, letter in enumerate(directions)
    ]
    return DecisionTable.of("abcdefghijklmnop"[: len(rows)], criteria, rows, **ends)
