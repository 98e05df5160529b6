"""How long effort takes: plans and schedules of all references, against a scheduler that steps through time."""

from __future__ import annotations

from harness import line, measure, report
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.catalogue.workbook import load_work
from tenancykit.criteria.effort.measure import jobs_of, simulate
from tenancykit.criteria.effort.measure import measure as measure_effort
from tenancykit.criteria.effort.schedule import Job, schedule
from tenancykit.criteria.effort.tasks import plan
from tenancykit.design.components import closure
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario

STEP = 0.25
"""Days per step of the naive scheduler."""


def platform(tenants: int = 20) -> Scenario:
    """Return a scenario of one class."""
    node = {"cpu": "96", "memory": "1Ti", "gpus": 8, "gpu_model": "H100-80GB", "price_per_hour": 30}
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "benchmark",
            "tenants": {
                "classes": [{"id": "teams", "kind": "team", "count": tenants, "workloads": [{"template": "training"}]}]
            },
            "workloads": [{"id": "training", "kind": "training", "gpu": {"count": 1}}],
            "infrastructure": {
                "sites": [{"id": "site", "provider": "own"}],
                "nodes": [{"type": "gpu-node", "spec": node}],
            },
        }
    )


def designs(scenario: Scenario) -> list[ResolvedDesign]:
    """Return every reference architecture laid over the scenario."""
    catalogue = load_catalogue()
    return [
        resolve(reference_design(reference, scenario, catalogue), scenario, catalogue)
        for reference in catalogue.references.values()
    ]


def stepped(jobs: tuple[Job, ...], capacity: float) -> float:
    """Return the makespan of a scheduler that looks at every job in every quarter of a day."""
    left = {job.id: job.duration for job in jobs}
    now = 0.0
    while any(left.values()):
        free = capacity
        for job in jobs:
            ready = left[job.id] > 0 and all(left[before] <= 0 for before in job.after)
            if ready and job.demand <= free:
                free -= job.demand
                left[job.id] = max(0.0, left[job.id] - STEP)
        now += STEP
    return now


def schedules() -> list[dict[str, object]]:
    """Time one schedule of the largest plan against the naive one, and check that ours ends no later."""
    scenario, catalogue = platform(), load_catalogue()
    plans = [plan(closure(d, scenario, catalogue), scenario, load_work(catalogue)) for d in designs(scenario)]
    jobs = jobs_of(max(plans, key=lambda p: len(p.tasks)), 4)
    ours, naive = measure(lambda: schedule(jobs, 4)), measure(lambda: stepped(jobs, 4))
    makespan = schedule(jobs, 4).makespan
    return [
        line(
            "effort.schedule",
            ours.seconds * 1e3,
            "ms",
            n=ours.runs,
            ratio_to={"stepping through time": round(ours.seconds / naive.seconds, 4)},
            peak_memory_mib=round(ours.peak_memory_mib, 3),
            jobs=len(jobs),
            makespan_days=round(makespan, 2),
            makespan_days_naive=stepped(jobs, 4),
        )
    ]


def whole() -> list[dict[str, object]]:
    """Time the whole criterion over all reference architectures, and a simulation that confirms one of them."""
    scenario, catalogue = platform(), load_catalogue()
    resolved = designs(scenario)
    found = measure(lambda: [measure_effort(design, scenario, catalogue) for design in resolved])
    planned = plan(closure(resolved[0], scenario, catalogue), scenario, load_work(catalogue))
    sampled = measure(lambda: simulate(planned, samples=10_000), runs=3)
    return [
        line(
            "effort.all_references",
            found.seconds * 1e3,
            "ms",
            n=found.runs,
            peak_memory_mib=round(found.peak_memory_mib, 3),
            designs=len(resolved),
        ),
        line(
            "effort.simulation_of_10000_samples",
            sampled.seconds * 1e3,
            "ms",
            n=sampled.runs,
            peak_memory_mib=round(sampled.peak_memory_mib, 3),
            ratio_to={"moments of one design": round(sampled.seconds / (found.seconds / len(resolved)), 1)},
        ),
    ]


if __name__ == "__main__":
    report(__doc__ or "", [schedules, whole])
