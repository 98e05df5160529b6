"""An existing cluster is read back as a design: options with the objects that show them, gaps, and what closes them."""

from __future__ import annotations

import io
from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.errors import InputError, OutputError
from tenancykit.auditing import audit_clusters, from_dicts, read_clusters, read_objects
from tenancykit.catalogue.signs import load_signs
from tenancykit.study.assessing import FOUND, Assessment, assess
from tenancykit.study.assessing_gap import close_gap
from tenancykit.study.proof import prove
from tests.studies import SHAPES, sampled
from tests.study.platforms import catalogue, exported, reference, small, two_classes

REFERENCES = tuple(catalogue().references)
UNSEEN = {
    "net_dpu": "enforced on the DPU, outside host and cluster",
    "net_vpc_per_tenant": "made with the machines; only some definitions of clusters name it",
    "st_dedicated": "where a provider sells storage, the tenant's own account leaves no object",
    "gpu_mig": "a class without workloads on partitions asks for none",
    "node_pool_class": "inside a cluster per tenant every node is the tenant's anyway",
}
"""Options of the reference architectures that leave nothing in some exports, and why."""
TAKEN_FOR = {
    "net_vpc_per_tenant": "RA11 and RA13 put their machines into networks per tenant as well",
    "st_sc_quota": "dedicated storage has a class per tenant too",
    "node_dedicated_tenant": "nodes of a tenant's own cluster",
    "fl_gitops_fleet": "RA15 delivers its clusters from one source",
}
"""What is seen instead, or beside."""


def assessed(identifier: str, folder: Path, **more: Any) -> Assessment:
    scenario = two_classes()
    exported(identifier, scenario, folder)
    return assess([folder], scenario, catalogue(), **more)


def without(titles: Container[str], tree: Path) -> None:
    """Remove objects from a tree of manifests."""
    for file in (tree / "clusters").rglob("*.yaml"):
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        if all("name" in d.get("metadata", {}) for d in documents):
            kept = [d for d in documents if str(next(iter(from_dicts([d])))) not in titles]
            file.write_text(yaml.safe_dump_all(kept), encoding="utf-8")


def laid_over(gap: Path, tree: Path) -> None:
    """Do to a tree of manifests what applying a gap does to a cluster, in a file no export has."""
    for folder in (tree / "clusters").iterdir():
        added = {str(item): dict(item.data) for item in read_objects([gap / "clusters" / folder.name]).objects}
        without(added, tree)
        (folder / "gap.yaml").write_text(yaml.safe_dump_all(added.values()), encoding="utf-8")
        kustomization = folder / "kustomization.yaml"
        listed = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
        listed["resources"].append("gap.yaml")
        kustomization.write_text(yaml.safe_dump(listed), encoding="utf-8")
    for patches in tree.glob("clusters/*/flux/lockdown-patches.yaml"):
        patches.unlink()  # no object: what the tree has of the design before, no cluster holds
    for file in gap.rglob("*"):
        if "helm" in file.parts and file.is_file():
            place = tree / file.relative_to(gap)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())


@pytest.mark.parametrize("identifier", sampled(REFERENCES, SHAPES))
def test_the_export_of_a_reference_architecture_is_recognised_as_that_architecture(
    identifier: str, tmp_path: Path
) -> None:
    found = assessed(identifier, tmp_path / "out", target=identifier)
    for wanted in reference(identifier, two_classes()).classes:
        have = {item.option for item in found.recognised[wanted.tenant_class.id]}
        asked = set(wanted.choice.options)
        assert asked - have <= UNSEEN.keys(), sorted(asked - have)
        assert have - asked <= TAKEN_FOR.keys(), sorted(have - asked)
    assert {gap.wanted for gap in found.gaps} - {""} <= UNSEEN.keys()
    assert found.study[FOUND].resolved.design.origin == "assessed"


def test_every_option_recognised_by_objects_names_them_with_file_and_line(tmp_path: Path) -> None:
    found = assessed("RA03", tmp_path / "out")
    for items in found.recognised.values():
        for item in items:
            assert (item.how == "objects") == bool(item.evidence)
            assert all(str(tmp_path) in text and ".yaml:" in text for text in item.evidence)
            assert item.why
    kueue = next(i for i in found.recognised["research"] if i.option == "sch_kueue")
    assert kueue.objects > len(kueue.evidence) > 0


def test_every_option_of_the_catalogue_can_be_recognised_or_its_file_says_why_not() -> None:
    signs = load_signs(catalogue())
    silent = [
        option.id
        for option in catalogue().options.values()
        if option.id not in signs
        and not any("." in o.api_version and ".k8s.io/" not in o.api_version for o in option.objects)
        and not any(catalogue().components[c].helm for c in option.components)
    ]
    assert not silent


def test_objects_tell_even_without_our_labels(tmp_path: Path) -> None:
    """A dump of a cluster nobody exported: Gatekeeper, Cilium, gVisor, Volcano, shared nodes."""
    objects: list[dict[str, Any]] = [
        {"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k8srequired"}},
        {"apiVersion": "scheduling.volcano.sh/v1beta1", "kind": "Queue", "metadata": {"name": "blue"}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "helm.sh/release.v1",
            "metadata": {
                "name": "sh.helm.release.v1.opencost.v1",
                "namespace": "opencost",
                "labels": {"name": "opencost"},
            },
            "data": {"release": "c2VjcmV0LXZhbHVl"},
        },
    ]
    for name in ("blue", "red"):
        pod = {
            "runtimeClassName": "gvisor",
            "containers": [{"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": 1}}}],
        }
        objects += [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "own", "namespace": name},
                "spec": {"endpointSelector": {}},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "app", "namespace": name},
                "spec": {
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
                },
            },
        ]
    dump = {"apiVersion": "v1", "kind": "List", "items": objects}
    file = tmp_path / "dump.yaml"
    file.write_text(yaml.safe_dump(dump), encoding="utf-8")
    found = assess([file], small("ml-platform"), catalogue(), target="RA01")
    have = {item.option for item in found.recognised["research"]}
    assert {"pol_gatekeeper", "net_cilium", "rt_gvisor", "sch_volcano", "obs_opencost", "gpu_exclusive"} <= have
    assert {"cp_namespace_rbac", "node_shared", "st_shared_sc"} <= have
    assert not {"pol_psa", "sch_quota", "net_np_default_deny"} & have
    assert any("taken for a tenant" in note for note in found.notes)
    assert set(found.tenants["research"]) == {"blue", "red"}
    assert {"pol_psa", "sch_quota"} <= {gap.wanted for gap in found.gaps}
    written = close_gap(found, tmp_path / "gap")
    assert "c2VjcmV0" not in "".join(f.read_text(encoding="utf-8") for f in (tmp_path / "gap").rglob("*.yaml"))
    assert written.added


def test_standard_input_and_tenants_named_by_the_caller() -> None:
    text = "".join(f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n" for name in ("a", "b"))
    found = assess(
        ["-"], small("ml-platform"), catalogue(), tenants={"a": "one"}, target="RA01", stdin=io.StringIO(text)
    )
    assert found.tenants["research"] == ("one",)
    assert not any("taken for" in note for note in found.notes)


def test_nothing_to_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Kubernetes object"):
        assess([tmp_path], small("ml-platform"), catalogue())
    with pytest.raises(InputError, match="no such file"):
        assess([tmp_path / "missing.yaml"], small("ml-platform"), catalogue())


def test_an_unknown_target_is_bad_input_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RA99"):
        assessed("RA01", tmp_path / "out", target="RA99")


def test_the_gap_to_itself_is_empty(tmp_path: Path) -> None:
    found = assessed("RA08", tmp_path / "out", target="RA08")
    assert found.gaps == ()
    assert found.days == 0
    written = close_gap(found, tmp_path / "gap")
    assert written.added == ()
    assert written.changed == {}
    assert written.charts == ()
    assert written.unchanged > 50


def test_applying_the_gap_makes_the_cluster_the_target(tmp_path: Path) -> None:
    """The cluster with the gap's objects laid over it is proven against the target's claim."""
    scenario = two_classes()
    found = assessed("RA01", tmp_path / "out", target="RA08")
    assert {"rt_gvisor", "st_sc_quota", "node_pool_class"} <= {gap.wanted for gap in found.gaps}
    assert found.days is not None
    assert 0 < found.days < found.study["RA08"].scores["effort"].value
    written = close_gap(found, tmp_path / "gap")
    assert any("RuntimeClass gvisor" in text for text in written.added)
    assert any(text.startswith("ValidatingAdmissionPolicy") for text in written.changed)
    before = prove(reference("RA08", scenario), scenario, catalogue(), tmp_path / "out")
    assert before.verdict == "not proven"
    laid_over(tmp_path / "gap", tmp_path / "out")
    after = prove(reference("RA08", scenario), scenario, catalogue(), tmp_path / "out")
    assert not after.broken, [(c.claim, c.reasons) for c in after.broken]
    assert not after.faults
    assert written.leftover
    assert {str(doubt).split(": ")[1] for doubt in after.doubts} <= set(written.leftover)
    without(written.leftover, tmp_path / "out")
    after = prove(reference("RA08", scenario), scenario, catalogue(), tmp_path / "out")
    assert after.verdict == "proven", after.doubts


def test_a_gap_tree_is_a_kustomize_base_of_its_own_objects_only(tmp_path: Path) -> None:
    found = assessed("RA01", tmp_path / "out", target="RA03")
    written = close_gap(found, tmp_path / "gap")
    readings = read_clusters([tmp_path / "gap"])
    assert set(readings) == {"tenancykit-platform"}
    reading = readings["tenancykit-platform"]
    assert not reading.faults
    assert len(reading.objects) == len(written.added) + len(written.changed)
    assert not audit_clusters(readings).faults
    again = close_gap(found, tmp_path / "gap")
    assert again.changes.is_identical


def test_a_gap_is_not_written_over_a_file(tmp_path: Path) -> None:
    found = assessed("RA01", tmp_path / "out", target="RA03")
    (tmp_path / "gap").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError):
        close_gap(found, tmp_path / "gap")
    assert (tmp_path / "gap").read_text(encoding="utf-8") == "mine"


def test_a_control_counts_only_where_every_tenant_has_it_and_the_gap_names_who_lacks_it(tmp_path: Path) -> None:
    spaces = "".join(
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{tenancykit.dev/tenant: {name}}}}}\n---\n"
        for name in ("t1", "t2", "t3")
    )
    quota = (
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: t1}\n"
        "spec: {hard: {requests.cpu: '4', requests.memory: 8Gi}}\n"
    )
    (tmp_path / "m.yaml").write_text(spaces + quota, encoding="utf-8")
    found = assess([tmp_path], small("ml-platform"), catalogue(), target="RA01")
    lacking = {gap.wanted: gap.lacking for gap in found.gaps}
    assert lacking["sch_quota"] == ("t2", "t3")
    assert all(gap.wanted for gap in found.gaps)
