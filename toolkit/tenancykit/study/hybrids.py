"""Hybrids: a design for each tenant class, combined so that what classes share is built, run and paid once.

Each class is swept by itself. The front over the product of the classes then takes the worst isolation and the sums of
effort, operations and cost, corrected by what designs have in common: designs are grouped by the layers that bring most
of what can be shared, and what a pair of groups saves is measured once per pair. Isolation between classes and what is
shared within groups are left to the exact measurement of the hybrids found; see :func:`exploration.explore`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from tenancykit.decision.combining import Part, combine_fronts
from tenancykit.design.batch import Batch, Codes, batch_of
from tenancykit.design.numbering import Numbered
from tenancykit.scenario.model import Scenario
from tenancykit.study.coding import recoded
from tenancykit.study.refining import Refiner
from tenancykit.study.sweeping import Columns, Floats, Question, Sweeper, sweep_codes, sweeper_of

COMBINED: Final = 22_500
"""Most combinations of groups, one of each class, whose savings are measured: 150 groups a class with two classes, 28
with three. The layers that tell most designs apart in what they share are taken first."""
LOT: Final = 8_192
"""Combinations measured at a time: few enough that no array leaves the processor's cache for long."""
SHARING_LAYERS: Final = ("tenancy", "fleet", "pod_network", "queue", "nodes", "class", "mesh", "validation", "delivery")
"""Layers whose components and work several classes can share, the largest first (assumption, by their person-days)."""
HOW: Final = ("min", "sum", "sum", "sum")
"""How the classes' figures combine, in the order of the criteria, each so that more is better."""


@dataclass(frozen=True, eq=False)
class Combined:
    """Hybrids that look best when classes are measured by themselves.

    Attributes:
        codes: [hybrids x columns] in the codes of the question.
        values: [hybrids x criteria] combined figures, more always better.
        considered: combinations the front was taken over.
    """

    codes: Codes
    values: Floats
    considered: int


def combined_front(
    question: Question, count: int, executor: Executor | None = None, lean: Sequence[Numbered] = ()
) -> Combined:
    """Return the exact front over all combinations of one swept design per class, in the model of this module.

    Args:
        question: a question whose classes choose for themselves.
        count: designs to sweep per class.
        executor: where they are measured.
        lean: per class the designs to sweep a few of; all there are unless given.
    """
    whole = sweeper_of(question)
    parts, rows = [], []
    for place, part in enumerate(whole.parts):
        alone = replace(question, scenario=only_class(question.scenario, place))
        vars(sweeper_of(alone))["parts"] = (part,)  # the same space: building it again takes longer than the sweep
        columns = _swept(alone, part, lean[place] if lean else part, count, executor)
        costs = Refiner(alone, executor).bounded(columns)
        values = np.stack([columns.isolation, -columns.effort, -columns.operations, -costs.least], axis=1)
        groups, keys = groups_of(part, columns.codes, most_groups(len(whole.parts)))
        parts.append(Part(values, groups))
        rows.append((columns.codes, keys))
    saved = Savings(whole, [keys for _, keys in rows], question)
    front = combine_fronts(parts, list(HOW), saved)
    codes = [codes[front.choices[:, place]] for place, (codes, _) in enumerate(rows)]
    return Combined(np.concatenate(codes, axis=1), front.values, front.considered)


def only_class(scenario: Scenario, place: int) -> Scenario:
    """Return the scenario with one of its tenant classes alone."""
    kept = scenario.tenants.classes[place]
    named = tuple(tenant for tenant in scenario.tenants.named if tenant.tenant_class == kept.id)
    return scenario.model_copy(
        update={"tenants": scenario.tenants.model_copy(update={"classes": (kept,), "named": named})}
    )


def _swept(alone: Question, part: Numbered, thin: Numbered, count: int, executor: Executor | None) -> Columns:
    numbers = np.unique(np.linspace(0, len(thin) - 1, min(count, len(thin))).round().astype(np.int64))
    lots = [
        recoded(thin.codes(lot), thin.columns, part.columns)
        for lot in np.array_split(numbers, max(1, len(numbers) // 20_000))
        if len(lot)
    ]
    if executor is None:
        return Columns.joined(sweep_codes(alone, lot) for lot in lots)
    waiting = [executor.submit(sweep_codes, alone, lot) for lot in lots]
    return Columns.joined(one.result() for one in waiting)


def most_groups(classes: int) -> int:
    """Return the most groups of each of so many classes."""
    return int(COMBINED ** (1 / classes) + 1e-9)


def groups_of(part: Numbered, codes: Codes, most: int) -> tuple[NDArray[np.intp], Codes]:
    """Return the group of each design, and per group the codes of its layers (the others at their leanest).

    Args:
        part: what the codes stand for.
        codes: [designs x layers] what is chosen.
        most: most groups, unless the first layer alone makes more.
    """
    names = [layer for _, layer in part.layers]
    order = [names.index(layer) for layer in SHARING_LAYERS if layer in names]
    used = order[:1]
    for layer in order[1:]:
        if len(np.unique(codes[:, sorted([*used, layer])], axis=0)) <= most:
            used.append(layer)
    keys, member = np.unique(codes[:, used], axis=0, return_inverse=True)
    shown = np.full((len(keys), codes.shape[1]), 255, dtype=np.uint8)
    shown[:, used] = keys
    return member.ravel().astype(np.intp), shown


class Savings:
    """What designs of some groups have in common: the sum of them alone less all of them together.

    Args:
        whole: measures hybrids.
        keys: per class [groups x layers] what is chosen in each group; 255 where nothing is.
        question: the question.
    """

    def __init__(self, whole: Sweeper, keys: list[Codes], question: Question) -> None:
        columns = [[(*column, None) for column in part.columns] for part in whole.parts]
        blank = [np.array([len(column) for column in part.columns], dtype=np.uint8) for part in whole.parts]
        filled = [np.where(key == 255, none, key).astype(np.uint8) for key, none in zip(keys, blank, strict=True)]
        sizes = [len(key) for key in keys]
        every = np.array(list(itertools.product(*(range(size) for size in sizes))), dtype=np.intp)
        codes = [mine[every[:, place]] for place, mine in enumerate(filled)]
        together = np.concatenate(
            [
                _costs(whole, batch_of(whole.scenario, whole.catalogue, columns, [mine[lot] for mine in codes]))
                for lot in (slice(start, start + LOT) for start in range(0, len(every), LOT))
            ]
        )
        saved = np.zeros((len(every), len(HOW)))
        for place, mine in enumerate(filled):
            sweeper = Sweeper(replace(question, scenario=only_class(question.scenario, place)))
            batch = batch_of(sweeper.scenario, sweeper.catalogue, [columns[place]], [mine])
            saved += _costs(sweeper, batch)[every[:, place]]
        saved -= together
        self.by_groups = {tuple(groups): row for groups, row in zip(every.tolist(), saved, strict=True)}

    def __call__(self, groups: tuple[int, ...]) -> Floats:
        """Return what to give back, per criterion."""
        return self.by_groups[groups]


def _costs(sweeper: Sweeper, batch: Batch) -> Floats:
    """Return [designs x criteria] what adds up over classes; isolation does not, and is not worked out."""
    columns = sweeper.measure_batch(batch, batch.classes[0].chosen.codes, isolation=lambda _, days: np.zeros(len(days)))
    return np.stack(
        [np.zeros(len(columns)), columns.effort, columns.operations, columns.people + columns.hosts], axis=1
    )
