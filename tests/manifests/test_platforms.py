"""Platforms from end to end: accelerators of three makers on each Kubernetes release, and hosts fenced by DPUs."""

from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.auditing import audit, from_dicts
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criteria.cost.measure import measure
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.design.variants import variant
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tenancykit.study.completion import completed
from tenancykit.study.proof import prove
from tests.manifests.conftest import read_objects

RELEASES = ("1.34", "1.35", "1.36", "1.37")
PLATFORMS = {
    "AMD": ("RA19", "oci", "oci_mi300x_8", "amd.com/spx_nps1"),  # named by mode, as the reference divides cards
    "TPU": ("RA20", "gcp", "gcp_tpu_v6e_8", "google.com/tpu"),
    "NVL72": ("RA07", "oci", "oci_gb300_4", "nvidia.com/gpu"),
}


def platform(provider: str, machine: str, kubernetes: str) -> Scenario:
    """Return three teams that train and serve on one kind of machine."""
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "platform",
            "kubernetes": kubernetes,
            "tenants": {"classes": [{"id": "team", "kind": "team", "count": 3, "workloads": [{"template": "train"}]}]},
            "workloads": [
                {
                    "id": "train",
                    "kind": "training",
                    "replicas": 2,
                    "gang": 2,
                    "cpu": "8",
                    "memory": "32Gi",
                    "gpu": {"count": 4},
                }
            ],
            "infrastructure": {"sites": [{"id": "a", "provider": provider}], "nodes": [{"type": machine}]},
        }
    )


def built(reference: str, scenario: Scenario, catalogue: Catalogue) -> ResolvedDesign:
    """Return a published architecture with what the scenario needs beside it."""
    (design,) = completed([reference_design(catalogue.references[reference], scenario, catalogue)], scenario, catalogue)
    return resolve(design, scenario, catalogue)


@pytest.mark.parametrize("kubernetes", RELEASES)
@pytest.mark.parametrize(("reference", "provider", "machine", "resource"), PLATFORMS.values(), ids=PLATFORMS)
def test_a_platform_is_placed_priced_and_exported_with_its_makers_resource_on_every_release(
    reference: str, provider: str, machine: str, resource: str, kubernetes: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    scenario = platform(provider, machine, kubernetes)
    design = built(reference, scenario, catalogue)
    assert design.violations == ()
    bill = measure(design, scenario, catalogue)
    hourly = load_prices(catalogue)[machine].amount
    assert hourly is not None
    assert not bill.figures["pending"]
    assert bill.figures["gpus"]["bought"] >= bill.figures["gpus"]["taken_at_peak"] == 3 * 2 * 4
    machines = float(hourly) * 730 * bill.figures["nodes"][machine]
    assert bill.figures["per_month"]["GPU nodes"] == pytest.approx(machines, rel=1e-6)
    export(design, scenario, catalogue, tmp_path)
    verdict = tk.validate(tmp_path, kubernetes=kubernetes)
    assert verdict.exit_code == 0, verdict
    jobs = [o for _, o in read_objects(tmp_path) if o["kind"] == "Job" and o["metadata"]["name"] == "train"]
    assert len(jobs) == 3
    for job in jobs:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert {name: n for name, n in container["resources"]["limits"].items() if "/" in name} == {resource: "4"}


@pytest.mark.parametrize("fabric", ["infiniband", "roce", "none"])
def test_a_neocloud_on_dpu_hosts_is_placed_priced_exported_valid_and_proven(
    fabric: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    asked = tk.load_scenario("gpu-cloud")
    scenario = asked.model_copy(update={"infrastructure": asked.infrastructure.model_copy(update={"fabric": fabric})})
    design = built("RA18", scenario, catalogue)
    assert design.violations == ()
    assert all({"net_dpu", "node_baremetal_tenant"} <= set(cls.choice.options) for cls in design.classes)
    bill = measure(design, scenario, catalogue)
    assert not bill.figures["pending"]
    assert bill.figures["per_month"]["GPU nodes"] > 0
    export(design, scenario, catalogue, tmp_path)
    assert tk.validate(tmp_path, kubernetes=scenario.kubernetes).exit_code == 0
    objects = [o for _, o in read_objects(tmp_path)]
    hosts = [o for o in objects if o["kind"] == "BareMetalHost"]
    tenants = sum(cls.count for cls in scenario.tenants.classes)
    assert len(hosts) >= tenants
    readme = (tmp_path / "README.md").read_text()
    assert "enforced on the DPU, outside host and cluster" in readme
    assert prove(design, scenario, catalogue, tmp_path).verdict == "proven"


def test_a_tenant_without_a_quota_on_tpus_is_found_on_a_platform_of_slices(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    scenario = platform("gcp", "gcp_tpu_v6e_8", "1.37")
    design = resolve(variant("RA01 -gpu_exclusive +gpu_tpu_slice", scenario, catalogue), scenario, catalogue)
    export(design, scenario, catalogue, tmp_path)
    objects = [o for _, o in read_objects(tmp_path)]

    def unbounded() -> set[str]:
        findings = audit(from_dicts(objects)).findings
        return {f.subject for f in findings if f.rule == "quota-unbounded" and "google.com/tpu" in f.what}

    assert unbounded() == set()
    quotas = [o for o in objects if o["kind"] == "ResourceQuota" and "requests.google.com/tpu" in o["spec"]["hard"]]
    assert len(quotas) == 3
    for missing, quota in enumerate(quotas, start=1):  # the last one too: then only the tenants' pods name the device
        del quota["spec"]["hard"]["requests.google.com/tpu"]
        assert len(unbounded()) == missing
