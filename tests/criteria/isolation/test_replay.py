from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from kubeanswers.errors import InputError
from tenancykit.catalogue.attack import Evidence
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.isolation.records import read_records, replay_file
from tenancykit.criteria.isolation.replay import Replayed, replay_choice, replay_result
from tests.criteria.isolation.platforms import CATALOGUE, SHARED, result, scenario, with_options

MODEL = load_isolation(CATALOGUE)

DISAGREEMENTS = {
    ("ATTACHME-2022", "provider-fix-only"): "says that nothing a customer chooses helps; it is no choice of a design",
    ("CVE-2024-48916", "network-policy"): "object gateways are reached on purpose; the entry does not say so, and "
    "CVE-2021-20288 with the same boundary, position and component is contained by policy",
    (
        "CVE-2025-31133",
        "user-namespaces",
    ): "the entry lists user namespaces both as removing the flaw and as undetermined",
    ("CVE-2025-52565", "user-namespaces"): "as above",
    ("GPU-MPS-TLB-2021", "mig"): "a side channel over structures that MIG instances still share "
    "(MIG-TLB-2023 shows it); the record itself speaks of MPS",
}
"""Pairs in which the graph and the evidence's author differ, with our argument."""


def pairs() -> list[tuple[Evidence, str, str]]:
    columns = (("contained_by", "contained"), ("not_contained_by", "crossed"), ("undetermined", "undetermined"))
    return [
        (entry, choice, expected)
        for entry in MODEL.evidence.values()
        for column, expected in columns
        for choice in getattr(entry, column)
    ]


def test_replay_agrees_with_the_evidence_but_for_the_pairs_argued() -> None:
    differing = {(e.id, c) for e, c, expected in pairs() if replay_choice(e, c, MODEL).outcome != expected}
    assert differing == set(DISAGREEMENTS)
    assert len(differing) <= 0.05 * len(pairs())


def test_replay_agrees_with_everything_a_record_itself_states() -> None:
    stated = [(e, choice) for e in MODEL.evidence.values() for choice in e.stated_by_source]
    assert len(stated) > 30
    for entry, choice in stated:
        expected = "crossed" if choice in entry.not_contained_by else "contained"
        assert replay_choice(entry, choice, MODEL).outcome == expected, (entry.id, choice)


def test_outcomes_do_not_read_what_the_author_says_contains_a_flaw() -> None:
    for entry in list(MODEL.evidence.values())[::5]:
        blank = entry.model_copy(
            update={
                "contained_by": (),
                "not_contained_by": (),
                "undetermined": (),
                "stated_by_source": (),
                "title": "-",
            }
        )
        for choice in ("namespace-rbac", "dedicated-node", "gvisor", "network-policy", "hosted-control-plane"):
            assert replay_choice(blank, choice, MODEL) == replay_choice(entry, choice, MODEL)


def test_every_known_flaw_crosses_where_everything_is_shared_so_that_containment_means_something() -> None:
    outcomes = Counter(replay_choice(entry, "baseline", MODEL).outcome for entry in MODEL.evidence.values())
    assert outcomes == {"crossed": len(MODEL.evidence)}


def entry(boundary: str, position: str, **more: object) -> Evidence:
    data = {"id": "NEW", "title": "new", "year": 2026, "component": "new", "source_url": "https://example.org", **more}
    return Evidence.model_validate({"boundary": boundary, "attacker_position": position, **data})


def contained_by(new: Evidence) -> set[str]:
    return {c for c in MODEL.choices if replay_choice(new, c, MODEL).outcome == "contained"}


def test_a_new_flaw_is_decided_from_boundary_and_position_alone() -> None:
    kernel = contained_by(entry("container/host-kernel", "tenant-pod"))
    assert {"gvisor", "vm-sandbox", "dedicated-node", "dedicated-hardware", "dedicated-cluster"} <= kernel
    assert not {"namespace-rbac", "network-policy", "virtual-control-plane", "psa-restricted"} & kernel
    workspace = contained_by(entry("logical-control-plane", "tenant-api-user"))
    assert workspace == {"virtual-control-plane", "hosted-control-plane", "dedicated-cluster"}
    function = contained_by(entry("sr-iov-vf/physical-function", "vm-guest"))
    assert function == {"dedicated-hardware", "no-sriov-vf"}
    webhook = contained_by(entry("shared-addon-controller", "network-adjacent"))
    assert {"network-policy", "per-tenant-addon", "hosted-control-plane"} <= webhook
    sidecar = contained_by(entry("sidecar/pod-network-namespace", "tenant-pod"))
    assert "network-policy" in sidecar
    assert "service-mesh-egress" not in sidecar


HELD_OUT = Path(__file__).parent / "held_out.yaml"

HELD_OUT_DISAGREEMENTS = {
    (
        "MPS-FAULT",
        "mig",
    ): "a fault of one MPS client stays in its MIG instance; what is published of stopped GPUs does not",
    (
        "CVE-2021-36780",
        "network-policy",
    ): "storage drivers have no network side in the graph, so it errs towards crossed",
    **dict.fromkeys(
        (
            (flaw, "virtual-control-plane")
            for flaw in ("CVE-2023-37900", "CVE-2024-41820", "CVE-2024-43403", "CVE-2025-32445", "CVE-2025-64432")
        ),
        "as in all records of these boundaries the host operators do not see what stands in an own API server; "
        "we had left open whose operator it is",
    ),
}
"""Pairs in which we read the record otherwise than the graph decides, with our argument."""


def test_flaws_of_families_nobody_told_the_graph_of_are_decided_as_we_read_them() -> None:
    records = read_records(HELD_OUT, MODEL)
    assert len(records.entries) >= 220
    assert not {found.id for found in records.entries} & set(MODEL.evidence)
    columns = (("contained_by", "contained"), ("not_contained_by", "crossed"), ("undetermined", "undetermined"))
    differing = {
        (found.id, choice)
        for found in records.entries
        for column, expected in columns
        for choice in getattr(found, column)
        if replay_choice(found, choice, MODEL).outcome != expected
    }
    assert differing == set(HELD_OUT_DISAGREEMENTS)


@pytest.mark.parametrize(
    ("boundary", "position", "component"),
    [
        ("pod-network", "tenant-pod", "cluster-dns"),
        ("network-policy-enforcement", "tenant-pod", "cni-agent"),
        ("service-dataplane", "tenant-api-user", "kube-proxy-dataplane"),
    ],
)
def test_encryption_between_workloads_keeps_nobodys_network_up(boundary: str, position: str, component: str) -> None:
    flaw = next(iter(MODEL.evidence.values())).model_copy(
        update={
            "id": "stops-the-network",
            "boundary": boundary,
            "attacker_position": position,
            "effect": "dos-shared-service",
            "impact": ("availability",),
            "shared_component": (component,),
            "removed_by": (),
            "preconditions": (),
            "verbs": (),
        }
    )
    assert replay_choice(flaw, "app-layer-mtls", MODEL).outcome == "crossed"
    assert replay_choice(flaw, "dedicated-cluster", MODEL).outcome == "contained"
    read = flaw.model_copy(update={"impact": ("confidentiality",), "effect": "policy-bypass"})
    assert replay_choice(read, "app-layer-mtls", MODEL).outcome == "contained"


def test_a_special_case_of_a_position_stands_where_its_position_stands() -> None:
    for boundary in MODEL.boundaries:
        plain = contained_by(entry(boundary, "tenant-pod"))
        assert contained_by(entry(boundary, "tenant-image")) == plain | {"trusted-images-only"}, boundary
        if boundary != "node/metadata-service":  # whose privileged pods pose as services in the host's network
            assert contained_by(entry(boundary, "tenant-privileged-pod")) >= plain | {"psa-baseline"}, boundary


def test_network_policy_does_not_stop_whoever_is_let_in_on_purpose() -> None:
    outside = entry("shared-addon-controller", "external-unauth")
    assert replay_choice(outside, "network-policy", MODEL).outcome == "crossed"
    assert replay_choice(entry("shared-addon-controller", "tenant-pod"), "network-policy", MODEL).outcome == "contained"
    for boundary in ("supply-chain", "inference-server/model", "application-authentication"):
        user = entry(boundary, "platform-app-user")
        assert replay_choice(user, "network-policy", MODEL).outcome == "crossed", boundary
        pod = entry(boundary, "tenant-pod")
        assert replay_choice(pod, "network-policy", MODEL).outcome == "contained", boundary


def test_hosts_of_ones_own_do_not_keep_out_the_operator_of_all_hosts() -> None:
    operator = entry("host-operator/confidential-guest", "malicious-host-admin")
    assert replay_choice(operator, "dedicated-hardware", MODEL).outcome == "crossed"


def test_workspaces_share_the_server_process() -> None:
    slow = entry("apiserver-capacity", "tenant-api-user", shared_component=("kube-apiserver",))
    assert replay_choice(slow, "logical-control-plane", MODEL).outcome == "crossed"
    assert replay_choice(slow, "virtual-control-plane", MODEL).outcome == "contained"
    rights = entry("apiserver-authorization", "tenant-api-user")
    assert replay_choice(rights, "logical-control-plane", MODEL).outcome == "undetermined"


@pytest.mark.parametrize("token", ["no-privileged", "no-host-pid", "no-host-ipc", "no-host-ports", "drop-sys-admin"])
def test_what_pod_security_refuses_removes_a_flaw_that_needs_it(token: str) -> None:
    escape = contained_by(entry("container-runtime/host", "tenant-pod", removed_by=(token,)))
    assert {"psa-baseline", "psa-restricted"} <= escape
    device = contained_by(entry("gpu-driver/host-kernel", "tenant-pod", removed_by=("drop-mknod",)))
    assert {"drop-capabilities", "psa-restricted"} <= device
    assert "psa-baseline" not in device


def test_components_nobody_knows_are_read_as_the_usual_one_of_the_boundary() -> None:
    for boundary in MODEL.boundaries:
        odd = entry(boundary, "tenant-pod", shared_component=("cosmic-rays",))
        assert contained_by(odd) == contained_by(entry(boundary, "tenant-pod")), boundary
        assert replay_choice(odd, "baseline", MODEL).outcome == "crossed", boundary


def test_a_flaw_of_a_shared_thing_reaches_nobody_who_does_not_share_it() -> None:
    service = entry("application-authentication", "platform-app-user")
    assert not {"dedicated-node", "dedicated-cluster"} & contained_by(service)
    on_node = entry("application-authentication", "platform-app-user", shared_component=("node",))
    assert {"dedicated-node", "dedicated-hardware", "hosted-control-plane", "dedicated-cluster"} <= contained_by(
        on_node
    )
    in_cluster = entry("application-authentication", "platform-app-user", shared_component=("in-cluster-app",))
    assert {"hosted-control-plane", "dedicated-cluster"} <= contained_by(in_cluster)
    assert "dedicated-node" not in contained_by(in_cluster)
    crash = entry("cpu-core-microarchitecture", "vm-guest", effect="dos-node", shared_component=("node",))
    assert "dedicated-node" in contained_by(crash)


def test_least_privilege_contains_what_needs_a_verb_it_withholds() -> None:
    for boundary in ("shared-operator-privilege", "mesh-control-plane", "control-plane-network-position"):
        assert "rbac-least-privilege" in contained_by(entry(boundary, "tenant-api-user")), boundary
        assert "rbac-least-privilege" not in contained_by(entry(boundary, "tenant-api-user", verbs=())), boundary
    assert "rbac-least-privilege" not in contained_by(entry("shared-operator-privilege", "tenant-pod"))
    assert "rbac-least-privilege" not in contained_by(entry("service-dataplane", "tenant-api-user"))
    for more in ({"verbs": ("patch services/status",)}, {"removed_by": ("rbac-restrict-endpointslices",)}):
        assert "rbac-least-privilege" in contained_by(entry("service-dataplane", "tenant-api-user", **more))


@pytest.mark.parametrize(
    ("precondition", "lacked"),
    [
        ("tenant may create PolicyExceptions", True),
        ("needs get access to nodes/proxy", True),
        ("can patch the storageclass", True),
        ("create rights on httproutes.gateway.networking.k8s.io", True),
        ("may create pods", False),
        ("may create Pods and Services", False),
        ("may update pods/status", False),
        ("can create a symlink in its image", False),
        ("gets code to run in a container", False),
    ],
)
def test_a_precondition_may_name_the_verb(tmp_path: Path, precondition: str, lacked: bool) -> None:
    new = {**GOOD, "boundary": "service-dataplane", "attacker_position": "tenant-api-user"}
    meta = {"design_choices": ["rbac-least-privilege"]}
    (row,) = replay_file(written(tmp_path, {**new, "preconditions": [precondition]}, meta=meta), CATALOGUE)
    assert row["outcome"] == ("contained" if lacked else "crossed")


def test_an_operator_that_tenants_write_for_is_not_contained_by_an_identity_alone() -> None:
    rows = {row.entry: row.outcome for row in replay_result(result(with_options("cp_capsule")), MODEL)}
    assert rows["CVE-2025-55205"] == "crossed"


def test_preconditions_decide_as_well() -> None:
    plain = entry("vm-sandbox/host", "vm-guest")
    assert "block-device-rootfs" not in contained_by(plain)
    assert "block-device-rootfs" in contained_by(
        entry("vm-sandbox/host", "vm-guest", removed_by=("block-device-rootfs",))
    )
    assert "psa-restricted" in contained_by(
        entry("container/host-kernel", "tenant-pod", preconditions=("not psa-restricted",))
    )
    needs_mig = entry("gpu-partition", "tenant-pod", effect="gpu-side-channel", preconditions=("gpu-mig",))
    assert {"time-slicing", "dedicated-gpu"} <= contained_by(needs_mig)
    free_text = entry(
        "container/host-kernel", "tenant-pod", preconditions=("a kernel older than 5.10, says the record",)
    )
    assert contained_by(free_text) == contained_by(entry("container/host-kernel", "tenant-pod"))


def test_what_cannot_be_decided_is_undetermined_and_never_contained() -> None:
    driver = entry("gpu-driver/host-kernel", "tenant-pod")
    assert replay_choice(driver, "gvisor", MODEL).outcome == "undetermined"
    hubs = entry("mesh-control-plane", "tenant-api-user")
    assert replay_choice(hubs, "virtual-control-plane", MODEL).outcome == "undetermined"
    assert replay_choice(driver, "a choice nobody knows", MODEL).outcome == "inexpressible"


def test_an_impact_on_which_no_way_ends_leaves_the_other_losses_to_decide() -> None:
    slow = entry("gpu-interconnect", "vm-guest", effect="dos-gpu", impact=("availability",))
    assert contained_by(slow) == {"dedicated-hardware", "dedicated-nvlink-domain"}


def test_an_unknown_position_is_taken_to_stand_at_the_boundary() -> None:
    found = replay_choice(entry("container/host-kernel", "job-submitter"), "namespace-rbac", MODEL)
    assert found.outcome == "crossed"


def test_a_crossed_row_names_asset_path_and_address() -> None:
    flaw = MODEL.evidence["CVE-2025-23266"]
    found = replay_choice(flaw, "namespace-rbac", MODEL)
    assert found == Replayed(
        "CVE-2025-23266",
        "crossed",
        "process-memory",
        "pod -> (GPU container toolkit) -> node root -> process memory and files",
        flaw.source_url,
    )


def test_a_design_is_replayed_against_every_published_flaw() -> None:
    rows = {row.entry: row for row in replay_result(result(SHARED), MODEL)}
    assert set(rows) == set(MODEL.evidence)
    assert rows["CVE-2023-3269"].outcome == "crossed"  # StackRot: no capability needed
    assert rows["CVE-2022-0185"].outcome == "contained"  # needs CAP_SYS_ADMIN in a user namespace
    assert rows["CVE-2018-16359"].outcome == "contained"  # gVisor is not in use
    sandboxed = {row.entry: row for row in replay_result(result(with_options("rt_gvisor")), MODEL)}
    assert sandboxed["CVE-2023-3269"].outcome == "contained"
    assert sandboxed["CVE-2018-16359"].outcome == "crossed"
    assert sandboxed["CVE-2021-21334"].outcome == "crossed"  # made by the host's runtime daemon


def test_flaws_that_need_api_access_do_not_reach_customers() -> None:
    team = {row.entry: row.outcome for row in replay_result(result(SHARED, scenario("team")), MODEL)}
    customer = {row.entry: row.outcome for row in replay_result(result(SHARED, scenario("customer")), MODEL)}
    lost = {name for name in team if team[name] == "crossed" and customer[name] == "contained"}
    assert lost
    assert all(MODEL.evidence[name].attacker_position == "tenant-api-user" for name in lost)
    assert not [name for name in team if team[name] == "contained" and customer[name] == "crossed"]


def test_more_separated_designs_contain_more() -> None:
    def crossed(options: tuple[str, ...]) -> int:
        return sum(row.outcome == "crossed" for row in replay_result(result(options), MODEL))

    own = with_options("cp_managed_per_tenant", "node_baremetal_tenant", "st_dedicated", "net_dpu")
    assert crossed(SHARED) > crossed(with_options("node_dedicated_tenant")) > crossed(own)


def test_the_file_of_published_flaws_replays_row_by_row(shared: Path) -> None:
    path = shared / "facts" / "vulnerabilities.yaml"
    rows = replay_file(path, CATALOGUE)
    document = yaml.load(path.read_text(), yaml.CSafeLoader)
    assert len(rows) == len(document["entries"]) * len(document["meta"]["design_choices"])
    outcomes = {(row["entry"], row["choice"]): row["outcome"] for row in rows}
    total = right = 0
    for found in document["entries"]:
        for column, expected in (("contained_by", "contained"), ("not_contained_by", "crossed")):
            for choice in found[column]:
                total += 1
                right += outcomes[found["id"], choice] == expected
    assert right / total >= 0.95


def test_our_evidence_holds_the_published_file_and_newer_flaws_only(shared: Path) -> None:
    document = yaml.load((shared / "facts" / "vulnerabilities.yaml").read_text(), yaml.CSafeLoader)
    published = {e["id"] for e in document["entries"]}
    ours = {name for name in MODEL.evidence if name not in published}
    assert published <= set(MODEL.evidence)
    assert all(MODEL.evidence[name].year in (2025, 2026) for name in ours)


def test_new_flaws_cover_what_tenants_of_ai_platforms_share() -> None:
    new = Counter(e.component for e in MODEL.evidence.values() if e.year >= 2025)
    wanted = {
        "runtimes": ("runc", "containerd", "cri-o", "kata", "buildkit"),
        "kernels": ("kernel",),
        "GPU operators and drivers": ("gpu-operator", "gpu-driver", "nvidia-container-toolkit", "vgpu"),
        "queue schedulers": ("queue-operator",),
        "delivery and management": ("gitops", "fleet-manager"),
        "secret operators": ("secret-operator",),
    }
    assert all(sum(new[name] for name in names) >= 3 for names in wanted.values())


def test_a_flaw_that_needs_a_verb_says_which() -> None:
    named = [e for e in MODEL.evidence.values() if e.verbs]
    assert len(named) >= 10
    for flaw in named:
        assert all(len(verb.split()) == 2 for verb in flaw.verbs or ()), flaw.id
        assert replay_choice(flaw, "rbac-least-privilege", MODEL).outcome == "contained", flaw.id


def test_a_component_a_record_names_is_presumed_to_exist() -> None:
    store = entry("storage-backend", "platform-app-user", shared_component=("in-cluster-app",))
    assert {"hosted-control-plane", "dedicated-cluster", "per-tenant-storage"} <= contained_by(store)
    assert "dedicated-node" not in contained_by(store)


def test_what_listens_on_the_pod_network_is_kept_from_pods_by_policy() -> None:
    webhook = entry("shared-operator-privilege", "network-adjacent", shared_component=("policy-engine",))
    assert {"network-policy", "per-tenant-addon", "dedicated-cluster"} <= contained_by(webhook)
    assert "rbac-least-privilege" not in contained_by(webhook)


def test_a_sandbox_does_not_keep_out_the_operator_of_the_host() -> None:
    operator = entry("host-operator/confidential-guest", "malicious-host-admin")
    assert replay_choice(operator, "gvisor", MODEL).outcome == "crossed"


GOOD = {
    "id": "X-1",
    "component": "x",
    "boundary": "container/host-kernel",
    "attacker_position": "tenant-pod",
    "source_url": "https://example.org/x",
}


def written(folder: Path, *entries: object, meta: object = None) -> Path:
    path = folder / "evidence.yaml"
    path.write_text(yaml.safe_dump({"meta": meta or {}, "entries": list(entries)}, sort_keys=False))
    return path


def test_a_new_entry_needs_no_more_than_component_boundary_position_and_source(tmp_path: Path) -> None:
    records = read_records(written(tmp_path, GOOD), MODEL)
    assert records.entries[0].id == "X-1"
    assert "baseline" not in records.choices
    rows = replay_file(written(tmp_path, GOOD, meta={"design_choices": {"gvisor": "", "magic": ""}}), CATALOGUE)
    assert [(r["choice"], r["outcome"]) for r in rows] == [("gvisor", "contained"), ("magic", "inexpressible")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_url": None}, "source_url is missing"),
        ({"source_url": " "}, "source_url is missing"),
        ({"boundary": "container/host-kernal"}, "did you mean container/host-kernel?"),
        ({"id": None}, "id is missing"),
        ({"impact": ["loss"]}, "unknown impact 'loss'"),
        ({"impact": 5}, "impact is 5, not a list"),
        ({"shared_component": {"a": 1}}, "not a list"),
        ({"removed_by": ["a!b"]}, "'a!b' is no name"),
        ({"removed_by": "("}, "'(' is no name"),
        ({"shared_component": [""]}, "'' is no name"),
        ({"year": 10**30}, "a year from 1990 to 2100"),
        ({"boundary": None}, "boundary is missing"),
        ({"source_url": "javascript:alert(1)"}, "no address"),
        ({"title": 5}, "title is 5, not text"),
        ({"effect": {"a": 1}}, "not text"),
        ({"confidence": ["high"]}, "not text"),
        ({"id": "X\x1b[2J"}, "holds control characters"),
        ({"id": "X\u202ey"}, "holds control characters"),
        ({"title": "x" * 3000}, "3,000 characters long"),
    ],
)
def test_faulty_entries_are_refused_with_their_line(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = written(tmp_path, GOOD, {**GOOD, "id": "X-2", **change})
    with pytest.raises(InputError) as caught:
        replay_file(path, CATALOGUE)
    (fault,) = caught.value.faults
    assert message in str(fault)
    assert f"{path}:" in fault.where


@pytest.mark.parametrize(
    "meta",
    [{"design_choices": 5}, {"design_choices": [{"a": 1}]}, {"boundaries": "x/y"}, {"boundaries": {"x/y": 5}}],
)
def test_a_vocabulary_of_another_shape_is_refused_with_its_line(tmp_path: Path, meta: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        replay_file(written(tmp_path, GOOD, meta=meta), CATALOGUE)
    (fault,) = caught.value.faults
    assert next(iter(meta)) in str(fault)
    assert "allowed: " in str(fault)


def test_every_fault_of_a_file_comes_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path, {**GOOD, "source_url": ""}, {**GOOD, "id": "B", "boundary": "nowhere"}, {**GOOD, "id": "B"}, 7
    )
    with pytest.raises(InputError) as caught:
        replay_file(path, CATALOGUE)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("text", ["", "- ", "entries: 3", "meta: {}", "entries: {a: 1}", "[1, 2"])
def test_files_that_are_no_evidence_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        replay_file(path, CATALOGUE)


def test_a_boundary_the_file_declares_itself_is_decided_by_what_is_shared(tmp_path: Path) -> None:
    new = {**GOOD, "boundary": "pod/scheduler", "shared_component": ["kube-apiserver"]}
    meta = {"boundaries": {"pod/scheduler": {}}, "design_choices": ["namespace-rbac", "dedicated-cluster"]}
    rows = replay_file(written(tmp_path, new, meta=meta), CATALOGUE)
    assert [row["outcome"] for row in rows] == ["crossed", "contained"]
    unknown = {**new, "shared_component": ["cosmic-rays"]}
    assert {r["outcome"] for r in replay_file(written(tmp_path, unknown, meta=meta), CATALOGUE)} == {"undetermined"}


def test_a_boundary_the_file_declares_is_read_as_those_with_the_same_sides(tmp_path: Path) -> None:
    def outcomes(sides: dict[str, str]) -> dict[str, str]:
        choices = ["namespace-rbac", "gvisor", "dedicated-node", "dedicated-cluster"]
        meta = {"boundaries": {"new": sides}, "design_choices": choices}
        rows = replay_file(written(tmp_path, {**GOOD, "boundary": "new"}, meta=meta), CATALOGUE)
        return {row["choice"]: row["outcome"] for row in rows}

    known = {"namespace-rbac": "crossed", "dedicated-node": "contained", "dedicated-cluster": "contained"}
    assert outcomes({"from": "pod", "to": "host-kernel"}) == {**known, "gvisor": "contained"}
    # Ways to the node differ in whether a sandbox stops them.
    assert outcomes({"from": "device-plugin", "to": "node"}) == {**known, "gvisor": "undetermined"}
    assert set(outcomes({"from": "here", "to": "there"}).values()) == {"undetermined"}
