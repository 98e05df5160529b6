"""Completion shares cards in a way that fits: the scenario's machines, its fleet, and whose code runs there."""

from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import main
from tenancykit.design.model import Design
from tenancykit.design.validity import reference_design
from tenancykit.design.variants import variant
from tenancykit.study.completion import completed

CATALOGUE = load_catalogue()

HPC = """
schema: tenancykit/scenario/v1
name: hpc
tenants:
  classes: [{id: groups, kind: team, count: 10, workloads: [{template: notebook}]}]
workloads:
  - {id: notebook, kind: notebook, replicas: 4, cpu: "2", memory: 8Gi, gpu: {fraction: 0.125, memory: %s}}
infrastructure:
  mode: fixed
  sites: [{id: campus, provider: own}]
  nodes:
    - type: a100x4
      count: 2
      spec: {cpu: 128, memory: 1024Gi, gpus: 4, gpu_model: A100-80GB, price_per_hour: 6.0, bare_metal: true}
    - {type: plain, count: 8, spec: {cpu: 32, memory: 128Gi, price_per_hour: 0.9, bare_metal: true}}
  control_plane: self-managed
"""

INFERENCE = """
schema: tenancykit/scenario/v1
name: inference
tenants:
  classes: [{id: customers, kind: customer, count: 20, workloads: [{template: model}], requirements: {isolation: L1}}]
workloads:
  - {id: model, kind: inference, cpu: "2", memory: 8Gi, untrusted_code: %s, gpu: {fraction: 0.25, memory: 5Gi}}
infrastructure:
  mode: elastic
  sites: [{id: us, provider: aws, region: us-east-1}]
  nodes: [{type: aws_g6_12xlarge}, {type: aws_m7i_4xlarge}]
  control_plane: managed
"""


HALVES = """
schema: tenancykit/scenario/v1
name: halves
tenants:
  classes: [{id: teams, kind: team, count: 12, workloads: [{template: model}]}]
workloads:
  - {id: model, kind: inference, replicas: 4, cpu: "2", memory: 8Gi, gpu: {fraction: %s, memory: %s}}
infrastructure:
  mode: elastic
  sites: [{id: us, provider: azure, region: eastus}]
  nodes: [{type: az_nd96isr_h100}, {type: az_d16s_v5}]
  control_plane: managed
"""


def shared_by(text: str, reference: str) -> tuple[Design, set[str]]:
    """Return a completed reference and the ways in which it shares cards."""
    scenario = tk.parse_scenario(text)
    (design,) = completed([reference_design(CATALOGUE.references[reference], scenario, CATALOGUE)], scenario, CATALOGUE)
    options = {option for choice in design.choices.values() for option in choice.options}
    modes = {CATALOGUE.options[o].gpu.mode for o in options if CATALOGUE.options[o].gpu}  # type: ignore[union-attr]
    return design, modes - {"whole"}


def test_mig_is_taken_where_its_slices_fit_the_fleet() -> None:
    assert shared_by(HPC % "9Gi", "RA01")[1] == {"mig"}  # 40 pods, seven to a card: 6 of 8 cards


@pytest.mark.parametrize("reference", ["RA01", "RA03"])
def test_mig_gives_way_where_its_slices_do_not_fit_the_fleet_and_another_way_does(reference: str) -> None:
    design, modes = shared_by(HPC % "10Gi", reference)  # 10Gi takes a 1g.20gb, four to a card: 10 of 8 cards
    assert modes
    assert "mig" not in modes
    supplements = design.choices["groups"].supplements
    published = reference_design(CATALOGUE.references[reference], tk.parse_scenario(HPC % "10Gi"), CATALOGUE)
    swaps = {s.replaces for s in supplements if s.replaces}
    assert swaps == {"gpu_mig"} & set(published.choices["groups"].options), "a swap of what was published is said"


def test_mig_gives_way_to_price_where_each_card_holds_one_share_of_two() -> None:
    assert shared_by(HALVES % ("0.5", "30Gi"), "RA01")[1] == {"mps"}, "48 halves took 48 cards"
    assert shared_by(HALVES % ("0.25", "15Gi"), "RA01")[1] == {"mig"}, "three quarters to a card are preferred to four"
    strangers = (HALVES % ("0.5", "30Gi")).replace("kind: team", "kind: customer")
    assert shared_by(strangers, "RA01")[1] == {"mig"}, "cards of strangers stay divided in hardware"


def test_customers_who_run_no_code_of_their_own_share_cards_without_mig() -> None:
    assert shared_by(INFERENCE % "false", "RA01")[1] == {"mps"}


def test_customers_who_bring_code_get_whole_cards_where_nothing_keeps_them_apart() -> None:
    assert not shared_by(INFERENCE % "true", "RA01")[1]


def test_a_way_of_sharing_cards_that_was_asked_for_by_name_stays_though_it_misses_the_fleet() -> None:
    scenario = tk.parse_scenario(HPC % "10Gi")
    asked = variant("RA01 +gpu_mig", scenario, CATALOGUE)
    (design,) = completed([asked], scenario, CATALOGUE)
    assert "gpu_mig" in design.choices["groups"].options


def test_explain_says_which_way_of_sharing_cards_gave_way_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hpc.yaml").write_text(HPC % "10Gi", encoding="utf-8")
    assert main(["explain", str(tmp_path / "hpc.yaml"), "RA03", "--criterion", "cost"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Not as published: ")
    assert "in place of MIG partitions, for which the fleet holds too few GPU nodes." in said
