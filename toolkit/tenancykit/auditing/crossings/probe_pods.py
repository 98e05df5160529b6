"""Pods to put to a namespace: ordinary ones it should take, and what an attacker would change in them.

A policy may demand a node selector, a runtime class or an image registry of every pod.  An attacker meets such demands
and adds what it wants, so a hostile pod is always an ordinary, admitted pod with something changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from itertools import product
from typing import Any, Final

from kubeanswers.objects import mapping, mappings
from kubeanswers.pods import PodView
from kubeanswers.records import dataclass

Pod = Mapping[str, Any]
Pool = tuple[str, str]

_SAFE: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_AMOUNTS: Final = {"cpu": "100m", "memory": "64Mi"}
_CONTAINER: Final = {
    "name": "probe",
    "image": "registry.example.com/probe:1",
    "resources": {"requests": _AMOUNTS, "limits": _AMOUNTS},
    "securityContext": _SAFE,
}


def ordinary_pod(labels: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """Return a pod that meets the restricted standard."""
    metadata: dict[str, Any] = {"name": "probe", **({"labels": dict(labels)} if labels else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [dict(_CONTAINER)], **spec}}


def pinned(pool: Pool) -> dict[str, Any]:
    """Return the selector and toleration that bring a pod to a pool of nodes."""
    key, value = pool
    toleration = {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}
    return {"nodeSelector": {key: value}, "tolerations": [toleration]}


@dataclass(frozen=True)
class Change:
    """Something done to an ordinary pod.

    Attributes:
        container: fields of its first container; a security context is merged into the one there.
        spec: fields of its spec; volumes are added to those there.
        drop: fields of its spec that are taken away first.
    """

    container: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def apply(self, pod: Pod) -> dict[str, Any]:
        """Return the changed pod."""
        spec = {key: value for key, value in mapping(pod.get("spec")).items() if key not in self.drop}
        containers = mappings(spec.get("containers")) or [_CONTAINER]
        first = {**containers[0], **self.container}
        if "securityContext" in self.container:
            first["securityContext"] = {
                **mapping(containers[0].get("securityContext")),
                **self.container["securityContext"],
            }
        merged = {**spec, **self.spec, "containers": [first, *containers[1:]]}
        if "volumes" in self.spec:
            merged["volumes"] = [*mappings(spec.get("volumes")), *self.spec["volumes"]]
        return {**pod, "spec": merged}


def candidates(
    workloads: Iterable[PodView], pools: Iterable[Pool], runtimes: Iterable[str], priorities: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """Yield ordinary pods a namespace may take, the plainest first: bare, like its own workloads, then combinations."""
    yield ordinary_pod()
    for view in workloads:
        metadata = {"name": "probe", **({"labels": dict(view.labels)} if view.labels else {})}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(view.spec)}
    places: list[dict[str, Any]] = [{}, *map(pinned, pools)]
    classes: list[dict[str, Any]] = [{}, *({"runtimeClassName": name} for name in runtimes)]
    ranks: list[dict[str, Any]] = [{}, *({"priorityClassName": name} for name in priorities)]
    users: list[dict[str, Any]] = [{}, {"hostUsers": False}]
    for place, runtime, rank, own in product(places, classes, ranks, users):
        yield ordinary_pod(**place, **runtime, **rank, **own)


def fingerprint(pod: Pod, own: Iterable[str]) -> str:
    """Return the pod as text with its tenant's own names taken out, so that alike pods of tenants are one."""
    return anonymous(written(pod), own)


def written(pod: Pod) -> str:
    """Return the pod as text."""
    return json.dumps(pod, default=str)


def anonymous(text: str, own: Iterable[str]) -> str:
    """Return a pod's text with its tenant's own names taken out."""
    for name in sorted(own, key=len, reverse=True):
        text = text.replace(name, "\0")
    return text
