"""What tenants' work asks of the fences around it, so that work that asks for more than the exported does is told.

Tenants change their work every day, and replace what an export put there; a proof that fell with every image would
prove nothing.  What it asks of nodes, runtimes, volumes and addresses is another thing: a fence may refuse it, and
that the claim then rests on this fence alone must be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text, texts
from kubeanswers.pod_security import violations
from kubeanswers.pods import pods_in

WORK: Final = frozenset(
    {
        "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod",
        "HTTPRoute", "Service", "PersistentVolumeClaim",
    }
)  # fmt: skip
"""Kinds that tenants change every day and that fence nobody."""
_OWN: Final = "the node's own"
PLAIN: Final = frozenset({f"runtime: {_OWN}", "nodes: any", "storage class: the default"})
"""What work asks that asks for nothing."""
_USUAL: Final = frozenset(
    {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/memory-pressure"}
)
"""Taints every pod tolerates, or is made to."""


def asked(item: ManifestObject) -> frozenset[str]:
    """Return what an object of a tenant's work asks of the fences around it, in words."""
    found = {"Service": _service, "HTTPRoute": _route, "PersistentVolumeClaim": _claim}.get(item.kind, _pods)
    return frozenset(found(item))


def _pods(item: ManifestObject) -> Iterator[str]:
    for pod in pods_in(item):
        yield from (f"pod: {broken.title}" for broken in violations(pod.spec, "restricted", pod.metadata))
        yield f"runtime: {scalar_text(pod.spec.get('runtimeClassName')) or _OWN}"
        chosen = mapping(pod.spec.get("nodeSelector"))
        yield f"nodes: {', '.join(f'{key}={chosen[key]}' for key in sorted(chosen)) or 'any'}"
        for key, word in _FIELDS.items():
            if pod.spec.get(key):
                yield f"{word} {scalar_text(pod.spec[key])}"
        yield from map(_tolerated, _tolerations(pod.spec))
    for template in mappings(item.spec.get("volumeClaimTemplates")):
        yield from _claimed(mapping(template.get("spec")))


_FIELDS: Final = {"nodeName": "node", "schedulerName": "scheduler", "priorityClassName": "priority"}


def _tolerations(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in mappings(spec.get("tolerations")) if entry.get("key") not in _USUAL)


def _tolerated(entry: Mapping[str, Any]) -> str:
    key, value = scalar_text(entry.get("key")) or "every taint", scalar_text(entry.get("value"))
    return f"tolerates {key}{f'={value}' if value else ''}"


def _claim(item: ManifestObject) -> Iterator[str]:
    return _claimed(item.spec)


def _claimed(spec: Mapping[str, Any]) -> Iterator[str]:
    name = spec.get("storageClassName")
    yield f"storage class: {'the default' if name is None else scalar_text(name) or 'none'}"
    if spec.get("volumeName"):
        yield f"volume {scalar_text(spec['volumeName'])}"
    for key in ("dataSource", "dataSourceRef"):
        source = mapping(spec.get(key))
        if source:
            place = scalar_text(source.get("namespace"))
            yield f"data of {scalar_text(source.get('kind'))} {f'{place}/' if place else ''}{source.get('name')}"


def _service(item: ManifestObject) -> Iterator[str]:
    kind = scalar_text(item.spec.get("type")) or "ClusterIP"
    if kind != "ClusterIP":
        yield f"service of type {kind} {scalar_text(item.spec.get('externalName'))}".rstrip()
    for address in texts(item.spec.get("externalIPs")):
        yield f"address {address}"


def _route(item: ManifestObject) -> Iterator[str]:
    yield from (f"host {name}" for name in texts(item.spec.get("hostnames")))
    for parent in mappings(item.spec.get("parentRefs")):
        yield f"gateway {parent.get('namespace') or item.namespace}/{parent.get('name')}"
    for rule in mappings(item.spec.get("rules")):
        for backend in mappings(rule.get("backendRefs")):
            place = scalar_text(backend.get("namespace")) or item.namespace
            if place != item.namespace:
                yield f"service {place}/{backend.get('name')}"
