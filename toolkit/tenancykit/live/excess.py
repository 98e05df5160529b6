"""Pods and claims that exceed what a namespace's quotas grant, one per bounded resource."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from kubeanswers.compute import amount, resource_list
from kubeanswers.objects import mapping, mappings, scalar_text
from kubeanswers.pods import pods_of
from kubeanswers.quota.enforcement import NamespaceAccount
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.admission_probe import AdmissionProbe
from tenancykit.auditing.crossings.bounds import CROSSINGS
from tenancykit.live.questions import State

_MOST_CONTAINERS: Final = 32
"""Most containers one request is spread over; LimitRanges bound each, quotas their sum."""
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True)
class Excess:
    """Something one namespace must refuse because it asks for too much.

    Attributes:
        resource: REST resource it is created under.
        made: the object.
        words: what it asks for.
        crossing: id of the crossing that is open where nothing refuses it.
        claimed: whether the export's own quotas and limits refuse it.
    """

    resource: str
    made: Mapping[str, Any]
    words: str
    crossing: str
    claimed: State


def account_of(probe: AdmissionProbe, namespace: str) -> NamespaceAccount:
    """Return an empty namespace under the export's quotas and limits."""
    kinds = ("PriorityClass", "RuntimeClass", "StorageClass")
    cluster = tuple(item.data for item in probe.objects if item.kind in kinds)
    account = NamespaceAccount(cluster, probe.objects.kinds)
    for item in probe.objects.of("", "LimitRange", "ResourceQuota"):
        if item.namespace == namespace:
            account.objects[(item.kind, item.name)] = item.data
    return account


def least_demanding(probe: AdmissionProbe, namespace: str) -> Mapping[str, Any]:
    """Return the pod of a namespace's own workloads that asks for least: a quota that is nearly full may still take it.

    Where none of them would be let in, it is the pod that the audit takes for ordinary.
    """
    views = [pod for pod in pods_of(probe.objects) if pod.namespace == namespace]
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": dict(pod.labels)}, "spec": pod.spec}
        for pod in views
    ]
    found = [pod for pod in sorted(pods, key=_demand) if probe.takes(namespace, pod).verdict != "no"]
    return found[0] if found else probe.ordinary(namespace)


def _demand(pod: Mapping[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    """Return devices, memory and cores that a pod asks for."""
    devices = memory = cores = Decimal(0)
    for container in mappings(mapping(pod.get("spec")).get("containers")):
        resources = mapping(container.get("resources"))
        asked = {**mapping(resources.get("limits")), **mapping(resources.get("requests"))}
        for name, value in asked.items():
            if name == "memory":
                memory += amount(value)
            elif name == "cpu":
                cores += amount(value)
            elif "/" in name:
                devices += amount(value)
    return devices, memory, cores


def mountable(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pod without mounts of volumes it does not have: a StatefulSet's controller would add those."""
    spec = mapping(pod.get("spec"))
    volumes = {scalar_text(volume.get("name")) for volume in mappings(spec.get("volumes"))}
    containers = []
    for container in mappings(spec.get("containers")):
        mounts = [m for m in mappings(container.get("volumeMounts")) if scalar_text(m.get("name")) in volumes]
        kept = {key: value for key, value in container.items() if key != "volumeMounts"}
        containers.append({**kept, **({"volumeMounts": mounts} if mounts else {})})
    return {**pod, "spec": {**spec, "containers": containers}}


def excesses(probe: AdmissionProbe, namespace: str) -> Iterator[Excess]:
    """Yield a pod or claim beyond each amount of each unscoped quota of a namespace.

    Counts (``pods``, ``services``) are left out: one dry run stores nothing, so it never makes too many.
    """
    account = account_of(probe, namespace)
    for (kind, name), quota in sorted(account.objects.items()):
        spec = mapping(quota.get("spec"))
        if kind != "ResourceQuota" or spec.get("scopes") or spec.get("scopeSelector"):
            continue
        try:
            hard = resource_list(spec.get("hard"))
        except ValueError:
            continue
        for bounded in sorted(hard):
            made = _beyond(bounded, hard[bounded], probe, account, namespace)
            if made is not None:
                code = account.create(made).code
                claimed: State = "denied" if code == 403 else "allowed"
                claims = made["kind"] == "PersistentVolumeClaim"
                crossing = CROSSINGS["storage" if claims else "compute" if _plain(bounded) in _COMPUTE else "gpu"]
                words = f"{made['kind']} beyond {bounded} of ResourceQuota {name}"
                yield Excess("persistentvolumeclaims" if claims else "pods", made, words, crossing, claimed)


def _plain(bounded: str) -> str:
    return bounded.removeprefix("requests.").removeprefix("limits.")


def _beyond(
    bounded: str, hard: Decimal, probe: AdmissionProbe, account: NamespaceAccount, namespace: str
) -> dict[str, Any] | None:
    """Return an object that asks for more than ``hard``; None for what a single object cannot exceed."""
    if bounded == "requests.storage":
        return _claim(probe, namespace, hard)
    name = _plain(bounded)
    is_amount = name in _COMPUTE or (bounded.startswith("requests.") and "/" in name)
    if not is_amount or "storageclass" in name:
        return None
    pod = mountable(probe.ordinary(namespace))
    spec = mapping(pod.get("spec"))
    first = mappings(spec.get("containers"))[0]
    wanted = _whole(hard, name)
    most = _most(account, name)
    count = math.ceil(wanted / most) if most else 1
    count = count if count <= _MOST_CONTAINERS else 1
    containers = [_container(first, i, name, wanted / count) for i in range(count)]
    return {**pod, "spec": {**spec, "containers": containers}}


def _whole(hard: Decimal, name: str) -> Decimal:
    """Return a round amount above a quota: a core, a GiB or a device more."""
    return hard + (Decimal(2) ** 30 if name in ("memory", "ephemeral-storage") else 1)


def _most(account: NamespaceAccount, name: str) -> Decimal | None:
    """Return the most of a resource one container may have by the namespace's LimitRanges."""
    found: list[Decimal] = []
    for (kind, _), data in account.objects.items():
        entries = mappings(mapping(data.get("spec")).get("limits")) if kind == "LimitRange" else []
        for entry in entries:
            most = mapping(entry.get("max")).get(name)
            if entry.get("type") == "Container" and most is not None:
                found.append(amount(most))
    return min(found) if found else None


def _container(first: Mapping[str, Any], index: int, name: str, wanted: Decimal) -> dict[str, Any]:
    text = _text(name, wanted)
    own = mapping(first.get("resources"))
    resources = {side: {**mapping(own.get(side)), name: text} for side in ("requests", "limits")}
    title = scalar_text(first.get("name")) or "probe"
    return {**first, "name": title if index == 0 else f"{title}-{index}", "resources": resources}


def _text(name: str, value: Decimal) -> str:
    """Return an amount as a quantity, rounded up: milli-cores, bytes, whole devices."""
    return f"{math.ceil(value * 1000)}m" if name == "cpu" else str(math.ceil(value))


def _claim(probe: AdmissionProbe, namespace: str, hard: Decimal) -> dict[str, Any]:
    """Return a claim for more storage, of the storage class that the namespace's own claims name."""
    own = (item for item in probe.objects.of("", "PersistentVolumeClaim") if item.namespace == namespace)
    like = next((item.spec for item in own), {"accessModes": ["ReadWriteOnce"]})
    spec = {**like, "resources": {"requests": {"storage": str(math.ceil(hard + Decimal(2) ** 30))}}}
    metadata = {"name": "probe"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
