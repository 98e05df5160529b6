"""Named checks: the Kubernetes multi-tenancy benchmarks and the Pod Security Standards, by their own ids.

Source of the benchmark ids: https://github.com/kubernetes-sigs/multi-tenancy, folder benchmarks (archived 2021; ids
as in its files, one of which is used twice); pending checks are named by their issue there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from kubeanswers.access.rbac import RBAC_GROUP
from kubeanswers.objects import mapping
from kubeanswers.pod_security import CONTROLS, LEVELS, enforced
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.bounds import Bounds
from tenancykit.auditing.crossings.hostile_pods import LESSER_PODS, NODE_PORT, ROOT_PODS, HostilePods
from tenancykit.auditing.crossings.network_reach import NetworkReach
from tenancykit.auditing.findings import Check, Finding
from tenancykit.auditing.tenants import Tenancy

MTB: Final = "Kubernetes multi-tenancy benchmarks"
PSS: Final = "Pod Security Standards"
_PODS: Final = {**ROOT_PODS, **LESSER_PODS}


@dataclass(frozen=True)
class Evidence:
    """What the checks are answered from."""

    tenancy: Tenancy
    hostile: HostilePods
    bounds: Bounds
    network: NetworkReach
    findings: tuple[Finding, ...]


Answer = tuple[str, str, tuple[str, ...]]
"""Status, detail, and what fails."""


def _by_findings(check: str) -> Callable[[Evidence], Answer]:
    def answer(evidence: Evidence) -> Answer:
        found = [finding for finding in evidence.findings if check in finding.checks]
        failing = tuple(dict.fromkeys(finding.subject for finding in found))[:20]
        return ("fail", found[0].what, failing) if found else ("pass", "", ())

    return answer


def _by_probe(*names: str) -> Callable[[Evidence], Answer]:
    def answer(evidence: Evidence) -> Answer:
        failing: list[str] = []
        unsure: list[str] = []
        for namespace in sorted(evidence.tenancy.by_namespace):
            verdicts = {evidence.hostile.probe.takes_changed(namespace, _PODS[name]).verdict for name in names}
            if "yes" in verdicts:
                failing.append(namespace)
            elif "undecided" in verdicts:
                unsure.append(namespace)
        if failing:
            return "fail", f"namespaces that take such a pod: {len(failing)}", tuple(failing[:20])
        if unsure:
            return "undecided", "an admission engine that is not evaluated may refuse it", tuple(unsure[:20])
        return "pass", "every tenant namespace refuses such a pod", ()

    return answer


def _node_ports(evidence: Evidence) -> Answer:
    failing: list[str] = []
    for namespace in sorted(evidence.tenancy.by_namespace):
        taken = evidence.hostile.probe.takes_service(namespace, "node-port", NODE_PORT).verdict != "no"
        hard = evidence.bounds.hard.get(namespace, {})
        if taken and hard.get("services.nodeports", 1) != 0 and hard.get("services", 1) != 0:
            failing.append(namespace)
    return ("fail", "namespaces that take NodePort services", tuple(failing[:20])) if failing else ("pass", "", ())


def _quota(groups: tuple[str, ...]) -> Callable[[Evidence], Answer]:
    def answer(evidence: Evidence) -> Answer:
        found: dict[str, str] = {}
        for group in groups:
            found.update(evidence.bounds.open_tenants(group))
        return ("fail", next(iter(found.values())), tuple(found)[:20]) if found else ("pass", "", ())

    return answer


def _pull_always(evidence: Evidence) -> Answer:
    status, detail, failing = _by_probe("cached-image")(evidence)
    if status == "fail":
        return (
            "undecided",
            "no policy demands it; the AlwaysPullImages plugin is a flag of the API server, not a manifest",
            failing,
        )
    return status, detail, failing


def _self_service(group: str, resource: str) -> Callable[[Evidence], Answer]:
    def answer(evidence: Evidence) -> Answer:
        lacking = [
            name for name in sorted(evidence.tenancy.by_namespace) if not evidence.hostile.maker(name, group, resource)
        ]
        if lacking:
            return (
                "fail",
                f"nobody of the tenant may create {resource} (level 2: self-service, at odds with fencing tenants in)",
                tuple(lacking[:20]),
            )
        return "pass", "", ()

    return answer


def _reclaim(evidence: Evidence) -> Answer:
    classes = evidence.hostile.objects.of("storage.k8s.io", "StorageClass")
    kept = [item.name for item in classes if item.data.get("reclaimPolicy", "Delete") != "Delete"]
    if not classes:
        return "not-applicable", "no StorageClass in the set", ()
    return ("fail", "classes that keep volumes", tuple(kept)) if kept else ("pass", "", ())


def _free_volumes(evidence: Evidence) -> Answer:
    volumes = evidence.hostile.objects.of("", "PersistentVolume")
    free = [item.name for item in volumes if not mapping(item.spec.get("claimRef")).get("namespace")]
    if not volumes:
        return "not-applicable", "no PersistentVolume in the set", ()
    return ("fail", "volumes any claim may take", tuple(free[:20])) if free else ("pass", "", ())


def _network(evidence: Evidence) -> Answer:
    found = evidence.network.victims
    return ("fail", "tenants whose pods reach others", tuple(sorted(found))[:20]) if found else ("pass", "", ())


_CHECKS: Final[tuple[tuple[str, str, Callable[[Evidence], Answer]], ...]] = (
    ("MTB-PL1-CC-CPI-1", "Block access to cluster resources", _by_findings("MTB-PL1-CC-CPI-1")),
    ("MTB-PL1-BC-CPI-2", "Block multitenant resources", _by_findings("MTB-PL1-BC-CPI-2")),
    ("MTB-PL1-BC-CPI-3", "Block add capabilities", _by_probe("add-capability")),
    ("MTB-PL1-BC-CPI-4", "Require run as non-root", _by_probe("run-as-root")),
    ("MTB-PL1-BC-CPI-5", "Block privileged containers", _by_probe("privileged")),
    ("MTB-PL1-BC-CPI-6", "Block privilege escalation", _by_probe("privilege-escalation")),
    ("MTB-PL1-CC-TI-1", "Block modification of resource quotas", _by_findings("MTB-PL1-CC-TI-1")),
    ("MTB-PL1-CC-TI-2", "Block access to other tenant resources", _by_findings("MTB-PL1-CC-TI-2")),
    ("MTB-PL1-BC-HI-1", "Block host path volumes", _by_probe("host-path")),
    ("MTB-PL1-BC-HI-1 (NodePort)", "Block NodePort services", _node_ports),
    ("MTB-PL1-BC-HI-3", "Block host networking and ports", _by_probe("host-network", "host-port")),
    ("MTB-PL1-BC-HI-4", "Block host PID", _by_probe("host-pid")),
    ("MTB-PL1-BC-HI-5", "Block host IPC", _by_probe("host-ipc")),
    ("MTB-PL1-CC-FNS-1", "Configure namespace resource quotas", _quota(("compute", "storage"))),
    ("MTB-PL1-CC-FNS-2", "Configure namespace object limits", _quota(("objects",))),
    ("MTB-PL1-CC-DI-1", "Require always imagePullPolicy", _pull_always),
    ("MTB-PL2-BC-OPS-3", "Create role bindings", _self_service(RBAC_GROUP, "rolebindings")),
    ("MTB-PL2-BC-OPS-4", "Create network policies", _self_service("networking.k8s.io", "networkpolicies")),
    ("MTB #1198", "Require PersistentVolumeClaim for storage", _by_probe("direct-volume")),
    ("MTB #1199", "Require PV reclaim policy of Delete", _reclaim),
    ("MTB #1200", "Block use of existing PVs", _free_volumes),
    ("MTB #1201", "Block network access across tenant namespaces", _network),
    ("MTB #1202", "Self-service roles", _self_service(RBAC_GROUP, "roles")),
)


def benchmark_checks(evidence: Evidence) -> Iterator[Check]:
    """Yield every check of the multi-tenancy benchmarks; without tenants none applies."""
    for check, title, ask in _CHECKS:
        if not evidence.tenancy.tenants:
            yield Check(check, title, MTB, "not-applicable", "no tenant was recognised")
            continue
        status, detail, failing = ask(evidence)
        yield Check(check, title, MTB, status, detail, failing)


def standard_checks(evidence: Evidence) -> Iterator[Check]:
    """Yield every Pod Security control: enforced in every tenant namespace, and kept by every given pod?"""
    tenancy, objects = evidence.tenancy, evidence.hostile.objects
    if not tenancy.tenants:
        return
    levels = {name: enforced(objects.namespaces.get(name, {}))[0] for name in tenancy.by_namespace}
    broken: dict[str, list[str]] = {}
    for pod in pods_of(objects):
        if pod.namespace in tenancy.by_namespace:
            for item in (*evidence.hostile.broken(pod, "baseline"), *evidence.hostile.broken(pod, "restricted")):
                broken.setdefault(item.control, []).append(str(pod))
    for control in CONTROLS:
        rank = LEVELS.index(control.level)
        lax = [name for name, level in levels.items() if LEVELS.index(level) < rank]
        pods = list(dict.fromkeys(broken.get(control.id, ())))
        parts = [f"not enforced in {len(lax)} tenant namespaces"] * bool(lax) + [
            f"broken by {len(pods)} workloads"
        ] * bool(pods)
        failing = (*sorted(lax)[:10], *pods[:10])
        status = "fail" if parts else "pass"
        yield Check(f"PSS-{control.level}/{control.id}", control.title, PSS, status, "; ".join(parts), failing)
