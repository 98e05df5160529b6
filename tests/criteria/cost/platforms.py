"""A small platform to measure: its scenario as text with places to change, and designs to lay over it."""

from __future__ import annotations

from functools import cache

from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.design.model import Design, ResolvedDesign, choose
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import parse_scenario

SHARED = (
    "cp_namespace_rbac", "node_shared", "rt_runc", "net_np_default_deny", "st_shared_sc", "gpu_exclusive", "sch_quota",
    "pol_psa", "id_oidc_rbac",
)  # fmt: skip
"""Everybody on the nodes of one cluster."""

TEXT = """
schema: tenancykit/scenario/v1
name: platform
tenants:
  classes:
    - {id: team, kind: team, count: TENANTS, egress_gib_month: EGRESS,
       workloads: [{template: train}, {template: notebook}, {template: web}]}
workloads:
  - {id: train, kind: training, replicas: 4, cpu: "8", memory: 32Gi, gpu: {count: 1}, gang: 4, DEMAND}
  - {id: notebook, kind: notebook, replicas: 2, cpu: "2", memory: 8Gi, gpu: {fraction: 0.25}, storage: {size: 50Gi},
     DEMAND}
  - {id: web, kind: service, replicas: 2, cpu: 500m, memory: 1Gi, exposure: {scope: public}}
infrastructure:
  mode: MODE
  currency: CURRENCY
  control_plane: CONTROL_PLANE
  sites: SITES
  nodes: NODES
"""

ONE_SITE = "[{id: us, provider: aws, jurisdiction: us}]"
TWO_SITES = "[{id: us, provider: aws, jurisdiction: us}, {id: eu, provider: aws, jurisdiction: eu}]"
ELASTIC = "[{type: aws_p4d_24xlarge}, {type: aws_m7i_4xlarge}]"


def platform(
    tenants: int = 20,
    *,
    mode: str = "elastic",
    nodes: str = ELASTIC,
    sites: str = ONE_SITE,
    demand: str = "demand: {profile: constant}",
    egress: int = 0,
    currency: str = "USD",
    control_plane: str = "managed",
    exposed: bool = True,
    share: str = "fraction: 0.25",
) -> Scenario:
    """Return the platform with some things changed."""
    changes = {
        "CONTROL_PLANE": control_plane, "TENANTS": str(tenants), "EGRESS": str(egress), "DEMAND": demand, "MODE": mode,
        "CURRENCY": currency, "SITES": sites, "NODES": nodes,
    }  # fmt: skip
    changes["fraction: 0.25"] = share
    text = TEXT if exposed else TEXT.replace(", exposure: {scope: public}", "")
    for word, value in changes.items():
        text = text.replace(word, value)
    return parse_scenario(text)


@cache
def catalogue() -> Catalogue:
    """Return the package's catalogue."""
    return load_catalogue()


def design(scenario: Scenario, **swaps: str) -> ResolvedDesign:
    """Return the shared design with options swapped (old id to new id; an empty new id drops the old)."""
    options = [swaps.get(option, option) for option in SHARED]
    options += [new for old, new in swaps.items() if old not in SHARED]
    choice = choose(catalogue(), [option for option in options if option])
    own = Design("own", "own", {c.id: choice for c in scenario.tenants.classes})
    return resolve(own, scenario, catalogue())


def reference(scenario: Scenario, identifier: str) -> ResolvedDesign:
    """Return a published reference architecture laid over the scenario."""
    return resolve(reference_design(catalogue().references[identifier], scenario, catalogue()), scenario, catalogue())
