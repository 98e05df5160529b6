"""Pod Security Standards: each control refuses what it names, at its level, from its version on."""

from __future__ import annotations

from typing import Any

import pytest

from kubeanswers.pod_security import CONTROLS, LATEST, controls_of, enforced, violations

GOOD: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "image": "registry.example.com/app:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}


def with_container(**fields: Any) -> dict[str, Any]:
    container = {**GOOD["containers"][0], **fields}
    return {**GOOD, "containers": [container]}


def with_context(**fields: Any) -> dict[str, Any]:
    base = GOOD["containers"][0]["securityContext"]
    return with_container(securityContext={**base, **fields})


BREAKS: dict[str, dict[str, Any]] = {
    "host-process": {**GOOD, "securityContext": {**GOOD["securityContext"], "windowsOptions": {"hostProcess": True}}},
    "host-namespaces": {**GOOD, "hostPID": True},
    "privileged-containers": with_context(privileged=True),
    "capabilities": with_context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    "host-path-volumes": {**GOOD, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
    "host-ports": with_container(ports=[{"containerPort": 80, "hostPort": 80}]),
    "host-probes": with_container(livenessProbe={"httpGet": {"port": 80, "host": "127.0.0.1"}}),
    "apparmor": with_context(appArmorProfile={"type": "Unconfined"}),
    "selinux": with_context(seLinuxOptions={"type": "spc_t"}),
    "proc-mount": with_context(procMount="Unmasked"),
    "seccomp": with_context(seccompProfile={"type": "Unconfined"}),
    "sysctls": {
        **GOOD,
        "securityContext": {**GOOD["securityContext"], "sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    },
    "volume-types": {**GOOD, "volumes": [{"name": "v", "nfs": {"server": "s", "path": "/"}}]},
    "privilege-escalation": with_context(allowPrivilegeEscalation=True),
    "run-as-non-root": {**GOOD, "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
    "run-as-non-root-user": with_context(runAsUser=0),
    "seccomp-restricted": {**GOOD, "securityContext": {"runAsNonRoot": True}},
    "capabilities-restricted": with_context(capabilities={"drop": ["NET_RAW"]}),
    "proc-mount-restricted": with_context(procMount="Unmasked"),
}


def test_every_control_has_a_case() -> None:
    assert set(BREAKS) == {control.id for control in CONTROLS}


def test_a_restricted_pod_breaks_nothing() -> None:
    assert violations(GOOD, "restricted") == []


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_each_control_refuses_its_case_at_its_level_and_names_the_container(control: Any) -> None:
    level = control.level
    found = {item.control: item for item in violations(BREAKS[control.id], level)}
    assert control.id in found
    assert found[control.id].why
    assert violations(BREAKS[control.id], "privileged") == []
    if level == "restricted" and control.id != "proc-mount-restricted":
        assert violations(BREAKS[control.id], "baseline") == []


@pytest.mark.parametrize("kind", ["initContainers", "ephemeralContainers"])
def test_init_and_ephemeral_containers_are_held_to_the_same_controls(kind: str) -> None:
    spec = {**GOOD, kind: [{"name": "x", "image": "i", "securityContext": {"privileged": True}}]}
    assert "privileged-containers" in {item.control for item in violations(spec, "baseline")}


def test_a_pod_with_its_own_users_may_be_root_and_unmask_proc_at_baseline() -> None:
    """Kubernetes 1.35 relaxes three controls for user namespaces: KEP-127."""
    spec = {**with_context(runAsUser=0, procMount="Unmasked"), "hostUsers": False}
    assert violations(spec, "baseline") == []
    assert {item.control for item in violations(spec, "restricted")} == {"proc-mount-restricted"}
    assert {item.control for item in violations(spec, "restricted", minor=34)} >= {"run-as-non-root-user", "proc-mount"}


def test_an_older_version_has_fewer_controls() -> None:
    assert "host-probes" not in {control.id for control in controls_of("baseline", 33)}
    assert "host-probes" in {control.id for control in controls_of("baseline", LATEST)}


def test_linux_controls_do_not_bind_windows_pods() -> None:
    spec = {
        "os": {"name": "windows"},
        "securityContext": {"runAsNonRoot": True},
        "containers": [{"name": "c", "image": "i"}],
    }
    assert violations(spec, "restricted") == []


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, ("privileged", LATEST)),
        ({"pod-security.kubernetes.io/enforce": "baseline"}, ("baseline", LATEST)),
        (
            {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "v1.30"},
            ("restricted", 30),
        ),
        ({"pod-security.kubernetes.io/enforce": "strict"}, ("privileged", LATEST)),
        ({"pod-security.kubernetes.io/warn": "restricted"}, ("privileged", LATEST)),
    ],
)
def test_only_the_enforce_label_enforces(labels: dict[str, str], expected: tuple[str, int]) -> None:
    assert enforced(labels) == expected


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="strict"):
        violations(GOOD, "strict")


def test_a_pod_on_the_nodes_network_holds_its_container_ports_as_host_ports() -> None:
    spec = {**with_container(ports=[{"containerPort": 8080}]), "hostNetwork": True}
    assert {item.control for item in violations(spec, "baseline")} == {"host-namespaces", "host-ports"}


@pytest.mark.parametrize("minor", [LATEST + 1, 99])
def test_a_version_not_yet_known_is_held_to_the_newest_that_is(minor: int) -> None:
    for level in ("baseline", "restricted"):
        for spec in BREAKS.values():
            assert violations(spec, level, minor=minor) == violations(spec, level)


@pytest.mark.parametrize(("minor", "expected"), [(18, {"seccomp"}), (19, set()), (LATEST, set())])
def test_before_the_field_there_were_seccomp_annotations(minor: int, expected: set[str]) -> None:
    key = "container.seccomp.security.alpha.kubernetes.io/c"
    found = violations(GOOD, "baseline", {"annotations": {key: "unconfined"}}, minor)
    assert {item.control for item in found} == expected
    assert violations(GOOD, "baseline", {"annotations": {key: "localhost/own.json"}}, minor) == []


def test_the_oldest_versions_ask_only_for_what_could_be_set_then() -> None:
    bare = {"securityContext": {"runAsNonRoot": True}, "containers": [{"name": "c", "image": "i"}]}
    missing = {minor: {item.control for item in violations(bare, "restricted", minor=minor)} for minor in (7, 8, 19)}
    assert missing == {7: set(), 8: {"privilege-escalation"}, 19: {"privilege-escalation", "seccomp-restricted"}}


def test_a_profile_without_a_type_is_forbidden() -> None:
    assert "seccomp" in {item.control for item in violations(with_context(seccompProfile={}), "baseline")}
    assert "apparmor" in {item.control for item in violations(with_context(appArmorProfile={}), "baseline")}


def test_a_volume_with_no_source_is_an_empty_directory() -> None:
    assert violations({**GOOD, "volumes": [{"name": "v"}]}, "restricted") == []


@pytest.mark.parametrize("version", ["v1.²", "36", "v1.030", "v2.1", ""])
def test_an_invalid_version_label_means_the_latest(version: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/enforce-version": version}
    assert enforced(labels) == ("baseline", LATEST)
