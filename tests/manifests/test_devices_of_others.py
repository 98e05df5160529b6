"""A tenant's quota is closed on the GPU partitions that only tenants of other classes ask for."""

from __future__ import annotations

from pathlib import Path

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import Design, choose
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export


def test_tenants_cannot_take_the_partitions_of_another_class(tmp_path: Path) -> None:
    scenario, catalogue = tk.load_scenario("saas-inference"), load_catalogue()
    whole = reference_design(catalogue.references["RA01"], scenario, catalogue).choices
    cut = [*(o for o in whole["basic"].options if not o.startswith("gpu_")), "gpu_mig"]
    design = Design("MIX", "partitions for one class", {**whole, "basic": choose(catalogue, cut)})
    export(resolve(design, scenario, catalogue), scenario, catalogue, tmp_path)
    text = "".join(path.read_text() for path in tmp_path.glob("clusters/*/tenants/premium-01/*.yaml"))
    assert "requests.nvidia.com/mig-" in text
    report = tk.audit(tmp_path)
    assert [f.what for f in report.findings if f.rule == "quota-unbounded"] == []
