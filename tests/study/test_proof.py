"""An export is proven when its audit equals the design's claim, for every reference architecture and example."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kubeanswers.validation.schema import validate_object
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.signs import load_claims
from tenancykit.criteria.isolation.measure import measure
from tenancykit.examples import EXAMPLES
from tenancykit.manifests.output import INDEX_NAME
from tenancykit.study.evaluation import evaluate
from tenancykit.study.proof import claims, prove, with_proof
from tests.study.platforms import catalogue, exported, reference, small, two_classes

REFERENCES = tuple(catalogue().references)
NOT_FOR_AN_API = ("helm", "api-server", "flux")
"""Folders of files that no API server takes: Helm values, the API server's own configuration, bootstrap patches."""


def emitted(folder: Path) -> list[tuple[Path, dict[str, object]]]:
    """Return every object of an export with its file."""
    found: list[tuple[Path, dict[str, object]]] = []
    for file in sorted(folder.glob("cl*/**/*.yaml")):
        if file.name == "kustomization.yaml" or set(NOT_FOR_AN_API) & set(file.relative_to(folder).parts):
            continue
        text = file.read_text(encoding="utf-8")
        found.extend((file, data) for data in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return found


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("identifier", REFERENCES)
def test_every_reference_architecture_exports_validates_strictly_and_is_proven(
    example: str, identifier: str, tmp_path: Path
) -> None:
    scenario = small(example)
    design = exported(identifier, scenario, tmp_path / "out")
    objects = emitted(tmp_path / "out")
    faults = [f"{file}: {text}" for file, data in objects for text in validate_object(data, scenario.kubernetes)]
    assert not faults
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.objects >= len(objects) > 50
    assert proof.verdict == "proven", [(c.claim, c.reasons) for c in proof.broken] + list(proof.faults)
    assert proof.tenants == sum(c.count for c in scenario.tenants.classes)
    assert proof.isolation is not None


def test_claims_cover_every_pair_of_classes_and_every_crossing_the_audit_sees() -> None:
    scenario = small("saas-inference")
    found = list(claims(reference("RA01", scenario), catalogue()))
    assert len({(c.crossing, c.attacker, c.victim) for c in found}) == len(found) == len(load_claims(catalogue())) * 9


def test_every_chance_that_a_proof_lowers_belongs_to_a_barrier_the_audit_looks_at() -> None:
    seen = {barrier for claim in load_claims(catalogue()).values() for barrier in claim.barriers}
    model = load_isolation(catalogue())
    lowered = {
        barrier.id
        for barrier in model.barriers.values()
        if any("proven" in model.lapses[wrong.lapse].upkeep for wrong in barrier.misconfiguration)
    }
    assert lowered - seen == {"volume-binding"}, "proven without being looked at"


def test_a_proven_design_is_at_least_as_isolated_as_an_unproven_one(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA08", scenario, tmp_path / "out")
    evaluation = evaluate(design.design, scenario, catalogue())
    proof = prove(evaluation, scenario, catalogue(), tmp_path / "out")
    proven = with_proof(evaluation, proof)
    assert proof.isolation is not None
    assert proven.scores["isolation"].value > evaluation.scores["isolation"].value
    assert {name: proven.scores[name] for name in ("effort", "operations", "cost")} == {
        name: evaluation.scores[name] for name in ("effort", "operations", "cost")
    }
    window = float(evaluation.scores["operations"].figures["patch_latency_days"])
    assert proof.isolation == measure(design, scenario, catalogue(), latency_days=window, proven=True)


def test_a_refuted_proof_lowers_no_chance(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    for file in tmp_path.rglob("tenants/*/network.yaml"):
        file.unlink()
        kustomization = file.with_name("kustomization.yaml")
        kustomization.write_text(
            kustomization.read_text(encoding="utf-8").replace("- network.yaml\n", ""), encoding="utf-8"
        )
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "not proven"
    assert proof.isolation is None
    broken = {item.claim.crossing for item in proof.broken}
    assert "pod-network-to-victim" in broken
    first = next(item for item in proof.broken if item.claim.crossing == "pod-network-to-victim")
    assert first.seen.open_pairs == first.seen.pairs > 0
    assert first.findings
    assert "->" in first.findings[0].path
    assert first.seen.examples[0] == ("research-1", "research-2")


def test_a_tenant_whose_folder_is_gone_is_missed(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    tenants = tmp_path / "out/clusters/tenancykit-platform/tenants"
    shutil.rmtree(tenants / "research-1")
    listing = tenants / "kustomization.yaml"
    listing.write_text(listing.read_text(encoding="utf-8").replace("- research-1\n", ""), encoding="utf-8")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "not proven"
    assert [fault.where for fault in proof.faults] == ["tenant research-1"]


def test_a_tenant_that_is_only_on_the_management_cluster_is_missed(tmp_path: Path) -> None:
    scenario = small("ml-platform")
    design = exported("RA09", scenario, tmp_path / "out")
    name = next(p.name for p in (tmp_path / "out/clusters").iterdir() if not p.name.startswith("tenancykit"))
    shutil.rmtree(tmp_path / "out/clusters" / name)
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert [fault.where for fault in proof.faults] == [f"tenant {name}"]


def test_a_tenant_nobody_asked_for_is_named(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    file = tmp_path / "out/clusters/tenancykit-platform/base/namespaces.yaml"
    stranger = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "x", "labels": {"tenancykit.dev/tenant": "x"}},
    }
    file.write_text(f"{file.read_text(encoding='utf-8')}---\n{yaml.safe_dump(stranger)}", encoding="utf-8")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert [str(fault.where) for fault in proof.faults] == ["tenant x"]


def test_a_file_that_cannot_be_read_is_no_proof(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    file = tmp_path / "out/clusters/tenancykit-platform/tenants/research-1/quota.yaml"
    file.write_text("a: [", encoding="utf-8")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "not proven"
    assert any("quota.yaml" in fault.where for fault in proof.faults)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tenants/research-1/more.json", '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}'),
        ("tenants/research-1/more.YML", "a: ["),
        (
            "tenants/research-1/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nsops: {version: 3}\n",
        ),
        ("api-server/authorization.yaml", "kind: AuthorizationConfiguration\nauthorizers: [{type: AlwaysAllow}]\n"),
    ],
)
def test_a_file_beside_the_export_that_nothing_reads_leaves_the_proof_undecided(
    file: str, text: str, tmp_path: Path
) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    more = tmp_path / "out/clusters/tenancykit-platform" / file
    more.write_text(text, encoding="utf-8")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "undecided"
    assert [doubt.where for doubt in proof.doubts] == [str(more)]


def test_the_export_of_a_weaker_design_does_not_prove_a_stronger_one(tmp_path: Path) -> None:
    scenario = two_classes()
    exported("RA01", scenario, tmp_path / "out")
    stronger = reference("RA08", scenario)
    proof = prove(stronger, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "not proven"
    assert {"node-root-to-neighbours", "pod-through-kernel"} <= {item.claim.crossing for item in proof.broken}


def test_policies_of_a_vendor_that_are_not_evaluated_leave_the_network_undecided(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    file = tmp_path / "out/clusters/tenancykit-platform/base/namespaces.yaml"
    policy = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "NetworkPolicy",
        "metadata": {"name": "open", "namespace": "t-research-1"},
        "spec": {"ingress": [{"action": "Allow"}]},
    }
    file.write_text(f"{file.read_text(encoding='utf-8')}---\n{yaml.safe_dump(policy)}", encoding="utf-8")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "undecided"
    assert {(item.claim.crossing, item.verdict) for item in proof.broken} == {("pod-network-to-victim", "undecided")}
    assert replace(proof, isolation=None) == proof


def test_an_index_rewritten_together_with_a_file_hides_no_change(tmp_path: Path) -> None:
    scenario = two_classes()
    design = exported("RA01", scenario, tmp_path / "out")
    changed = _changed_with_its_index(tmp_path / "out")
    proof = prove(design, scenario, catalogue(), tmp_path / "out")
    assert proof.verdict == "undecided"
    assert [doubt.where for doubt in proof.doubts] == [str(changed)]


def _changed_with_its_index(folder: Path) -> Path:
    """Change a setting that no evaluator reads, and write its new hash into the export's index."""
    file = folder / "clusters/tenancykit-platform/helm/gpu-operator/values.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "more: true\n", encoding="utf-8")
    index = json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))
    index["files"][file.relative_to(folder).as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / INDEX_NAME).write_text(json.dumps(index), encoding="utf-8")
    return file
