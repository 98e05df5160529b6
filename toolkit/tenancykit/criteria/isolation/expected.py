"""Whether options move the open days as the field expects of them, on a hardened shared cluster of a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.attack import Expectation, ExpectedEffect, Plane
from tenancykit.catalogue.barriers import AUDIT, load_isolation
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.measure import assess
from tenancykit.design.model import Design, ResolvedDesign, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario

HARDENED: Final = (
    *("cp_namespace_rbac", "node_shared", "rt_runc", "net_np_default_deny", "st_sc_quota", "gpu_exclusive"),
    *("sch_quota", "pol_psa", "id_oidc_rbac"),
)
"""The shared cluster that options are added to: namespaces, default-deny, quota, Pod Security, groups."""

SAME = 0.05
"""Days a year, and share of the larger, below which two figures count as the same."""


@dataclass(frozen=True)
class Moved:
    """What an option did to one plane of one class, beside what was expected.

    Attributes:
        expectation: what was expected of which option.
        effect: the plane's part of it.
        class_id: class of the victims.
        before: open days a year without the option.
        after: open days a year with it.
    """

    expectation: Expectation
    effect: ExpectedEffect
    class_id: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """How much fewer days (negative: more), as a share of the larger figure."""
        larger = max(self.before, self.after)
        return (self.before - self.after) / larger if larger else 0.0

    @property
    def holds(self) -> bool:
        """Whether it moved as expected."""
        if self.effect.days == "same":
            return abs(self.before - self.after) < SAME or abs(self.change) < SAME
        moved = self.change if self.effect.days == "fewer" else -self.change
        return self.effect.least <= moved <= self.effect.most or (not self.effect.least and abs(moved) < 1e-9)


def moved_by(expectations: Iterable[Expectation], scenario: Scenario, catalogue: Catalogue) -> Iterator[Moved]:
    """Yield what options did in a scenario, for every class to which an expectation applies.

    Args:
        expectations: what to look at, ``load_isolation(catalogue).expectations.values()`` for all.
        scenario: the scenario.
        catalogue: the catalogue.
    """
    for expectation in expectations:
        start = _swapped(HARDENED, expectation.on, catalogue)
        start = tuple(option for option in start if option not in expectation.lacking)
        before, design = _measured(start, scenario, catalogue)
        if expectation.option == AUDIT:
            team = scenario.team.model_copy(update={"admission": "audit"})
            after, _ = _measured(start, scenario.model_copy(update={"team": team}), catalogue)
        else:
            kept = tuple(option for option in start if option not in expectation.without)
            after, _ = _measured(_swapped(kept, (expectation.option,), catalogue), scenario, catalogue)
        for resolved in design.classes:
            if expectation.when.holds(resolved.facts):
                yield from _of_class(expectation, resolved.tenant_class.id, before, after)


def _of_class(
    expectation: Expectation, class_id: str, before: IsolationResult, after: IsolationResult
) -> Iterator[Moved]:
    for effect in expectation.effects:
        key: tuple[str, Plane] = (class_id, effect.plane)
        if key in before.days:
            yield Moved(expectation, effect, class_id, before.days[key], after.days[key])


def _swapped(base: Sequence[str], options: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Return a set of options with some in place of those of the same layers."""
    known = catalogue.options
    layers = {(known[option].dimension, known[option].layer) for option in options}
    return (*(o for o in base if (known[o].dimension, known[o].layer) not in layers), *options)


def _measured(
    options: Sequence[str], scenario: Scenario, catalogue: Catalogue
) -> tuple[IsolationResult, ResolvedDesign]:
    choice = choose(catalogue, options)
    design = Design("expected", "", {c.id: choice for c in scenario.tenants.classes})
    resolved = resolve(design, scenario, catalogue)
    return assess(resolved, load_isolation(catalogue), believed=Beliefs.of(scenario)), resolved
