"""Small scenarios of the laws: few tenants, own machines, so that a comparison takes a moment."""

from __future__ import annotations

import tenancykit as tk
from tenancykit.scenario.model import Scenario

TEAMS = """
schema: tenancykit/scenario/v1
name: teams
tenants:
  classes:
    - id: research
      kind: team
      count: 4
      workloads: [{{template: training}}, {{template: notebook}}]
workloads:
  - {{id: training, kind: training, replicas: 8, cpu: "8", memory: 32Gi, gpu: {{count: 1}}}}
  - {{id: notebook, kind: notebook, replicas: 4, cpu: "4", memory: 16Gi, gpu: {{fraction: 0.5}}}}
infrastructure:
  {fleet}
  sites: [{{id: here, provider: own}}]
  nodes:
    - {{type: gpus, count: {gpu_nodes}, spec: {{cpu: "64", memory: 512Gi, gpus: 4, gpu_model: {card},
       price_per_hour: 8.0{bare}}}}}
    - {{type: plain, count: 60, spec: {{cpu: "32", memory: 128Gi, price_per_hour: 0.9{bare}}}}}
  control_plane: self-managed
  {hosting}
team: {{engineers: 4}}
{more}
"""

SAAS = """
schema: tenancykit/scenario/v1
name: saas
tenants:
  classes:
    - id: basic
      kind: customer
      count: 24
      workloads: [{template: small}]
    - id: regulated
      kind: customer
      count: 2
      compliance: [hipaa]
      workloads: [{template: model}]
      requirements: {isolation: L4}
workloads:
  - {id: small, kind: inference, cpu: "2", memory: 8Gi, gpu: {fraction: 0.25, memory: 6Gi}, exposure: {scope: internal}}
  - {id: model, kind: inference, cpu: "4", memory: 16Gi, gpu: {count: 1}, exposure: {scope: internal}}
infrastructure:
  mode: elastic
  sites: [{id: us, provider: aws, region: us-east-1}]
  nodes: [{type: aws_p5_4xlarge}, {type: aws_m7i_4xlarge}]
team: {engineers: 5}
requirements: {go_live_weeks: 52, platform_engineers: 10}
"""


def teams(
    *,
    fleet: str = "mode: elastic",
    gpu_nodes: int = 12,
    card: str = "A100-80GB",
    bare: str = "",
    hosting: str = "",
    more: str = "",
) -> Scenario:
    """Return four research teams on one's own machines: 32 GPUs of training, 8 of notebooks, ten GPU nodes in all."""
    text = TEAMS.format(fleet=fleet, gpu_nodes=gpu_nodes, card=card, bare=bare, hosting=hosting, more=more)
    return tk.parse_scenario(text)


def saas() -> Scenario:
    """Return 24 basic customers who share cards and two that must have L4."""
    return tk.parse_scenario(SAAS)
