"""Operational complexity of a design: hours per month to run it and to understand it.

    operational complexity = toil + knowledge                                              [hours per month]
    toil      = sum over activities of instances x frequency x duration x what automation leaves
    knowledge = a C + b K + c D + d P + e A
                C components, K kinds of custom resources, D ordered pairs of components where a change in one can
                reach the other, P settings somebody decides, A values that must be the same in several places;
                a to e: rates ``knowledge.*`` of the catalogue, hours per month each (assumptions)

Both parts are in the figures. Toil grows with what has to be done, knowledge with what has to be understood; the
second does not grow with tenants.

Objects, fields and values are counted in the exported manifests and shown; ``P`` is the catalogue's count of settings
all the same. An export sets what nobody decides (names of its own, defaults made explicit, one object per tenant), and
a design space is explored by the same figure without a manifest being written. Ranking by exported fields in place of
``P`` moves next to nothing; ``tests/study/test_structure_counts.py`` keeps it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.workbook import WorkBook, load_work
from tenancykit.criteria.operations.limits import NOTHING_PLACED, Finding, Placed, check_limits
from tenancykit.criteria.operations.staffing import RollOut, Staffing, staff, waves_for
from tenancykit.criteria.operations.structure import Exported, Structure, measure_structure
from tenancykit.criteria.operations.toil import PER_INSTALLED, ToilLine, Workload, workload
from tenancykit.criteria.score import Evidence, Figures, Later, Score
from tenancykit.design.components import Closure, closure
from tenancykit.design.growth import Curve
from tenancykit.design.model import ResolvedDesign
from tenancykit.distributions import Moments, of_estimate, sum_correlated
from tenancykit.scenario.model import Scenario

HOURS_PER_DAY = 8


@dataclass(frozen=True)
class Knowledge:
    """One part of what has to be understood.

    Attributes:
        rate: id of the rate.
        label: what is counted.
        count: how many.
        hours: hours per month for all of them.
    """

    rate: str
    label: str
    count: int
    hours: Moments


@dataclass(frozen=True)
class Operations:
    """What it takes to live with a design.

    Attributes:
        closure: what it installs.
        workload: recurring work.
        structure: counts of what it consists of.
        knowledge: hours to keep it understood, by part.
        staffing: people and load.
        patch_latency_days: from an advisory to the last patched cluster.
        limits: limits of scale, most used first.
        curve: toil for other numbers of tenants.
    """

    closure: Closure
    workload: Workload
    structure: Structure
    knowledge: tuple[Knowledge, ...]
    staffing: Staffing
    patch_latency_days: float
    limits: tuple[Finding, ...]
    curve: Curve

    @property
    def upkeep(self) -> Moments:
        """Hours per month to keep the design understood."""
        return sum_correlated((part.hours for part in self.knowledge), self.workload.correlation)

    def counted(self, exported: Exported) -> Operations:
        """Return the same with what the exported manifests hold, which is shown and moves no figure."""
        return replace(self, structure=replace(self.structure, exported=exported))

    @property
    def exceeded(self) -> tuple[Finding, ...]:
        """Limits the design passes."""
        return tuple(finding for finding in self.limits if finding.is_exceeded)


def measure(
    design: ResolvedDesign,
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    placed: Placed = NOTHING_PLACED,
) -> Score:
    """Return the operational complexity of a design; the ranked value is hours per month (P50), toil and knowledge.

    ``detail`` is an :class:`Operations`. Args and errors as :func:`operate` and :func:`score_of`.
    """
    return score_of(operate(design, scenario, catalogue), scenario, catalogue, placed=placed)


def operate(design: ResolvedDesign, scenario: Scenario, catalogue: Catalogue) -> Operations:
    """Return what it takes to live with a design; limits of scale and exports are not looked at yet.

    Args:
        design: the design.
        scenario: tenants and team.
        catalogue: where the toil is stated.

    Raises:
        CatalogueError: the catalogue's toil is wrong.
    """
    book = load_work(catalogue)
    found = closure(design, scenario, catalogue)
    work = workload(found, scenario, book)
    structure = measure_structure(found, book)
    staffing = _staffing(work, scenario, book)
    return Operations(
        found,
        work,
        structure,
        knowledge_of(structure, book),
        staffing,
        roll_out(found, scenario, book).latency(staffing.wait_days, staffing.load),
        (),
        Curve(found, work.total_for, design.name),
    )


def score_of(
    operations: Operations, scenario: Scenario, catalogue: Catalogue, *, placed: Placed = NOTHING_PLACED
) -> Score:
    """Return the score of what it takes to live with a design, checked against the limits of scale.

    Args:
        operations: what :func:`operate` found.
        scenario: the scenario it was found for.
        catalogue: where the limits are stated.
        placed: nodes and pods of the clusters, from the placement of the workloads.
    """
    book = load_work(catalogue)
    operations = replace(operations, limits=check_limits(operations.closure, scenario, book, placed))
    whole = sum_correlated([operations.workload.total, operations.upkeep], operations.workload.correlation)
    return Score(
        criterion="operations",
        value=whole.p50,
        unit="hours/month",
        better="lower",
        low=whole.p10,
        high=whole.p90,
        summary=_summary(operations),
        evidence=Later(partial(_evidence, operations, book)),
        figures=_figures(operations),
        detail=operations,
    )


def knowledge_of(structure: Structure, book: WorkBook) -> tuple[Knowledge, ...]:
    """Return what has to be understood, part by part, with hours per month."""
    counts = {
        "knowledge.component_hours": ("components", structure.components),
        "knowledge.crd_hours": ("kinds of custom resources", structure.crds),
        "knowledge.dependency_hours": ("dependent pairs of components", structure.pairs),
        "knowledge.parameter_hours": ("settings", structure.parameters),
        "knowledge.agreement_hours": ("values kept the same in several places", len(structure.agreements)),
    }
    return tuple(
        Knowledge(rate, label, count, of_estimate(book.rate(rate)).scaled(count))
        for rate, (label, count) in counts.items()
    )


def _staffing(work: Workload, scenario: Scenario, book: WorkBook) -> Staffing:
    occurrences = sum(line.per_year.mean * line.instances for line in work.lines) / 12
    hours = work.total.mean
    return staff(
        hours,
        engineers=scenario.team.engineers,
        hours_per_month=book.rate("team.hours_per_month").mean,
        toil_share=book.rate("team.toil_share").mean,
        on_call_share=book.rate("team.on_call_share").mean if scenario.team.on_call else None,
        job_hours=hours / occurrences if occurrences else 0.0,
        urgent_hours=work.hours_by("kind").get("patch", 0.0),
    )


def roll_out(found: Closure, scenario: Scenario, book: WorkBook) -> RollOut:
    """Return what it takes to bring a patch to every cluster of a design."""
    team = scenario.team.automation
    own, fleet = book.rate(f"toil.{team}").mean, book.rate("toil.fleet").mean
    clusters = found.whole.hubs
    shares = clusters * own
    for group in found.rollout_groups(found.classes):
        count = found.extent(group.classes).clusters
        clusters += count
        again = fleet if group.fleet and team != "manual" else own
        shares += own + (count - 1) * again if count else 0.0
    hours = book.rate("patch.by_hand_hours").mean * shares
    return RollOut(
        work_days=book.rate(f"patch.lead_days.{team}").mean + hours / (scenario.team.engineers * HOURS_PER_DAY),
        pause_days=(waves_for(clusters) - 1) * book.rate("patch.soak_days").mean,
    )


def _summary(operations: Operations) -> str:
    toil, upkeep = operations.workload.total, operations.upkeep
    text = (
        f"{toil.p50:.0f} h/month of toil (P10 {toil.p10:.0f}, P90 {toil.p90:.0f}) and {upkeep.p50:.0f} h/month to keep "
        f"{operations.structure.components} components understood; {operations.staffing.people} people; "
        f"patched in {operations.patch_latency_days:.0f} days"
    )
    passed = operations.exceeded
    if passed:
        text += f"; passes {passed[0].metric} in {passed[0].place}"
    return text


def _figures(operations: Operations) -> Mapping[str, Any]:
    toil, structure = operations.workload.total, operations.structure
    figures = {
        "toil_hours_month": toil.p50,
        "toil_hours_month_p10": toil.p10,
        "toil_hours_month_p90": toil.p90,
        "knowledge_hours_month": operations.upkeep.p50,
        "people_fte": operations.staffing.people_fte,
        "people_needed": operations.staffing.people,
        "on_call_minimum": operations.staffing.on_call_minimum,
        "team_load": operations.staffing.load,
        "patch_latency_days": operations.patch_latency_days,
        "toil_by_kind": operations.workload.hours_by("kind"),
        "toil_by_subject": operations.workload.hours_by("subject"),
        "structure": {
            "components": structure.components,
            "installations": structure.installations,
            "pods": structure.pods,
            "objects": structure.objects,
            "object_kinds": len(structure.exported.kinds),
            "fields": structure.exported.fields,
            "values": structure.exported.values,
            "parameters": structure.parameters,
            "crds": structure.crds,
            "dependency_depth": structure.depth,
            "dependent_pairs": structure.pairs,
            "propagation_cost": structure.propagation_cost,
            "actions": structure.actions,
            "context_switches": structure.context_switches,
            "memory": len(structure.agreements),
        },
        "limits_exceeded": [_limit(finding) for finding in operations.exceeded],
        "nearest_limits": [_limit(finding) for finding in operations.limits[:3]],
        "growth": Later(partial(_growth, operations)),
    }
    return Figures(figures)


def _growth(operations: Operations) -> list[dict[str, Any]]:
    return [
        {"tenants": count, "hours_month": hours.p50, "low": hours.p10, "high": hours.p90}
        for count, hours in operations.curve.points()
    ]


def _limit(finding: Finding) -> dict[str, Any]:
    return {
        "limit": finding.limit,
        "metric": finding.metric,
        "place": finding.place,
        "needed": finding.needed,
        "most": finding.most,
        "from_tenants": finding.tenants,
    }


def _evidence(operations: Operations, book: WorkBook) -> Evidence:
    toil = operations.workload.total
    kinds: dict[str, list[ToilLine]] = {}
    for line in operations.workload.lines:
        kinds.setdefault(line.activity.kind, []).append(line)
    by_kind = tuple(
        Evidence(kind, hours, "hours/month", children=tuple(_line_evidence(line, book) for line in kinds[kind]))
        for kind, hours in operations.workload.hours_by("kind").items()
    )
    parts = tuple(
        Evidence(
            part.label,
            part.hours.mean,
            "hours/month",
            source=part.rate,
            assumption=book.rates[part.rate].assumption,
            note=f"{part.count} x {book.rate(part.rate).mean:.3g} hours per month",
        )
        for part in operations.knowledge
    )
    upkeep = Evidence("knowledge", operations.upkeep.mean, "hours/month", children=parts)
    limits = tuple(_limit_evidence(finding) for finding in operations.limits[:8])
    return Evidence(
        "operational complexity",
        toil.mean + operations.upkeep.mean,
        "hours/month",
        note="toil + knowledge",
        children=(
            Evidence("toil", toil.mean, "hours/month", children=by_kind),
            upkeep,
            _people_evidence(operations, book),
            Evidence("limits of scale, most used first", note="share of the limit that is used", children=limits),
        ),
    )


def _line_evidence(line: ToilLine, book: WorkBook) -> Evidence:
    activity = line.activity
    hours = activity.hours
    counted = ""
    if activity.driver == "advisory":
        recorded = book.advisories.get(line.subject)
        counted = f"; {recorded.basis if recorded else 'no record: advisories.unrecorded_per_year (assumption)'}"
    return Evidence(
        f"{activity.title} ({line.subject})" if activity.per in PER_INSTALLED else activity.title,
        line.hours.mean,
        "hours/month",
        source=activity.source or activity.id,
        assumption=activity.assumption,
        note=f"{line.instances} x {line.per_year.mean:.3g} a year x ({hours.low:g}, {hours.likely:g}, {hours.high:g})"
        f" h; automation leaves {line.first.mean:.2g} of the first, {line.again.mean:.2g} of each further one{counted}",
    )


def _people_evidence(operations: Operations, book: WorkBook) -> Evidence:
    staffing = operations.staffing
    rota = Evidence(
        "least people of an on-call rota",
        staffing.on_call_minimum,
        "people",
        source=book.rates["team.on_call_share"].source,
    )
    load = Evidence("load of the team that is there", staffing.load, "share", note="1 or more is an overload")
    latency = Evidence(
        "from an advisory to the last patched cluster",
        operations.patch_latency_days,
        "days",
        assumption=True,
        note="lead time + waiting for a free engineer (Erlang C) + pauses between waves + work",
    )
    return Evidence("people", staffing.people, "people", children=(rota, load, latency))


def _limit_evidence(finding: Finding) -> Evidence:
    text = f"needs {finding.needed:,.0f} of {finding.most:,.0f}"
    if finding.tenants:
        text += f"; passed from {finding.tenants:,} tenants on"
    return Evidence(
        f"{finding.metric} in {finding.place}", finding.use, "share", finding.source, finding.assumption, text
    )
