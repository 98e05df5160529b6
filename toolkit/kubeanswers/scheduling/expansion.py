"""Pods that controllers of a dump have still to create: replicas, jobs' pods and daemons on every node.

A controller is asked for what it lacks: its pods in the dump, by owner or by selector, are counted first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kubeanswers.records import dataclass
from kubeanswers.scheduling.arrivals import namespace_of
from kubeanswers.scheduling.filters import admits, tolerated
from kubeanswers.scheduling.objects import Reader, label_selector, labels_of, name_of
from kubeanswers.scheduling.requests import Object
from kubeanswers.scheduling.values import Machine, holds

_REPLICATED: Final = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
CONTROLLERS: Final = frozenset({*_REPLICATED, "DaemonSet", "Job"})
"""Kinds of controllers whose pods are expected."""

_DONE: Final = ("Succeeded", "Failed")
_DAEMON_TOLERATIONS: Final = tuple(
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
    for key, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
)
"""What the DaemonSet controller adds to its pods:
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations"""


@dataclass(frozen=True)
class Expansion:
    """Pods controllers would create.

    Attributes:
        pods: the pods, as manifests without a uid.
        notes: controllers from which none are expected although they have a template, and why.
    """

    pods: tuple[Object, ...]
    notes: tuple[str, ...]


def expand(things: Sequence[Object], machines: Sequence[Machine]) -> Expansion:
    """Return the pods that the controllers among the objects have still to create, in the order of the controllers.

    Raises:
        ValueError: a count is no whole number, or a selector is malformed.
    """
    made, notes = list[Object](), list[str]()
    alive = [t for t in things if t["kind"] == "Pod"]
    owners = Counter(
        (namespace_of(thing), *owner) for thing in things if thing["kind"] in CONTROLLERS for owner in _owners(thing)
    )
    for thing in things:
        if thing["kind"] not in CONTROLLERS:
            continue
        if not isinstance((thing.get("spec") or {}).get("template"), Mapping):
            notes.append(f"{name_of(thing)}: has no pod template, so its pods are not known")
            continue
        if owners[(namespace_of(thing), thing["kind"], (thing.get("metadata") or {}).get("name", ""))]:
            continue  # a Deployment speaks through its ReplicaSets
        if thing["kind"] == "DaemonSet":
            made.extend(_daemons(thing, alive, machines))
            continue
        wanted, note = _wanted(thing)
        if note:
            notes.append(f"{name_of(thing)}: {note}")
        present = [pod for pod in alive if _owns(thing, pod)]
        running = [pod for pod in present if (pod.get("status") or {}).get("phase") not in _DONE]
        names = _fresh(thing, {str(pod["metadata"].get("name")) for pod in present})
        made.extend(_pod(thing, next(names)) for _ in range(wanted - len(running)))
    return Expansion(tuple(made), tuple(notes))


def _wanted(thing: Object) -> tuple[int, str]:
    """Return how many pods a controller keeps running, and what is worth saying of none."""
    spec = thing["spec"]
    if thing["kind"] != "Job":
        return _count(spec, "replicas", 1), ""
    if spec.get("suspend") is True:
        return 0, "suspended, so its pods are not created (a queue such as Kueue may resume it)"
    parallel = _count(spec, "parallelism", 1)
    if spec.get("completions") is None:
        return parallel, ""
    done = _count(thing.get("status") or {}, "succeeded", 0)
    return min(parallel, max(0, _count(spec, "completions", 1) - done)), ""


def _count(spec: Mapping[str, Any], name: str, default: int) -> int:
    value = spec.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} {value!r} is not a whole number of zero or more")
    return value


def _owners(thing: Object) -> Iterator[tuple[str, str]]:
    for owner in (thing.get("metadata") or {}).get("ownerReferences") or ():
        if owner.get("controller") is not False:
            yield str(owner.get("kind")), str(owner.get("name"))


def _owns(thing: Object, pod: Object) -> bool:
    """Return whether a pod counts for a controller: it names it as owner, or no owner and its selector means it."""
    if namespace_of(pod) != namespace_of(thing):
        return False
    owners = list(_owners(pod))
    if owners:
        return (thing["kind"], str(thing["metadata"].get("name"))) in owners
    selector = thing["spec"].get("selector")
    if thing["kind"] == "ReplicationController" or (
        selector and not set(selector) & {"matchLabels", "matchExpressions"}
    ):
        selector = {"matchLabels": selector or {}}
    chosen = label_selector(selector)
    return bool(chosen) and holds(chosen, labels_of(pod))


def _fresh(thing: Object, taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        name = f"{thing['metadata'].get('name')}-{number}"
        number += 1
        if name not in taken:
            yield name


def _pod(thing: Object, name: str, changed: Mapping[str, Any] | None = None) -> Object:
    template = thing["spec"]["template"]
    meta = dict(template.get("metadata") or {})
    meta |= {"name": name, "namespace": namespace_of(thing)}
    meta["ownerReferences"] = [{"kind": thing["kind"], "name": thing["metadata"].get("name"), "controller": True}]
    spec = {**(template.get("spec") or {}), **(changed or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def _daemons(thing: Object, alive: Iterable[Object], machines: Sequence[Machine]) -> Iterator[Object]:
    """Yield one pod for every node that lacks its own and that its rules let it run on."""
    held = {(pod.get("spec") or {}).get("nodeName") or _meant(pod) for pod in alive if _owns(thing, pod)}
    spec = thing["spec"]["template"].get("spec") or {}
    tolerations = {"tolerations": [*(spec.get("tolerations") or ()), *_DAEMON_TOLERATIONS]}
    rules = {name: spec[name] for name in _RULES if name in spec} | tolerations
    pod = Reader().pod({"kind": "Pod", "metadata": thing["metadata"], "spec": rules})
    for machine in machines:
        if machine.name not in held and admits(pod, machine) and tolerated(pod, machine):
            changed = {**tolerations, "affinity": _aimed(spec, machine.name)}
            yield _pod(thing, f"{thing['metadata'].get('name')}-{machine.name}", changed)


def daemons_of(things: Sequence[Object], node: Machine) -> Iterator[Object]:
    """Yield the pods that the DaemonSets among the objects would put on a new node."""
    for thing in things:
        if thing["kind"] == "DaemonSet" and isinstance((thing.get("spec") or {}).get("template"), Mapping):
            yield from _daemons(thing, (), (node,))


_RULES: Final = ("affinity", "nodeSelector")


def _aimed(spec: Mapping[str, Any], node: str) -> dict[str, Any]:
    """Return the affinity of a daemon's pod: its controller puts the node's name for the node rules that chose it."""
    affinity = spec.get("affinity") or {}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    only = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": only}
    return {**affinity, "nodeAffinity": {**(affinity.get("nodeAffinity") or {}), **required}}


def _meant(pod: Object) -> str:
    """Return the node a pending pod of a DaemonSet is aimed at; empty for any other."""
    rules = ((pod.get("spec") or {}).get("affinity") or {}).get("nodeAffinity") or {}
    required = rules.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""
