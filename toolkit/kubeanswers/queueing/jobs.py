"""What waits in the queues or runs: Workloads, and jobs of many kinds turned into pod sets as Kueue turns them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.compute import added
from kubeanswers.errors import InputError
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, text_map
from kubeanswers.queueing.manifests import GROUP, Faults, of_kind, seconds
from kubeanswers.queueing.values import Domain, Granted, PodSet, Reserved, TopologyRequest, Workload
from kubeanswers.quota.limit_ranges import Limit, limits_of, pod_refusals, with_limit_defaults
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number
from kubeanswers.scheduling.objects import node_terms, toleration
from kubeanswers.scheduling.requests import amounts, total_requests

Part = tuple[str, int, Mapping[str, Any], int | None]
"""Name, count, pod template and smallest count of a pod set."""

QUEUE_LABEL: Final = f"{GROUP}/queue-name"
_PRIORITY_LABEL: Final = f"{GROUP}/priority-class"
_GATED: Final = f"{GROUP}/admission-gated-by"
_GROUP_LABEL: Final = f"{GROUP}/pod-group-name"
_MIN_PARALLELISM: Final = f"{GROUP}/job-min-parallelism"
_REPLICAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "PyTorchJob": ("pytorchReplicaSpecs", ("Master", "Worker")),
    "TFJob": ("tfReplicaSpecs", ("Chief", "Master", "PS", "Worker", "Evaluator")),
    "XGBoostJob": ("xgbReplicaSpecs", ("Master", "Worker")),
    "PaddleJob": ("paddleReplicaSpecs", ("Master", "Worker")),
    "JAXJob": ("jaxReplicaSpecs", ("Worker",)),
    "MPIJob": ("mpiReplicaSpecs", ("Launcher", "Worker")),
}
"""Kubeflow's jobs: field and roles in the order Kueue lists them."""


@dataclass
class Jobs:
    """What waits and runs.

    Attributes:
        waiting: in no particular order.
        running: what holds quota.
        templates: pod templates by workload and pod set, to place pods later.
        notes: what was left out, and why.
    """

    waiting: list[Workload] = field(default_factory=list)
    running: list[Reserved] = field(default_factory=list)
    templates: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    items: dict[str, ManifestObject] = field(default_factory=dict)


def read_jobs(objects: ObjectSet, faults: Faults) -> Jobs:
    """Return the workloads of the objects: Kueue's own, and jobs with a queue's name that have none yet."""
    found = Jobs()
    classes = _Classes(objects, faults)
    owned = set()
    for item in of_kind(objects, "Workload"):
        owned |= {
            (item.namespace, str(owner.get("kind")), str(owner.get("name")))
            for owner in mappings(item.metadata.get("ownerReferences"))
        }
        with faults.about(item):
            _workload(item, classes, found, faults)
    groups: dict[tuple[str, str], list[ManifestObject]] = {}
    for item in objects:
        queue = item.labels.get(QUEUE_LABEL) or item.annotations.get(QUEUE_LABEL)
        if not queue or (item.namespace, item.kind, item.name) in owned or item.group == GROUP:
            continue
        if any(owner.get("controller") for owner in mappings(item.metadata.get("ownerReferences"))):
            continue
        if item.kind == "Pod" and (name := item.labels.get(_GROUP_LABEL)):
            groups.setdefault((item.namespace, name), []).append(item)
            continue
        parts = _PARTS.get(item.kind)
        if parts is None:
            found.notes.append(f"{item} ({item.where}): how Kueue counts a {item.kind} is not known here; left out")
            continue
        with faults.about(item):
            _take(item, item.name, queue, list(parts(item.spec, item)), classes, found, faults)
    for (_, name), pods in groups.items():
        with faults.about(pods[0]):
            _take(pods[0], name, pods[0].labels[QUEUE_LABEL], _pod_group(pods), classes, found, faults)
    return found


class _Classes:
    """What a job is read against: priority classes, and the limits of its namespace."""

    def __init__(self, objects: ObjectSet, faults: Faults) -> None:
        def value(item: ManifestObject) -> tuple[str, int]:
            return item.name, int(item.data.get("value") or 0)

        pods = [item for item in objects if item.kind == "PriorityClass" and item.group == "scheduling.k8s.io"]
        self.queueing = dict(faults.each(of_kind(objects, "WorkloadPriorityClass"), value))
        self.pods = dict(faults.each(pods, value))
        self.default = next((self.pods.get(i.name, 0) for i in pods if i.data.get("globalDefault")), 0)
        self.limits: dict[str, list[Limit]] = {}
        for item in (item for item in objects if item.kind == "LimitRange" and not item.group):
            with faults.about(item):
                self.limits.setdefault(item.namespace, []).extend(limits_of(item.spec))

    def stored(self, namespace: str, parts: list[Part]) -> list[Part]:
        """Return pod sets with what a namespace's LimitRanges fill in, as Kueue does before it counts."""
        limits = self.limits.get(namespace, ())
        return [
            (name, count, {**template, "spec": with_limit_defaults(mapping(template.get("spec")), limits)}, least)
            if limits
            else (name, count, template, least)
            for name, count, template, least in parts
        ]

    def refusals(self, namespace: str, parts: list[Part]) -> list[str]:
        """Return why a namespace's LimitRanges let pods not in: their workload is inadmissible."""
        limits = self.limits.get(namespace, ())
        return [why for _, _, template, _ in parts for why in pod_refusals(mapping(template.get("spec")), limits)]

    def of(self, item: ManifestObject, parts: list[Part], faults: Faults) -> int:
        """Return a job's priority: its queueing class, else its pods' class."""
        name = item.labels.get(_PRIORITY_LABEL, "")
        if name:
            return self._named(item, f"metadata.labels[{_PRIORITY_LABEL}]", name, self.queueing, faults)
        for _, _, template, _ in parts:
            spec = mapping(template.get("spec"))
            if isinstance(spec.get("priority"), int):
                return int(spec["priority"])
            if spec.get("priorityClassName"):
                return self._named(item, "priorityClassName", str(spec["priorityClassName"]), self.pods, faults)
        return self.default

    @staticmethod
    def _named(item: ManifestObject, path: str, name: str, known: Mapping[str, int], faults: Faults) -> int:
        if name not in known and not name.startswith("system-"):
            faults.add(item, path, f"priority class {name!r} does not exist", ", ".join(sorted(known)))
        return known.get(name, 0)


def _take(
    item: ManifestObject,
    name: str,
    queue: str,
    parts: list[Part],
    classes: _Classes,
    found: Jobs,
    faults: Faults,
) -> None:
    phase = mapping(item.data.get("status")).get("phase")
    done = phase in ("Succeeded", "Failed") or any(
        one.get("type") in ("Complete", "Failed", "Succeeded", "Completed") and one.get("status") == "True"
        for one in mappings(mapping(item.data.get("status")).get("conditions"))
    )
    if done:
        return
    if gate := item.annotations.get(_GATED):
        found.notes.append(f"{item} ({item.where}): waits for {gate} ({_GATED}), whatever quota is free; left out")
        return
    parts = classes.stored(item.namespace, parts)
    if refused := classes.refusals(item.namespace, parts):
        found.notes.append(f"{item} ({item.where}): Kueue lets it never in, a LimitRange: {refused[0]}; left out")
        return
    workload = Workload(
        f"{item.kind.lower()}-{name}",
        queue,
        tuple(_pod_set(item, *part, faults=faults) for part in parts),
        classes.of(item, parts, faults),
        seconds(item.metadata.get("creationTimestamp"), "metadata.creationTimestamp"),
        item.namespace,
        str(item.metadata.get("uid") or ""),
    )
    _note(workload, item, {part[0]: part[2] for part in parts}, found)
    found.waiting.append(workload)


def _note(workload: Workload, item: ManifestObject, templates: Mapping[str, Mapping[str, Any]], found: Jobs) -> None:
    found.items[workload.key] = item
    for name, template in templates.items():
        found.templates[workload.key, name] = template


def _workload(item: ManifestObject, classes: _Classes, found: Jobs, faults: Faults) -> None:
    spec, status = item.spec, mapping(item.data.get("status"))
    conditions = {str(one.get("type")): one for one in mappings(status.get("conditions"))}

    def holds(name: str) -> bool:
        return mapping(conditions.get(name)).get("status") == "True"

    if holds("Finished"):
        return
    aside = "not active" if spec.get("active") is False else _set_back(item, conditions)
    if aside:
        found.notes.append(f"{item} ({item.where}): {aside}; left out")
        return
    parts = [
        (
            str(part.get("name") or "main"),
            _count(item, f"spec.podSets[{at}].count", part.get("count", 1), faults),
            mapping(part.get("template")),
            part.get("minCount"),
        )
        for at, part in enumerate(mappings(spec.get("podSets")))
    ]
    names = [name for name, *_ in parts]
    if not names or len(set(names)) < len(names):
        what = f"pod set {next(n for n in names if names.count(n) > 1)!r} is named twice" if names else "is empty"
        faults.add(item, "spec.podSets", what, "at least one pod set, each name once")
    admission = mapping(status.get("admission"))
    runs = bool(admission) and holds("QuotaReserved")
    back = {str(one.get("name")): int(one.get("count") or 0) for one in mappings(status.get("reclaimablePods"))}
    parts = [(name, max(0, count - back.get(name, 0)), template, least) for name, count, template, least in parts]
    if not runs:
        parts = classes.stored(item.namespace, parts)
        if refused := classes.refusals(item.namespace, parts):
            found.notes.append(f"{item} ({item.where}): inadmissible by a LimitRange: {refused[0]}; left out")
            return
    requests = [mapping(part.get("topologyRequest")) for part in mappings(spec.get("podSets"))]
    pod_sets = tuple(
        _pod_set(item, *part, faults=faults, topology=request or None)
        for part, request in zip(parts, requests, strict=True)
    )
    priority = spec.get("priority")
    if not isinstance(priority, int):
        reference = mapping(spec.get("priorityClassRef"))
        name = str(reference.get("name") or spec.get("priorityClassName") or "")
        known = classes.queueing if name in classes.queueing else classes.pods
        priority = known.get(name, classes.default)
    workload = Workload(
        item.name,
        str(spec.get("queueName") or ""),
        pod_sets,
        priority,
        _queued_since(item, conditions),
        item.namespace,
        str(item.metadata.get("uid") or ""),
    )
    _note(workload, item, {part[0]: part[2] for part in parts}, found)
    if not runs:
        found.waiting.append(workload)
        return
    granted = tuple(
        _granted(part, pod_set, back.get(pod_set.name, 0))
        for part, pod_set in zip(mappings(admission.get("podSetAssignments")), pod_sets, strict=False)
    )
    if len(granted) != len(pod_sets):
        what = f"{len(granted)} assignments for {len(pod_sets)} pod sets"
        faults.add(item, "status.admission.podSetAssignments", what, "one for each of spec.podSets")
    reserved = mapping(conditions.get("QuotaReserved"))
    since = seconds(reserved.get("lastTransitionTime"), "status.conditions QuotaReserved lastTransitionTime")
    found.running.append(Reserved(workload, str(admission.get("clusterQueue")), granted, since, holds("Evicted")))


def _set_back(item: ManifestObject, conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why a workload that holds no quota is not in its queue; empty where it is or holds some."""
    requeued, reserved = (mapping(conditions.get(name)).get("status") for name in ("Requeued", "QuotaReserved"))
    if reserved == "True":
        return ""
    if gate := item.annotations.get(_GATED):
        return f"waits for {gate} ({_GATED}), whatever quota is free"
    return "waits for its next try (Requeued is False)" if requeued == "False" else ""


def _queued_since(item: ManifestObject, conditions: Mapping[str, Mapping[str, Any]]) -> float:
    """Return by which time a workload stands in its queue: its making, or when checks or late pods evicted it.

    That is Kueue's default; ``waitForPodsReady.requeuingStrategy.timestamp: Creation`` is not looked at.
    """
    evicted = mapping(conditions.get("Evicted"))
    if evicted.get("status") == "True" and evicted.get("reason") in ("PodsReadyTimeout", "AdmissionCheck"):
        return seconds(evicted.get("lastTransitionTime"), "status.conditions Evicted lastTransitionTime")
    return seconds(item.metadata.get("creationTimestamp"), "metadata.creationTimestamp")


def _granted(part: Mapping[str, Any], pod_set: PodSet, back: int) -> Granted:
    """Return what a pod set holds; ``back`` of its pods have ended and given their quota back."""
    topology = mapping(part.get("topologyAssignment"))
    domains = tuple(
        Domain(tuple(str(value) for value in domain.get("values") or ()), int(domain.get("count") or 0))
        for domain in mappings(topology.get("domains"))
    )
    count = part.get("count")
    return Granted(
        pod_set.name,
        pod_set.count if count is None else max(0, int(count) - back),
        dict(text_map(part.get("flavors"))),
        domains,
    )


def _count(item: ManifestObject, path: str, value: object, faults: Faults) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        faults.add(item, path, f"{value!r}", "a whole number of zero or more")
        return 0
    return value


def _pod_set(
    item: ManifestObject,
    name: str,
    count: int,
    template: Mapping[str, Any],
    least: int | None,
    *,
    faults: Faults,
    topology: Mapping[str, Any] | None = None,
) -> PodSet:
    spec = dict(mapping(template.get("spec")))
    try:
        requests = added(total_requests(spec, name), amounts(spec.get("overhead"), f"{name}.overhead"))
    except InputError as error:
        for fault in error.faults:
            faults.add(item, fault.where, fault.what, fault.allowed, fault.cure)
        requests = {}
    affinity = mapping(mapping(spec.get("affinity")).get("nodeAffinity"))
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    request = _topology_request(topology) if topology else _annotated(mapping(template.get("metadata")))
    return PodSet(
        name,
        count,
        requests,
        least,
        text_map(spec.get("nodeSelector")),
        node_terms(dict(required)) if isinstance(required, Mapping) else None,
        tuple(toleration(dict(one)) for one in mappings(spec.get("tolerations"))),
        request,
    )


def _topology_request(request: Mapping[str, Any]) -> TopologyRequest:
    return TopologyRequest(
        str(request.get("required") or ""),
        str(request.get("preferred") or ""),
        bool(request.get("unconstrained")),
        str(request.get("podSetSliceRequiredTopology") or ""),
        request.get("podSetSliceSize"),
        str(request.get("podSetGroupName") or ""),
    )


def _annotated(metadata: Mapping[str, Any]) -> TopologyRequest | None:
    notes = text_map(metadata.get("annotations"))

    def of(name: str) -> str:
        return notes.get(f"{GROUP}/podset-{name}", "")

    size = of("slice-size")
    found = TopologyRequest(
        of("required-topology"),
        of("preferred-topology"),
        of("unconstrained-topology") == "true",
        of("slice-required-topology"),
        whole_number(size),
        of("group-name"),
    )
    return found if found.explicit else None


def _job(spec: Mapping[str, Any], item: ManifestObject) -> Iterator[Part]:
    parallel = spec.get("parallelism")
    count = 1 if parallel is None else int(parallel)
    completions = spec.get("completions")
    if isinstance(completions, int):
        count = min(count, completions)
    least = item.annotations.get(_MIN_PARALLELISM, "")
    yield "main", count, mapping(spec.get("template")), whole_number(least)


def _job_set(spec: Mapping[str, Any], _: ManifestObject) -> Iterator[Part]:
    for one in mappings(spec.get("replicatedJobs")):
        inner = mapping(mapping(one.get("template")).get("spec"))
        parallel = inner.get("parallelism", 1)
        completions = inner.get("completions")
        each = min(parallel, completions) if isinstance(completions, int) else parallel
        yield str(one.get("name")), int(one.get("replicas", 1)) * int(each), mapping(inner.get("template")), None


def _ray(spec: Mapping[str, Any], item: ManifestObject) -> Iterator[Part]:
    cluster = spec if item.kind == "RayCluster" else mapping(spec.get("rayClusterSpec") or spec.get("rayClusterConfig"))
    mode = (spec.get("submissionMode") or "K8sJobMode") if item.kind == "RayJob" else ""
    beside = [_SUBMITTER] if mode == "SidecarMode" else []
    if cluster.get("enableInTreeAutoscaling"):
        scaler = mapping(cluster.get("autoscalerOptions")).get("resources")
        beside.append({**_AUTOSCALER, **({"resources": scaler} if scaler else {})})
    yield "head", 1, _with_containers(mapping(mapping(cluster.get("headGroupSpec")).get("template")), beside), None
    for group in mappings(cluster.get("workerGroupSpecs")):
        count = int(group.get("replicas", 1)) * int(group.get("numOfHosts", 1))
        yield str(group.get("groupName")), count, mapping(group.get("template")), None
    if mode == "K8sJobMode":
        yield "submitter", 1, mapping(spec.get("submitterPodTemplate")) or {"spec": {"containers": [_SUBMITTER]}}, None


_SUBMITTER: Final[Mapping[str, Any]] = {
    "name": "ray-job-submitter",
    "resources": {"requests": {"cpu": "500m", "memory": "200Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
}
"""What KubeRay starts to submit a RayJob unless a template says otherwise (its controllers/ray/common/job.go)."""
_AUTOSCALER: Final[Mapping[str, Any]] = {
    "name": "autoscaler",
    "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
}
"""What KubeRay puts beside Ray's head where it scales the cluster (its controllers/ray/common/pod.go); Kueue
counts it, and a submitter beside the head, from 0.19 on: here always, since the pods hold it in any version."""


def _with_containers(template: Mapping[str, Any], more: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a pod template with containers that its operator adds."""
    pod = mapping(template.get("spec"))
    return {**template, "spec": {**pod, "containers": [*mappings(pod.get("containers")), *more]}} if more else template


def _kubeflow(spec: Mapping[str, Any], item: ManifestObject) -> Iterator[Part]:
    field_name, roles = _REPLICAS[item.kind]
    replicas = mapping(spec.get(field_name))
    for role in roles:
        one = replicas.get(role)
        if isinstance(one, Mapping):
            yield role.lower(), int(one.get("replicas", 1)), mapping(one.get("template")), None


def _pod(spec: Mapping[str, Any], item: ManifestObject) -> Iterator[Part]:
    yield "main", 1, {"metadata": item.metadata, "spec": spec}, None


def _replicas(spec: Mapping[str, Any], _: ManifestObject) -> Iterator[Part]:
    yield "main", int(spec.get("replicas", 1)), mapping(spec.get("template")), None


def _leader_worker(spec: Mapping[str, Any], _: ManifestObject) -> Iterator[Part]:
    template = mapping(spec.get("leaderWorkerTemplate"))
    replicas, size = int(spec.get("replicas", 1)), int(template.get("size", 1))
    worker = mapping(template.get("workerTemplate"))
    if template.get("leaderTemplate"):
        yield "leader", replicas, mapping(template.get("leaderTemplate")), None
        yield "workers", replicas * (size - 1), worker, None
    else:
        yield "main", replicas * size, worker, None


def _pod_group(pods: list[ManifestObject]) -> list[Part]:
    """Return pods of a group by shape, as the pod integration counts them."""
    shapes: dict[str, list[ManifestObject]] = {}
    for pod in pods:
        shapes.setdefault(repr(sorted(pod.spec.items(), key=lambda pair: pair[0])), []).append(pod)
    return [
        (f"shape-{number}", len(same), {"metadata": same[0].metadata, "spec": same[0].spec}, None)
        for number, same in enumerate(shapes.values())
    ]


_PARTS: Final[Mapping[str, Callable[[Mapping[str, Any], ManifestObject], Iterator[Part]]]] = {
    "Job": _job,
    "JobSet": _job_set,
    "RayJob": _ray,
    "RayCluster": _ray,
    "RayService": _ray,
    "Pod": _pod,
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "LeaderWorkerSet": _leader_worker,
    **dict.fromkeys(_REPLICAS, _kubeflow),
}
"""Kinds Kueue knows, and their pod sets.
Source: https://kueue.sigs.k8s.io/docs/tasks/run/ (integrations of 0.13 to 0.19)"""
