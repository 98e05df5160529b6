"""The handful of designs an exploration recommends: each for a reason of its own, and each of another family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from kubeanswers.records import dataclass
from tenancykit.criterion_names import CRITERIA
from tenancykit.design.families import family_of
from tenancykit.design.validity import resolve
from tenancykit.sentences import number_of, three_digits
from tenancykit.study.discovery import Exploration, Found
from tenancykit.study.evaluation import Evaluation, evaluate_resolved
from tenancykit.study.leading import BUDGET_SHARE

WEIGHT_DOUBT = 0.2
"""How far each weight may be off, as a share of itself; as a comparison assumes."""

LEVEL = 0.01
"""Share of a figure, or value of isolation, below which the first is not told from the best at it. Assumption: a reader
of a table in which designs within 1 % are shown as one sees no difference."""


@dataclass(frozen=True)
class Recommended:
    """One of the handful.

    Attributes:
        found: the design.
        evaluation: the same measured in full, for what it is called and what of each class lies open.
        name: what it is, in plain words; no two of a handful read the same.
        roles: what it is recommended for: first, cheapest, safest within budget, simplest, most robust.
        why: a sentence per role.
        twins: other designs found that meet every requirement, keep tenants apart in the same way, and differ in
            add-ons.
    """

    found: Found
    evaluation: Evaluation
    name: str
    roles: tuple[str, ...]
    why: tuple[str, ...]
    twins: int


def handful(exploration: Exploration) -> tuple[Recommended, ...]:
    """Return the designs worth a person's time under the scenario's weights and their doubt, of those found.

    They come from the admitted front, from what leads beside it, and from what a comparison ranks: the first is never
    worth less than the first of the comparison. A role goes to the best design for it. Where that belongs to the family
    of one already chosen (the same clusters, machines and runtimes per class), the chosen one takes the role too:
    nobody is shown two designs that differ in an add-on. So does the first where it is as cheap, as safe, or as little
    to run, to within :data:`LEVEL`.
    """
    members = exploration.ranked() if exploration.members else ()
    if not members:
        return ()
    named = {one.id: resolve(one.design, exploration.scenario, exploration.catalogue) for one in members}
    families: dict[str, Hashable] = {name: family_of(found) for name, found in named.items()}
    sizes = Counter(families.values())
    chosen: dict[Hashable, Recommended] = {}
    for role, one, why in _roles(exploration, members):
        family = families[one.id]
        if family in chosen:
            held = chosen[family]
            same = why if held.found.id == one.id else f"with the add-ons of {one.id}, {why}"
            chosen[family] = replace(held, roles=(*held.roles, role), why=(*held.why, same))
        else:
            measured = evaluate_resolved(named[one.id], exploration.scenario, exploration.catalogue)
            chosen[family] = Recommended(one, measured, measured.name, (role,), (why,), sizes[family] - 1)
    alike = Counter(one.name for one in chosen.values())
    return tuple(
        replace(one, name=one.evaluation.resolved.long or one.name) if alike[one.name] > 1 else one
        for one in chosen.values()
    )


def _roles(exploration: Exploration, members: Sequence[Found]) -> list[tuple[str, Found, str]]:
    """Return who is best at what, the first by weights first."""
    first = members[0]
    money = exploration.scenario.infrastructure.currency
    budget = exploration.scenario.requirements.budget_per_month
    most = float(budget) if budget is not None else BUDGET_SHARE * first["cost"]
    affordable = [one for one in members if one["cost"] <= most] or [first]
    stated = "the budget" if budget is not None else f"{BUDGET_SHARE:g} times the first one's cost (assumption)"
    within = f"for at most {three_digits(most)} {money} a month, {stated}"
    cheapest = _least_or_first(members, "cost")
    safety = exploration.merits_if(dict.fromkeys((name for name in CRITERIA if name != "isolation"), 0.0))
    safest = _least(affordable, lambda one: -safety[one.id])
    most_safe = safety[safest.id]
    if safety[first.id] >= most_safe - LEVEL and first in affordable:
        safest = first
    as_safe = f", to within {LEVEL:g}" if safety[safest.id] < most_safe else ""
    worth = f"isolation is worth {safety[safest.id]:.3f} of 1"
    worth += f", that of the first {safety[first.id]:.3f}" if safest is not first else ""
    simplest = _least_or_first(affordable, "operations")
    regrets = _regrets(exploration, members)
    steady = _least(members, lambda one: regrets[one.id])
    doubt = f"{WEIGHT_DOUBT * 100:.0f} %"
    worst = regrets[steady.id]
    behind = f"{f'at most {worst:.2g}' if worst >= 0.001 else 'less than 0.001'} of 1 behind the best found"
    as_cheap = _to_within(members, cheapest, "cost")
    as_little = _to_within(affordable, simplest, "operations")
    hours = f"{three_digits(simplest['operations'])} hours a month"
    price = f"{three_digits(cheapest['cost'])} {money} a month"
    never_far = f"whichever weight is {doubt} off, {behind if worst else 'none found is better'}"
    return [
        ("first", first, _first(exploration, first)),
        ("cheapest", cheapest, f"the cheapest found that meets every requirement{as_cheap}: {price}"),
        ("safest within budget", safest, f"the safest found {within}{as_safe}: {worth}"),
        ("simplest", simplest, f"the least to run found {within}{as_little}: {hours}"),
        ("most robust", steady, f"never far from first: {never_far}"),
    ]


def _first(exploration: Exploration, first: Found) -> str:
    """Return of what the first is the first, and how it stands to the first of a comparison."""
    merits = exploration.merits_if({})
    several = len(exploration.scenario.tenants.classes) > 1
    if exploration.stopped:
        among = "of those found when the search was stopped"
    elif exploration.exact:
        same = " that choose the same for every class, and of those compare ranks"
        among = f"of all {number_of(exploration.space)} valid designs"
        among += same if several and not exploration.per_class else ""
    else:
        among = f"of the {exploration.evaluated:,} designs measured and of those compare ranks"
    told = f"first by the weights given {among}, worth {merits[first.id]:.3f} of 1"
    if exploration.known:
        best = max(exploration.known, key=lambda one: merits[one.id])
        if best.id == first.id:
            told += f"; compare ranks it first too, as {best.ranked}"
        else:
            told += f"; {best.ranked}, which compare ranks first, is worth {merits[best.id]:.3f}"
    if exploration.settled and not exploration.exact and first.id in {one.id for one in exploration.leading}:
        told += "; no change of one option" + (" for a class or for all" if exploration.per_class and several else "")
        told += " makes it better"
    return told


def _least_or_first(members: Sequence[Found], figure: str) -> Found:
    """Return the design with the least of a figure, or the first of all where its figure is level with the least."""
    least = _least(members, lambda one: one[figure])
    return members[0] if members[0][figure] <= least[figure] * (1 + LEVEL) else least


def _to_within(members: Sequence[Found], chosen: Found, figure: str) -> str:
    """Return by how much others may have less of a figure than the design chosen for it, in words; empty for none."""
    return f", to within {LEVEL * 100:.0f} %" if min(one[figure] for one in members) < chosen[figure] else ""


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
