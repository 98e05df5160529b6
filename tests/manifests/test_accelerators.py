"""Platforms on other accelerators than the usual: placed, priced, exported with the names their plugins serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from kubeanswers.validation.schema import validate_object
from tenancykit.catalogue.accelerators import accelerator, resources_of
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.measure import measure
from tenancykit.design.model import ResolvedDesign
from tenancykit.manifests import export
from tenancykit.scenario.model import Scenario
from tests.manifests.conftest import scenario_data

PLATFORMS = {
    "AMD": ("oci", "oci_mi300x_8", "amd.com/gpu"),
    "TPU": ("gcp", "gcp_tpu_v6e_8", "google.com/tpu"),
    "NVL72": ("oci", "oci_gb300_4", "nvidia.com/gpu"),
    "Inferentia": ("aws", "aws_inf2_48xlarge", "aws.amazon.com/neuron"),
}


def scenario_on(provider: str, machine: str) -> Scenario:
    data = scenario_data()
    data["infrastructure"]["sites"] = [{"id": "a", "provider": provider}]
    data["infrastructure"]["nodes"] = [{"type": machine}]
    return Scenario.model_validate(data)


@pytest.mark.parametrize(("provider", "machine", "resource"), PLATFORMS.values(), ids=PLATFORMS)
def test_pods_and_quotas_ask_for_what_the_cards_plugin_serves(
    provider: str,
    machine: str,
    resource: str,
    tmp_path: Path,
    catalogue: Catalogue,
    reference: Callable[..., ResolvedDesign],
    objects_of: Callable[[Path], list[tuple[str, dict[str, Any]]]],
) -> None:
    scenario = scenario_on(provider, machine)
    design = reference("RA01", scenario)
    score = measure(design, scenario, catalogue)
    assert score.value > 0
    export(design, scenario, catalogue, tmp_path / "out")
    objects = [o for _, o in objects_of(tmp_path / "out")]
    assert [fault for o in objects for fault in validate_object(o, scenario.kubernetes)] == []
    jobs = [o for o in objects if o["kind"] == "Job" and o["metadata"]["name"] == "train"]
    assert jobs
    for job in jobs:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        asked = {name for name in container["resources"]["limits"] if "/" in name}
        assert resource in asked
        assert not {"nvidia.com/gpu", "amd.com/gpu", "google.com/tpu"} - {resource} & asked
    quotas = [o for o in objects if o["kind"] == "ResourceQuota" and f"requests.{resource}" in o["spec"]["hard"]]
    assert quotas


def test_a_gang_on_racks_stays_in_one_fabric_domain_where_it_fits(
    tmp_path: Path,
    catalogue: Catalogue,
    reference: Callable[..., ResolvedDesign],
    objects_of: Callable[[Path], list[tuple[str, dict[str, Any]]]],
) -> None:
    def affinities(machine: str, cards: int) -> list[Any]:
        data = scenario_data()
        data["infrastructure"] |= {"sites": [{"id": "a", "provider": "oci"}], "nodes": [{"type": machine}]}
        data["workloads"][0]["gpu"] = {"count": cards}
        scenario = Scenario.model_validate(data)
        folder = tmp_path / f"{machine}-{cards}"
        export(reference("RA01", scenario), scenario, catalogue, folder)
        jobs = [o for _, o in objects_of(folder) if o["kind"] == "Job" and o["metadata"]["name"] == "train"]
        return [job["spec"]["template"]["spec"].get("affinity") for job in jobs]

    for found in affinities("oci_gb300_4", 4):
        (term,) = found["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "nvidia.com/gpu.clique"
    assert not any(affinities("oci_gb300_4", 40))  # twice 40 cards are more than a rack
    assert not any(affinities("oci_b200_8", 4))


def test_every_machine_on_offer_has_a_known_accelerator(catalogue: Catalogue) -> None:
    known = catalogue.accelerators
    for price in load_prices(catalogue).of_kind("node"):
        if price.node and price.node.gpus:
            card = accelerator(price.node.gpu_model, known)
            assert card is not None, price.id
            assert price.node.gpu_memory in (0, card.memory)


@pytest.mark.parametrize(
    ("model", "vendor", "gib", "resource", "domain"),
    [
        ("GB300", "nvidia", 288, "nvidia.com/gpu", 72),
        ("B300", "nvidia", 288, "nvidia.com/gpu", 8),
        ("H20", "nvidia", 96, "nvidia.com/gpu", 8),
        ("RTX-PRO-6000-BSE", "nvidia", 96, "nvidia.com/gpu", None),
        ("MI300X", "amd", 192, "amd.com/gpu", 8),
        ("MI325X", "amd", 256, "amd.com/gpu", 8),
        ("MI355X", "amd", 288, "amd.com/gpu", 8),
        ("TPU-v6e", "google", 32, "google.com/tpu", 256),
        ("TPU7x", "google", 192, "google.com/tpu", 9216),
        ("Trainium2", "aws", 96, "aws.amazon.com/neuron", 16),
        ("Trainium3", "aws", 144, "aws.amazon.com/neuron", 64),
        ("Inferentia2", "aws", 32, "aws.amazon.com/neuron", 12),
        ("Gaudi3", "intel", 128, "habana.ai/gaudi", 8),
    ],
)
def test_models_state_memory_resource_and_fabric_domain(
    model: str, vendor: str, gib: int, resource: str, domain: int | None, catalogue: Catalogue
) -> None:
    card = accelerator(model, catalogue.accelerators)
    assert card is not None
    assert (card.vendor, card.memory // 2**30, card.resource) == (vendor, gib, resource)
    assert (card.fabric.cards if card.fabric else None) == domain


def test_instinct_cards_divide_into_the_modes_their_operator_sets(catalogue: Catalogue) -> None:
    modes = {part.id: part.per_card for part in catalogue.accelerators["MI300X-192GB"].partitions}
    assert modes == {"SPX-NPS1": 1, "DPX": 2, "QPX": 4, "CPX-NPS4": 8}
    assert resources_of(["MI300X-192GB", "H100-80GB"], catalogue.accelerators) == ("amd.com/gpu", "nvidia.com/gpu")
    assert resources_of(["unknown"], catalogue.accelerators) == ("nvidia.com/gpu",)


@pytest.mark.parametrize(
    ("model", "meant"),
    [("MI300-192GB", "did you mean MI300X-192GB?"), ("GB30-288GB", "did you mean GB300-288GB?"), ("MI300X", "")],
)
def test_a_misspelt_accelerator_is_named_with_a_cure(model: str, meant: str) -> None:
    text = f"""
schema: tenancykit/scenario/v1
name: x
tenants: {{classes: [{{id: a, kind: team, count: 2, workloads: [{{template: t}}]}}]}}
workloads: [{{id: t, kind: training, cpu: "1", memory: 1Gi, gpu: {{count: 1}}}}]
infrastructure:
  sites: [{{id: a, provider: own}}]
  nodes: [{{type: mine, spec: {{cpu: 64, memory: 512Gi, gpus: 8, gpu_model: {model}, price_per_hour: 10}}}}]
"""
    if not meant:
        tk.parse_scenario(text)
        return
    with pytest.raises(InputError, match="unknown accelerator") as caught:
        tk.parse_scenario(text)
    assert meant in str(caught.value)
    assert ":8" in str(caught.value)
