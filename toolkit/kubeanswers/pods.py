"""The pods of a manifest set: those written out, and those its workloads would create from their templates."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, text_map
from kubeanswers.records import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TEMPLATE_DEPTH: Final = 6
_CUSTOM_DEPTH: Final = 10
_NO_PODS: Final = frozenset({"status", "metadata", "helm", "values", "valuesObject"})
"""Fields of custom resources whose content is no pod's: what was, and values of charts."""
_BUILT_IN: Final = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})
_SPEAK_OF_PODS: Final = frozenset(
    {"kyverno.io", "policies.kyverno.io", "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"}
)
"""Groups whose objects hold pieces of pods that they run none of: patterns, patches and values."""


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
        for path, template in _templates_of(item):
            metadata = mapping(template.get("metadata"))
            labels = text_map(metadata.get("labels"))
            yield PodView(item.namespace, item.name, labels, mapping(template.get("spec")), item, metadata, path)


def _templates_of(item: ManifestObject) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if item.group in _BUILT_IN or item.group.endswith(".k8s.io"):
        return _templates(item.data, "", 0)
    return iter(()) if item.group in _SPEAK_OF_PODS else _custom_templates(item.data, "", 0)


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


def _custom_templates(value: Any, path: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the pod templates of a custom resource, however its fields are called, and pods written without one.

    A template is what has a ``spec`` with containers.  KServe writes the pod's fields beside each other, Argo
    Workflows one ``container`` or ``script`` per step.
    """
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _custom_templates(entry, f"{path}[{number}]", depth)
        return
    if not isinstance(value, Mapping):
        return
    spec = value.get("spec")
    if isinstance(spec, Mapping) and _has_containers(spec):
        yield path, value
        return
    inline = _inline(value)
    if inline is not None:
        yield path, {"metadata": mapping(value.get("metadata")), "spec": inline}
        return
    for key, inner in value.items() if depth < _CUSTOM_DEPTH else ():
        if key not in _NO_PODS and isinstance(inner, Mapping | list):
            yield from _custom_templates(inner, f"{path}.{key}" if path else key, depth + 1)


def _has_containers(spec: Mapping[str, Any]) -> bool:
    containers = mappings(spec.get("containers"))
    return bool(containers) and any(scalar_text(entry.get("image")) for entry in containers)


def _inline(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the pod spec of a mapping that holds its containers itself; None for any other."""
    if _has_containers(value):
        return value
    for key in ("container", "script"):
        if mapping(value.get(key)).get("image"):
            return {**value, "containers": [{"name": key, **mapping(value[key])}]}
    return None
