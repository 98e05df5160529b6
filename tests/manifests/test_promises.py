"""Queues promise no more than a fixed fleet holds, and everything of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import tenancykit as tk
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.assemble import class_scopes
from tenancykit.manifests.promises import Promises
from tenancykit.scenario.naming import class_tenants

BASE = """
schema: tenancykit/scenario/v1
name: fixed
title: Ten teams on four GPUs
kubernetes: "1.36"
tenants:
  classes: [{id: t, kind: team, count: 10, workloads: [{template: train}]}]
workloads:
  - {id: train, kind: training, replicas: 1, cpu: "4", memory: 16Gi, gpu: {count: 1}}
infrastructure:
  mode: fixed
  sites: [{id: s, provider: own, region: x, jurisdiction: eu}]
  nodes:
    - {type: gpu, count: 1, spec: {cpu: 64, memory: 512Gi, gpus: 4, gpu_model: A100-80GB, price_per_hour: 6.0}}
    - {type: cpu, count: 4, spec: {cpu: 64, memory: 256Gi, price_per_hour: 1.0}}
  control_plane: self-managed
team: {engineers: 3, automation: gitops, labour_region: eu}
weights: {isolation: 0.25, effort: 0.25, operations: 0.25, cost: 0.25}
"""


def promised(reference: str = "RA03", **changes: Any) -> tuple[dict[str, int], Promises]:
    """What all tenants are promised together, and the promises."""
    data = yaml.safe_load(BASE)
    data["infrastructure"] |= changes.pop("infrastructure", {})
    data["tenants"]["classes"][0] |= changes.pop("tenants", {})
    data["workloads"][0] |= changes
    scenario = tk.parse_scenario(yaml.safe_dump(data))
    catalogue = tk.load_catalogue()
    design = reference_design(catalogue.references[reference], scenario, catalogue)
    (scope,) = class_scopes(resolve(design, scenario, catalogue), scenario, catalogue).values()
    total = dict(scope.promises.left_to_class(scope.id))
    for tenant in class_tenants(scenario, scope.found.tenant_class):
        for name, amount in scope.promises.tenant(scope.demand(tenant)).items():
            total[name] = total.get(name, 0) + amount
    return total, scope.promises


@pytest.mark.parametrize(("count", "gpus"), [(3, 3), (4, 4), (10, 4), (7, 4)])
def test_promises_add_up_to_what_is_asked_or_to_the_fleet(count: int, gpus: int) -> None:
    total, _ = promised(tenants={"count": count})
    assert total["nvidia.com/gpu"] == gpus


def test_cpu_and_memory_are_promised_within_the_fleet_too() -> None:
    total, promises = promised(cpu="60", memory="400Gi")
    assert total["cpu"] == promises.fleet["cpu"]
    assert total["memory"] == promises.fleet["memory"]


def test_partitions_count_as_the_parts_of_a_gpu_they_take() -> None:
    total, _ = promised(gpu={"fraction": 0.125, "memory": "10Gi"}, replicas=3)
    assert total["nvidia.com/mig-1g.20gb"] == 16


def test_where_nodes_are_bought_as_needed_everything_is_promised() -> None:
    total, promises = promised(infrastructure={"mode": "elastic"})
    assert (total["nvidia.com/gpu"], promises.left_to_class("t")) == (10, {})
