from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests import count_objects, export

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
