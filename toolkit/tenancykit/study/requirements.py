"""A scenario's hard requirements as limits on figures of the evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenancykit.criteria.cost.fleet import CPU_KIND, GPU_KIND, KINDS
from tenancykit.criterion_names import CRITERIA
from tenancykit.decision.screen import HardRequirement, Measure
from tenancykit.decision.table import Criterion, DecisionTable
from tenancykit.scenario.fields import Level
from tenancykit.scenario.model import Scenario
from tenancykit.study.evaluation import Evaluation


def hard_requirements(scenario: Scenario) -> tuple[HardRequirement, ...]:
    """Return the limits a design must keep: isolation per class and plane, budget, go-live, people."""
    found: list[HardRequirement] = []
    for tenant_class in scenario.tenants.classes:
        wishes = tenant_class.requirements
        planes: list[tuple[str, Level | None]] = [
            ("overall", wishes.isolation or scenario.requirements.isolation),
            ("control", wishes.control_plane),
            ("data", wishes.data_plane),
        ]
        for plane, level in planes:
            if level is not None:
                what = "isolation" if plane == "overall" else f"{plane}-plane isolation"
                measure = _level_measure(tenant_class.id, plane)
                found.append(
                    HardRequirement(f"{what} of {tenant_class.id}", measure, ">=", int(level[1]), kind="level")
                )
        if wishes.max_slowdown is not None:
            what = f"slowdown of {tenant_class.id}"
            found.append(HardRequirement(what, _slowdown_measure(tenant_class.id), "<=", wishes.max_slowdown))
    limits = scenario.requirements
    if limits.budget_per_month is not None:
        found.append(HardRequirement("the monthly budget", "cost", "<=", float(limits.budget_per_month)))
    if limits.go_live_weeks is not None:
        found.append(HardRequirement("the go-live date", "go-live", "<=", limits.go_live_weeks))
    if limits.platform_engineers is not None:
        found.append(HardRequirement("the team size", "engineers", "<=", limits.platform_engineers, kind="people"))
    fleet = scenario.infrastructure
    if fleet.mode == "fixed" and fleet.buying != "allowed":
        found += [HardRequirement("the fleet", _fleet_measure(kind), "<=", 0, kind="shortage") for kind in KINDS]
    return tuple(found)


def measures(evaluations: Sequence[Evaluation]) -> tuple[Measure, ...]:
    """Return the figures beyond the criteria that requirements refer to, one number per design."""
    first = evaluations[0]
    found = [
        Measure("go-live", np.array([float(e.scores["effort"].figures["weeks_p50"]) for e in evaluations]), "weeks"),
        Measure(
            "engineers",
            np.array([float(e.scores["operations"].figures["people_needed"]) for e in evaluations]),
            "people",
        ),
    ]
    for kind, figure in ((GPU_KIND, "missing_gpu_nodes"), (CPU_KIND, "missing_cpu_nodes")):
        lacking = [float((e.scores["cost"].figures["fleet"] or {}).get(figure, 0)) for e in evaluations]
        found.append(Measure(_fleet_measure(kind), np.array(lacking), kind))
    for class_design in first.resolved.classes:
        class_id = class_design.tenant_class.id
        slowed = [float(e.scores["isolation"].figures["slowdowns"][class_id]["mean"]) for e in evaluations]
        found.append(Measure(_slowdown_measure(class_id), np.array(slowed), "times"))
        for plane in ("overall", "control", "data"):
            levels = [int(class_level(e, class_id, plane)[1]) for e in evaluations]
            found.append(Measure(_level_measure(class_id, plane), np.array(levels, dtype=float)))
    return tuple(found)


def class_level(evaluation: Evaluation, class_id: str, plane: str) -> str:
    """Return the isolation level (``L0`` to ``L5``) of a class: ``overall``, ``control`` or ``data`` plane."""
    return str(evaluation.scores["isolation"].figures["classes"][class_id][plane])


def _fleet_measure(kind: str) -> str:
    return f"fleet:{kind}"


def _slowdown_measure(class_id: str) -> str:
    return f"slowdown:{class_id}"


def _level_measure(class_id: str, plane: str) -> str:
    return f"level:{class_id}:{plane}"


def figures_table(evaluations: Sequence[Evaluation]) -> DecisionTable:
    """Return the designs by the figures of their criteria, as requirements read them: without intervals."""
    first = evaluations[0]
    criteria = [Criterion(name, first.scores[name].better, first.scores[name].unit) for name in CRITERIA]
    values = [[float(e.scores[name].value) for name in CRITERIA] for e in evaluations]
    return DecisionTable.of([e.id for e in evaluations], criteria, values)
