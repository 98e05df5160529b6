"""Platforms on other accelerators than the usual: placed, priced, exported with the names their plugins serve."""

from __future__ import annotations

import json
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
from tenancykit.design.boards import cuts
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.offers import unknown_models
from tenancykit.design.validity import resolve
from tenancykit.design.variants import variant
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tests.manifests.conftest import read_objects, scenario_data

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


def built(options: str, scenario: Scenario, catalogue: Catalogue, folder: Path) -> list[dict[str, Any]]:
    """Return the objects of a variant's export, all of them valid."""
    design = resolve(variant(options, scenario, catalogue), scenario, catalogue)
    export(design, scenario, catalogue, folder)
    objects = [o for _, o in read_objects(folder)]
    assert [fault for o in objects for fault in validate_object(o, scenario.kubernetes)] == []
    assert tk.validate(folder, kubernetes=scenario.kubernetes).exit_code == 0
    return objects


def sharing(provider: str, machine: str, fraction: float, **gpu: Any) -> Scenario:
    data = scenario_data()
    data["infrastructure"]["sites"] = [{"id": "a", "provider": provider}]
    data["infrastructure"]["nodes"] = [{"type": machine}]
    data["workloads"].append(
        {
            "replicas": 12,
            "id": "part",
            "kind": "inference",
            "cpu": "1",
            "memory": "2Gi",
            "gpu": {"fraction": fraction, **gpu},
        }
    )
    for each in data["tenants"]["classes"]:
        each["workloads"] = [*each["workloads"], {"template": "part"}]
    return Scenario.model_validate(data)


@pytest.mark.parametrize(
    ("machine", "fraction", "memory", "resource", "parts", "compute", "nps"),
    [
        ("oci_mi300x_8", 0.1, None, "amd.com/cpx_nps4", "1", "CPX", "NPS4"),
        ("oci_mi300x_8", 0.3, None, "amd.com/cpx_nps4", "3", "CPX", "NPS4"),
        ("oci_mi300x_8", 0.1, "40Gi", "amd.com/cpx_nps4", "2", "CPX", "NPS4"),
        ("oci_mi355x_8", 0.1, None, "amd.com/dpx_nps2", "1", "DPX", "NPS2"),
    ],
)
def test_shares_of_amd_cards_are_asked_for_by_the_mode_their_nodes_are_in(
    machine: str,
    fraction: float,
    memory: str | None,
    resource: str,
    parts: str,
    compute: str,
    nps: str,
    tmp_path: Path,
    catalogue: Catalogue,
) -> None:
    scenario = sharing("oci", machine, fraction, **({"memory": memory} if memory else {}))
    objects = built("RA01 +gpu_amd_partition", scenario, catalogue, tmp_path / "out")
    named = {(o["kind"], o["metadata"]["name"]): o for o in objects}
    pods = [o["spec"]["template"]["spec"] for o in objects if o["metadata"]["name"] in ("part", "train")]
    limits = [name for pod in pods for name in pod["containers"][0]["resources"]["limits"] if "/" in name]
    assert set(limits) == {resource, "amd.com/spx_nps1"}
    wanted = [p["containers"][0]["resources"]["limits"].get(resource) for p in pods]
    assert set(wanted) == {parts, None}
    for quota in (o for o in objects if o["kind"] == "ResourceQuota" and o["metadata"]["name"] == "compute"):
        assert quota["spec"]["hard"]["requests.amd.com/gpu"] == "0"
        assert f"requests.{resource}" in quota["spec"]["hard"]
    config = named["DeviceConfig", "tenancykit"]["spec"]
    assert config["devicePlugin"]["devicePluginArguments"] == {"resource_naming_strategy": "mixed"}
    profiles = json.loads(named["ConfigMap", config["configManager"]["config"]["name"]]["data"]["config.json"])
    modes = [each["profiles"][0] for each in profiles["gpu-config-profiles"].values()]
    assert {"computePartition": compute, "memoryPartition": nps, "numGPUsAssigned": 8} in modes
    charts = {path.parent.name for path in (tmp_path / "out").rglob("chart.yaml")}
    assert "amd-gpu-operator" in charts
    assert "gpu-operator" not in charts


def test_parts_of_a_card_are_placed_as_parts_and_cost_less_than_cards(catalogue: Catalogue) -> None:
    scenario = sharing("oci", "oci_mi300x_8", 0.1)
    whole, parts = (
        measure(resolve(variant(text, scenario, catalogue), scenario, catalogue), scenario, catalogue)
        for text in ("RA01", "RA01 +gpu_amd_partition")
    )
    assert parts.value < whole.value


@pytest.mark.parametrize("option", ["gpu_mig", "gpu_timeslice", "gpu_mps"])
def test_what_cuts_another_makers_cards_gives_whole_cards_and_says_so(option: str, catalogue: Catalogue) -> None:
    scenario = sharing("oci", "oci_mi300x_8", 0.1)
    design = resolve(variant(f"RA01 +{option}", scenario, catalogue), scenario, catalogue)
    assert all("gpu-uncut" in cls.facts for cls in design.classes)


@pytest.mark.parametrize(
    ("base", "provider", "machine", "said"),
    [
        ("RA01 +gpu_amd_partition", "oci", "oci_h100_8", "needs MI300X/MI350X/MI355X, on offer H100-80GB"),
        ("RA01 -gpu_exclusive +gpu_tpu_slice", "gcp", "gcp_a3_highgpu_8g", "needs TPU-v6e/TPU7x, on offer H100-80GB"),
        ("RA01 -gpu_exclusive +gpu_tpu_slice", "oci", "oci_mi300x_8", "slices are node pools of GKE"),
    ],
)
def test_partitions_and_slices_of_another_accelerator_are_refused_with_what_is_needed(
    base: str, provider: str, machine: str, said: str, catalogue: Catalogue
) -> None:
    scenario = scenario_on(provider, machine)
    violations = resolve(variant(base, scenario, catalogue), scenario, catalogue).violations
    assert any(said in str(violation) for violation in violations), violations


@pytest.mark.parametrize("design", ["RA01 -gpu_exclusive +gpu_tpu_slice", "RA01", "RA04"])
@pytest.mark.parametrize("case", [(1, 1, "1x1"), (4, 1, "2x2"), (4, 4, "4x4"), (8, 1, "2x4")])
def test_a_gang_on_tpus_selects_the_smallest_slice_that_holds_it(
    case: tuple[int, int, str], design: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    chips, gang, topology = case
    scenario = scenario_on("gcp", "gcp_tpu_v6e_8")
    (train, *rest) = scenario.workloads
    assert train.gpu is not None
    sized = train.model_copy(
        update={"gpu": train.gpu.model_copy(update={"count": chips}), "gang": gang, "replicas": gang}
    )
    scenario = scenario.model_copy(update={"workloads": (sized, *rest)})
    objects = built(design, scenario, catalogue, tmp_path / "out")
    jobs = [o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Job" and o["metadata"]["name"] == train.id]
    assert jobs
    for pod in jobs:
        assert pod["containers"][0]["resources"]["limits"]["google.com/tpu"] == str(chips)
        assert pod["nodeSelector"]["cloud.google.com/gke-tpu-accelerator"] == "tpu-v6e-slice"
    assert topology in {pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] for pod in jobs}
    assert not [p for p in (tmp_path / "out").rglob("chart.yaml") if "gpu-operator" in str(p)]


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


@pytest.mark.parametrize(
    ("model", "modes"),
    [
        ("MI300X-192GB", {"SPX-NPS1": 1, "DPX-NPS2": 2, "CPX-NPS4": 8}),
        ("MI325X-256GB", {"SPX-NPS1": 1}),
        ("MI350X-288GB", {"SPX-NPS1": 1, "DPX-NPS2": 2}),
        ("MI355X-288GB", {"SPX-NPS1": 1, "DPX-NPS2": 2}),
    ],
)
def test_instinct_cards_divide_into_the_modes_their_maker_lists(
    model: str, modes: dict[str, int], catalogue: Catalogue
) -> None:
    assert {part.id: part.per_card for part in catalogue.accelerators[model].partitions} == modes
    option = catalogue.options["gpu_amd_partition"].gpu
    assert option is not None
    assert option.profiles.get(model, {}).items() <= modes.items()


def test_a_way_to_cut_cards_cuts_those_of_its_own_maker_alone(catalogue: Catalogue) -> None:
    modes = {o.id: o.gpu for o in catalogue.in_dimension("gpu_sharing") if o.gpu and o.layer == "fraction"}
    assert len(modes) >= 7
    for name, mode in modes.items():
        assert cuts(mode, "MI300X-192GB") == (name == "gpu_amd_partition")
        assert cuts(mode, "H100-80GB") == (name != "gpu_amd_partition")
        assert not cuts(mode, "TPU-v6e-32GB")
        assert not cuts(mode, "MI325X-256GB")


def test_resources_of_cards_are_those_of_their_makers(catalogue: Catalogue) -> None:
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


STATED = """
schema: tenancykit/scenario/v1
name: x
kubernetes: "{kubernetes}"
tenants:
  classes:
  - {{id: a, kind: team, count: 2, workloads: [{{template: t}}], requirements: {{require_options: [{option}]}}}}
workloads: [{{id: t, kind: training, cpu: "1", memory: 1Gi, gpu: {{count: 1}}}}]
infrastructure:
  sites: [{{id: a, provider: oci}}]
  nodes: [{{type: oci_h100_8}}]
"""


@pytest.mark.parametrize(
    ("option", "kubernetes", "said"),
    [
        ("gpu_amd_partition", "1.36", "MI355X-288GB, and none of them is on offer (H100-80GB); require gpu_"),
        ("gpu_tpu_slice", "1.36", "needs TPU-v6e/TPU7x, on offer H100-80GB"),
        ("sch_native_gang", "1.36", "Kubernetes 1.37, have 1.36"),
        ("rt_kata_single_gpu", "1.33", "Kubernetes 1.34, have 1.33"),
        ("pol_map", "1.35", "Kubernetes 1.36, have 1.35"),
    ],
)
def test_a_required_option_that_cannot_be_had_is_told_by_what_it_lacks(option: str, kubernetes: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        tk.parse_scenario(STATED.format(option=option, kubernetes=kubernetes))
    assert said in str(caught.value)
    assert ":7: tenants.classes[0].requirements" in str(caught.value)


def test_an_accelerator_nobody_describes_is_named_with_what_is_assumed_of_it(catalogue: Catalogue) -> None:
    scenario = scenario_on("oci", "oci_h100_8")
    assert unknown_models(scenario, catalogue) == []
    data = scenario_data()
    spec = {"cpu": 64, "memory": "512Gi", "gpus": 8, "gpu_model": "Frobnicator-99GB", "price_per_hour": 10}
    data["infrastructure"]["nodes"] = [{"type": "mine", "spec": spec}]
    (told,) = unknown_models(Scenario.model_validate(data), catalogue)
    assert "'Frobnicator-99GB' is not in the catalogue" in told
    assert "--catalogue" in told
