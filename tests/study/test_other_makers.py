"""Architectures for cards of other makers: completed on a platform that has them, exported, valid and proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenancykit.api import validate
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.criteria.cost.overhead import burdens_of
from tenancykit.design.components import closure
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tenancykit.study.completion import completed
from tenancykit.study.proof import prove
from tests.manifests.conftest import scenario_data

CATALOGUE = load_catalogue()


def teams_on(provider: str, machine: str, kubernetes: str = "1.37", *, whole: bool = False) -> Scenario:
    """Return two research teams on one kind of machine."""
    data = scenario_data(kubernetes=kubernetes)
    data["infrastructure"] |= {"sites": [{"id": "a", "provider": provider}], "nodes": [{"type": machine}]}
    data["tenants"] = {"classes": data["tenants"]["classes"][:1]}
    data["infrastructure"]["fabric"] = "none"
    for workload in data["workloads"]:
        workload.pop("rdma", None)
        if whole and "gpu" in workload:
            workload["gpu"] = {"count": 1}
    return Scenario.model_validate(data)


@pytest.mark.parametrize(
    ("reference", "provider", "machine"),
    [
        ("RA17", "aws", "aws_p5_48xlarge"),
        ("RA17", "oci", "oci_gb300_4"),
        ("RA19", "oci", "oci_mi300x_8"),
        ("RA02", "oci", "oci_mi300x_8"),  # published with MIG, which is left out there
        ("RA03", "oci", "oci_mi300x_8"),
        ("RA20", "gcp", "gcp_tpu_v6e_8"),
    ],
)
def test_it_fits_there_and_what_it_exports_is_valid_and_proven(
    reference: str, provider: str, machine: str, tmp_path: Path
) -> None:
    scenario = teams_on(provider, machine)
    (design,) = completed([reference_design(CATALOGUE.references[reference], scenario, CATALOGUE)], scenario, CATALOGUE)
    resolved = resolve(design, scenario, CATALOGUE)
    assert resolved.violations == ()
    export(resolved, scenario, CATALOGUE, tmp_path / "out")
    assert validate(tmp_path / "out", kubernetes=scenario.kubernetes).exit_code == 0
    proof = prove(resolved, scenario, CATALOGUE, tmp_path / "out")
    assert proof.verdict == "proven", [(c.claim, c.reasons) for c in proof.broken] + list(proof.faults)


def whole_cards(scenario: Scenario, catalogue: Catalogue = CATALOGUE) -> ResolvedDesign:
    """Return virtual clusters whose tenants get whole cards alone."""
    (design,) = completed([reference_design(catalogue.references["RA04"], scenario, catalogue)], scenario, catalogue)
    resolved = resolve(design, scenario, catalogue)
    assert "gpu_exclusive" in resolved.classes[0].choice.options
    return resolved


def operator_footprints(scenario: Scenario) -> set[str]:
    """Return whose GPU operator takes something of the nodes of whole cards."""
    burdens = burdens_of(closure(whole_cards(scenario), scenario, CATALOGUE))
    conditions = [str(burden.footprint.when) for burden in burdens if burden.component == "gpu-operator"]
    return {maker for maker in ("nvidia", "amd") if any(text.startswith(f"maker:{maker}") for text in conditions)}


@pytest.mark.parametrize(
    ("provider", "machine", "makers"),
    [
        ("aws", "aws_p5_48xlarge", {"nvidia"}),
        ("oci", "oci_mi300x_8", {"amd"}),
        ("gcp", "gcp_tpu_v6e_8", set()),
    ],
)
def test_the_bill_counts_the_operator_of_those_who_made_the_cards(
    provider: str, machine: str, makers: set[str]
) -> None:
    assert operator_footprints(teams_on(provider, machine, whole=True)) == makers


GAUDI: str = """\
id: gaudi-operator
name: Intel Gaudi operator
what: Device plugin and metrics on every node with Gaudi cards.
requires: [kubernetes-cluster]
api_groups: [habana.ai]
drives: intel
namespace: habana-ai-operator
helm:
  chart: habana-ai-operator
  repository: https://vault.habana.ai/artifactory/api/helm/gaudi-helm
  version: 1.22.1-6
"""


def test_a_further_makers_operator_is_one_file_of_a_users_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "catalogue" / "components" / "gaudi-operator.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(GAUDI)
    catalogue = load_catalogue(tmp_path / "catalogue")
    data = teams_on("own", "aws_p5_48xlarge", whole=True).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    spec = {"cpu": "96", "memory": "1Ti", "gpus": 8, "gpu_model": "Gaudi3-128GB", "price_per_hour": 12}
    data["infrastructure"]["nodes"] = [{"type": "gaudi", "spec": spec}]
    scenario = Scenario.model_validate(data)
    export(whole_cards(scenario, catalogue), scenario, catalogue, tmp_path / "out")
    charts = {file.parent.name for file in (tmp_path / "out").rglob("helm/*/chart.yaml")}
    assert "gaudi-operator" in charts
    assert not charts & {"gpu-operator", "amd-gpu-operator"}
    assert "habana.ai/gaudi" in "".join(file.read_text() for file in (tmp_path / "out").rglob("*.yaml"))
