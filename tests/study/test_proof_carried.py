"""Where one fence is gone and another stands, a proof names the one that stands, in words and as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenancykit.report.proving import proof_data, proof_text
from tenancykit.study.proof import Proof
from tests.study.weakening import Export
from tests.study.weakening_tools import Tree, Weakening


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return Export("ml-platform", "RA08", tmp_path_factory.mktemp("carried") / "out")


def without(export: Export, *kinds: str) -> Proof:
    def apply(tree: Tree) -> bool:
        found = list(tree.objects(*kinds))
        for item in found:
            tree.remove(item)
        return bool(found)

    proof = export.weakened(Weakening("gone", apply))
    assert proof
    return proof


def row(proof: Proof, crossing: str) -> str:
    return next(line for line in proof_text(proof).splitlines() if line.lstrip().startswith(crossing))


def test_a_proof_names_what_keeps_each_crossing_closed(written: Export) -> None:
    proof = written.proof()
    assert "quota and API priority" in row(proof, "gpu-queue")
    assert "network policy enforcement" in row(proof, "pod-network-to-victim")
    assert all(item.held_by for item in proof.claims if not item.claim.is_open)
    assert not any(item.held_by for item in proof.claims if item.claim.is_open)
    for crossing in {item.claim.crossing for item in proof.claims}:
        is_open = all(item.claim.is_open for item in proof.of(crossing))
        assert ("open, as claimed" in row(proof, crossing)) == is_open, "what nobody closes is not called proven"


def test_what_is_gone_is_told_and_what_keeps_the_claim_all_the_same_is_named(written: Export) -> None:
    proof = without(written, "ValidatingAdmissionPolicy", "ValidatingPolicy", "ConstraintTemplate")
    assert proof.verdict != "proven"
    assert any("is gone" in doubt.what for doubt in proof.doubts)
    assert "Pod Security admission" in row(proof, "api-user-to-node")
    assert "admission policy" not in row(proof, "api-user-to-node")
    (claim,) = (one for one in proof_data(proof)["claims"] if one["crossing"] == "api-user-to-node")
    assert (claim["verdict"], claim["held_by"]) == ("proven", "Pod Security admission")
    assert "admission policy" in claim["because"]


def test_what_is_left_of_admission_is_named_where_pod_security_is_gone(tmp_path: Path) -> None:
    export = Export("saas-inference", "RA02", tmp_path / "out")
    assert "admission policy" not in row(export.proof(), "api-user-to-node")

    def unlabel(tree: Tree) -> bool:
        for item in tree.objects("Namespace"):
            item["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce", None)
        return True

    proof = export.weakened(Weakening("unlabelled", unlabel))
    assert proof
    assert proof.verdict != "proven"
    assert "admission policy" in row(proof, "api-user-to-node")
