"""Can a tenant get a pod admitted that is root of its node, or a Service that takes others' traffic?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.rbac import AccessRules, Request
from kubeanswers.objects import ObjectSet, Where, scalar_text, texts
from kubeanswers.pod_security import Violation, enforced, violations
from kubeanswers.pods import PodView, pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import RANK, AdmissionProbe, Taken
from tenancykit.auditing.crossings.probe_pods import Change, fingerprint
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenants import PLATFORM_GROUPS, Tenancy

CROSSING: Final = "api-user-to-node"
TRAFFIC_CROSSING: Final = "service-to-traffic"
QUEUE_CROSSING: Final = "queue-starvation"


def _context(**values: Any) -> Change:
    return Change(container={"securityContext": values})


def _spec(**values: Any) -> Change:
    return Change(spec=values)


ROOT_PODS: Final[Mapping[str, Change]] = {
    "privileged": _context(privileged=True, allowPrivilegeEscalation=True),
    "host-pid": _spec(hostPID=True),
    "host-path": _spec(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
    "host-network": _spec(hostNetwork=True),
    "host-ipc": _spec(hostIPC=True),
    "add-capability": _context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
}
"""Pods that are root of their node, or one step from it; each is otherwise ordinary."""

LESSER_PODS: Final[Mapping[str, Change]] = {
    "host-port": Change(container={"ports": [{"containerPort": 8080, "hostPort": 8080}]}),
    "run-as-root": Change(
        {"securityContext": {"runAsNonRoot": False, "runAsUser": 0}}, {"securityContext": {"runAsUser": 0}}
    ),
    "privilege-escalation": _context(allowPrivilegeEscalation=True),
    "direct-volume": _spec(volumes=[{"name": "share", "nfs": {"server": "nfs.example.com", "path": "/"}}]),
    "cached-image": Change(container={"imagePullPolicy": "IfNotPresent"}),
}
"""Pods the multi-tenancy benchmarks want refused although they are not root of the node."""

NODE_PORT: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "probe"},
    "spec": {"type": "NodePort", "selector": {"app": "probe"}, "ports": [{"port": 80}]},
}
EXTERNAL_ADDRESS: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "probe"},
    "spec": {
        "type": "ClusterIP",
        "selector": {"app": "probe"},
        "ports": [{"port": 443}],
        "externalIPs": ["203.0.113.10"],
    },
}
PLAIN: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "probe"},
    "spec": {"type": "ClusterIP", "selector": {"app": "probe"}, "ports": [{"port": 443}]},
}
"""A Service like any other; the others may be made from it by a change."""
_MAKERS: Final = (
    ("", "pods"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
)


@dataclass(frozen=True)
class HostilePods:
    """Hostile objects put to every tenant's namespaces.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        probe: their admission.
    """

    objects: ObjectSet
    tenancy: Tenancy
    probe: AdmissionProbe
    _sound: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _makers: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)

    def maker(self, namespace: str, group: str = "", resource: str = "") -> str:
        """Return who of the tenant may create pods (or the given resource) in the namespace; empty for nobody."""
        key = (namespace, group, resource)
        if key not in self._makers:
            wanted = ((group, resource),) if resource else _MAKERS
            self._makers[key] = self._who(namespace, ("create",), wanted)
        return self._makers[key]

    def changer(self, namespace: str, group: str, resource: str) -> str:
        """Return who of the tenant may change objects of a resource in the namespace; empty for nobody."""
        return self._who(namespace, ("update", "patch"), ((group, resource),))

    def _who(self, namespace: str, verbs: Iterable[str], resources: Iterable[tuple[str, str]]) -> str:
        for who in self.tenancy.principals[self.tenancy.by_namespace[namespace]]:
            for verb, (group, resource) in itertools.product(verbs, resources):
                request = Request(who.user, verb, who.groups, group, resource, namespace=namespace)
                if self.tenancy.access.can(request).allowed:
                    return who.title
        return ""

    def way(
        self, namespace: str, key: str, made: Mapping[str, Any], plural: str, harmless: Mapping[str, Any]
    ) -> tuple[Taken, str]:
        """Return the widest way to an object that should be refused, and who takes it: made so, or changed later.

        Args:
            namespace: where it would be.
            key: what is tried.
            made: the object.
            plural: its REST resource.
            harmless: the object as it would be made first.
        """
        group = scalar_text(made.get("apiVersion")).rpartition("/")[0]
        best, who = Taken("no"), ""
        for title, taken in (
            (self.maker(namespace, group, plural), self.probe.takes_object(namespace, key, made, plural)),
            (self.changer(namespace, group, plural), self.probe.takes_object(namespace, key, made, plural, harmless)),
        ):
            if title and RANK[taken.verdict] > RANK[best.verdict]:
                best, who = taken, title
        return best, who

    def makers(self) -> dict[str, str]:
        """Return the tenants somebody of whom may create pods, each with who; all others run nothing of their own."""
        found: dict[str, str] = {}
        for namespace, tenant in self.tenancy.by_namespace.items():
            if tenant not in found and (who := self.maker(namespace)):
                found[tenant] = f"{who} may create pods in {namespace}"
        return found

    def admitted(self, namespace: str, pods: Mapping[str, Change]) -> dict[str, str]:
        """Return the hostile pods the namespace takes, each with ``yes`` or ``undecided``."""
        found = {name: self.probe.takes_changed(namespace, change).verdict for name, change in pods.items()}
        return {name: verdict for name, verdict in found.items() if verdict != "no"}

    def _doubt(self, namespace: str, admitted: Mapping[str, str]) -> str:
        """Return what could not be evaluated for the first undecided pod."""
        return self.probe.takes_changed(namespace, ROOT_PODS[next(iter(admitted))]).by

    def node_root(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the tenants that can be root of a node, and those for which it is undecided, each with how."""
        sure: dict[str, str] = {}
        unsure: dict[str, str] = {}
        for tenant, namespaces in self.tenancy.namespaces.items():
            for namespace in namespaces:
                who = self.maker(namespace)
                admitted = self.admitted(namespace, ROOT_PODS) if who else {}
                names = [name for name, verdict in admitted.items() if verdict == "yes"]
                if names:
                    sure.setdefault(tenant, f"{who} may create pods in {namespace}, which takes {', '.join(names)}")
                elif admitted:
                    unsure.setdefault(tenant, f"{namespace}: {self._doubt(namespace, admitted)}")
        return sure, {tenant: why for tenant, why in unsure.items() if tenant not in sure}

    def refusers(self) -> frozenset[str]:
        """Return the barriers that were seen to refuse pods which are root of their node, by id."""
        found: set[str] = set()
        for namespace in self.tenancy.by_namespace:
            if not self.maker(namespace):
                found.add("api-authorization")
                continue
            for change in ROOT_PODS.values():
                taken = self.probe.takes_changed(namespace, change)
                if taken.verdict == "no":
                    found.add("pod-security" if taken.by.startswith("Pod Security") else "admission-policy")
        return frozenset(found)

    def relabels(self, tenant: str) -> bool:
        """Return whether admission lets a tenant take the Pod Security level off one of its namespaces."""
        return any(
            self.maker(namespace) and self.probe.takes_relabelling(namespace).verdict != "no"
            for namespace in self.tenancy.namespaces[tenant]
        )

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per tenant namespace that takes a pod which is root of its node."""
        for namespace, tenant in sorted(self.tenancy.by_namespace.items()):
            admitted = self.admitted(namespace, ROOT_PODS)
            if not admitted:
                continue
            who = self.maker(namespace)
            level, _ = enforced(self.objects.namespaces.get(namespace, {}))
            sure = [name for name, verdict in admitted.items() if verdict == "yes"]
            severity = (Severity.CRITICAL if who else Severity.MEDIUM) if sure else Severity.LOW
            item = self.objects.get("", "Namespace", "", namespace)
            subject, where = about(item) if item else (f"Namespace {namespace}", Where("<input>"))
            actor = who or f"a controller that creates pods for tenant {tenant}"
            names = ", ".join(sure or admitted)
            yield Finding(
                "pod-security-open",
                severity,
                subject,
                where,
                f"namespace {namespace} of tenant {tenant} takes pods with {names} (Pod Security enforces {level})"
                + ("" if sure else f"; {self._doubt(namespace, admitted)}"),
                f"{tenant} -> {actor} -> {names} pod in {namespace} -> root of its node -> every pod on it",
                f"label {namespace} pod-security.kubernetes.io/enforce: restricted (or baseline)",
                CROSSING,
                tuple(check for name, check in _CHECKS.items() if name in admitted),
                (tenant,),
            )

    def broken(self, pod: PodView, level: str) -> list[Violation]:
        """Return the controls of a level that a given pod breaks; pods of tenants that differ in names are one."""
        own = {pod.namespace, self.tenancy.by_namespace.get(pod.namespace, pod.namespace)}
        key = (level, fingerprint({"metadata": pod.metadata, "spec": pod.spec}, own))
        if key in self._sound:
            return []
        found = violations(pod.spec, level, pod.metadata)
        if not found:  # what is found names containers and volumes, so it is each pod's own
            self._sound.add(key)
        return found

    def workload_findings(self) -> Iterator[Finding]:
        """Yield the given pods and templates of tenants that break the baseline standard."""
        for pod in pods_of(self.objects):
            tenant = self.tenancy.by_namespace.get(pod.namespace)
            broken = self.broken(pod, "baseline") if tenant else []
            if not tenant or not broken:
                continue
            level, minor = enforced(self.objects.namespaces.get(pod.namespace, {}))
            refused = bool(violations(pod.spec, level, pod.metadata, minor))
            subject, where = about(pod.source)
            ending = "; its namespace refuses it" if refused else ""
            yield Finding(
                "pod-security-workload",
                Severity.LOW if refused else Severity.HIGH,
                subject,
                where,
                f"{'; '.join(map(str, broken))}{ending}",
                f"{tenant} -> {subject} -> its node",
                "drop what the baseline standard forbids, or run it in a namespace of the platform",
                "" if refused else CROSSING,
                tuple(f"PSS-baseline/{item.control}" for item in broken),
                (tenant,),
            )

    def service_findings(self) -> Iterator[Finding]:
        """Yield tenants that may create Services which claim addresses of others, and the Services that do."""
        for item in self.objects.of("", "Service"):
            claimed = texts(item.spec.get("externalIPs"))
            if claimed:
                owner = self.tenancy.by_namespace.get(item.namespace, "")
                subject, where = about(item)
                yield Finding(
                    "service-external-ips",
                    Severity.MEDIUM if owner else Severity.INFO,
                    subject,
                    where,
                    f"takes the traffic of the whole cluster to {', '.join(claimed[:3])}",
                    f"{owner or 'the platform'} -> {subject} -> traffic to {claimed[0]}",
                    "take spec.externalIPs out, and refuse it by admission policy (CVE-2020-8554)",
                    TRAFFIC_CROSSING if owner else "",
                    (),
                    (owner,) if owner else (),
                )
        for tenant, answer in self.traffic_takers.items():
            yield self._open(
                ("service-external-ips", TRAFFIC_CROSSING),
                tenant,
                answer,
                "them",
                "Service with an address of another tenant in externalIPs -> traffic to that address",
                "refuse spec.externalIPs by admission policy (CVE-2020-8554)",
            )

    def priority_findings(self) -> Iterator[Finding]:
        """Yield tenants whose pods may outrank everybody's."""
        for tenant, answer in self.queue_jumpers.items():
            yield self._open(
                ("priority-open", QUEUE_CROSSING),
                tenant,
                answer,
                "it",
                f"pod of {_HIGHEST} -> scheduler -> other tenants' pods are evicted and wait",
                f"refuse pods whose priorityClassName is {_HIGHEST} or another tenant class's by admission policy",
            )

    def _open(
        self, about: tuple[str, str], tenant: str, answer: tuple[str, str], what: str, path: str, cure: str
    ) -> Finding:
        """Return that a tenant may make something: certainly, or as far as what is evaluated says."""
        (check, crossing), (verdict, why), (subject, where) = about, answer, self._space(tenant)
        certain = verdict == "yes"
        told = f"nothing refuses {what}" if certain else f"what is not evaluated may refuse {what}"
        severity = Severity.MEDIUM if certain else Severity.LOW
        return Finding(
            check, severity, subject, where, f"{why}; {told}", f"{tenant} -> {path}", cure, crossing, (), (tenant,)
        )

    def _space(self, tenant: str) -> tuple[str, Where]:
        namespace = self.tenancy.namespaces[tenant][0]
        item = self.objects.get("", "Namespace", "", namespace)
        return about(item) if item else (f"Namespace {namespace}", Where("<input>"))

    @cached_property
    def traffic_takers(self) -> Mapping[str, tuple[str, str]]:
        """Verdict (yes or undecided) and reason of each tenant that may create a Service with externalIPs."""
        found: dict[str, tuple[str, str]] = {}
        for namespace, tenant in sorted(self.tenancy.by_namespace.items()):
            if found.get(tenant, ("",))[0] == "yes":
                continue
            taken, who = self.way(namespace, "external-address", EXTERNAL_ADDRESS, "services", PLAIN)
            if taken.verdict != "no":
                found[tenant] = (taken.verdict, f"{who} may create or change Services with externalIPs in {namespace}")
        return found

    @cached_property
    def queue_jumpers(self) -> Mapping[str, tuple[str, str]]:
        """Verdict (yes or undecided) and reason of each tenant that may use the highest built-in PriorityClass."""
        found: dict[str, tuple[str, str]] = {}
        for namespace, tenant in sorted(self.tenancy.by_namespace.items()):
            verdict = self.probe.takes_changed(namespace, _spec(priorityClassName=_HIGHEST)).verdict
            if verdict != "no" and found.get(tenant, ("",))[0] != "yes" and self.maker(namespace):
                found[tenant] = (verdict, f"pods of {namespace} may use {_HIGHEST}")
        return found


_HIGHEST: Final = "system-cluster-critical"
"""Usable in any namespace unless admission or quota says otherwise
(https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/)."""

_CHECKS: Final = {
    "privileged": "MTB-PL1-BC-CPI-5",
    "host-pid": "MTB-PL1-BC-HI-4",
    "host-path": "MTB-PL1-BC-HI-1",
    "host-network": "MTB-PL1-BC-HI-3",
    "host-ipc": "MTB-PL1-BC-HI-5",
    "add-capability": "MTB-PL1-BC-CPI-3",
}


def pod_makers(objects: ObjectSet, platform: frozenset[str] = PLATFORM_GROUPS) -> dict[str, str]:
    """Return the tenants of a set somebody of whom may create pods, each with who."""
    tenancy = Tenancy(objects, AccessRules(objects), {}, platform)
    return HostilePods(objects, tenancy, AdmissionProbe(objects, tenancy)).makers()
