"""Would this namespace take that pod?  Hostile and awkward pods put to Pod Security and to admission policies.

Namespaces that differ only in their tenant's name answer alike (policies compare labels, they do not know tenants by
heart); one of each such shape is asked, so that ten thousand tenants cost no more than ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.rbac import service_account_groups
from kubeanswers.admission.api_defaults import as_admitted
from kubeanswers.admission.engines import EngineRules, engine_rules
from kubeanswers.admission.evaluation import AdmissionPolicies
from kubeanswers.admission.request import AdmissionRequest
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.pod_security import Violation, enforced, violations
from kubeanswers.pods import PodView, pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.probe_pods import Change, Pool, anonymous, candidates, ordinary_pod, written
from tenancykit.auditing.tenants import Principal, Tenancy
from tenancykit.labels import CLASS_LABEL, POOL_LABEL

_MOST_CHANGED: Final = 4096
"""Changed pods kept."""
_MOST: Final = 8
"""Most workloads, runtime classes and priority classes tried on the way to a pod the namespace takes."""


@dataclass(frozen=True)
class Taken:
    """Whether a namespace takes a pod.

    Attributes:
        verdict: ``yes``, ``no`` or ``undecided``.
        by: what refuses it, or what could not be evaluated.
    """

    verdict: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class _Ordinary:
    """A pod a namespace takes, and its text."""

    pod: Mapping[str, Any]
    text: str


_PLAINEST: Final = ordinary_pod()
_PLAIN: Final = _Ordinary(_PLAINEST, written(_PLAINEST))


@dataclass(frozen=True, slots=True)
class _Changed:
    """A pod with a change, and its text; the change is kept, for it is known by its identity."""

    change: Change
    pod: Mapping[str, Any]
    text: str


@dataclass(frozen=True)
class AdmissionProbe:
    """The admission of a cluster, asked about pods.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
    """

    objects: ObjectSet
    tenancy: Tenancy
    _answers: dict[tuple[object, ...], Taken] = field(default_factory=dict, repr=False)
    _ordinary: dict[str, _Ordinary] = field(default_factory=dict, repr=False)
    _changed: dict[tuple[str, int], _Changed] = field(default_factory=dict, repr=False)
    _shapes: dict[str, tuple[object, ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def rules(self) -> EngineRules:
        """The admission rules of the set, whatever engine they are written for."""
        return engine_rules(self.objects)

    @cached_property
    def _guards(self) -> AdmissionPolicies:
        """What is not evaluated and could refuse requests, as policies that refuse whatever they are asked about."""
        asked = self.rules.guards
        policies, bindings = tuple(g.policy for g in asked), tuple(g.binding for g in asked)
        return AdmissionPolicies(
            policies, bindings, self.policies.namespaces, (), self.tenancy.access, self.objects.kinds
        )

    def _unevaluated(self, request: AdmissionRequest) -> tuple[str, ...]:
        """Return the objects that could refuse the request and are not evaluated."""
        if not self.rules.guards:
            return ()
        found = self._guards.review(request).refusals
        return tuple(dict.fromkeys(refusal.policy.rpartition(" ")[0] for refusal in found))

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """Policies and webhooks of the set that are not evaluated."""
        return tuple(map(str, self.rules.opaque))

    @cached_property
    def judged(self) -> frozenset[ManifestObject]:
        """Objects of admission engines, which are told apart from others that are not evaluated."""
        return frozenset(self.rules.opaque)

    @cached_property
    def policies(self) -> AdmissionPolicies:
        """The policies a cluster would accept, with their bindings and parameters."""
        spaces = {item.name: item.data for item in self.objects.of("", "Namespace")}
        live = {
            name: as_admitted(spaces.get(name) or _space(name, labels))
            for name, labels in self.objects.namespaces.items()
        }
        params = [item.data for item in self.objects if item.kind in self._param_kinds]
        return AdmissionPolicies(
            self.rules.policies, self.rules.bindings, live, params, self.tenancy.access, self.objects.kinds
        )

    @cached_property
    def _param_kinds(self) -> frozenset[str]:
        kinds = (mapping(mapping(policy.get("spec")).get("paramKind")).get("kind") for policy in self.rules.policies)
        return frozenset(map(scalar_text, kinds)) - {""}

    @cached_property
    def _classes(self) -> Mapping[str, Any]:
        return {item.name: item.data.get("value") for item in self.objects.of("scheduling.k8s.io", "PriorityClass")}

    @cached_property
    def _workloads(self) -> Mapping[str, list[PodView]]:
        found: dict[str, list[PodView]] = {}
        for pod in pods_of(self.objects):
            if pod.namespace in self.tenancy.by_namespace:
                found.setdefault(pod.namespace, []).append(pod)
        return found

    @cached_property
    def _runtimes(self) -> Mapping[str, Mapping[str, Any]]:
        return {item.name: item.data for item in self.objects.of("node.k8s.io", "RuntimeClass")}

    def pools(self, namespace: str) -> tuple[Pool, ...]:
        """Return the node pools that are the tenant's by our exports' convention."""
        tenant = self.tenancy.by_namespace.get(namespace, namespace)
        labels = self.objects.namespaces.get(namespace, {})
        return tuple((POOL_LABEL, value) for value in (f"t-{tenant}", labels.get(CLASS_LABEL, "")) if value)

    def ordinary(self, namespace: str) -> Mapping[str, Any]:
        """Return an ordinary pod the namespace takes; the plainest one if it takes none that is known here."""
        return self._usual(namespace).pod

    def _usual(self, namespace: str) -> _Ordinary:
        if namespace not in self._ordinary and self._takes(namespace, _PLAIN.pod, _PLAIN.text).verdict != "no":
            self._ordinary[namespace] = _PLAIN
        if namespace not in self._ordinary:
            workloads = self._workloads.get(namespace, [])[:_MOST]
            priorities = sorted(self._classes)[:_MOST]
            tried = candidates(workloads, self.pools(namespace), sorted(self._runtimes)[:_MOST], priorities)
            found = next((pod for pod in tried if self.takes(namespace, pod).verdict != "no"), None)
            self._ordinary[namespace] = _Ordinary(found, written(found)) if found else _PLAIN
        return self._ordinary[namespace]

    def takes_changed(self, namespace: str, change: Change) -> Taken:
        """Return whether the namespace takes an ordinary pod with this change.

        Where no ordinary pod is known that policies let in, their refusal of the changed one says nothing of the
        change: whoever knows what they ask for may pass. What Pod Security refuses, it refuses of every pod.
        """
        usual = self._usual(namespace)
        changed = self._with(usual, change)
        answer = self._takes(namespace, changed.pod, changed.text)
        if answer.verdict == "no" and self._refused(namespace, usual) and not self._broken(namespace, changed.pod):
            return Taken("undecided", f"no pod that {namespace} takes is known here; {answer.by}")
        return answer

    def _with(self, usual: _Ordinary, change: Change) -> _Changed:
        key = (usual.text, id(change))
        found = self._changed.get(key)
        if found is None:
            if len(self._changed) >= _MOST_CHANGED:
                self._changed.clear()
            pod = change.apply(usual.pod)
            found = self._changed[key] = _Changed(change, pod, written(pod))
        return found

    def _refused(self, namespace: str, usual: _Ordinary) -> bool:
        answer = self._takes(namespace, usual.pod, usual.text)
        return answer.verdict == "no" and not self._broken(namespace, usual.pod)

    def _broken(self, namespace: str, pod: Mapping[str, Any]) -> list[Violation]:
        level, minor = enforced(self.objects.namespaces.get(namespace, {}))
        return violations(pod["spec"], level, pod.get("metadata"), minor)

    def takes(self, namespace: str, pod: Mapping[str, Any]) -> Taken:
        """Return whether the namespace takes the pod."""
        return self._takes(namespace, pod, written(pod))

    def _takes(self, namespace: str, pod: Mapping[str, Any], text: str) -> Taken:
        own = {namespace, self.tenancy.by_namespace.get(namespace, namespace)}
        key = (self.shape(namespace), anonymous(text, own))
        if key not in self._answers:
            self._answers[key] = self._ask(namespace, pod)
        return self._answers[key]

    def shape(self, namespace: str) -> tuple[object, ...]:
        """Return what the answer depends on: the namespace's labels with the tenant's own name taken out."""
        if namespace not in self._shapes:
            self._shapes[namespace] = self._shape(namespace)
        return self._shapes[namespace]

    def _shape(self, namespace: str) -> tuple[object, ...]:
        tenant = self.tenancy.by_namespace.get(namespace, namespace)
        labels = self.objects.namespaces.get(namespace, {})
        own = {namespace, tenant}
        if any(name in text for name in own for text in self._literals):
            return (namespace,)
        level = "pod-security.kubernetes.io/"  # a tenant may be called "baseline", its level may not
        return tuple(
            sorted((key, value if key.startswith(level) else anonymous(value, own)) for key, value in labels.items())
        )

    @cached_property
    def _literals(self) -> frozenset[str]:
        """Every policy and binding as text: a tenant named in one is asked by itself."""
        asked = (data for guard in self.rules.guards for data in (guard.policy, guard.binding))
        return frozenset(str(item.get("spec")) for item in (*self.rules.policies, *self.rules.bindings, *asked))

    def _ask(self, namespace: str, pod: Mapping[str, Any]) -> Taken:
        broken = self._broken(namespace, pod)
        if broken:
            level, _ = enforced(self.objects.namespaces.get(namespace, {}))
            return Taken("no", f"Pod Security {level} on Namespace {namespace} ({broken[0].title})")
        asked = [
            self._request("Pod", "pods", namespace, as_admitted(made, namespace, self._classes, self._runtimes), who)
            for made in (pod, *self._labelled(pod))
            for who in self._makers(namespace)
        ]
        return self._widest(asked)

    def _labelled(self, pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pod with the labels that take pods out of a policy: whoever makes a pod chooses its labels."""
        metadata = mapping(pod.get("metadata"))
        for labels in self._escapes:
            yield {**pod, "metadata": {**metadata, "labels": {**mapping(metadata.get("labels")), **labels}}}

    @cached_property
    def _escapes(self) -> tuple[Mapping[str, str], ...]:
        """Labels under which some policy's selector of objects does not mean a pod."""
        found: dict[str, dict[str, str]] = {}
        for data in (*self.rules.policies, *self.rules.bindings):
            spec = mapping(data.get("spec"))
            for part in ("matchConstraints", "matchResources"):
                for term in mappings(mapping(mapping(spec.get(part)).get("objectSelector")).get("matchExpressions")):
                    key, values = scalar_text(term.get("key")), texts(term.get("values"))
                    if term.get("operator") == "DoesNotExist":
                        found[key] = {key: "x"}
                    elif term.get("operator") == "NotIn" and values:
                        found[key] = {key: values[0]}
        return tuple(found.values())

    def _widest(self, requests: Iterable[AdmissionRequest]) -> Taken:
        """Return the answer to the request that gets furthest: whoever may choose among them chooses that."""
        found = [self._reviewed(request) for request in requests]
        return max(found, key=lambda taken: RANK[taken.verdict])

    def _reviewed(self, request: AdmissionRequest) -> Taken:
        answer = self.policies.review(request)
        if answer.denial:
            return Taken("no", f"ValidatingAdmissionPolicy {answer.denial.policy}: {answer.denial.message}")
        if answer.undecided:
            return Taken("undecided", answer.doubt)
        unread = self._unevaluated(request)
        return Taken("undecided", f"not evaluated: {', '.join(unread[:3])}") if unread else Taken("yes")

    def _makers(self, namespace: str) -> list[Principal]:
        """Return those who may be seen to create a tenant's pods: one of its own, and controllers where it matters.

        Pods of a Deployment are created by a controller's service account, whoever made the Deployment.
        """
        people = list(self.tenancy.principals.get(self.tenancy.by_namespace.get(namespace, ""), ()))
        if not self._knows_users:
            return people[:1] or [_NOBODY]
        kinds = {who.user.startswith("system:serviceaccount:"): who for who in reversed(people)}
        return [*kinds.values(), _CONTROLLER] if kinds else [_NOBODY]

    @cached_property
    def _knows_users(self) -> bool:
        """Whether any admission rule looks at who asks."""
        rules = (*self.rules.policies, *(guard.policy for guard in self.rules.guards))
        return any(word in str(rule.get("spec")) for rule in rules for word in ("userInfo", "authorizer"))

    def takes_service(self, namespace: str, name: str, service: Mapping[str, Any]) -> Taken:
        """Return whether the namespace takes a new Service, as far as admission policies say."""
        return self.takes_object(namespace, f"Service {name}", service, "services")

    def takes_object(
        self, namespace: str, key: str, made: Mapping[str, Any], resource: str, old: Mapping[str, Any] | None = None
    ) -> Taken:
        """Return whether the namespace takes an object other than a pod, as far as admission policies say.

        Args:
            namespace: where it would be.
            key: what is tried; namespaces of one shape are asked once per key.
            made: the object.
            resource: its REST resource.
            old: the object it would be changed from; None where it would be created.
        """
        shape = (self.shape(namespace), key, old is not None)
        if shape not in self._answers:
            kind = scalar_text(made.get("kind"))
            new = as_admitted(made, namespace)
            requests = [self._request(kind, resource, namespace, new, who) for who in self._writers(namespace)]
            if old is not None:
                before = as_admitted(old, namespace)
                requests = [replace(request, operation="UPDATE", old=before) for request in requests]
            self._answers[shape] = self._widest(requests)
        return self._answers[shape]

    def _writers(self, namespace: str) -> list[Principal]:
        found = [who for who in self._makers(namespace) if who is not _CONTROLLER]
        return found or [_NOBODY]

    def takes_relabelling(self, namespace: str) -> Taken:
        """Return whether admission lets the tenant change its Namespace to enforce no Pod Security level."""
        labels = dict(self.objects.namespaces.get(namespace, {}))
        old = as_admitted(_space(namespace, labels))
        new = as_admitted(_space(namespace, {**labels, "pod-security.kubernetes.io/enforce": "privileged"}))
        asked = self._request("Namespace", "namespaces", namespace, new, self._writers(namespace)[0])
        return self._reviewed(replace(asked, operation="UPDATE", name=namespace, namespace="", old=old))

    @staticmethod
    def _request(kind: str, resource: str, namespace: str, made: Mapping[str, Any], who: Principal) -> AdmissionRequest:
        group, _, version = scalar_text(made.get("apiVersion")).rpartition("/")
        return AdmissionRequest(
            "CREATE",
            group,
            version or "v1",
            kind,
            resource,
            "probe",
            namespace,
            object=made,
            user=who.user,
            groups=who.groups,
        )


RANK: Final = {"no": 0, "undecided": 1, "yes": 2}
"""Verdicts from the tightest to the widest."""
_NOBODY: Final = Principal("tenant", frozenset({"system:authenticated"}), "somebody of the tenant")
_CONTROLLER: Final = Principal(
    "system:serviceaccount:kube-system:replicaset-controller",
    service_account_groups("kube-system"),
    "the controller of its workloads",
)


def _space(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
