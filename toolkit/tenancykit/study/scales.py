"""The ends of every scale, from the scenario and the catalogue alone, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.added import AddedCriterion, registered
from tenancykit.criterion_names import CRITERIA, PLAIN
from tenancykit.decision.value_functions import Saturating, Straight
from tenancykit.decision.value_tree import Leaf, ValueTree
from tenancykit.design import facts
from tenancykit.scenario.judgement import ClassNines, Ends
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.sentences import three_digits
from tenancykit.study.anchors import Anchors, anchors_of
from tenancykit.study.leaves import Key, leaf_name

Origin = Literal["stated", "derived", "assumption"]

LEAST_DIFFERENCE: Final = 0.02
"""Ends that differ by less, as a share of the larger, do not discriminate (issue: scales that do not move)."""

GO_LIVE_WEEKS: Final = 26.0
"""Weeks to go-live where the scenario states none. Assumption: half a year."""

WORK_WEEK: Final = 5
"""Working days a week. Assumption: as the effort estimates count."""

BOUNDED: Final = (1.0, 4.0)
"""Where team or go-live is not stated, the end of effort and operations lies between so many times what the dedicated
anchor takes, so that the criterion neither vanishes nor rules. Assumption."""

NEED: Final[Mapping[str, float]] = MappingProxyType({"trusted": -0.9, "semi-trusted": -0.6, "untrusted": -0.1})
"""Where what a class must have lies on the way from the shared anchor (0) to the dedicated one (1), by how far its
tenants trust each other; never below no nines at all. Assumption: below 0, since namespaces are enough for whoever asks
for no more; hostile tenants need about what the shared anchor gives."""

ACCESS: Final[Mapping[str, float]] = MappingProxyType({"none": -0.3, "namespace": 0.0, "cluster": 0.1})
"""What the tenants' rights at the API server add to that. Assumption: who holds none needs less kept from him."""

ASKED: Final[Mapping[str, float]] = MappingProxyType(
    {"L0": -0.4, "L1": -0.2, "L2": 0.0, "L3": 0.2, "L4": 0.4, "L5": 0.5}
)
"""What a level that is asked for adds. Assumption: the levels' rules ask for barriers, here they move the scale too."""

PLENTY_AT: Final[Mapping[str, float]] = MappingProxyType({"trusted": 0.6, "semi-trusted": 0.8, "untrusted": 1.0})
"""Where plenty lies on the same way. Assumption: for strangers, a cluster and machines of their own."""

REGIME: Final = (0.4, 0.2)
"""What compliance adds to what is needed and to plenty, once however many regimes. Assumption."""

LEAST_SPAN: Final = 0.5
"""Least nines between the anchors, and between what is needed and plenty. Assumption: a factor of three in days."""

SENSITIVITY: Final[Mapping[str, float]] = MappingProxyType(
    {"compliance": 3.0, "premium": 1.5, "basic": 0.75, "development": 0.5}
)
"""How much one tenant counts beside an ordinary one, by what its data is; factors multiply. Assumption."""


@dataclass(frozen=True)
class End:
    """The two ends of a leaf's scale and why they lie there.

    Attributes:
        leaf: name of the leaf.
        worst: figure of value 0.
        best: figure of the better end.
        unit: unit of both.
        origin: stated in the scenario, derived from it and the anchors, or resting on an assumption.
        why: where they come from, in words.
    """

    leaf: str
    worst: float
    best: float
    unit: str
    origin: Origin
    why: str


@dataclass(frozen=True)
class ScaleSet:
    """The value tree of a scenario with the ends it stands on.

    Attributes:
        tree: the value tree.
        ends: per leaf, in the tree's order.
        keys: classes and planes of the isolation leaves, in order.
        anchors: what the anchor designs take.
        statement: what was assumed or does not discriminate, in words.
    """

    tree: ValueTree
    ends: tuple[End, ...]
    keys: tuple[Key, ...]
    anchors: Anchors
    statement: tuple[str, ...]

    def __getitem__(self, leaf: str) -> End:
        """Return the ends of a leaf.

        Raises:
            InputError: there is no such leaf.
        """
        for end in self.ends:
            if end.leaf == leaf:
                return end
        raise InputError(Fault("scale", f"no leaf {leaf!r}", ", ".join(end.leaf for end in self.ends)))


def scales_of(scenario: Scenario, catalogue: Catalogue, keys: Sequence[Key]) -> ScaleSet:
    """Return the scales of a scenario.

    Args:
        scenario: what is asked, with the ends it states.
        catalogue: what the anchors are worked out with.
        keys: classes and planes on which somebody has something to lose.
    """
    anchors = anchors_of(scenario, catalogue)
    ends = [
        _effort(scenario, catalogue, anchors),
        _operations(scenario, catalogue, anchors),
        _cost(scenario, anchors),
        *(_of_added(criterion, scenario) for criterion in registered()),
        *(_nines(scenario, key, anchors) for key in keys),
    ]
    return _scale_set(scenario, ends, keys, anchors)


def on_ends(scales: ScaleSet, scenario: Scenario, ends: Iterable[End]) -> ScaleSet:
    """Return scales with other ends, such as those a decision was once made on; shares and anchors stay.

    Args:
        scales: the scales of a scenario.
        scenario: the scenario they are of.
        ends: ends for every leaf, in any order.

    Raises:
        InputError: the leaves are not the same, or two ends are equal, reversed or not finite.
    """
    given = {end.leaf: end for end in ends}
    known = [end.leaf for end in scales.ends]
    if set(given) != set(known):
        strange = ", ".join(sorted(set(given) ^ set(known)))
        raise InputError(Fault("scales", f"not of the same leaves: {strange}", ", ".join(known)))
    try:
        return _scale_set(scenario, [given[leaf] for leaf in known], scales.keys, scales.anchors)
    except ValueError as error:
        raise InputError(Fault("scales", str(error))) from None


def _scale_set(scenario: Scenario, ends: Sequence[End], keys: Sequence[Key], anchors: Anchors) -> ScaleSet:
    """Return the scales that stand on ends: those of :data:`PLAIN`, then one per key."""
    shares = isolation_shares(scenario, keys)
    silent = dict(_silent(ends[: len(PLAIN)]))
    if not keys:
        silent["isolation"] = "there is no other tenant to be isolated from"
    leaves = [
        Leaf(name, name, 1.0, Straight(*_apart(end)), end.unit) for name, end in zip(PLAIN, ends, strict=False)
    ] + [
        Leaf(end.leaf, "isolation", shares[key], Saturating(end.worst, end.best), end.unit)
        for key, end in zip(keys, ends[len(PLAIN) :], strict=True)
    ]
    told = [f"{end.leaf}: {end.why}" for end in ends[: len(PLAIN)] if end.origin == "assumption"]
    told += [f"{name} does not discriminate: {why}" for name, why in silent.items()]
    tree = ValueTree(tuple(CRITERIA), tuple(leaves), MappingProxyType(silent))
    return ScaleSet(tree, tuple(ends), tuple(keys), anchors, tuple(told))


def _apart(end: End) -> tuple[float, float]:
    """Return the ends, a little apart where they do not discriminate: the leaf weighs nothing then."""
    return (end.worst, end.best) if end.worst != end.best else (end.worst + 1.0, end.best)


def _silent(ends: Sequence[End]) -> Iterator[tuple[str, str]]:
    for end in ends:
        if end.origin != "stated" and abs(end.worst - end.best) < LEAST_DIFFERENCE * max(abs(end.worst), abs(end.best)):
            told = f"{three_digits(end.best)} and {three_digits(end.worst)}"
            yield end.leaf, f"its ends {told} {end.unit} differ by less than 2 %"


# --- cost, effort, operations -------------------------------------------------------------------------------------


def _cost(scenario: Scenario, anchors: Anchors) -> End:
    unit = f"{scenario.infrastructure.currency} per month"
    stated = scenario.scales.cost
    if stated is not None:
        return _stated("cost", stated, unit)
    why = "from the lower bound of serving the demand on one shared pool to a cluster and machines per tenant"
    return End("cost", anchors.dedicated, min(anchors.shared, anchors.dedicated), unit, "derived", why)


def _effort(scenario: Scenario, catalogue: Catalogue, anchors: Anchors) -> End:
    if (stated := scenario.scales.effort) is not None:
        return _stated("effort", stated, "person-days")
    share = load_work(catalogue).rate("project.share").mean
    weeks = scenario.requirements.go_live_weeks
    days = scenario.team.engineers * (weeks or GO_LIVE_WEEKS) * WORK_WEEK * share
    told = f"{scenario.team.engineers:g} engineers, {share:.0%} of their time for {weeks or GO_LIVE_WEEKS:g} weeks"
    if weeks is None or not _team_stated(scenario):
        missing = " and ".join(
            word for word, there in (("go-live", weeks), ("team", _team_stated(scenario))) if not there
        )
        days = _bounded(days, anchors.dedicated_days)
        return End("effort", days, 0.0, "person-days", "assumption", f"{told}; {missing} not stated (assumption)")
    return End("effort", days, 0.0, "person-days", "derived", told)


def _operations(scenario: Scenario, catalogue: Catalogue, anchors: Anchors) -> End:
    unit = "hours per month"
    if (stated := scenario.scales.operations) is not None:
        return _stated("operations", stated, unit)
    book = load_work(catalogue)
    hours, share = book.rate("team.hours_per_month").mean, book.rate("team.toil_share").mean
    total = scenario.team.engineers * hours * share
    told = f"{scenario.team.engineers:g} engineers, {share:.0%} of {hours:g} hours a month each"
    if not _team_stated(scenario):
        total = _bounded(total, anchors.dedicated_hours)
        return End("operations", total, 0.0, unit, "assumption", f"{told}; team not stated (assumption)")
    return End("operations", total, 0.0, unit, "derived", told)


def _of_added(criterion: AddedCriterion, scenario: Scenario) -> End:
    """Return the ends of a registered criterion: those of the scenario, or those it was registered with."""
    stated = scenario.scales.added.get(criterion.id)
    if stated is not None:
        return End(criterion.id, stated.worst, stated.best, criterion.unit, "stated", "stated in the scenario")
    return End(criterion.id, criterion.worst, criterion.best, criterion.unit, "derived", criterion.why)


def _stated(name: str, ends: Ends, unit: str) -> End:
    return End(name, ends.worst, ends.best, unit, "stated", "stated in the scenario")


def _team_stated(scenario: Scenario) -> bool:
    return "engineers" in scenario.team.model_fields_set


def _bounded(figure: float, around: float) -> float:
    low, high = BOUNDED
    return min(max(figure, low * around), high * around)


# --- isolation ----------------------------------------------------------------------------------------------------


def _nines(scenario: Scenario, key: Key, anchors: Anchors) -> End:
    class_id, plane = key
    must, plenty, why = _default_nines(scenario, key, anchors)
    own = scenario.scales.isolation.get(class_id, ClassNines())
    here = own.planes.get(plane)  # type: ignore[call-overload]
    origin: Origin = "assumption"
    for ends in (own, here):
        if ends is not None and (ends.must is not None or ends.plenty is not None):
            span = plenty - must
            must = must if ends.must is None else ends.must
            plenty = max(plenty, must + min(span, LEAST_SPAN)) if ends.plenty is None else ends.plenty
            origin, why = "stated", "stated in the scenario"
    if must >= plenty:
        what = f"plenty is {plenty:g} nines, and the class must have {must:.3g}"
        raise InputError(Fault(f"scales.isolation.{class_id}", what, "must below plenty", "state both"))
    return End(leaf_name(key), must, plenty, "nines", origin, why)


def _default_nines(scenario: Scenario, key: Key, anchors: Anchors) -> tuple[float, float, str]:
    """Return the ends of a class on a plane: places on the way from the shared anchor to the dedicated one."""
    tenant_class = scenario.tenant_class(key[0])
    trust, access = facts.trust(tenant_class), facts.access(tenant_class)
    level = tenant_class.requirements.isolation or scenario.requirements.isolation
    need, enough, why = NEED[trust] + ACCESS[access], PLENTY_AT[trust], f"{trust} tenants with API access {access}"
    if level is not None:
        need, why = need + ASKED[level], f"{why}, {level} asked for"
    if tenant_class.compliance:
        need, enough, why = need + REGIME[0], enough + REGIME[1], f"{why}, {', '.join(tenant_class.compliance)}"
    start = anchors.shared_nines.get(key, 0.0)
    way = max(LEAST_SPAN, anchors.dedicated_nines.get(key, 0.0) - start)
    must = max(0.0, start + need * way)
    return must, max(start + enough * way, must + LEAST_SPAN), f"{why} (assumption)"


def stake_of(scenario: Scenario, tenant_class: TenantClass) -> float:
    """Return how much one tenant of a class counts beside an ordinary one."""
    own = scenario.scales.isolation.get(tenant_class.id)
    if own is not None and own.stake is not None:
        return own.stake
    stake = SENSITIVITY["compliance"] if tenant_class.compliance else 1.0
    stake *= SENSITIVITY.get(tenant_class.service_tier, 1.0)
    return stake * SENSITIVITY.get(tenant_class.environment, 1.0)


def isolation_shares(scenario: Scenario, keys: Sequence[Key]) -> Mapping[Key, float]:
    """Return each leaf's share of isolation: tenants times stake of the class, spread over its planes by their stakes.

    Raises:
        InputError: nothing is at stake.
    """
    classes = {c.id: c.count * stake_of(scenario, c) for c in scenario.tenants.classes}
    planes = {key: float(scenario.stakes.get(key[1], 1.0)) for key in keys}  # type: ignore[call-overload]
    per_class = {name: sum(stake for key, stake in planes.items() if key[0] == name) for name in classes}
    raw = {key: classes[key[0]] * planes[key] / per_class[key[0]] if per_class[key[0]] else 0.0 for key in keys}
    total = sum(raw.values())
    if keys and total <= 0:
        raise InputError(Fault("stakes", "nothing is at stake", "a class and a plane with a stake above 0"))
    return {key: share / total for key, share in raw.items()}


__all__ = ["End", "ScaleSet", "isolation_shares", "on_ends", "scales_of", "stake_of"]
