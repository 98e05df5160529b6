"""From Kubernetes objects, as parsed YAML or JSON, to what the scheduler looks at.

Applies what the API server would have filled in: requests from limits, overhead and rules of the RuntimeClass, the
priority of the PriorityClass, host ports of host-network pods, label keys merged into selectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tenancykit.criteria.cost.scheduler.values import (
    CPU,
    MEMORY,
    Budget,
    FitScoring,
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
from tenancykit.errors import Fault, InputError
from tenancykit.quantities import millis, whole

Object = Mapping[str, Any]

DEFAULT_CPU: Final = 100
DEFAULT_MEMORY: Final = 200 * 1024 * 1024
"""What a container that asks for no CPU or memory counts as in scores."""
_NOMINAL: Final = {CPU: DEFAULT_CPU, MEMORY: DEFAULT_MEMORY}
_SYSTEM: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def name_of(thing: Object) -> str:
    """Return ``Kind namespace/name`` for messages."""
    meta = thing.get("metadata") or {}
    path = "/".join(part for part in (meta.get("namespace"), meta.get("name")) if part)
    return f"{thing.get('kind', 'object')} {path or '(without a name)'}"


def amount(resource: str, value: Any, where: str) -> int:
    """Return a quantity as a whole number: CPU in milli, everything else in its unit, rounded up.

    Raises:
        InputError: it is not a quantity, or negative.
    """
    try:
        number = millis(value) if resource == CPU else whole(value)
    except (ValueError, TypeError) as error:
        raise InputError(Fault(f"{where}.{resource}", str(error))) from error
    if number < 0:
        raise InputError(Fault(f"{where}.{resource}", f"{value!r} is negative", "zero or more"))
    return number


def amounts(values: Mapping[str, Any] | None, where: str) -> dict[str, int]:
    """Return a resource list as whole numbers."""
    return {resource: amount(resource, value, where) for resource, value in (values or {}).items()}


def label_selector(selector: Object | None) -> Selector | None:
    """Return a label selector as conditions; ``None`` (absent) selects nothing."""
    if selector is None:
        return None
    labels = selector.get("matchLabels") or {}
    equal = tuple(Requirement(key, "In", (value,)) for key, value in sorted(labels.items()))
    return equal + requirements(selector.get("matchExpressions"))


def requirements(expressions: Iterable[Object] | None) -> Selector:
    """Return match expressions as conditions."""
    return tuple(
        Requirement(e["key"], e["operator"], tuple(str(v) for v in e.get("values") or ())) for e in expressions or ()
    )


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
    taints = tuple(Taint(t["key"], str(t.get("value") or ""), t["effect"]) for t in spec.get("taints") or ())
    images = {name: int(i.get("sizeBytes") or 0) for i in status.get("images") or () for name in i.get("names") or ()}
    return Machine(
        meta.get("name", ""),
        dict(meta.get("labels") or {}),
        amounts(allocatable, f"{where}: status.allocatable"),
        taints,
        bool(spec.get("unschedulable")),
        images,
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

    def pod(self, thing: Object) -> Pod:
        """Return a Pod as the scheduler sees it.

        Raises:
            InputError: a quantity is malformed or a class is unknown.
        """
        meta, spec, status = thing.get("metadata") or {}, thing.get("spec") or {}, thing.get("status") or {}
        where = name_of(thing)
        namespace, labels = meta.get("namespace") or "default", dict(meta.get("labels") or {})
        runtime = self._runtime(spec, where)
        priority, preempts = self._priority(spec, where)
        overhead = spec.get("overhead") or (runtime.get("overhead") or {}).get("podFixed")
        extra = amounts(overhead, f"{where}: overhead")
        requests = total_requests(spec, where, {})
        nominal = total_requests(spec, where, _NOMINAL)
        rules = runtime.get("scheduling") or {}
        selector = {**(spec.get("nodeSelector") or {}), **(rules.get("nodeSelector") or {})}
        affinity = spec.get("affinity") or {}
        node_rules = affinity.get("nodeAffinity") or {}
        near, away = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
        return Pod(
            namespace=namespace,
            name=meta.get("name", ""),
            labels=labels,
            requests={k: v for k, v in add(requests, extra).items() if v > 0},
            nominal_cpu=nominal.get(CPU, 0) + extra.get(CPU, 0),
            nominal_memory=nominal.get(MEMORY, 0) + extra.get(MEMORY, 0),
            best_effort=not any(requests.get(name) or extra.get(name) for name in (CPU, MEMORY)),
            node_selector=tuple(sorted(selector.items())),
            node_terms=_node_terms(node_rules.get("requiredDuringSchedulingIgnoredDuringExecution")),
            node_wishes=tuple(
                (int(wish["weight"]), _node_term(wish.get("preference") or {}))
                for wish in node_rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
            ),
            tolerations=tuple(map(_toleration, [*(spec.get("tolerations") or ()), *(rules.get("tolerations") or ())])),
            near=_required(near, namespace, labels),
            away=_required(away, namespace, labels),
            near_wishes=_preferred(near, namespace, labels),
            away_wishes=_preferred(away, namespace, labels),
            spreads=tuple(_spread(c, labels) for c in spec.get("topologySpreadConstraints") or ()),
            ports=tuple(_ports(spec)),
            images=tuple(_image(c) for c in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]),
            priority=priority,
            preempts=preempts,
            started=str(status.get("startTime") or ""),
            node=spec.get("nodeName") or "",
            terminating=bool(meta.get("deletionTimestamp")),
            gated=bool(spec.get("schedulingGates")) and not spec.get("nodeName"),
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


def add(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of two resource lists."""
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}


def _most(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: max(left.get(name, 0), right.get(name, 0)) for name in {**left, **right}}


def container_requests(container: Object, where: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """Return a container's requests; a limit stands in for a missing request, a default for a missing both."""
    resources = container.get("resources") or {}
    place = f"{where}: {container.get('name', 'container')}"
    limits = amounts(resources.get("limits"), f"{place} limits")
    return {**defaults, **limits, **amounts(resources.get("requests"), f"{place} requests")}


def total_requests(spec: Object, where: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """Return what a pod asks for without overhead: its containers, or an init container that asks for more.

    A restartable init container (sidecar) stays, so it counts beside what starts after it. Requests of the pod as a
    whole replace the sums.
    """
    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        total = add(total, container_requests(container, where, defaults))
    staying: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        own = container_requests(container, where, defaults)
        if container.get("restartPolicy") == "Always":
            staying = add(staying, own)
            peak = _most(peak, staying)
        else:
            peak = _most(peak, add(staying, own))
    total = _most(add(total, staying), peak)
    own_level = spec.get("resources") or {}
    limits = amounts(own_level.get("limits"), f"{where}: spec.resources.limits")
    return {**total, **limits, **amounts(own_level.get("requests"), f"{where}: spec.resources.requests")}


def _node_term(term: Object) -> NodeTerm:
    return NodeTerm(requirements(term.get("matchExpressions")), requirements(term.get("matchFields")))


def _node_terms(required: Object | None) -> tuple[NodeTerm, ...] | None:
    return None if required is None else tuple(map(_node_term, required.get("nodeSelectorTerms") or ()))


def _toleration(toleration: Object) -> Toleration:
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


def _spread(constraint: Object, labels: Mapping[str, str]) -> Spread:
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


def _image(container: Object) -> str:
    image = str(container.get("image") or "")
    return image if ":" in image.rsplit("/", maxsplit=1)[-1] or "@" in image else f"{image}:latest"


def services(objects: Sequence[Object]) -> list[tuple[str, Selector]]:
    """Return namespace and selector of every Service that selects pods."""
    return [
        ((o.get("metadata") or {}).get("namespace") or "default", chosen)
        for o in objects
        if o.get("kind") == "Service"
        and (chosen := label_selector({"matchLabels": (o.get("spec") or {}).get("selector") or {}}))
    ]


def budgets(objects: Iterable[Object], pods: Iterable[Object]) -> list[Budget]:
    """Return the disruption budgets; without a status, what they allow is computed from the pods that run.

    As the disruption controller does: percentages and ``maxUnavailable`` count pods that have a controller only.
    """
    running = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName")]
    found = []
    for thing in objects:
        if thing.get("kind") != "PodDisruptionBudget":
            continue
        spec, namespace = thing.get("spec") or {}, (thing.get("metadata") or {}).get("namespace") or "default"
        selector = label_selector(spec.get("selector"))
        allowed = (thing.get("status") or {}).get("disruptionsAllowed")
        if allowed is None:
            allowed = _allowed(spec, [p for p in running if _covered(p, namespace, selector or ())])
        found.append(Budget(namespace, selector, int(allowed)))
    return found


def _covered(pod: Object, namespace: str, selector: Selector) -> bool:
    meta = pod.get("metadata") or {}
    inside = (meta.get("namespace") or "default") == namespace
    return inside and bool(selector) and all(r.holds(meta.get("labels") or {}) for r in selector)


def _allowed(spec: Object, pods: Sequence[Object]) -> int:
    managed = sum(
        any(owner.get("controller") for owner in (pod.get("metadata") or {}).get("ownerReferences") or ())
        for pod in pods
    )
    if spec.get("maxUnavailable") is not None:
        expected, desired = managed, managed - _share(spec["maxUnavailable"], managed)
    else:
        least = spec.get("minAvailable", 1)
        expected = managed if str(least).endswith("%") else len(pods)
        desired = _share(least, expected)
    return max(0, len(pods) - max(0, desired)) if expected else 0


def _share(value: Any, total: int) -> int:
    text = str(value)
    return -(-int(text[:-1]) * total // 100) if text.endswith("%") else int(text)


def fit_scoring(strategy: Object | None) -> FitScoring:
    """Return a NodeResourcesFit scoring strategy; ``None`` is the default profile's."""
    if not strategy:
        return FitScoring()
    default: list[Object] = [{"name": CPU, "weight": 1}, {"name": MEMORY, "weight": 1}]
    resources = tuple((r["name"], int(r.get("weight") or 1)) for r in strategy.get("resources") or default)
    shape = (strategy.get("requestedToCapacityRatio") or {}).get("shape") or ()
    points = tuple((int(p["utilization"]), int(p["score"])) for p in shape)
    return FitScoring(strategy.get("type", "LeastAllocated"), resources, points)
