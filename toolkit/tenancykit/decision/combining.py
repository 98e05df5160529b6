"""Fronts of combinations: a choice per part, objectives that add up or take the worst, shared parts paid once.

Why the front of a product needs only the fronts of its parts: a combined objective never falls when one part's
objective rises (sum, min and max are monotone), so a dominated part can be exchanged for its dominator without loss.
The result is exact in objective values: every non-dominated value is reached by a listed choice. Choices that reach the
same value through a dominated part are not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Final, Literal

import numpy as np

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.pareto import pareto_front
from tenancykit.decision.table import BoolArray, FloatArray, IntArray, as_floats

Combination = Literal["sum", "min", "max"]
Correction = Callable[[tuple[int, ...]], FloatArray]

_ROWS_AT_ONCE: Final = 1 << 19
_LOT: Final = 4096
Lot = tuple[FloatArray, IntArray]
"""Values and the rows they were made from: [members x objectives], [members x parts]."""

_JOIN: Final[dict[str, np.ufunc]] = {"sum": np.add, "min": np.minimum, "max": np.maximum}


@dataclass(frozen=True, eq=False)
class Part:
    """The designs one part of a combination may take; higher is better in every column.

    Attributes:
        values: [designs x objectives].
        groups: [designs] number of what a design brings along that may be shared, e.g. its set of shared components.
    """

    values: FloatArray
    groups: IntArray


@dataclass(frozen=True, eq=False)
class CombinedFront:
    """The non-dominated combinations.

    Attributes:
        values: [combinations x objectives], best first by the columns in turn.
        choices: [combinations x parts] the row taken from each part.
        considered: number of combinations in the whole product.
    """

    values: FloatArray
    choices: IntArray
    considered: int


def combine_fronts(
    parts: Sequence[Part | FloatArray], how: Sequence[Combination], correction: Correction | None = None
) -> CombinedFront:
    """Return the exact front over all combinations of one design per part.

    Without a correction the fronts of the parts are joined one after the other. With one, designs are joined group by
    group, because what is shared depends on the groups; pairs of groups whose best conceivable value is already
    dominated are skipped (branch and bound), which loses nothing.

    Args:
        parts: the choices per part; a bare array has a single group 0. Higher is better in every column.
        how: per objective, whether parts add up, or the lowest or highest part counts.
        correction: groups of the chosen designs -> [objectives] added to the combined value, e.g. the cost of a
            component both bring along, given back once.

    Raises:
        InputError: there is no part, a part is empty or not finite, or widths do not fit.
    """
    checked = [_part(part, number, len(how)) for number, part in enumerate(parts)]
    unknown = [name for name in how if name not in _JOIN]
    if not checked or not how or unknown:
        raise InputError(Fault("combination", f"of {len(checked)} parts by {list(how)}", "sum, min, max"))
    considered = 1
    for part in checked:
        considered *= len(part.values)
    lots = [_by_group(part, number, correction is None) for number, part in enumerate(checked)]
    best = _Archive(len(how), len(checked))
    for ceiling, groups, offset in _promising(lots, how, correction):
        if best.beats(ceiling[None, :])[0]:
            continue
        chosen = _still_promising([lot[group] for lot, group in zip(lots, groups, strict=True)], how, offset, best)
        if chosen:
            values, choices = _fold(chosen, how)
            best.add(values + offset, choices)
    best.settle()
    order = np.lexsort((*best.choices.T[::-1], *best.values.T[::-1] * -1))
    return CombinedFront(best.values[order], best.choices[order], considered)


class _Archive:
    """The non-dominated combinations found so far."""

    def __init__(self, objectives: int, parts: int) -> None:
        self.values = np.empty((0, objectives), order="F")
        self.choices = np.empty((0, parts), dtype=np.intp)
        self.waiting: list[Lot] = []

    def beats(self, ceilings: FloatArray) -> BoolArray:
        """Return [rows] whether something found is better somewhere and no worse anywhere than each ceiling."""
        beaten = np.zeros(len(ceilings), dtype=np.bool_)
        if not len(self.values):
            return beaten
        step = max(1, _ROWS_AT_ONCE // len(self.values))
        for start in range(0, len(ceilings), step):
            block = ceilings[start : start + step]
            no_worse = np.ones((len(block), len(self.values)), dtype=np.bool_)
            for column, level in zip(self.values.T, block.T, strict=True):
                no_worse &= column[None, :] >= level[:, None]
            # One member that is no worse tells all: if it equals the ceiling, no other member can be better, as members
            # do not dominate each other.
            first = self.values[no_worse.argmax(axis=1)]
            beaten[start : start + step] = no_worse.any(axis=1) & np.any(first > block, axis=1)
        return beaten

    def add(self, values: FloatArray, choices: IntArray) -> None:
        """Take in more combinations; they are compared in lots, as comparing each few with all would be slow."""
        self.waiting.append((values, choices))
        if sum(len(lot) for lot, _ in self.waiting) >= max(_LOT, len(self.values)):
            self.settle()

    def settle(self) -> None:
        """Compare everything taken in, so that only the front remains."""
        lots = [(self.values, self.choices), *self.waiting]
        values, choices = (np.concatenate(part) for part in zip(*lots, strict=True))
        members = pareto_front(values).members
        self.values = np.asfortranarray(values[members])
        self.choices, self.waiting = choices[members], []


def _part(part: Part | FloatArray, number: int, objectives: int) -> Part:
    values = as_floats(part.values if isinstance(part, Part) else part, f"part {number}")
    groups = np.asarray(part.groups if isinstance(part, Part) else np.zeros(len(values), dtype=np.intp))
    where = f"part {number}"
    if values.ndim != 2 or not len(values) or values.shape[1] != objectives or groups.shape != (len(values),):
        allowed = f"[designs x {objectives}] values and one group per design"
        raise InputError(Fault(where, f"has values of shape {values.shape}, groups {groups.shape}", allowed))
    if not np.isfinite(values).all():
        raise InputError(Fault(where, "contains a value that is not finite", "finite numbers"))
    return Part(values, groups)


def _by_group(part: Part, number: int, together: bool) -> dict[int, Lot]:
    """Return the front of each group of a part; all groups together when nothing depends on them."""
    del number
    groups = np.zeros(len(part.values), dtype=np.intp) if together else part.groups
    lots: dict[int, Lot] = {}
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        members = rows[pareto_front(part.values[rows]).members]
        lots[int(groups[rows[0]])] = (part.values[members], members[:, None])
    return lots


def _promising(
    lots: Sequence[dict[int, Lot]], how: Sequence[Combination], correction: Correction | None
) -> Iterator[tuple[FloatArray, tuple[int, ...], FloatArray]]:
    """Yield (best conceivable value, groups, offset), the highest first so that bounds bite early."""
    found = []
    for groups in product(*lots):
        offset = np.zeros(len(how)) if correction is None else as_floats(correction(groups), f"correction {groups}")
        if offset.shape != (len(how),) or not np.isfinite(offset).all():
            raise InputError(Fault(f"correction of groups {groups}", f"is {offset}", f"{len(how)} finite numbers"))
        tops = [lot[group][0].max(axis=0) for lot, group in zip(lots, groups, strict=True)]
        ceiling = tops[0]
        for top in tops[1:]:
            ceiling = _join(ceiling, top, how)
        found.append((ceiling + offset, groups, offset))
    ceilings = np.array([item[0] for item in found])
    spread = np.ptp(ceilings, axis=0)
    merit = (ceilings / np.where(spread > 0, spread, 1.0)).sum(axis=1)
    for place in np.argsort(-merit, kind="stable"):
        yield found[place]


def _fold(fronts: Sequence[Lot], how: Sequence[Combination]) -> Lot:
    values, choices = fronts[0]
    for right_values, right_rows in fronts[1:]:
        values, choices = _pairwise(values, choices, right_values, right_rows, how)
    return values, choices


def _pairwise(
    left: FloatArray, left_rows: IntArray, right: FloatArray, right_rows: IntArray, how: Sequence[Combination]
) -> Lot:
    """Return the front of all pairs, in blocks so that memory stays bounded."""
    best = _Archive(left.shape[1], left_rows.shape[1] + 1)
    step = max(1, _ROWS_AT_ONCE // len(right))
    for start in range(0, len(left), step):
        block = left[start : start + step]
        values = _join(block[:, None, :], right[None, :, :], how).reshape(-1, left.shape[1])
        members = pareto_front(values).members
        first, second = np.divmod(members, len(right))
        choices = np.concatenate((left_rows[start + first], right_rows[second]), axis=1)
        best.add(values[members], choices)
    best.settle()
    return best.values, best.choices


def _still_promising(
    fronts: Sequence[Lot], how: Sequence[Combination], offset: FloatArray, best: _Archive
) -> list[Lot]:
    """Return the fronts without the rows whose best conceivable combination is beaten; nothing if a part runs out."""
    tops = [values.max(axis=0) for values, _ in fronts]
    kept = []
    for number, (values, rows) in enumerate(fronts):
        ceilings = values if number == 0 else np.broadcast_to(tops[0], values.shape)
        for other, top in enumerate(tops[1:], start=1):
            ceilings = _join(ceilings, values if other == number else np.broadcast_to(top, values.shape), how)
        open_rows = ~best.beats(ceilings + offset)
        if not open_rows.any():
            return []
        kept.append((values[open_rows], rows[open_rows]))
    return kept


def _join(left: FloatArray, right: FloatArray, how: Sequence[Combination]) -> FloatArray:
    columns = [_JOIN[way](left[..., column], right[..., column]) for column, way in enumerate(how)]
    return np.stack(columns, axis=-1)
