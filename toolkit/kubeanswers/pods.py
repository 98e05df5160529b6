"""The pods of a manifest set: those written out, and those its workloads would create from their templates."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, text_map

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TEMPLATE_DEPTH: Final = 6


@dataclass(frozen=True, eq=False)
class PodView:
    """One pod, or the pods of one template.

    Attributes:
        namespace: where it runs.
        name: the pod's name, or its workload's.
        labels: the pod's labels.
        spec: the pod spec.
        source: the object it comes from.
        metadata: the pod's or template's metadata.
        path: where the pod is in that object; empty for a Pod.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    source: ManifestObject
    metadata: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def host_network(self) -> bool:
        """Whether the pod uses its node's network, where NetworkPolicy does not reach."""
        return self.spec.get("hostNetwork") is True

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """The pod's addresses where a dump knows them, else nothing."""
        status = mapping(self.source.data.get("status")) if not self.path else {}
        listed = [scalar_text(item.get("ip")) for item in mappings(status.get("podIPs"))]
        found: list[Address] = []
        for text in listed or [scalar_text(status.get("podIP"))]:
            try:
                found.append(ipaddress.ip_address(text))
            except ValueError:
                continue
        return tuple(found)

    @cached_property
    def named_ports(self) -> Mapping[tuple[str, str], int]:
        """Port number by name and protocol, as the containers declare them."""
        found: dict[tuple[str, str], int] = {}
        restartable = [
            item for item in mappings(self.spec.get("initContainers")) if item.get("restartPolicy") == "Always"
        ]
        for container in (*mappings(self.spec.get("containers")), *restartable):
            for port in mappings(container.get("ports")):
                number = port.get("containerPort")
                if port.get("name") and isinstance(number, int):
                    found.setdefault((str(port["name"]), scalar_text(port.get("protocol")) or "TCP"), number)
        return found


def pods_of(objects: ObjectSet) -> Sequence[PodView]:
    """Return every pod and every pod template of the set, in reading order.

    Custom resources are searched for ``template`` fields that hold containers, so that a training job of an operator
    counts as what it is: a pod.
    """
    return objects.derived("pods", lambda: tuple(view for item in objects for view in pods_in(item)))


def pods_in(item: ManifestObject) -> Iterator[PodView]:
    """Yield the pod an object is, or those of the templates in it."""
    if item.group == "" and item.kind == "Pod":
        yield PodView(item.namespace, item.name, item.labels, item.spec, item, item.metadata)
    elif item.namespaced and item.group != "rbac.authorization.k8s.io":
        for path, template in _templates(item.data, "", 0):
            metadata = mapping(template.get("metadata"))
            labels = text_map(metadata.get("labels"))
            yield PodView(item.namespace, item.name, labels, mapping(template.get("spec")), item, metadata, path)


def _templates(data: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in data.items():
        if not isinstance(value, Mapping) or key in ("status", "metadata"):
            continue
        place = f"{path}.{key}" if path else key
        spec = value.get("spec")
        if (
            key in ("template", "podTemplate")
            and isinstance(spec, Mapping)
            and isinstance(spec.get("containers"), list)
        ):
            yield place, value
        elif depth < _TEMPLATE_DEPTH:
            yield from _templates(value, place, depth + 1)
