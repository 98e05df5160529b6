"""The cheapest nodes for pods that could be cut into any parts: a small linear program, solved where it stands.

A comparison solves about a hundred such programs of one to five node types, and starting a general solver costs more
than solving one. Every pod class begins on the type where it is cheapest alone, which is a feasible point; from there
the simplex method moves parts of classes to other types, by Dantzig's rule, and by Bland's (Mathematics of Operations
Research 2, 1977) where the first might go in circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tenancykit.criteria.cost.placement.states import FloatArray, IntArray

_TINY: Final = 1e-11
_GREEDY: Final = 500
"""Steps by Dantzig's rule; from then on by the rule that never goes in circles."""


def cheapest_nodes(rows: Sequence[FloatArray], price: FloatArray, fits: NDArray[np.bool_]) -> FloatArray:
    """Return how many nodes of each type house all pods for the least money, pods and nodes being divisible [type].

    Args:
        rows: per type, how many nodes the whole of each class takes by each of several measures [measure, class]; a
            type needs as many nodes as its greatest measure says.
        price: of a node [type].
        fits: whether a class can go on a type [class, type]; every class fits somewhere.
    """
    measures = [_telling(np.where(fits[:, t], each, 0.0)) for t, each in enumerate(rows)]
    alone = np.array([each.max(axis=0) for each in measures]).T * price
    home = np.where(fits, alone, np.inf).argmin(axis=1)
    class_, kind = np.nonzero(fits & (np.arange(len(price)) != home[:, None]))
    share = np.zeros(fits.shape)
    if len(class_):
        share[class_, kind] = _descended(_start(measures, price, home, class_, kind))[: len(class_)]
    share[np.arange(len(home)), home] = np.maximum(0.0, 1.0 - share.sum(axis=1))
    return np.array([(each @ share[:, t]).max() for t, each in enumerate(measures)])


def _telling(rows: FloatArray) -> FloatArray:
    """Return the rows without those that another equals or exceeds in every class."""
    rows = rows[np.lexsort(rows.T[::-1])]
    first = np.ones(len(rows), dtype=bool)  # np.unique does the same, and imports masked arrays
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    rows = rows[first]
    below = (rows[:, None] <= rows[None]).all(axis=2)
    telling: FloatArray = rows[below.sum(axis=1) == 1]
    return telling


def _start(
    measures: Sequence[FloatArray], price: FloatArray, home: IntArray, class_: IntArray, kind: IntArray
) -> FloatArray:
    """Return the first dictionary: every class is on its cheapest type, and each type's greatest measure is tight.

    The first row is the price. Below it stand the other measures' slack, then the share of each class that is still at
    home. Columns: the constant, the share of a class moved to a type (``class_``, ``kind``), each type's spare nodes.
    """
    moves, kinds = len(class_), len(price)
    objective = np.zeros(1 + moves + kinds)
    parts = [objective[None]]
    for t, rows in enumerate(measures):
        load = np.zeros((len(rows), 1 + moves + kinds))
        load[:, 0] = rows[:, home == t].sum(axis=1)
        load[:, 1 : 1 + moves] = rows[:, class_] * ((kind == t).astype(float) - (home[class_] == t))
        tight = int(load[:, 0].argmax())
        needed = load[tight].copy()
        needed[1 + moves + t] = 1.0
        objective += price[t] * needed
        parts.append(needed - np.delete(load, tight, axis=0))
    at_home = np.zeros((len(home), 1 + moves + kinds))
    at_home[:, 0] = 1.0
    at_home[class_, 1 + np.arange(moves)] = -1.0
    return np.vstack([*parts, at_home])


def _descended(table: FloatArray) -> FloatArray:
    """Return the first columns' values at the least price; every constant below the first row is zero or more."""
    outside = np.arange(table.shape[1] - 1)
    inside = len(outside) + np.arange(len(table) - 1)
    tiny = _TINY * max(1.0, float(np.abs(table[0]).max()))
    step = 0
    while True:
        cheaper = np.flatnonzero(table[0, 1:] < -tiny)
        if not len(cheaper):
            break
        greedy = step < _GREEDY
        enter = int(cheaper[(table[0, 1 + cheaper] if greedy else outside[cheaper]).argmin()])
        column = table[1:, 1 + enter]
        falling = np.flatnonzero(column < -_TINY)
        room = table[1 + falling, 0] / -column[falling]
        least = falling[room <= room.min() + _TINY]
        leave = int(least[(column[least] if greedy else inside[least]).argmin()])
        _pivot(table, 1 + leave, 1 + enter)
        outside[enter], inside[leave] = inside[leave], outside[enter]
        step += 1
    values = np.zeros(len(outside) + len(inside))
    values[inside] = np.maximum(0.0, table[1:, 0])
    return values


def _pivot(table: FloatArray, row: int, column: int) -> None:
    """Exchange the variable of a row with that of a column, in place."""
    by = table[row, column]
    entering = -table[row] / by
    entering[column] = 1.0 / by
    factor = table[:, column].copy()
    table[:, column] = 0.0
    table += factor[:, None] * entering
    table[row] = entering
