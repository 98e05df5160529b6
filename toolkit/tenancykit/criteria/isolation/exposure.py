"""Exposure per class of victims and plane: how many days a year something of it stands open to another tenant.

Convention. For an asset of a victim class, the exposure is the chance that at a random moment some path from another
tenant stands open; paths from one class of attackers combine exactly. Classes of attackers meet the same flaws of the
same components, so the class that reaches the asset most stands for all of them - but for a share of :data:`SPREAD`,
which is averaged over all other tenants, so that a barrier shows that keeps only some of them out. A second class of
the same kind moves nothing. Within a plane the expected open days of its confidentiality and integrity assets are added
up, so that closing a lesser path shows beside a greater one; the sum is asset-days a year. Nines are those of the mean
over the plane's assets, whose number is the catalogue's and not the design's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Plane
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.criteria.isolation.chances import DAYS_PER_YEAR, assumed_share
from tenancykit.criteria.isolation.interval import DRAWS, chance_draws, slowdown_draws
from tenancykit.criteria.isolation.levels import guarded
from tenancykit.criteria.isolation.network import contracted
from tenancykit.criteria.isolation.result import AssetFinding, GraphFinding, PairFinding, nines
from tenancykit.criteria.isolation.slowdown import Slowdown, lost, shared_resources
from tenancykit.distributions import quantiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOW, HIGH = 0.1, 0.9
"""Ends of every interval printed: P10 and P90."""

SPREAD: Final = 0.1
"""Share of an exposure that counts by how many other tenants reach the asset instead of by the one who reaches it most.
Assumption: that it stands open to somebody counts nine times as much."""

Performance = Literal["performance"]
PERFORMANCE: Final[Performance] = "performance"
"""The plane of noisy neighbours; levels and attack graphs do not know it."""

_Chance = TypeVar("_Chance", "float", "NDArray[np.float64]")

Key = tuple[str, Plane | Performance]
"""A class of victims and a plane."""


@dataclass(frozen=True)
class PlaneExposure:
    """What stands open of one class of victims on one plane.

    Attributes:
        class_id: class of the victims.
        plane: the plane; planes on which the class has nothing to lose are left out.
        days: expected open days a year, summed over the plane's assets; this is the figure to rank, lower is better.
            On the plane ``performance`` it is days a year that neighbours take, summed over what is shared.
        low: P10 of the days over what is not known of the barriers.
        high: P90 of the days.
        nines: minus the decimal logarithm of the mean chance that an asset of the plane stands open.
        assumption_share: share (0 to 1) of the figure that no published flaw and no measurement stands behind.
        attacker: class of attackers that contributes most; empty where nothing stands open.
        asset: asset, or shared resource, that contributes most; empty where nothing stands open.
    """

    class_id: str
    plane: Plane | Performance
    days: float
    low: float
    high: float
    nines: float
    assumption_share: float
    attacker: str
    asset: str


@dataclass(frozen=True)
class IsolationResult:
    """The isolation of one design.

    Attributes:
        pairs: every ordered pair of classes that holds two different tenants, in the scenario's order.
        provider: what the provider of the hosts can do to each class, where the scenario does not trust it; levels do
            not look at it.
        planes: planes on which each class has something to lose, in the scenario's order of classes.
        slowdowns: the performance plane: how much slower each class is, in the scenario's order.
        model: the catalogue it was found with.
    """

    pairs: tuple[PairFinding, ...]
    provider: tuple[PairFinding, ...]
    planes: Mapping[str, tuple[Plane | Performance, ...]]
    slowdowns: tuple[Slowdown, ...]
    model: IsolationCatalogue = field(repr=False, compare=False)

    @cached_property
    def exposure(self) -> tuple[PlaneExposure, ...]:
        """Open days a year of every class on every plane, with intervals; drawn when first asked for."""
        return plane_exposures(self, self.model)

    @cached_property
    def drawn(self) -> Mapping[Key, NDArray[np.float64]]:
        """What :func:`exposure_draws` draws: the intervals and the samples of a comparison are made of the same."""
        return exposure_draws(self, self.model)

    @cached_property
    def days(self) -> Mapping[Key, float]:
        """Expected open days a year per class and plane, without intervals (quick)."""
        return open_days(self)

    @property
    def worst_pair(self) -> PairFinding | None:
        """The least isolated pair; None where there is only one tenant."""
        return min(self.pairs, key=lambda p: p.finding.worst.figure, default=None)

    def rows(self) -> list[dict[str, Any]]:
        """Return one plain row per attacker class, victim class and asset."""
        return [
            {"attacker": pair.attacker, "victim": pair.victim, **asset.to_data()}
            for pair in self.pairs
            for asset in pair.finding.assets
        ]


def plane_nines(days: float, plane: Plane | Performance, model: IsolationCatalogue) -> float:
    """Return the nines of so many open asset-days a year on a plane; the more open, the fewer."""
    return nines(days / (DAYS_PER_YEAR * _parts(plane, model)))


@lru_cache(maxsize=64)
def _parts(plane: Plane | Performance, model: IsolationCatalogue) -> int:
    """Return the number of assets of a plane, or of resources that neighbours share."""
    if plane == PERFORMANCE:
        return len(shared_resources(model))
    return sum(1 for asset in model.assets.values() if asset.plane == plane and guarded(asset))


def worst_of_each(result: IsolationResult) -> dict[str, dict[str, tuple[AssetFinding, PairFinding]]]:
    """Return, per victim class and asset, the finding of the attackers that reach it most."""
    found: dict[str, dict[str, tuple[AssetFinding, PairFinding]]] = {name: {} for name in result.planes}
    for pair in _pairs(result):
        here = found[pair.victim]
        for asset in pair.finding.assets:
            if asset.guarded and (asset.asset not in here or asset.exposure > here[asset.asset][0].exposure):
                here[asset.asset] = asset, pair
    return found


def exposed_of_each(
    result: IsolationResult, exposures: Callable[[PairFinding], Mapping[str, _Chance]]
) -> dict[tuple[str, str], _Chance]:
    """Return, per victim class and asset, the exposure to all other tenants.

    Args:
        result: isolation of a design.
        exposures: from a pair to the exposure of each confidentiality or integrity asset, as a number or an array.
    """
    worst: dict[tuple[str, str], Any] = {}
    total: dict[tuple[str, str], Any] = {}
    others: dict[str, int] = {}
    for pair in _pairs(result):
        others[pair.victim] = others.get(pair.victim, 0) + pair.attackers
        for asset, chance in exposures(pair).items():
            key = pair.victim, asset
            if key in worst:
                worst[key] = worst[key] + (chance - worst[key]) * (chance > worst[key])
                total[key] = total[key] + pair.attackers * chance
            else:
                worst[key], total[key] = chance, pair.attackers * chance
    return {key: (1 - SPREAD) * most + SPREAD * total[key] / others[key[0]] for key, most in worst.items()}


def open_days(result: IsolationResult) -> dict[Key, float]:
    """Return the expected open days a year per class of victims and plane."""
    days: dict[Key, float] = {(victim, plane): 0.0 for victim, planes in result.planes.items() for plane in planes}
    planes = {asset.asset: asset.plane for pair in _pairs(result) for asset in pair.finding.assets}
    for (victim, name), chance in exposed_of_each(result, _exposures).items():
        days[victim, planes[name]] += chance * DAYS_PER_YEAR
    days.update(((slowed.class_id, PERFORMANCE), slowed.lost_days) for slowed in result.slowdowns)
    return days


def _pairs(result: IsolationResult) -> tuple[PairFinding, ...]:
    return (*result.pairs, *result.provider)


def _exposures(pair: PairFinding) -> dict[str, float]:
    return {asset.asset: asset.exposure for asset in pair.finding.assets if asset.guarded}


def plane_exposures(result: IsolationResult, model: IsolationCatalogue) -> tuple[PlaneExposure, ...]:
    """Return the exposure of every class on every plane, with intervals and what rests on assumptions."""
    drawn = result.drawn
    worst = worst_of_each(result)
    found = []
    for (victim, plane), days in open_days(result).items():
        low, high = quantiles(drawn[victim, plane], LOW, HIGH)
        if plane == PERFORMANCE:
            slowed = next(each for each in result.slowdowns if each.class_id == victim)
            found.append(_of_performance(slowed, days, low, high, model))
            continue
        here = [pair for pair in worst[victim].values() if pair[0].plane == plane]
        most = max(here, key=lambda pair: pair[0].exposure, default=None)
        opened = most is not None and most[0].exposure > 0
        found.append(
            PlaneExposure(
                victim,
                plane,
                days,
                min(low, days),
                max(high, days),
                plane_nines(days, plane, model),
                _assumed(here, model),
                most[1].attacker if most and opened else "",
                most[0].asset if most and opened else "",
            )
        )
    return tuple(found)


def _of_performance(slowed: Slowdown, days: float, low: float, high: float, model: IsolationCatalogue) -> PlaneExposure:
    parts = sorted(slowed.shared.values(), key=lambda entry: (-entry.mean.likely, entry.resource))
    assumed = math.fsum(lost(entry.mean.likely) for entry in parts if entry.assumption) * DAYS_PER_YEAR
    return PlaneExposure(
        slowed.class_id,
        PERFORMANCE,
        days,
        min(low, days),
        max(high, days),
        plane_nines(days, PERFORMANCE, model),
        assumed / days if days else 0.0,
        "",
        parts[0].resource if days else "",
    )


def exposure_draws(
    result: IsolationResult, model: IsolationCatalogue, *, draws: int = DRAWS
) -> dict[Key, NDArray[np.float64]]:
    """Return [draws] open days a year per class and plane when everything not known of the barriers is drawn.

    Draws of one barrier are the same in every design and pair, so that designs may be compared draw by draw.
    """
    import numpy as np  # noqa: PLC0415 - as above

    seen: dict[int, Mapping[str, NDArray[np.float64]]] = {}

    def drawn(pair: PairFinding) -> Mapping[str, NDArray[np.float64]]:
        if id(pair.finding) not in seen:
            seen[id(pair.finding)] = _drawn(pair.finding, model, draws)
        return seen[id(pair.finding)]

    planes = {asset.asset: asset.plane for pair in _pairs(result) for asset in pair.finding.assets}
    days = {(victim, plane): np.zeros(draws) for victim, mine in result.planes.items() for plane in mine}
    for (victim, name), exposures in exposed_of_each(result, drawn).items():
        days[victim, planes[name]] += exposures * DAYS_PER_YEAR
    for slowed in result.slowdowns:
        for entry in slowed.shared.values():
            days[slowed.class_id, PERFORMANCE] += (1 - 1 / slowdown_draws(entry, draws)) * DAYS_PER_YEAR
    return days


def _drawn(finding: GraphFinding, model: IsolationCatalogue, draws: int) -> dict[str, NDArray[np.float64]]:
    chances = chance_draws(finding.strengths, draws)
    standing = frozenset(finding.graph.starts)
    return {
        asset.asset: contracted(asset.asset, standing, model).exposure_over(finding.graph, chances, draws)
        for asset in finding.assets
        if asset.guarded
    }


def _assumed(assets: list[tuple[AssetFinding, PairFinding]], model: IsolationCatalogue) -> float:
    """Return the share of a plane's open days that rests on assumptions.

    Every barrier's part is its chance of being down times how much the exposure grows with that chance (for a product
    of chances every factor has the same part); the barrier's own chance is split by its sources.
    """
    total = assumed = 0.0
    for asset, pair in assets:
        finding = pair.finding
        chance = {name: strength.chance for name, strength in finding.strengths.items()}
        network = contracted(asset.asset, frozenset(finding.graph.starts), model)
        parts = {name: slope * chance[name] for name, slope in network.slopes(finding.graph, chance).items()}
        whole = math.fsum(parts.values())
        if whole <= 0:
            continue
        total += asset.exposure
        share = math.fsum(part * assumed_share(finding.strengths[name], model) for name, part in parts.items())
        assumed += asset.exposure * share / whole
    return assumed / total if total else 0.0
