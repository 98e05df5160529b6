"""SMAA-2: how often each design takes each rank when values are uncertain and weights free or partly known.

Source: R. Lahdelma and P. Salminen (2001), SMAA-2: Stochastic Multicriteria Acceptability Analysis for Group Decision
Making, Operations Research 49(3), 444-454; computation by simulation after T. Tervonen and R. Lahdelma (2007), EJOR
178(2), 500-513.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property, partial
from typing import Final

import numpy as np
import numpy.typing as npt

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.decision.relevance import Relevance, relevances
from tenancykit.decision.sampling import Cells, Uncertainty
from tenancykit.decision.scaling import Scaled
from tenancykit.decision.table import FloatArray, IntArray
from tenancykit.decision.weight_space import WeightSpace, known_weights
from tenancykit.decision.weights import Weights

_CHUNK: Final = 8192
_CELLS_AT_ONCE: Final = 1 << 19
_MOST_DESIGNS: Final = np.iinfo(np.uint16).max
_SECOND_LOOK: Final = 10_000
"""Samples for confidence factors and relevance: within 0.01 at 95 % (the rule of Tervonen and Lahdelma 2007)."""
_CONTENDER: Final = 0.01
_MOST_CONTENDERS: Final = 12
_SAME: Final = 1e-9


@dataclass(frozen=True, eq=False)
class SmaaResult:
    """What simulation says about uncertain designs and weights.

    Attributes:
        scaled: the designs and the scale of their utilities.
        rank_acceptability: [designs x ranks] share of samples in which a design takes a rank; rows and columns add up
            to 1. Tied designs share the tied ranks evenly.
        central_weights: [designs x criteria] mean weights of the samples a design wins; zeros where it never does.
        pairwise: [designs x designs] share of samples in which the row beats the column; a tie counts half.
        weights: [samples x criteria] the weights drawn.
        samples: number of samples.
        seed: seed of the generator.
        statement: scale, value distributions and weights in words.
        look_again: gives confidence and relevance, from samples of their own; as long in the making as all the rest.
    """

    scaled: Scaled
    rank_acceptability: FloatArray
    central_weights: FloatArray
    pairwise: FloatArray
    weights: FloatArray
    samples: int
    seed: int
    statement: str
    look_again: Callable[[], tuple[FloatArray, tuple[Relevance, ...]]] = field(repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The designs, in table order."""
        return self.scaled.table.labels

    @cached_property
    def _again(self) -> tuple[FloatArray, tuple[Relevance, ...]]:
        return self.look_again()

    @property
    def confidence(self) -> FloatArray:
        """[designs] share of value samples a design wins with its central weights; 0 where it has none."""
        return self._again[0]

    @property
    def relevance(self) -> tuple[Relevance, ...]:
        """What would settle the choice, the most decisive uncertainty first."""
        return self._again[1]

    @cached_property
    def first(self) -> FloatArray:
        """[designs] first-rank acceptability: share of samples a design wins."""
        return self.rank_acceptability[:, 0]

    @cached_property
    def expected_rank(self) -> FloatArray:
        """[designs] mean rank over the samples, 1 for always first."""
        return np.asarray(self.rank_acceptability @ np.arange(1.0, len(self.labels) + 1), dtype=np.float64)

    @cached_property
    def order(self) -> IntArray:
        """Rows by first-rank acceptability, then expected rank, then label."""
        return np.lexsort((self.scaled.table.label_rank, self.expected_rank, -self.first))

    @property
    def error(self) -> float:
        """Half-width of the 95 % interval of an acceptability at worst (0.98 / sqrt(samples))."""
        return float(0.98 / np.sqrt(self.samples))

    def central(self, label: str) -> Weights | None:
        """Return the typical weights of somebody who prefers this design, or None when nobody would."""
        row = self.scaled.table.row(label)
        if not self.first[row]:
            return None
        return Weights(self.scaled.table.names, self.central_weights[row], f"central weights of {label}")


def smaa(
    scaled: Scaled,
    weights: WeightSpace | Weights,
    uncertainty: Uncertainty | None = None,
    *,
    samples: int = 10_000,
    seed: int = 0,
    draws: FloatArray | Cells | None = None,
    assumptions: Mapping[str, FloatArray] | None = None,
    alike: Sequence[Sequence[str]] = (),
) -> SmaaResult:
    """Return rank acceptability, central weights, confidence factors and pairwise wins.

    Memory is bounded by a chunk of samples however many are asked for; time grows with the square of the designs, so
    screen or take the front first when there are hundreds.

    Args:
        scaled: the designs on a linear scale, best one with fixed bounds.
        weights: known, partly known or free weights.
        uncertainty: how cells vary within their intervals; triangular and independent unless given.
        samples: number of samples; ignored when draws are given.
        seed: the same seed gives the same result.
        draws: [samples x designs x criteria] values in the criteria's units, e.g. from a joint simulation; replaces the
            table's intervals. Or cells with such draws, which another call made of the same designs.
        assumptions: [samples] of the named inputs behind the draws; the relevance is then told for these.
        alike: labels of designs that count as one where it is asked what would settle the choice, first the one named.

    Raises:
        InputError: draws or assumptions do not fit, the scale is not linear, or there is no sample.
    """
    cells = draws if isinstance(draws, Cells) else Cells.of(scaled, uncertainty or Uncertainty(), draws)
    count = samples if cells.draws is None else cells.draws.shape[2]
    space = known_weights(weights) if isinstance(weights, Weights) else weights
    faults = [*_faults(scaled, space, count, assumptions)]
    if faults:
        raise InputError(faults)
    weight_rng, value_rng, second_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    drawn = space.draw(weight_rng, count)
    tally = _Tally(len(scaled.table), len(scaled.table.names))
    step = _step(len(scaled.table))
    for start in range(0, count, step):
        chunk = drawn[start : start + step]
        tally.add(cells.utilities(value_rng, start, chunk), chunk)
    central = tally.central()
    later = partial(_second_look, cells, drawn, central, tally, second_rng, assumptions=assumptions or {}, alike=alike)
    statement = f"{scaled.statement}; {cells.statement}; {space.statement}"
    return SmaaResult(
        scaled,
        tally.acceptability / count,
        central,
        tally.wins / count + np.diag(np.full(len(scaled.table), 0.5)),
        drawn,
        count,
        seed,
        statement,
        later,
    )


def _step(designs: int) -> int:
    """Return how many samples are held at once, so that memory does not grow with samples or designs."""
    return max(64, min(_CHUNK, _CELLS_AT_ONCE // designs))


class _Tally:
    """Sums over samples that the result is made of."""

    def __init__(self, designs: int, criteria: int) -> None:
        self.acceptability = np.zeros((designs, designs))
        self.wins = np.zeros((designs, designs))
        self.weight_sums = np.zeros((designs, criteria))

    def add(self, utilities: FloatArray, weights: FloatArray) -> None:
        """Count a chunk: [designs x samples] utilities under [samples x criteria] weights."""
        ranks, ties = self._compare(utilities)
        designs = len(ranks)
        share = 1.0 / (1.0 + ties) if ties.any() else np.float64(1.0)
        self.weight_sums += ((ranks == 0) * share) @ weights
        for row in range(designs):
            if ties[row].any():
                self._share_ranks(row, ranks[row], ties[row])
            else:
                self.acceptability[row] += np.bincount(ranks[row], minlength=designs)

    def central(self) -> FloatArray:
        """Return [designs x criteria] the mean weights of the samples won."""
        won = self.acceptability[:, :1]
        return np.where(won > 0, self.weight_sums / np.where(won > 0, won, 1.0), 0.0)

    def _compare(self, utilities: FloatArray) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
        """Return ([designs x samples] number of better designs, number of equal ones); count the pairwise wins."""
        # Single precision is precise enough to compare samples, and makes equal designs equal in spite of rounding.
        values = utilities.astype(np.float32)
        designs, count = values.shape
        ranks, ties = (np.zeros((designs, count), dtype=np.uint16) for _ in range(2))
        for one in range(designs - 1):
            others = slice(one + 1, designs)
            above, below = values[one] > values[others], values[one] < values[others]
            won, lost = _trues(above), _trues(below)
            ranks[others] += above
            ranks[one] += below.sum(axis=0, dtype=np.uint16)
            tied = count - won - lost
            if tied.any():
                equal = ~(above | below)
                ties[others] += equal
                ties[one] += equal.sum(axis=0, dtype=np.uint16)
            self.wins[one, others] += won + 0.5 * tied
            self.wins[others, one] += lost + 0.5 * tied
        return ranks, ties

    def _share_ranks(self, row: int, ranks: npt.NDArray[np.uint16], ties: npt.NDArray[np.uint16]) -> None:
        for offset in range(int(ties.max()) + 1):
            taking = ties >= offset
            part = np.bincount(ranks[taking] + offset, 1.0 / (1.0 + ties[taking]), minlength=len(self.acceptability))
            self.acceptability[row] += part


def _second_look(
    cells: Cells,
    drawn: FloatArray,
    central: FloatArray,
    tally: _Tally,
    rng: np.random.Generator,
    *,
    assumptions: Mapping[str, FloatArray],
    alike: Sequence[Sequence[str]],
) -> tuple[FloatArray, tuple[Relevance, ...]]:
    """Return (confidence factors, relevance of the uncertainties) from a second, smaller set of value samples."""
    count = min(len(drawn), _SECOND_LOOK)
    rows = np.flatnonzero(tally.acceptability[:, 0] > 0)
    by_wins = rows[np.argsort(-tally.acceptability[rows, 0], kind="stable")]
    strong = by_wins[tally.acceptability[by_wins, 0] >= _CONTENDER * len(drawn)][:_MOST_CONTENDERS]
    hits = np.zeros(len(central))
    first = np.empty(count, dtype=np.intp)
    seen: list[list[FloatArray]] = []
    label_rank = cells.scaled.table.label_rank
    by_label = np.argsort(label_rank)
    step = _step(len(central))
    for start in range(0, count, step):
        stop = min(start + step, count)
        columns = cells.columns(rng, start, stop - start)
        for row in rows:
            hits[row] += (stop - start) * _share_won(int(row), Cells.total(columns, central[row][None, :]))
        total = Cells.total(columns, drawn[start:stop])
        first[start:stop] = by_label[total[by_label].argmax(axis=0)]
        seen.append([np.broadcast_to(column, total.shape)[strong] for column in columns])
    values = np.stack([np.concatenate(parts, axis=1) for parts in zip(*seen, strict=True)])
    named = np.arange(len(central))
    for group in alike:
        rows_alike = [cells.scaled.table.row(label) for label in group]
        named[rows_alike] = rows_alike[0]
    first = named[first]
    told = {name: np.asarray(sample, dtype=np.float64)[:count] for name, sample in assumptions.items()}
    return hits / count, relevances(cells, strong, values, drawn[:count], first=first, assumptions=told)


def _trues(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return [rows] how many flags are set; counting packed bits is several times faster than adding booleans."""
    return np.asarray(np.bitwise_count(np.packbits(flags, axis=1)).sum(axis=1, dtype=np.int64), dtype=np.int64)


def _share_won(row: int, utilities: FloatArray) -> float:
    """Return the share of samples a design is first in, a shared first place counting its part."""
    level = utilities.max(axis=0) - _SAME
    mine = utilities[row] >= level
    tied = (utilities[:, mine] >= level[mine]).sum(axis=0)
    return float((1.0 / tied).sum() / utilities.shape[1])


def _faults(
    scaled: Scaled, space: WeightSpace, count: int, assumptions: Mapping[str, FloatArray] | None
) -> Iterator[Fault]:
    if space.names != scaled.table.names:
        yield Fault("weights", f"are for {', '.join(space.names)}", f"the criteria {', '.join(scaled.table.names)}")
    if len(scaled.table) > _MOST_DESIGNS:
        yield Fault("designs", f"are {len(scaled.table)}", f"at most {_MOST_DESIGNS}", "screen or take the front first")
    if count < 1:
        yield Fault("samples", f"are {count}", "at least 1")
    for name, sample in (assumptions or {}).items():
        if np.shape(sample) != (count,):
            yield Fault(f"samples of {name!r}", f"have shape {np.shape(sample)}", f"one number per sample ({count})")
