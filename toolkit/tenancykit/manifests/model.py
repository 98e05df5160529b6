"""A Kubernetes object with the reason it exists, and a Helm release pinned to a chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Literal

from kubeanswers.records import dataclass
from tenancykit.labels import PREFIX

KubernetesObject = dict[str, Any]
"""One Kubernetes object as plain data, the way its YAML reads."""

"""Domain of the labels and annotations this package owns."""

SYSTEM_PREFIX: Final = "tenancykit-"
"""Every namespace and cluster-scoped object of the platform starts with it."""

SIGNATURE: Final = ("app.kubernetes.io/managed-by", "app.kubernetes.io/part-of")
"""Labels that say who wrote an object and for which design; with the annotations of our domain they change nothing."""
SIGNED: Final = "tenancykit"
"""Value of the first of them."""

Requirement = Literal[
    "identity",
    "isolation.control-plane",
    "isolation.compute",
    "isolation.network",
    "isolation.storage",
    "isolation.accelerator",
    "fair-share",
    "priority",
    "placement",
    "workload",
    "exposure",
    "persistence",
    "delivery",
    "fleet",
    "chargeback",
    "observability",
]
"""What an object serves; ``trace.yaml`` of an export says which fields of the scenario ask for it."""

CONCERNS: Final = (
    "namespaces",
    "access",
    "quota",
    "network",
    "mesh",
    "fabric",
    "admission",
    "scheduling",
    "placement",
    "runtime",
    "storage",
    "gpu",
    "queue",
    "control-plane",
    "cluster",
    "fleet",
    "delivery",
    "observability",
    "exposure",
    "workloads",
)
"""Files of a folder, in the order their objects are applied."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object to be written.

    Attributes:
        data: the object.
        concern: file it belongs to, one of :data:`CONCERNS`.
        because: ids of the catalogue options that cause it.
        requirement: what it serves.
    """

    data: KubernetesObject
    concern: str
    because: tuple[str, ...]
    requirement: Requirement

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """API version, kind, namespace and name: what makes two objects the same one."""
        metadata = self.data["metadata"]
        return (self.data["apiVersion"], self.data["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class HelmRelease:
    """An installation of a chart.

    Attributes:
        name: release name.
        namespace: namespace it is installed into.
        chart: chart name.
        repository: chart repository, ``https://`` or ``oci://``.
        version: pinned chart version.
        values: Helm values.
        because: ids of the catalogue options that cause it.
        requirement: what it serves.
        note: what a person has to know before installing it.
    """

    name: str
    namespace: str
    chart: str
    repository: str
    version: str
    values: Mapping[str, Any]
    because: tuple[str, ...]
    requirement: Requirement
    note: str = ""


@dataclass(frozen=True)
class PlainFile:
    """A file that no API server takes: configuration handed to a component another way.

    Attributes:
        path: path below the cluster's folder.
        text: its content.
        purpose: what to do with it.
        because: ids of the catalogue options that cause it.
    """

    path: str
    text: str
    purpose: str
    because: tuple[str, ...] = field(default=())


def unsigned(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without the labels and annotations that only say who wrote it, and why."""
    metadata = dict(data.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key not in SIGNATURE}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if not str(k).startswith(f"{PREFIX}/")}
    return {**data, "metadata": {**metadata, "labels": labels, "annotations": notes}}


def manifest(
    because: str | tuple[str, ...],
    requirement: Requirement,
    concern: str,
    api_version: str,
    kind: str,
    name: str,
    *,
    namespace: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Manifest:
    """Return an object with its reason; ``fields`` become the keys beside ``metadata``."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    data: KubernetesObject = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    return Manifest(data, concern, (because,) if isinstance(because, str) else because, requirement)
