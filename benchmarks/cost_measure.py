"""How long it takes to cost all reference architectures, by number of tenants, against housing tenants one by one."""

from __future__ import annotations

from dataclasses import replace

from harness import line, measure, report
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.cost.activity import activity_of
from tenancykit.criteria.cost.domains import Domain, layout
from tenancykit.criteria.cost.housing import peaks
from tenancykit.criteria.cost.machines import machines_of
from tenancykit.criteria.cost.measure import measure as measure_cost
from tenancykit.criteria.cost.placement import elastic
from tenancykit.criteria.cost.pricing import PriceList
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.offers import price_book
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import parse_scenario

TENANTS = (20, 100, 500, 10_000)
ONE_BY_ONE = 100
SCENARIO = """
schema: tenancykit/scenario/v1
name: bench
tenants:
  classes:
    - {id: team, kind: team, count: TENANTS, workloads: [{template: train}, {template: notebook}, {template: web}]}
workloads:
  - {id: train, kind: training, replicas: 4, cpu: "8", memory: 32Gi, gpu: {count: 1}, gang: 4,
     demand: {profile: campaigns, mean: 0.5}}
  - {id: notebook, kind: notebook, replicas: 2, cpu: "2", memory: 8Gi, gpu: {fraction: 0.25}, storage: {size: 50Gi},
     demand: {profile: diurnal, mean: 0.4}}
  - {id: web, kind: service, replicas: 2, cpu: 500m, memory: 1Gi, exposure: {scope: public}}
infrastructure:
  sites: [{id: us, provider: aws}]
  nodes: [{type: aws_p4d_24xlarge}, {type: aws_g6_12xlarge}, {type: aws_m7i_4xlarge}]
"""
CATALOGUE = load_catalogue()


def platform(tenants: int) -> Scenario:
    """Return a platform of equal teams whose demand changes over time."""
    return parse_scenario(SCENARIO.replace("TENANTS", str(tenants)))


def designs(scenario: Scenario) -> list[ResolvedDesign]:
    """Return all published reference architectures laid over a scenario."""
    return [
        resolve(reference_design(found, scenario, CATALOGUE), scenario, CATALOGUE)
        for found in CATALOGUE.references.values()
    ]


def forget() -> None:
    """Forget remembered purchases, so that a run starts cold."""
    elastic._buy.cache_clear()  # noqa: SLF001 - the memory of purchases has no public door


def all_references() -> list[dict[str, object]]:
    """Costing of all references, cold, by number of tenants."""
    lines = []
    for tenants in TENANTS:
        scenario = platform(tenants)
        resolved = designs(scenario)

        def work(scenario: Scenario = scenario, resolved: list[ResolvedDesign] = resolved) -> None:
            forget()
            for design in resolved:
                measure_cost(design, scenario, CATALOGUE)

        ours = measure(work, 3)
        lines.append(
            line(
                f"cost of {len(resolved)} reference architectures, {tenants} tenants",
                ours.seconds * 1000,
                "ms",
                n=tenants,
                peak_memory_mib=round(ours.peak_memory_mib, 1),
            )
        )
    return lines


def dedicated_domains(tenants: int) -> list[Domain]:
    """Return the domains of the architecture with a managed cluster per tenant."""
    scenario = platform(tenants)
    design = resolve(reference_design(CATALOGUE.references["RA10"], scenario, CATALOGUE), scenario, CATALOGUE)
    machines = machines_of(scenario, PriceList(price_book(scenario, CATALOGUE), "USD"))
    plan = layout(design, scenario, CATALOGUE, machines, activity_of(scenario))
    return [domain for domain in plan.domains if domain.kind == "tenant"]


def grouping() -> list[dict[str, object]]:
    """One purchase per kind of tenant, against one per tenant as a loop over tenants would make it."""
    domains = dedicated_domains(ONE_BY_ONE)

    def grouped() -> None:
        forget()
        for domain in domains:
            for pods in peaks(domain):
                elastic.buy(pods, domain.types)

    def one_by_one() -> None:
        forget()
        for domain in domains:
            for copy in range(domain.copies):
                for pods in peaks(domain):
                    elastic.buy([replace(pod, name=f"{copy}/{pod.name}") for pod in pods], domain.types)

    ours, naive = measure(grouped, 3), measure(one_by_one, 1)
    ratio = {"one tenant after another": round(ours.seconds / naive.seconds, 4)}
    name = f"house {ONE_BY_ONE} tenants on machines of their own"
    memory = round(ours.peak_memory_mib, 1)
    return [line(name, ours.seconds * 1000, "ms", n=ONE_BY_ONE, ratio_to=ratio, peak_memory_mib=memory)]


if __name__ == "__main__":
    report(__doc__ or "", [all_references, grouping])
