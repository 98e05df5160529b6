"""MIG cuts single cards: a machine hands out whole ones beside instances of others, in the bill and in exports."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import tenancykit as tk

HALL = """
schema: tenancykit/scenario/v1
name: one-machine
tenants:
  classes:
    - {id: teams, kind: team, count: 3, trust: trusted, workloads: [{template: notebook}, {template: training}]}
workloads:
  - {id: notebook, kind: notebook, replicas: 2, gpu: {fraction: 0.14, memory: 9Gi}, exposure: {scope: internal}}
  - {id: training, kind: training, replicas: 1, cpu: "8", memory: 64Gi, gpu: {count: 2, memory: 80Gi}}
infrastructure:
  mode: fixed
  sites: [{id: hall, provider: own}]
  nodes:
    - {type: a100, count: 1, spec: {cpu: "128", memory: 1Ti, gpus: 8, gpu_model: A100-80GB, price_per_hour: 16.0}}
    - {type: cpu, count: 6, spec: {cpu: "32", memory: 128Gi, price_per_hour: 0.8}}
  control_plane: self-managed
team: {engineers: 4}
needs: {fair-queueing: false}
"""


def lacking(scenario: str, design: str) -> int:
    study = tk.compare(tk.parse_scenario(scenario), designs=[design])
    one = study.evaluations[-1]
    assert "gpu_mig" in one.resolved.classes[0].choice.options
    return int((one.scores["cost"].figures["fleet"] or {}).get("missing_gpu_nodes", 0))


@pytest.mark.parametrize(("teams", "missing"), [(3, 0), (4, 1)])
def test_whole_cards_and_instances_share_a_machine(teams: int, missing: int) -> None:
    """Six cards whole and a seventh in sevenths fit a machine of eight; eight cards whole leave none to cut."""
    assert lacking(HALL.replace("count: 3", f"count: {teams}"), "RA01 +gpu_mig") == missing


def test_what_is_exported_lets_a_node_cut_some_of_its_cards(tmp_path: Path) -> None:
    study = tk.compare(tk.parse_scenario(HALL), designs=["RA01 +gpu_mig"])
    tk.export(study.evaluations[-1], tmp_path)
    text = next(path.read_text() for path in tmp_path.rglob("*.yaml") if "tenancykit-mig-config\n" in path.read_text())
    found = next(one for one in yaml.safe_load_all(text) if one["kind"] == "ConfigMap")
    some = yaml.safe_load(found["data"]["config.yaml"])["mig-configs"]["tenancykit-1g.10gb-on-1"]
    assert [(part["devices"], part["mig-enabled"]) for part in some] == [([0], True), ([1, 2, 3, 4, 5, 6, 7], False)]
