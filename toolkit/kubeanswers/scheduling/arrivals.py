"""Pods that are still to be created: what the API server fills in, and whether its namespace lets them in.

LimitRange, ResourceQuota and the classes a pod names decide before any scheduler sees it (:mod:`kubeanswers.quota`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubeanswers.compute import ResourceList, resource_list
from kubeanswers.quota.enforcement import Admission, NamespaceAccount
from kubeanswers.scheduling.requests import Object

_COUNTED = ("LimitRange", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Service")
_CLASSES = ("PriorityClass", "RuntimeClass", "StorageClass")


def namespace_of(thing: Object) -> str:
    """Return an object's namespace."""
    return str((thing.get("metadata") or {}).get("namespace") or "default")


def exists(thing: Object) -> bool:
    """Return whether an object was created already: the API server gave it a uid."""
    return bool((thing.get("metadata") or {}).get("uid"))


class Arrivals:
    """The namespaces of a dump as the API server sees them; pods let in are counted."""

    def __init__(self, things: Iterable[Object]) -> None:
        self._accounts: dict[str, NamespaceAccount] = {}
        self._classes: list[Object] = []
        for thing in things:
            kind = thing.get("kind")
            if kind in _CLASSES:
                self._classes.append(thing)
            elif kind in _COUNTED and (kind != "Pod" or exists(thing) or (thing.get("spec") or {}).get("nodeName")):
                account = self._account(namespace_of(thing))
                account.objects[(str(kind), str((thing.get("metadata") or {}).get("name")))] = thing
        for account in self._accounts.values():
            account.cluster = tuple(self._classes)
            account.recorded = dict(_recorded(account))

    def _account(self, namespace: str) -> NamespaceAccount:
        if namespace not in self._accounts:
            self._accounts[namespace] = NamespaceAccount(tuple(self._classes))
        return self._accounts[namespace]

    def create(self, pod: Object) -> Admission:
        """Return what the API server answers to a pod, and count it where it is let in."""
        return self._account(namespace_of(pod)).create(pod)


def _recorded(account: NamespaceAccount) -> Iterator[tuple[str, ResourceList]]:
    """Yield what the quota controller wrote down, which knows objects that a dump may leave out."""
    for key, thing in account.objects.items():
        used = (thing.get("status") or {}).get("used")
        if key[0] == "ResourceQuota" and used is not None:
            yield key[1], resource_list(used)
