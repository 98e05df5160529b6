"""Tenants that differ in their name only are asked as a few: what is said of all is what asking each would say."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.reading import Reading, read_objects
from tenancykit.auditing import AuditReport, alike, audit
from tenancykit.auditing.alike import ASKED
from tenancykit.manifests.tree import export
from tests.study.platforms import catalogue, reference, small

TENANTS = ASKED + 9
CLUSTER = Path("clusters/tenancykit-platform")


def exported(identifier: str, folder: Path) -> Path:
    one = small("ml-platform")
    teams = one.tenants.classes[0].model_copy(update={"count": TENANTS})
    scenario = one.model_copy(update={"tenants": one.tenants.model_copy(update={"classes": (teams,), "named": ()})})
    export(reference(identifier, scenario), scenario, catalogue(), folder)
    return folder / CLUSTER


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("RA01", tmp_path_factory.mktemp("written") / "out")


@pytest.fixture
def cluster(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "cluster"))


def kinds(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> tuple[alike.Kind, ...]:
    monkeypatch.setattr(alike, "_FEWEST", ASKED + 2)
    return alike.alike(afresh(reading).objects)


def both(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> tuple[AuditReport, AuditReport]:
    """Return the report of a few of each kind, and of everybody."""
    monkeypatch.setattr(alike, "_FEWEST", ASKED + 2)
    few = audit(afresh(reading))
    monkeypatch.setattr(alike, "_FEWEST", TENANTS * 10)
    return few, audit(afresh(reading))


def afresh(reading: Reading) -> Reading:
    """Return the reading without what was found out about it."""
    return replace(reading, objects=replace(reading.objects, _derived={}))


@pytest.mark.parametrize("identifier", ["RA01", "RA02", "RA03", "RA08", "RA17"])
def test_an_export_of_tenants_that_are_alike_is_answered_as_if_each_had_been_asked(
    identifier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = read_objects([exported(identifier, tmp_path)])
    (kind,) = kinds(reading, monkeypatch)
    assert len(kind.names) > ASKED
    few, whole = both(reading, monkeypatch)
    assert few == whole
    assert few.as_dict() == whole.as_dict()


def change(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what replaces a text in some files of an export, in some of them at least."""

    def apply(cluster: Path) -> None:
        changed = 0
        for file in cluster.glob(path):
            text = file.read_text(encoding="utf-8")
            changed += old in text
            file.write_text(text.replace(old, new), encoding="utf-8")
        assert changed

    return apply


BINDING = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: more}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "WHO"}]
---
"""


def bound(who: str) -> Callable[[Path], None]:
    def apply(cluster: Path) -> None:
        file = cluster / "base/access.yaml"
        file.write_text(BINDING.replace("WHO", who) + file.read_text(encoding="utf-8"), encoding="utf-8")

    return apply


def patched(cluster: Path) -> None:
    """Take the bounds off one tenant's quotas by its kustomization: its files are those of its twins."""
    file = cluster / "tenants/research-07/kustomization.yaml"
    patch = "patches:\n- target: {kind: ResourceQuota}\n  patch: '[{op: replace, path: /spec/hard, value: {}}]'\n"
    file.write_text(file.read_text(encoding="utf-8") + patch, encoding="utf-8")


OPENED = {
    "one tenant has a policy less": change("tenants/research-07/kustomization.yaml", "- network.yaml\n", ""),
    "one tenant's kustomization takes its bounds": patched,
    "one tenant takes privileged pods": change("tenants/research-07/namespaces.yaml", "restricted", "privileged"),
    "no tenant has a policy": change("tenants/research-*/kustomization.yaml", "- network.yaml\n", ""),
    "no tenant has a quota": change("tenants/research-*/kustomization.yaml", "- quota.yaml\n", ""),
    "every tenant takes privileged pods": change("tenants/research-*/namespaces.yaml", "restricted", "privileged"),
    "every tenant's policies are no policies": change("tenants/research-*/network.yaml", "podSelector: {}", "pods: {}"),
    "every tenant's pods want a class that is not there": change(
        "tenants/research-*/workloads.yaml", "tenancykit-1000", "nowhere"
    ),
    "anybody is bound cluster-wide": bound("system:authenticated"),
    "no admission policy denies": change("base/admission.yaml", "- Deny", "- Audit"),
    "tenants are told to own the platform's namespace": change(
        "tenants/research-*/access.yaml", "namespace: t-research", "namespace: flux-system #"
    ),
}


@pytest.mark.parametrize("what", OPENED)
def test_whatever_is_opened_for_one_or_for_all_is_told_as_if_each_had_been_asked(
    what: str, cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OPENED[what](cluster)
    few, whole = both(read_objects([cluster]), monkeypatch)
    assert few == whole
    assert few.as_dict() == whole.as_dict()
    assert few.exit_code == 1


@pytest.mark.parametrize("what", [name for name in OPENED if name.startswith("one ")])
def test_who_differs_in_more_than_its_name_is_asked_by_itself(
    what: str, cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OPENED[what](cluster)
    (kind,) = kinds(read_objects([cluster]), monkeypatch)
    assert "research-07" not in kind.names
    assert "research-08" in kind.names


EXPRESSION = "has(object.spec.nodeName)"
SPOKEN = {
    "a tenant's group is bound": bound("tenant:research-07"),
    "a tenant is written in other words": bound("Research_07"),
    "a beginning of names stands in an expression": change(
        "base/admission.yaml", EXPRESSION, f"namespaceObject.metadata.name.startsWith('t-research-0') || {EXPRESSION}"
    ),
    "an end of names stands in an expression": change(
        "base/admission.yaml", EXPRESSION, f"namespaceObject.metadata.name.endsWith('7') || {EXPRESSION}"
    ),
    "a pattern of names stands in an expression": change(
        "base/admission.yaml", EXPRESSION, f"namespaceObject.metadata.name.matches('[0-4]$') || {EXPRESSION}"
    ),
    "a text is taken apart by an expression": change(
        "base/admission.yaml", EXPRESSION, f"namespaceObject.metadata.name.split('-').size() == 2 || {EXPRESSION}"
    ),
    "a glob ends as some names do": bound("*-07"),
}


@pytest.mark.parametrize("what", SPOKEN)
def test_where_names_are_spoken_of_elsewhere_everybody_is_asked(
    what: str, cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SPOKEN[what](cluster)
    reading = read_objects([cluster])
    assert not kinds(reading, monkeypatch)
    few, whole = both(reading, monkeypatch)
    assert few == whole


PARTS = {
    "space": """apiVersion: v1
kind: Namespace
metadata: {name: t-NAME, labels: {tenancykit.dev/tenant: NAME, pod-security.kubernetes.io/enforce: restricted}}
""",
    "lax space": """apiVersion: v1
kind: Namespace
metadata: {name: t-NAME, labels: {tenancykit.dev/tenant: NAME}}
""",
    "second space": """apiVersion: v1
kind: Namespace
metadata: {name: NAME-more, labels: {tenancykit.dev/tenant: x-NAME}}
""",
    "quota": """apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: t-NAME}
spec: {hard: {requests.cpu: "1", requests.memory: 1Gi, pods: "5", services.nodeports: "0"}}
""",
    "deny": """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: t-NAME}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
""",
    "members": """apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: members, namespace: t-NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "tenant:NAME"}]
""",
    "strangers": """apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: strangers, namespace: t-NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: helpers}]
""",
    "invalid": """apiVersion: v1
kind: ResourceQuota
metadata: {name: broken, namespace: t-NAME}
spec: {hard: {pods: many}}
""",
    "pod": """apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: t-NAME}
spec: {serviceAccountName: gone, containers: [{name: c, image: x, securityContext: {privileged: true}}]}
""",
}
QUEUES = """apiVersion: kueue.x-k8s.io/v1beta1
kind: ClusterQueue
metadata: {name: q-NAME}
spec:
  cohort: all
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: t-NAME}}
  preemption: {withinClusterQueue: Never}
  resourceGroups:
  - coveredResources: [cpu]
    flavors: [{name: plain, resources: [{name: cpu, nominalQuota: 2}]}]
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: LocalQueue
metadata: {name: q, namespace: t-NAME}
spec: {clusterQueue: q-NAME}
"""
PARTS["queue"] = QUEUES
BASES = {
    "a flavor": "apiVersion: kueue.x-k8s.io/v1beta1\nkind: ResourceFlavor\nmetadata: {name: plain}\n---\n",
    "anybody reads": BINDING.replace("WHO", "system:authenticated").replace("cluster-admin", "view"),
    "anybody rules": BINDING.replace("WHO", "system:authenticated"),
    "one is platform": BINDING.replace("WHO", "admins"),
    "nodes apart": "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nspec: {taints: [{key: own, value: x}]}\n---\n",
    "helpers live": PARTS["space"].replace("NAME", "helpers") + "---\n" + PARTS["members"].replace("NAME", "helpers"),
}


def tree(folder: Path, tenants: Mapping[str, Iterable[str]], bases: Iterable[str] = ()) -> Reading:
    """Write a folder per tenant, with those parts in it, and read them back."""
    for name, parts in tenants.items():
        (folder / name).mkdir()
        text = "---\n".join(PARTS[part] for part in parts).replace("NAME", name)
        (folder / name / "all.yaml").write_text(text, encoding="utf-8")
    for base in bases:
        (folder / f"{base.replace(' ', '-')}.yaml").write_text(BASES[base], encoding="utf-8")
    return read_objects([folder])


def test_names_one_of_which_begins_another_are_asked_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = tree(tmp_path, {f"group-{number}": ("space", "deny") for number in range(1, TENANTS * 4)})
    assert not kinds(reading, monkeypatch)


def test_kinds_of_tenants_are_told_apart_by_what_they_hold_and_by_what_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = range(1000, 1000 + TENANTS)
    tenants: dict[str, tuple[str, ...]] = {f"red-{number}": ("space", "deny") for number in numbers}
    tenants |= {f"blue-{number}": ("space", "deny") for number in numbers}
    tenants |= {f"blue-{number + 1000}": ("space",) for number in numbers}
    found = kinds(tree(tmp_path, tenants), monkeypatch)
    assert [(kind.names[0][:-3], len(kind.names)) for kind in found] == [
        ("blue-1", TENANTS - 2),  # the first two of a kind were parsed, so that the others need not be
        ("blue-2", TENANTS - 2),
        ("red-1", TENANTS),
    ]


def test_queues_add_up_over_everybody_while_tenants_are_asked_as_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = {f"red-{number}": ("space", "deny", "queue") for number in range(1000, 1000 + TENANTS)}
    reading = tree(tmp_path, tenants)  # no flavor: every queue is told
    assert kinds(reading, monkeypatch)
    few, whole = both(reading, monkeypatch)
    assert len([item for item in few.findings if item.rule.startswith("queue-")]) >= TENANTS
    assert few.as_dict() == whole.as_dict()


FENCES = ("deny", "members", "quota")
HELD = st.sets(st.sampled_from([part for part in PARTS if "space" not in part]), max_size=2).map({*FENCES}.union)
SPACES = st.sampled_from((("space",), ("lax space",), ("space", "second space")))


@settings(max_examples=12, deadline=None)
@given(
    st.dictionaries(st.sampled_from(("red", "blue", "reddish")), st.tuples(SPACES, HELD), min_size=1),
    st.tuples(SPACES, HELD),
    st.sets(st.sampled_from(tuple(BASES))),
)
def test_whatever_kinds_of_tenants_hold_a_few_of_each_answer_for_all(
    held: dict[str, tuple[tuple[str, ...], set[str]]], other: tuple[tuple[str, ...], set[str]], bases: set[str]
) -> None:
    tenants = {
        f"{kind}-{n}": (*spaces, *sorted(more)) for kind, (spaces, more) in held.items() for n in range(100, 126)
    }
    tenants["red-777"] = (*other[0], *sorted(other[1]))
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        reading = tree(Path(place), tenants, sorted(bases))
        few, whole = both(reading, patch)
    assert few == whole
    assert few.as_dict() == whole.as_dict()
