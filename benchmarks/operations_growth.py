"""How long operations take: the work depends on tenant classes, not on tenants."""

from __future__ import annotations

from typing import Any

from effort_schedule import designs, platform

from harness import Measured, line, measure, report
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.operations.measure import Operations
from tenancykit.criteria.operations.measure import measure as measure_operations
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import evaluate_resolved
from tenancykit.study.growing import crossing_points

MANY = 10_000
APART = 200
"""Tenants of the naive run, in which every tenant is a class of its own."""


def apart(tenants: int) -> Scenario:
    """Return the scenario in which no two tenants share a class."""
    data: dict[str, Any] = platform().model_dump(mode="json", by_alias=True)
    first = data["tenants"]["classes"][0]
    data["tenants"]["classes"] = [{**first, "id": f"teams-{n}", "count": 1} for n in range(tenants)]
    return Scenario.model_validate(data)


def all_references() -> list[dict[str, object]]:
    """Time the criterion over all reference architectures."""
    scenario, catalogue = platform(), load_catalogue()
    resolved = designs(scenario)
    found = measure(lambda: [measure_operations(design, scenario, catalogue) for design in resolved])
    return [
        line(
            "operations.all_references",
            found.seconds * 1e3,
            "ms",
            n=found.runs,
            peak_memory_mib=round(found.peak_memory_mib, 3),
            designs=len(resolved),
        )
    ]


def _timed(scenario: Scenario, runs: int) -> Measured:
    design = designs(scenario)[9]
    return measure(lambda: measure_operations(design, scenario, load_catalogue()), runs=runs)


def many_tenants() -> list[dict[str, object]]:
    """Time ten thousand tenants of one class against a few, and against tenants that are each a class of their own."""
    few, many, single = (_timed(s, runs) for s, runs in ((platform(20), 7), (platform(MANY), 7), (apart(APART), 3)))
    return [
        line(
            f"operations.{MANY}_tenants",
            many.seconds * 1e3,
            "ms",
            n=many.runs,
            peak_memory_mib=round(many.peak_memory_mib, 3),
            ratio_to={
                "20 tenants": round(many.seconds / few.seconds, 2),
                f"{APART} tenants, each a class": round(many.seconds / single.seconds, 4),
            },
        )
    ]


def all_criteria() -> list[dict[str, object]]:
    """Time a whole evaluation, from manifests counted to machines placed, for ten thousand tenants and for a few."""

    def timed(tenants: int) -> Measured:
        scenario = platform(tenants)
        design = designs(scenario)[9]
        return measure(lambda: evaluate_resolved(design, scenario, load_catalogue()))

    few, many = timed(20), timed(MANY)
    return [
        line(
            f"evaluation.{MANY}_tenants",
            many.seconds * 1e3,
            "ms",
            n=many.runs,
            peak_memory_mib=round(many.peak_memory_mib, 3),
            ratio_to={"20 tenants": round(many.seconds / few.seconds, 2)},
        )
    ]


def where_designs_cross() -> list[dict[str, object]]:
    """Time the search for all crossing points of sixteen designs against reading every number of tenants."""
    scenario, catalogue = platform(), load_catalogue()
    evaluations = [evaluate_resolved(design, scenario, catalogue) for design in designs(scenario)]
    found = measure(lambda: crossing_points(evaluations), runs=3)
    detail = evaluations[0].scores["operations"].detail
    assert isinstance(detail, Operations)
    point = measure(lambda: detail.curve.at(MANY))
    return [
        line(
            "operations.crossing_points",
            found.seconds * 1e3,
            "ms",
            n=found.runs,
            peak_memory_mib=round(found.peak_memory_mib, 3),
            ratio_to={"every number of tenants": round(found.seconds / (point.seconds * MANY * len(evaluations)), 5)},
            points=len(crossing_points(evaluations)),
        )
    ]


def reading_a_curve() -> list[dict[str, object]]:
    """Time one more point of a growth curve against measuring a platform of that size."""
    scenario, catalogue = platform(), load_catalogue()
    design = designs(scenario)[9]
    detail = measure_operations(design, scenario, catalogue).detail
    assert isinstance(detail, Operations)
    point = measure(lambda: detail.curve.at(MANY))
    whole = measure(lambda: measure_operations(design, scenario, catalogue))
    return [
        line(
            "operations.one_point_of_growth",
            point.seconds * 1e3,
            "ms",
            n=point.runs,
            peak_memory_mib=round(point.peak_memory_mib, 3),
            ratio_to={"measuring anew": round(point.seconds / whole.seconds, 3)},
        )
    ]


if __name__ == "__main__":
    report(__doc__ or "", [all_references, many_tenants, all_criteria, reading_a_curve, where_designs_cross])
