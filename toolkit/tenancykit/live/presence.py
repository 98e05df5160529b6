"""Is every object of the export in the cluster, as exported, and has nobody added to it?

The server itself compares where it may be asked: a server-side apply as dry run that would change nothing leaves the
object as it stands. Whoever applied the export owns its fields: a conflict whose forced dry run is the stored object is
no change. What others added is seen by a second question: the export's object made anew, as dry run under another
name, is what the server would store if nobody had touched it. A user who may only read gets both compared locally.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, scalar_text
from kubeanswers.records import dataclass
from tenancykit.auditing.tenants import Tenancy
from tenancykit.live.applying import apply_object, is_object, is_same, managers_of, place_of
from tenancykit.live.client import FIELD_MANAGER, Answer, ApiServer
from tenancykit.live.comparing import changes, local_changes
from tenancykit.live.discovery import Discovery, Served
from tenancykit.live.questions import Reply, State

PROBE: Final = "tenancykit-verify"
_NAMED_BY_CONTENT: Final = frozenset({"CustomResourceDefinition", "APIService"})
"""Kinds whose name follows from their content, so that none can be made under another."""
_SHOWN: Final = 6


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
    _may_write: bool = field(default=True)

    def replies(self, item: ManifestObject) -> Iterator[Reply]:
        """Yield the answers about one object; Secrets are not asked for."""
        if (item.group, item.kind) == ("", "Secret"):
            return
        tenant = self.tenancy.by_namespace.get(item.namespace or item.name, "")
        served = self.discovery.of(item)
        if served is None:
            why = f"the server knows no {item.kind} of {item.data.get('apiVersion')}"
            yield self._reply(tenant, item, "denied", why)
            return
        stored = self.server.request("GET", served.path(place_of(item), item.name))
        observed, why = self._ask(item, served, stored)
        yield self._reply(tenant, item, observed, why)
        if observed == "allowed":
            yield from self._added(tenant, item, served, stored.body)

    def _reply(self, tenant: str, item: ManifestObject, observed: State, why: str) -> Reply:
        return Reply("objects", self.cluster, tenant, f"{item} as exported", "", "allowed", observed, why)

    def _ask(self, item: ManifestObject, served: Served, stored: Answer) -> tuple[State, str]:
        if stored.status == 404:
            return "denied", "it is not there"
        if not stored.is_ok:
            return "undecided", f"it may not be read: {stored.message}"
        if not is_object(stored, item, served):
            return "undecided", "the server answers with something else than the object"
        if mapping(stored.body.get("metadata")).get("deletionTimestamp"):
            return "denied", "it is being deleted"
        return self._compared(item, served, stored.body)

    def _compared(self, item: ManifestObject, served: Served, stored: Mapping[str, Any]) -> tuple[State, str]:
        wanted = self._applied(item, served, force=False)
        if wanted.status == 409:  # others own it: a change only where theirs is another value
            wanted = self._applied(item, served, force=True)
        if wanted.status == 403:
            return self._locally(item, stored)
        if not wanted.is_ok:
            return "undecided", f"it may not be compared: {wanted.message}"
        if not is_object(wanted, item, served):
            return "undecided", "the server answers with something else than the object"
        changed = [] if is_same(stored, wanted.body) else changes(stored, wanted.body, item.kind)
        return ("denied", f"somebody changed {_listed(changed)}{_by(stored)}") if changed else ("allowed", "")

    def _applied(self, item: ManifestObject, served: Served, *, force: bool) -> Answer:
        if not self._may_write:
            return Answer(403)
        answer = apply_object(self.server, item, served, dry_run=True, force=force)
        if answer.status == 403 and "cannot patch resource" in answer.message:
            self._may_write = False
        return answer

    def _locally(self, item: ManifestObject, stored: Mapping[str, Any]) -> tuple[State, str]:
        """Return how a stored object compares by what is known here of its kind's defaults."""
        changed = local_changes(item, stored)
        if changed is None:
            return "undecided", f"you may not try it on the server, and the defaults of {item.kind} are not known here"
        if changed:
            return "denied", f"somebody changed {_listed(changed)}{_by(stored)} (compared here: you may only read)"
        return "allowed", "compared here: you may only read"

    def _added(self, tenant: str, item: ManifestObject, served: Served, stored: Mapping[str, Any]) -> Iterator[Reply]:
        """Yield what others added to an object whose stated fields stand."""
        fresh = self._fresh(item, served)
        found = local_changes(item, stored) if fresh is None else changes(stored, fresh, item.kind)
        question = f"{item} with fields that the export does not state"
        if found:
            why = f"somebody added or changed {_listed(found)}{_by(stored)}"
            yield Reply("additions", self.cluster, tenant, question, "", "denied", "allowed", why)
        elif found is None and item.kind not in _NAMED_BY_CONTENT:
            why = f"the server makes none to compare with, and the defaults of {item.kind} are not known here"
            yield Reply("additions", self.cluster, tenant, question, "", "denied", "undecided", why)
        elif found is not None:
            yield Reply("additions", self.cluster, tenant, question, "", "denied", "denied")

    def _fresh(self, item: ManifestObject, served: Served) -> Mapping[str, Any] | None:
        """Return what the server would store of the export's object today, or None where it does not say."""
        if item.kind in _NAMED_BY_CONTENT or not self._may_write:
            return None
        name = f"{PROBE}-{scalar_text(item.name)}"[:63].rstrip("-.")
        body = {**item.data, "metadata": {**item.metadata, "name": name}}
        if served.namespaced:
            body["metadata"]["namespace"] = place_of(item)
        query = {"dryRun": "All", "fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        answer = self.server.request("POST", served.path(place_of(item)), body, query=query)
        made = mapping(answer.body.get("metadata"))
        if answer.status != 201 or answer.body.get("kind") != item.kind or made.get("name") != name:
            return None
        return {**answer.body, "metadata": {**made, "name": item.name}}


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more fields" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more


def _by(stored: Mapping[str, Any]) -> str:
    others = [name for name in managers_of(stored) if name != FIELD_MANAGER]
    return f"; managed by {', '.join(others)}" if others else ""
