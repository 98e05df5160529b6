"""Is every object of the export in the cluster, as exported?

The server itself compares: a server-side apply as dry run that would change nothing leaves the object as it stands,
with the server's own defaults and spellings on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping
from tenancykit.auditing.tenants import Tenancy
from tenancykit.live.applying import apply_object, place_of
from tenancykit.live.client import ApiServer
from tenancykit.live.discovery import Discovery
from tenancykit.live.questions import Reply, State

_NOT_COMPARED: Final = frozenset({"status", "metadata", "apiVersion", "kind"})


@dataclass
class PresenceQuestions:
    """The questions about the objects of one cluster.

    Attributes:
        cluster: its name.
        server: its API server.
        tenancy: whose namespaces these are.
        discovery: what the server serves.
    """

    cluster: str
    server: ApiServer
    tenancy: Tenancy
    discovery: Discovery

    def replies(self, item: ManifestObject) -> Iterator[Reply]:
        """Yield the answer about one object; Secrets are not asked for."""
        if (item.group, item.kind) == ("", "Secret"):
            return
        tenant = self.tenancy.by_namespace.get(item.namespace or item.name, "")
        observed, why = self._ask(item)
        yield Reply("objects", self.cluster, tenant, f"{item} as exported", "", "allowed", observed, why)

    def _ask(self, item: ManifestObject) -> tuple[State, str]:
        served = self.discovery.of(item)
        if served is None:
            return "denied", f"the server knows no {item.kind} of {item.data.get('apiVersion')}"
        stored = self.server.request("GET", served.path(place_of(item), item.name))
        if stored.status == 404:
            return "denied", "it is not there"
        if not stored.is_ok:
            return "undecided", f"it may not be read: {stored.message}"
        wanted = apply_object(self.server, item, served, dry_run=True)
        if wanted.status == 409:
            return "denied", f"somebody changed it: {wanted.message}"
        if not wanted.is_ok:
            return "undecided", f"it may not be compared: {wanted.message}"
        changed = sorted(_differences(stored.body, wanted.body))
        return ("denied", f"somebody changed {', '.join(changed)}") if changed else ("allowed", "")


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*stored, *wanted} - _NOT_COMPARED):
        if stored.get(key) != wanted.get(key):
            yield key
    for key in ("labels", "annotations"):
        if mapping(mapping(stored.get("metadata")).get(key)) != mapping(mapping(wanted.get("metadata")).get(key)):
            yield f"metadata.{key}"
