"""The handful of designs an exploration recommends: each for a reason of its own, and each of another family."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from tenancykit.criterion_names import CRITERIA
from tenancykit.design.families import family_of
from tenancykit.design.validity import resolve
from tenancykit.sentences import three_digits
from tenancykit.study.discovery import Exploration, Found
from tenancykit.study.evaluation import Evaluation, evaluate_resolved

BUDGET_SHARE = 1.25
"""What may be spent on isolation, where no budget is stated, as a share of the first design's cost. Assumption: a board
that is shown a design for 100 would hear of a safer one for 125."""

WEIGHT_DOUBT = 0.2
"""How far each weight may be off, as a share of itself; as a comparison assumes."""


@dataclass(frozen=True)
class Recommended:
    """One of the handful.

    Attributes:
        found: the design.
        evaluation: the same measured in full, for what it is called and what of each class lies open.
        roles: what it is recommended for: first, cheapest, safest within budget, simplest, most robust.
        why: a sentence per role.
        twins: other designs of the front that keep tenants apart in the same way and differ in add-ons.
    """

    found: Found
    evaluation: Evaluation
    roles: tuple[str, ...]
    why: tuple[str, ...]
    twins: int

    @property
    def name(self) -> str:
        """What it is, in plain words."""
        return self.evaluation.name


def handful(exploration: Exploration) -> tuple[Recommended, ...]:
    """Return the designs of the admitted front worth a person's time under the scenario's weights and their doubt.

    A role goes to the best design for it. Where that belongs to the family of one already chosen (the same clusters,
    machines and runtimes per class), the chosen one takes the role too: nobody is shown two designs that differ in an
    add-on. The first five roles fill as many families as the front has for them.
    """
    members = exploration.ranked() if exploration.admitted else ()
    if not members:
        return ()
    named = {one.id: resolve(one.design, exploration.scenario, exploration.catalogue) for one in members}
    families: dict[str, Hashable] = {name: family_of(found) for name, found in named.items()}
    sizes: dict[Hashable, int] = {}
    for family in families.values():
        sizes[family] = sizes.get(family, 0) + 1
    chosen: dict[Hashable, Recommended] = {}
    for role, one, why in _roles(exploration, members):
        family = families[one.id]
        if family in chosen:
            held = chosen[family]
            same = why if held.found.id == one.id else f"{why} (by a little {one.id}, which differs only in add-ons)"
            chosen[family] = replace(held, roles=(*held.roles, role), why=(*held.why, same))
        else:
            measured = evaluate_resolved(named[one.id], exploration.scenario, exploration.catalogue)
            chosen[family] = Recommended(one, measured, (role,), (why,), sizes[family] - 1)
    return tuple(chosen.values())


def _roles(exploration: Exploration, members: Sequence[Found]) -> list[tuple[str, Found, str]]:
    """Return who is best at what, the first by weights first."""
    first = members[0]
    money = exploration.scenario.infrastructure.currency
    budget = exploration.scenario.requirements.budget_per_month
    most = float(budget) if budget is not None else BUDGET_SHARE * first["cost"]
    affordable = [one for one in members if one["cost"] <= most] or [first]
    stated = "the budget" if budget is not None else f"{BUDGET_SHARE:g} times the first one's cost (assumption)"
    cheapest = _least(members, lambda one: one["cost"])
    safety = exploration.merits_if(dict.fromkeys((name for name in CRITERIA if name != "isolation"), 0.0))
    safest = _least(affordable, lambda one: -safety[one.id])
    simplest = _least(members, lambda one: one["operations"])
    regrets = _regrets(exploration, members)
    steady = _least(members, lambda one: regrets[one.id])
    doubt = f"{WEIGHT_DOUBT * 100:.0f} %"
    never_far = f"whichever weight is {doubt} off, at most {regrets[steady.id]:.3f} of 1 behind the best found"
    return [
        ("first", first, "first of those found, by the weights given"),
        (
            "cheapest",
            cheapest,
            f"the cheapest found that meets every requirement: {three_digits(cheapest['cost'])} {money} a month",
        ),
        (
            "safest within budget",
            safest,
            f"the safest found for at most {three_digits(most)} {money} a month, {stated}",
        ),
        ("simplest", simplest, f"the least to run of those found: {simplest['operations']:,.0f} hours a month"),
        ("most robust", steady, f"never far from first: {never_far}"),
    ]


def _least(members: Sequence[Found], figure: Callable[[Found], float]) -> Found:
    """Return the design with the least of a figure; of equals the better by weights, which comes first."""
    return min(enumerate(members), key=lambda pair: (figure(pair[1]), pair[0]))[1]


def _regrets(exploration: Exploration, members: Sequence[Found]) -> Mapping[str, float]:
    """Return how far each design falls behind the best at worst, when each weight in turn is off by its doubt."""
    worst = dict.fromkeys((one.id for one in members), 0.0)
    for criterion in CRITERIA:
        for factor in (1 - WEIGHT_DOUBT, 1 + WEIGHT_DOUBT):
            merits = exploration.merits_if({criterion: factor})
            top = max(merits[one.id] for one in members)
            for one in members:
                worst[one.id] = max(worst[one.id], top - merits[one.id])
    return worst
