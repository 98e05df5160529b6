"""What a tenant's namespace must refuse: hostile pods and Services, and what exceeds its quotas and limits.

Every creation is a dry run (``dryRun=All``): it passes the server's whole admission and is never stored. Where the
export says that somebody of the tenant may create such objects, the server is asked in that person's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.access.rbac import Request
from kubeanswers.objects import mapping
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.crossings.hostile_pods import CROSSING as NODE
from tenancykit.auditing.crossings.hostile_pods import (
    EXTERNAL_ADDRESS,
    LESSER_PODS,
    NODE_PORT,
    QUEUE_CROSSING,
    ROOT_PODS,
    TRAFFIC_CROSSING,
)
from tenancykit.auditing.crossings.node_sharing import CROSSING as NEIGHBOURS
from tenancykit.auditing.crossings.probe_pods import Change
from tenancykit.auditing.crossings.sandboxes import CROSSING as KERNEL
from tenancykit.auditing.tenants import Principal, Tenancy
from tenancykit.live.client import FIELD_MANAGER, Answer, ApiServer
from tenancykit.live.excess import Excess, account_of, excesses, least_demanding, mountable
from tenancykit.live.questions import Reply, State

PROBE: Final = "tenancykit-verify"
"""Name of what is created as a dry run."""
_NO_RIGHT: Final = re.compile(r'cannot (create|impersonate) resource "')
_COUNTED: Final = re.compile(r"exceeded quota|failed quota|(maximum|minimum) \S+ usage|no .*[Qq]uota")
_QUOTA: Final = re.compile(r"exceeded quota|status unknown for quota")
_STEERED: Final[Mapping[str, str]] = {
    "without-its-sandbox": KERNEL,
    "tolerates-everything": NEIGHBOURS,
    "anywhere": NEIGHBOURS,
    "outranks-everybody": QUEUE_CROSSING,
}
"""Crossings that pods open which steer clear of what their tenant was given."""
_LOAD_BALANCER: Final = {**NODE_PORT, "spec": {**NODE_PORT["spec"], "type": "LoadBalancer"}}  # type: ignore[dict-item]
SERVICES: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "node-port": (NODE_PORT, ""),
    "load-balancer": (_LOAD_BALANCER, ""),
    "external-address": (EXTERNAL_ADDRESS, TRAFFIC_CROSSING),
}
_CLAIMS: Final[Mapping[str, State]] = {"yes": "allowed", "no": "denied", "undecided": "undecided"}


@dataclass
class AdmissionQuestions:
    """The questions about admission of one cluster.

    Attributes:
        cluster: its name.
        server: its API server.
        tenancy: tenants, namespaces and people by the export.
        probe: the export's admission.
        as_self: ask in the caller's own name only.
    """

    cluster: str
    server: ApiServer
    tenancy: Tenancy
    probe: AdmissionProbe
    as_self: bool = False
    _may_impersonate: bool = field(default=True)

    def replies(self, tenant: str) -> Iterator[Reply]:
        """Yield the answers about one tenant, namespace by namespace."""
        for namespace in self.tenancy.namespaces.get(tenant, ()):
            yield from self._pods(tenant, namespace)
            yield from self._services(tenant, namespace)
            for excess in excesses(self.probe, namespace):
                yield self._excess(tenant, namespace, excess)

    def _pods(self, tenant: str, namespace: str) -> Iterator[Reply]:
        ordinary = least_demanding(self.probe, namespace)
        pod = mountable(ordinary)
        verdict = self.probe.takes(namespace, ordinary).verdict
        claimed = self._bounded(namespace, "denied" if verdict == "no" else "allowed", pod)
        first = self._create(tenant, namespace, "pods", pod)
        observed, why = _observed(first)
        if observed == "denied" and claimed == "allowed" and _COUNTED.search(why):
            observed, why = _counted(why, "its quota is used up, and nothing else refuses it")
        yield Reply("pods", self.cluster, tenant, f"ordinary pod in {namespace}", "", claimed, observed, why)
        for name, change in {**ROOT_PODS, **LESSER_PODS, **self._steered(ordinary)}.items():
            policy = _CLAIMS[self._takes(namespace, ordinary, change)]
            made = change.apply(pod)
            claimed = self._bounded(namespace, policy, made)
            observed, why = _observed(self._create(tenant, namespace, "pods", made))
            if observed == "denied" and _COUNTED.search(why) and (policy == "denied" or claimed == "allowed"):
                observed, why = _counted(why, "quotas and limits refuse it, no policy does")
            elif observed == "denied" and _core(why) == _core(first.message) and not first.is_ok and policy == "denied":
                observed, why = "undecided", f"the namespace refuses an ordinary pod alike: {why}"
            crossing = NODE if name in ROOT_PODS else _STEERED.get(name, "")
            yield Reply("pods", self.cluster, tenant, f"{name} pod in {namespace}", crossing, claimed, observed, why)

    def _takes(self, namespace: str, ordinary: Mapping[str, Any], change: Change) -> str:
        if ordinary is self.probe.ordinary(namespace):
            return self.probe.takes_changed(namespace, change).verdict
        return self.probe.takes(namespace, change.apply(ordinary)).verdict

    @staticmethod
    def _steered(ordinary: Mapping[str, Any]) -> dict[str, Change]:
        """Return the changes that take a pod out of its sandbox, off its nodes, or before everybody else's."""
        spec = mapping(ordinary.get("spec"))
        found = {
            "tolerates-everything": Change(spec={"tolerations": [{"operator": "Exists"}]}),
            "outranks-everybody": Change(spec={"priorityClassName": "system-cluster-critical"}),
        }
        if spec.get("runtimeClassName"):
            found["without-its-sandbox"] = Change(drop=("runtimeClassName",))
        if spec.get("nodeSelector") or spec.get("affinity"):
            found["anywhere"] = Change(drop=("nodeSelector", "affinity"))
        return found

    def _bounded(self, namespace: str, policy: State, made: Mapping[str, Any]) -> State:
        """Return what the export claims of an object: what its policies say, and where they allow it, its quotas."""
        if policy == "denied" or account_of(self.probe, namespace).create(made).code != 403:
            return policy
        return "denied"

    def _services(self, tenant: str, namespace: str) -> Iterator[Reply]:
        for name, (service, crossing) in SERVICES.items():
            policy = _CLAIMS[self.probe.takes_service(namespace, name, service).verdict]
            claimed = self._bounded(namespace, policy, service)
            observed, why = _observed(self._create(tenant, namespace, "services", service))
            text = f"{name} Service in {namespace}"
            yield Reply("services", self.cluster, tenant, text, crossing, claimed, observed, why)

    def _excess(self, tenant: str, namespace: str, excess: Excess) -> Reply:
        observed, why = _observed(self._create(tenant, namespace, excess.resource, excess.made))
        text = f"{excess.words} in {namespace}"
        return Reply("bounds", self.cluster, tenant, text, excess.crossing, excess.claimed, observed, why)

    def _create(self, tenant: str, namespace: str, resource: str, made: Mapping[str, Any]) -> Answer:
        metadata = {**made.get("metadata", {}), "name": PROBE, "namespace": namespace}
        path = f"/api/v1/namespaces/{namespace}/{resource}"
        query = {"dryRun": "All", "fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        body = {**made, "metadata": metadata}
        who = self._maker(tenant, namespace, resource)
        if who is not None:
            headers = [("Impersonate-User", who.user), *(("Impersonate-Group", group) for group in sorted(who.groups))]
            answer = self.server.request("POST", path, body, query=query, headers=headers)
            if not (answer.status == 403 and "cannot impersonate" in answer.message):
                return answer
            self._may_impersonate = False
        return self.server.request("POST", path, body, query=query)

    def _maker(self, tenant: str, namespace: str, resource: str) -> Principal | None:
        """Return somebody of the tenant who may create the objects; None where nobody may, or asking so is off."""
        if self.as_self or not self._may_impersonate:
            return None
        for who in self.tenancy.principals.get(tenant, ()):
            request = Request(who.user, "create", who.groups, "", resource, namespace=namespace)
            if self.tenancy.access.can(request).allowed:
                return who
        return None


def _observed(answer: Answer) -> tuple[State, str]:
    """Return whether admission took an object; what the caller may not ask, or the server cannot read, is undecided."""
    if answer.is_ok:
        return "allowed", ""
    if answer.status == 403 and not _NO_RIGHT.search(answer.message):
        return "denied", answer.message
    if answer.status == 422 and "ValidatingAdmissionPolicy" in answer.message:
        return "denied", answer.message  # a policy may give its own reason, Invalid among them
    return "undecided", answer.message


def _counted(why: str, what: str) -> tuple[State, str]:
    """Return what a quota's refusal means: quotas are asked last, so everything else let the request pass.

    What a LimitRange refuses was not put to policies at all.
    """
    if _QUOTA.search(why):
        return "allowed", f"{what}: {why}"
    return "undecided", f"{what}: {why}"


def _core(message: str) -> str:
    """Return a refusal without the name of what was refused."""
    return message.partition("forbidden:")[2] or message
