"""From Kubernetes objects, as parsed YAML or JSON, to what the scheduler looks at.

Applies what the API server would have filled in: requests from limits, overhead and rules of the RuntimeClass, the
priority of the PriorityClass, host ports of host-network pods, label keys merged into selectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kubeanswers.compute import added
from kubeanswers.errors import Fault, InputError
from kubeanswers.scheduling.requests import (
    Object,
    amounts,
    nominal_requests,
    scored_requests,
    total_requests,
)
from kubeanswers.scheduling.values import (
    CPU,
    MEMORY,
    InlineDisk,
    Machine,
    NodeTerm,
    Pod,
    PodTerm,
    Port,
    Requirement,
    Selector,
    Spread,
    Taint,
    Toleration,
)

_LABEL_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_NODE_OPERATORS: Final = (*_LABEL_OPERATORS, "Gt", "Lt")
SPREADING: Final = ("ReplicaSet", "StatefulSet", "ReplicationController")
"""Controllers whose pods are spread by default."""
_IDENTITY: Final = {
    "gcePersistentDisk": (("pdName", ""),),
    "awsElasticBlockStore": (("volumeID", ""),),
    "iscsi": (("iqn", ""),),
    "rbd": (("pool", "rbd"), ("image", "")),
}
"""What identifies a disk named in a pod, with the API's default."""
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SYSTEM: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def name_of(thing: Object) -> str:
    """Return ``Kind namespace/name`` for messages."""
    meta = thing.get("metadata") or {}
    path = "/".join(part for part in (meta.get("namespace"), meta.get("name")) if part)
    return f"{thing.get('kind', 'object')} {path or '(without a name)'}"


def labels_of(thing: Object) -> dict[str, str]:
    """Return an object's labels."""
    return dict((thing.get("metadata") or {}).get("labels") or {})


def label_selector(selector: Object | None) -> Selector | None:
    """Return a label selector as conditions; ``None`` (absent) selects nothing.

    Raises:
        ValueError: an operator is none of a label selector's.
    """
    if selector is None:
        return None
    labels = selector.get("matchLabels") or {}
    equal = tuple(Requirement(key, "In", (str(value),)) for key, value in sorted(labels.items()))
    return equal + requirements(selector.get("matchExpressions"), _LABEL_OPERATORS)


def requirements(expressions: Iterable[Object] | None, operators: Sequence[str] = _NODE_OPERATORS) -> Selector:
    """Return match expressions as conditions.

    Raises:
        ValueError: an operator is none of those allowed.
    """
    return tuple(
        Requirement(e["key"], one_of("operator", e["operator"], operators), tuple(map(str, e.get("values") or ())))
        for e in expressions or ()
    )


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return a value if it is one of those allowed.

    Raises:
        ValueError: it is not.
    """
    if value not in allowed:
        raise ValueError(f"{name} {value!r} is none of {', '.join(allowed)}")
    return str(value)


def machine(node: Object) -> Machine:
    """Return a Node as the scheduler sees it.

    Raises:
        InputError: its allocatable is missing or malformed.
    """
    meta, spec, status = node.get("metadata") or {}, node.get("spec") or {}, node.get("status") or {}
    where = name_of(node)
    allocatable = status.get("allocatable") or status.get("capacity")
    if not allocatable:
        raise InputError(Fault(f"{where}: status.allocatable", "is missing", "cpu, memory, pods and devices"))
    taints = tuple(
        Taint(t["key"], str(t.get("value") or ""), one_of("taint effect", t["effect"], _EFFECTS))
        for t in spec.get("taints") or ()
    )
    images = {name: int(i.get("sizeBytes") or 0) for i in status.get("images") or () for name in i.get("names") or ()}
    return Machine(
        meta.get("name", ""),
        labels_of(node),
        amounts(allocatable, f"{where}: status.allocatable"),
        taints,
        bool(spec.get("unschedulable")),
        images,
        frozenset(map(str, status.get("declaredFeatures") or ())),
    )


class Reader:
    """Pods read against the classes of a cluster.

    Attributes:
        priorities: PriorityClass objects by name.
        runtimes: RuntimeClass objects by name.
    """

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        found = list(objects)
        self.priorities = {o["metadata"]["name"]: o for o in found if o.get("kind") == "PriorityClass"}
        self.runtimes = {o["metadata"]["name"]: o for o in found if o.get("kind") == "RuntimeClass"}
        self._alike: dict[tuple[object, ...], Pod] = {}

    def pod(self, thing: Object) -> Pod:
        """Return a Pod as the scheduler sees it.

        Raises:
            InputError: a quantity is malformed or a class is unknown.
        """
        meta, spec, status = thing.get("metadata") or {}, thing.get("spec") or {}, thing.get("status") or {}
        if (
            status.keys() - {"phase"}
            or "deletionTimestamp" in meta
            or spec.get("resourceClaims")
            or spec.get("volumes")
        ):
            return self._read(thing)
        alike = (meta.get("namespace"), repr(spec), repr(meta.get("labels")), repr(meta.get("ownerReferences")))
        known = self._alike.get(alike)
        if known is None:
            known = self._alike[alike] = self._read(thing)
        return known if known.name == meta.get("name", "") else replace(known, name=meta.get("name", ""))

    def _read(self, thing: Object) -> Pod:
        meta, spec, status = thing.get("metadata") or {}, thing.get("spec") or {}, thing.get("status") or {}
        where = name_of(thing)
        namespace, labels = meta.get("namespace") or "default", labels_of(thing)
        runtime = self._runtime(spec, where)
        priority, preempts = self._priority(spec, where)
        overhead = spec.get("overhead") or (runtime.get("overhead") or {}).get("podFixed")
        extra = amounts(overhead, f"{where}: overhead")
        requests, nominal = total_requests(spec, where, status), nominal_requests(spec, where, status)
        scored = scored_requests(spec, where)
        rules = runtime.get("scheduling") or {}
        selector = {**(spec.get("nodeSelector") or {}), **(rules.get("nodeSelector") or {})}
        affinity = spec.get("affinity") or {}
        node_rules = affinity.get("nodeAffinity") or {}
        near, away = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
        return Pod(
            namespace=namespace,
            name=meta.get("name", ""),
            labels=labels,
            requests={k: v for k, v in added(requests, extra).items() if v > 0},
            nominal_cpu=nominal.get(CPU, 0) + extra.get(CPU, 0),
            nominal_memory=nominal.get(MEMORY, 0) + extra.get(MEMORY, 0),
            scored_cpu=scored.get(CPU, 0) + extra.get(CPU, 0),
            scored_memory=scored.get(MEMORY, 0) + extra.get(MEMORY, 0),
            node_selector=tuple(sorted(selector.items())),
            node_terms=node_terms(node_rules.get("requiredDuringSchedulingIgnoredDuringExecution")),
            node_wishes=tuple(
                (int(wish["weight"]), node_term(wish.get("preference") or {}))
                for wish in node_rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
            ),
            tolerations=tuple(map(toleration, [*(spec.get("tolerations") or ()), *(rules.get("tolerations") or ())])),
            near=_required(near, namespace, labels),
            away=_required(away, namespace, labels),
            near_wishes=_preferred(near, namespace, labels),
            away_wishes=_preferred(away, namespace, labels),
            spreads=tuple(spread(c, labels) for c in spec.get("topologySpreadConstraints") or ()),
            ports=tuple(_ports(spec)),
            claims=tuple(_claims(spec, meta.get("name", ""))),
            disks=tuple(_disks(spec)),
            device_claims=tuple(_device_claims(spec, status, meta.get("name", ""))),
            images=tuple(_image(c.get("image")) for c in _every_container(spec)),
            mounted=tuple(_image(v["image"].get("reference")) for v in spec.get("volumes") or () if v.get("image")),
            features=_features(spec),
            owner=_owner(meta),
            priority=priority,
            preempts=preempts,
            started=str(status.get("startTime") or ""),
            node=spec.get("nodeName") or "",
            nominated=status.get("nominatedNodeName") or "",
            terminating=bool(meta.get("deletionTimestamp")),
            preempted=bool(meta.get("deletionTimestamp")) and _preempted(status),
            gated=bool(spec.get("schedulingGates")) and not spec.get("nodeName"),
            scheduler=spec.get("schedulerName") or "default-scheduler",
        )

    def _runtime(self, spec: Object, where: str) -> Object:
        name = spec.get("runtimeClassName")
        if not name:
            return {}
        if name not in self.runtimes:
            if spec.get("overhead") is not None:
                return {}
            known = ", ".join(sorted(self.runtimes)) or "none"
            raise InputError(Fault(f"{where}: spec.runtimeClassName", f"{name!r} is unknown", known, "add the object"))
        return self.runtimes[name]

    def _priority(self, spec: Object, where: str) -> tuple[int, bool]:
        name = spec.get("priorityClassName")
        found = self.priorities.get(name) if name else self._default_priority()
        if name and found is None and name not in _SYSTEM and spec.get("priority") is None:
            known = ", ".join(sorted(self.priorities)) or "none"
            raise InputError(Fault(f"{where}: spec.priorityClassName", f"{name!r} is unknown", known, "add the object"))
        value = spec.get("priority")
        if value is None:
            value = _SYSTEM.get(str(name), 0) if found is None else found.get("value", 0)
        policy = spec.get("preemptionPolicy") or (found or {}).get("preemptionPolicy")
        return int(value), policy != "Never"

    def _default_priority(self) -> Object | None:
        return next((found for found in self.priorities.values() if found.get("globalDefault")), None)


def node_term(term: Object) -> NodeTerm:
    """Return conditions on a machine."""
    return NodeTerm(requirements(term.get("matchExpressions")), requirements(term.get("matchFields")))


def node_terms(required: Object | None) -> tuple[NodeTerm, ...] | None:
    """Return alternatives of conditions on a machine; ``None`` where there are none."""
    return None if required is None else tuple(map(node_term, required.get("nodeSelectorTerms") or ()))


def toleration(toleration: Object) -> Toleration:
    """Return a toleration of taints, of machines or of devices."""
    return Toleration(
        toleration.get("key") or "",
        toleration.get("operator") or "Equal",
        str(toleration.get("value") or ""),
        toleration.get("effect") or "",
    )


def _keys(selector: Selector | None, term: Object, labels: Mapping[str, str]) -> Selector | None:
    """Return the selector with ``matchLabelKeys`` and ``mismatchLabelKeys`` taken from the pod's own labels."""
    if selector is None:
        return None
    same = [Requirement(k, "In", (labels[k],)) for k in term.get("matchLabelKeys") or () if k in labels]
    other = [Requirement(k, "NotIn", (labels[k],)) for k in term.get("mismatchLabelKeys") or () if k in labels]
    return (*selector, *same, *other)


def _pod_term(term: Object, namespace: str, labels: Mapping[str, str], weight: int = 0) -> PodTerm:
    chosen = term.get("namespaceSelector")
    named = frozenset(term.get("namespaces") or (() if chosen is not None else (namespace,)))
    selector = _keys(label_selector(term.get("labelSelector")), term, labels)
    return PodTerm(selector, named, label_selector(chosen), term["topologyKey"], weight)


def _required(rules: Object, namespace: str, labels: Mapping[str, str]) -> tuple[PodTerm, ...]:
    terms = rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_pod_term(term, namespace, labels) for term in terms)


def _preferred(rules: Object, namespace: str, labels: Mapping[str, str]) -> tuple[PodTerm, ...]:
    return tuple(
        _pod_term(wish["podAffinityTerm"], namespace, labels, int(wish["weight"]))
        for wish in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    )


def spread(constraint: Object, labels: Mapping[str, str]) -> Spread:
    """Return a topology spread constraint of a pod with some labels."""
    return Spread(
        constraint["topologyKey"],
        int(constraint["maxSkew"]),
        hard=constraint["whenUnsatisfiable"] == "DoNotSchedule",
        selector=_keys(label_selector(constraint.get("labelSelector")), constraint, labels),
        min_domains=int(constraint.get("minDomains") or 1),
        honor_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _ports(spec: Object) -> Iterable[Port]:
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if spec.get("hostNetwork") else 0)
            if number:
                yield Port(port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(number))  # noqa: S104 - the API's wildcard


def _every_container(spec: Object) -> list[Object]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _image(name: Any) -> str:
    image = str(name or "")
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


def _claims(spec: Object, pod: str) -> Iterable[tuple[str, bool]]:
    for volume in spec.get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"], False
        elif volume.get("ephemeral"):
            yield f"{pod}-{volume['name']}", True


def _device_claims(spec: Object, status: Object, pod: str) -> Iterable[tuple[str, str]]:
    made = {one["name"]: one.get("resourceClaimName") for one in status.get("resourceClaimStatuses") or ()}
    for claim in spec.get("resourceClaims") or ():
        source = claim.get("source") or claim
        name = source.get("resourceClaimName") or made.get(claim["name"], f"{pod}-{claim['name']}")
        if name:
            yield name, source.get("resourceClaimTemplateName") or ""


def _disks(spec: Object) -> Iterable[InlineDisk]:
    for volume in spec.get("volumes") or ():
        for kind, fields in _IDENTITY.items():
            disk = volume.get(kind)
            if disk:
                identity = tuple(str(disk.get(name) or default) for name, default in fields)
                yield InlineDisk(kind, identity, bool(disk.get("readOnly")), frozenset(disk.get("monitors") or ()))


def _features(spec: Object) -> frozenset[str]:
    """Return the kubelet features a pod cannot run without (KEP 5328)."""
    needed = set()
    rules = [rule for c in _every_container(spec) for rule in c.get("restartPolicyRules") or ()]
    if any(rule.get("action") == "RestartAllContainers" for rule in rules):
        needed.add("RestartAllContainersOnContainerExits")
    if spec.get("hostNetwork") and spec.get("hostUsers") is False:
        needed.add("UserNamespacesHostNetworkSupport")
    return frozenset(needed)


def _preempted(status: Object) -> bool:
    conditions = (one for one in status.get("conditions") or () if one.get("type") == "DisruptionTarget")
    found: Object = next(conditions, {})
    return found.get("status") == "True" and found.get("reason") == "PreemptionByScheduler"


def _owner(meta: Object) -> str:
    owners = (one for one in meta.get("ownerReferences") or () if one.get("controller"))
    return next((f"{one.get('kind')}/{one.get('name')}" for one in owners), "")


def services(objects: Sequence[Object]) -> list[tuple[str, Selector]]:
    """Return namespace and selector of every Service that selects pods."""
    return [
        ((o.get("metadata") or {}).get("namespace") or "default", chosen)
        for o in objects
        if o.get("kind") == "Service"
        and (chosen := label_selector({"matchLabels": (o.get("spec") or {}).get("selector") or {}}))
    ]


def controllers(objects: Sequence[Object]) -> dict[tuple[str, str], Selector]:
    """Return the selector of every controller whose pods are spread by default, by namespace and ``Kind/name``."""
    found: dict[tuple[str, str], Selector] = {}
    for thing in objects:
        if thing.get("kind") not in SPREADING:
            continue
        meta, selector = thing.get("metadata") or {}, (thing.get("spec") or {}).get("selector") or {}
        if thing["kind"] == "ReplicationController":
            selector = {"matchLabels": selector}
        key = (meta.get("namespace") or "default", f"{thing['kind']}/{meta.get('name')}")
        found[key] = label_selector(selector) or ()
    return found
