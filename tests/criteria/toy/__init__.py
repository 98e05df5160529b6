"""A toy criterion in a folder of its own: how many options a design takes."""

from __future__ import annotations

from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.added import AddedCriterion
from tenancykit.criteria.score import Evidence, Score
from tenancykit.design.model import ResolvedDesign
from tenancykit.scenario.model import Scenario


def measure(resolved: ResolvedDesign, _scenario: Scenario, _catalogue: Catalogue) -> Score:
    """Return how many options a design takes over all classes."""
    lines = tuple(Evidence(one.tenant_class.id, len(one.options), "options") for one in resolved.classes)
    count = float(sum(line.value or 0.0 for line in lines))
    told = f"{count:g} options in all"
    return Score(
        "parts", count, "options", "lower", count, count, told, Evidence(told, count, "options", children=lines)
    )


CRITERION = AddedCriterion(
    "parts", "Number of parts", "options", "lower", worst=60, best=0, why="assumption", measure=measure, short="Parts"
)
