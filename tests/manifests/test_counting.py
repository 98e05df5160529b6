from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.counting import count_objects
from tenancykit.manifests.tree import export

SHARED = ["RA01", "RA02", "RA03", "RA08"]


@pytest.mark.parametrize("identifier", SHARED)
@pytest.mark.parametrize("example", ["ml-platform", "regulated-hybrid"])
def test_the_count_is_what_the_export_writes(tmp_path: Path, identifier: str, example: str) -> None:
    catalogue = load_catalogue()
    scenario = tk.load_scenario(example)
    design = resolve(reference_design(catalogue.references[identifier], scenario, catalogue), scenario, catalogue)
    counted = count_objects(design, scenario, catalogue)
    assert counted.objects == export(design, scenario, catalogue, tmp_path / "out").objects
    assert counted.parameters > counted.objects


def test_clusters_of_their_own_count_what_stands_in_each_of_them(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    scenario = tk.load_scenario("gpu-cloud")
    design = resolve(reference_design(catalogue.references["RA10"], scenario, catalogue), scenario, catalogue)
    assert (
        count_objects(design, scenario, catalogue).objects > export(design, scenario, catalogue, tmp_path / "o").objects
    )


def test_classes_of_one_cluster_may_cut_gpus_differently(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    scenario = tk.load_scenario("saas-inference")
    base = reference_design(catalogue.references["RA02"], scenario, catalogue).choices["basic"].options
    cuts = dict(zip(("basic", "premium", "regulated"), ("gpu_timeslice", "gpu_mps", "gpu_mig"), strict=True))
    options = {c: [o for o in base if not o.startswith("gpu_")] + ["gpu_exclusive", cut] for c, cut in cuts.items()}
    design = resolve(tk.own_design("cuts", "Cuts", options, scenario), scenario, catalogue)
    export(design, scenario, catalogue, tmp_path / "out")
    config = "".join(f.read_text(encoding="utf-8") for f in (tmp_path / "out").rglob("gpu.yaml"))
    assert config.count("name: tenancykit-sharing-config") == 1
    assert "timeSlicing" in config
    assert "mps:" in config
