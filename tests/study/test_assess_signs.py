"""Claims and signs are catalogue files: wrong ones are refused with file and line, right ones say what they see."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeanswers.errors import CatalogueError
from tenancykit.auditing import audit, from_dicts
from tenancykit.auditing.findings import CrossingState
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.catalogue.signs import Trace, load_claims, load_signs
from tenancykit.study.assessing_signs import Placed, Scene
from tests.audit.tenancy import cluster
from tests.study.platforms import catalogue


def overlay(folder: Path, kind: str, text: str) -> Path:
    (folder / kind).mkdir()
    (folder / kind / "own.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{id: pod-network-to-victims, check: c, requirements: [identity]}", "did you mean pod-network-to-victim"),
        ("{id: pod-network-to-victim, barriers: [vmm], check: c, requirements: [identity]}", "has no barrier 'vmm'"),
    ],
)
def test_a_claim_about_what_the_model_does_not_know_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told) as refused:
        load_claims(load_catalogue(overlay(tmp_path, "claims", text)))
    assert "own.yaml:1" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{id: rt_gvizor, because: b}", "did you mean rt_gvisor"),
        ("{id: rt_gvisor, objects: false}", "shows by nothing"),
        ("{id: rt_gvisor, closed: nothing}", "sees no crossing"),
    ],
)
def test_a_sign_of_what_the_catalogue_does_not_know_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told) as refused:
        load_signs(load_catalogue(overlay(tmp_path, "signs", text)))
    assert "own.yaml:1" in str(refused.value)


def test_the_audit_sees_every_crossing_that_is_claimed_and_no_other() -> None:
    seen = {state.id for state in audit(from_dicts(cluster("blue", "red"))).crossings}
    conditional = {"gpu-contexts", "gpu-mps", "claim-of-others", "user-to-delivery-hub"}
    assert seen | conditional == set(load_claims(catalogue()))
    assert set(load_claims(catalogue())) <= set(load_isolation(catalogue()).crossings)


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "app", "namespace": "t-blue", "labels": {"team": "blue"}},
    "spec": {"containers": [{"name": "a"}, {"name": "b", "resources": {"limits": {"nvidia.com/mig-1g.10gb": 1}}}]},
}


@pytest.mark.parametrize(
    ("trace", "borne"),
    [
        (Trace(kind="Pod"), True),
        (Trace(kind="P*"), True),
        (Trace(kind="Pod", group="apps"), False),
        (Trace(kind="Pod", name="a*"), True),
        (Trace(kind="Pod", name="b*"), False),
        (Trace(kind="Pod", label="team"), True),
        (Trace(kind="Pod", label="team=r*"), False),
        (Trace(kind="Pod", field="spec/containers/resources/limits/nvidia.com?mig-*"), True),
        (Trace(kind="Pod", field="spec/containers/resources/limits/nvidia.com?mig-*", value="1"), True),
        (Trace(kind="Pod", field="spec/containers/resources/limits/nvidia.com?mig-*", value="2"), False),
        (Trace(kind="Pod", field="spec/containers/name", value="b"), True),
        (Trace(kind="Pod", field="spec/nodeSelector"), False),
        (Trace(kind="Pod", scope="tenant"), True),
        (Trace(kind="Pod", only="per-tenant"), False),
        (Trace(kind="Pod", only="shared"), True),
    ],
)
def test_a_trace_is_borne_by_an_object_that_has_all_its_parts(trace: Trace, borne: bool) -> None:
    item = from_dicts([POD]).objects[0]
    scene = Scene([Placed(item, "blue", acting=True)], frozenset({"blue"}), [], per_tenant=False)
    assert bool(list(scene.matches(trace))) is borne


def test_objects_of_other_classes_say_nothing_about_a_class() -> None:
    item = from_dicts([POD]).objects[0]
    scene = Scene([Placed(item, "blue", acting=True)], frozenset({"red"}), [], per_tenant=False)
    assert not list(scene.matches(Trace(kind="Pod")))


def test_a_crossing_is_closed_only_if_somebody_looked() -> None:
    report = audit(from_dicts(cluster("blue", "red")))
    assert not Scene([], frozenset({"blue"}), [], per_tenant=False).is_closed("pod-network-to-victim")
    assert Scene([], frozenset({"blue"}), [(report, True)], per_tenant=False).is_closed("pod-network-to-victim")
    flat = audit(from_dicts([o for o in cluster("blue", "red") if o["kind"] != "NetworkPolicy"]))
    assert isinstance(flat.crossing("pod-network-to-victim"), CrossingState)
    assert not Scene([], frozenset({"blue"}), [(flat, True)], per_tenant=False).is_closed("pod-network-to-victim")
