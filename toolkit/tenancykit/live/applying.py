"""An export put to an API server: tried without a trace, and applied where that is wanted.

Objects go by server-side apply under a field manager of their own with strict validation, so that the server itself
says what is unknown, forbidden or somebody else's (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final, Literal

from kubeanswers.objects import DEFAULT_NAMESPACE, ManifestObject, mapping, mappings, scalar_text
from kubeanswers.records import dataclass
from tenancykit.live.client import FIELD_MANAGER, Answer, ApiServer, SignedOutError, UnreachableError
from tenancykit.live.discovery import Discovery, Served

Result = Literal[
    "new",
    "same",
    "present",
    "waits",
    "refused",
    "conflict",
    "absent",
    "skipped",
    "sent",
    "applied",
    "unchanged",
    "unknown",
    "left",
]
"""What became of an object. Tried: ``new``, ``same`` (there as exported) or ``present`` (there, would be brought to
this state), ``waits`` (it needs something that this export brings itself), ``refused``, ``conflict`` (another field
manager owns fields of another value), ``absent`` (its kind is not served), ``skipped`` (a Secret).
Applied: ``sent`` (about to be written, nothing known yet), ``applied``, ``unchanged`` (nothing was written),
``unknown`` (no answer, or one that is not the object), ``left`` (not reached)."""
FAILED: Final[frozenset[Result]] = frozenset({"refused", "conflict", "absent", "unknown"})
_WRITTEN: Final[frozenset[Result]] = frozenset({"applied", "unchanged"})
_TYPED: Final = "failed to create typed patch object"
"""What a server says of an apply it cannot read: it answers 500 without a reason, and has written nothing."""

Told = Callable[[int, int, str], None]
"""Told (done, total, what) after each object."""

_KINDS_WAIT: Final = 30.0
"""Seconds to wait until kinds the export defines are served (assumption: controllers take a few)."""
_CONSTRAINTS: Final = "constraints.gatekeeper.sh"


@dataclass(frozen=True)
class Outcome:
    """What became of one object.

    Attributes:
        item: the object.
        result: what became of it.
        why: the server's reason, or what it waits for.
        adopts: field managers of an object that this export has not managed so far: it would be adopted.
        uid: what the server calls the object that is there; empty where none is.
        version: its resource version.
        owned: whether others own what is stated, at the same value: writing it takes force and changes nothing.
    """

    item: ManifestObject
    result: Result
    why: str = ""
    adopts: tuple[str, ...] = ()
    uid: str = ""
    version: str = ""
    owned: bool = False


@dataclass(frozen=True)
class Applied:
    """What became of every object of a cluster.

    Attributes:
        outcomes: one per object, in the order of application.
        written: whether anything was written.
        stopped: why application stopped before the end; empty where it did not.
    """

    outcomes: tuple[Outcome, ...]
    written: bool = False
    stopped: str = ""

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Objects the server did not take, in order."""
        return tuple(outcome for outcome in self.outcomes if outcome.result in FAILED)


@dataclass
class Application:
    """The objects of one cluster on their way to its API server.

    Attributes:
        server: the API server.
        objects: the objects, in the order they were read.
        force: take over fields that other managers own.
        tell: told after each object.
        record: told each object before it is sent (``sent``), and at once what became of it.
        clock: seconds.
        sleep: waits so many seconds.
    """

    server: ApiServer
    objects: Iterable[ManifestObject]
    force: bool = False
    tell: Told | None = None
    record: Callable[[Outcome], None] | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    discovery: Discovery = field(init=False)

    def __post_init__(self) -> None:
        self.discovery = Discovery(self.server)
        self.objects = sorted(self.objects, key=_rank)  # stable: within a rank the order of the tree
        self._own = {(item.kind.lower(), item.name) for item in self.objects}
        self._defined = {kind for item in self.objects for kind in _defines(item)}

    def try_out(self) -> Applied:
        """Return what the server would do with every object; nothing is written."""
        return Applied(self._tried(list(self.objects)))

    def apply(self) -> Applied:
        """Return what was applied: nothing unless the server would take everything it can already judge.

        Namespaces and definitions go first; what needs them is tried again before the rest follows. The first refusal
        stops it all.
        """
        tried = self._tried(list(self.objects))
        if any(outcome.result in FAILED for outcome in tried):
            return Applied(tried, stopped="the server would not take everything: nothing was written")
        todo = [outcome for outcome in tried if outcome.result != "skipped"]
        skipped = [outcome for outcome in tried if outcome.result == "skipped"]
        first = [outcome for outcome in todo if _rank(outcome.item) < _REST]
        rest = [outcome for outcome in todo if _rank(outcome.item) == _REST]
        done, stopped = self._write(first, len(todo), 0)
        waiting = [outcome.item for outcome in rest if outcome.result == "waits"]
        if not stopped and waiting and done:
            again, stopped = self._tried_again(waiting)
            rest = [again.get(id(outcome.item), outcome) for outcome in rest]
        if not stopped:
            more, stopped = self._write(rest, len(todo), len(first))
            done += more
        reached = {id(outcome.item) for outcome in done}
        left = [o if o.result in FAILED else Outcome(o.item, "left") for o in rest if id(o.item) not in reached]
        left += [Outcome(o.item, "left") for o in first if id(o.item) not in reached]
        return Applied((*skipped, *done, *left), any(o.result == "applied" for o in done), stopped)

    def _tried_again(self, waiting: list[ManifestObject]) -> tuple[dict[int, Outcome], str]:
        """Return what the server makes of what waited, by identity, and why application stops here if it does."""
        try:
            self._await_kinds()
            again = {id(outcome.item): outcome for outcome in self._tried(waiting)}
        except UnreachableError as error:
            return {}, str(error)
        bad = next((outcome for outcome in again.values() if outcome.result in FAILED), None)
        return again, f"{bad.item}: {bad.why}" if bad else ""

    def _tried(self, items: list[ManifestObject]) -> tuple[Outcome, ...]:
        found = []
        for number, item in enumerate(items, start=1):
            found.append(self._try(item))
            if self.tell:
                self.tell(number, len(items), f"trying {item}")
        return tuple(found)

    def _try(self, item: ManifestObject) -> Outcome:
        if item.group == "" and item.kind == "Secret":
            return Outcome(item, "skipped", "values of Secrets are not read here: it comes from your secret store")
        if not mapping(item.metadata).get("name"):
            return Outcome(item, "refused", "has no metadata.name, so it cannot be applied twice")
        served = self.discovery.of(item)
        if served is None:
            if (item.group, item.kind) in self._defined:
                return Outcome(item, "waits", f"its kind {item.kind} is defined by this export")
            return Outcome(item, "absent", f"the server knows no {item.kind} of {item.data.get('apiVersion')}")
        return self._asked(item, served)

    def _asked(self, item: ManifestObject, served: Served) -> Outcome:
        """Return what the server would make of an object, held against what is there."""
        stored = self.server.request("GET", served.path(place_of(item), item.name))
        answer = self._patch(item, served, dry_run=True, force=self.force)
        owned = False
        if answer.status == 409 and stored.is_ok:
            forced = self._patch(item, served, dry_run=True, force=True)
            owned = forced.is_ok and is_same(stored.body, forced.body)
            answer = forced if owned else answer
        if not answer.is_ok:
            return self._refusal(item, answer)
        if not is_object(answer, item, served) or (stored.is_ok and not is_object(stored, item, served)):
            return Outcome(item, "unknown", "the server answers with something else than the object")
        if not stored.is_ok:
            return Outcome(item, "new" if answer.status == 201 else "present")
        metadata = mapping(stored.body.get("metadata"))
        managers = managers_of(stored.body)
        return Outcome(
            item,
            "same" if is_same(stored.body, answer.body) else "present",
            adopts=() if FIELD_MANAGER in managers else managers,
            uid=scalar_text(metadata.get("uid")),
            version=scalar_text(metadata.get("resourceVersion")),
            owned=owned,
        )

    def _refusal(self, item: ManifestObject, answer: Answer) -> Outcome:
        details = mapping(answer.body.get("details"))
        if answer.status == 404 and self._brings(details):
            return Outcome(item, "waits", f"needs {details.get('kind')} {details.get('name')} of this export")
        if answer.status == 404 and details.get("kind") == "namespaces":
            cure = "nothing in the export makes it: install what its README asks to have ready"
            return Outcome(item, "refused", f"{answer.message}; {cure}")
        if answer.status == 409:
            return Outcome(item, "conflict", answer.message)
        return Outcome(item, "refused", answer.message)

    def _brings(self, details: Mapping[str, Any]) -> bool:
        """Return whether what the server misses is an object of this export; it names resources, not kinds."""
        resource = scalar_text(details.get("kind")).lower()
        return (resource.removesuffix("s"), scalar_text(details.get("name"))) in self._own

    def _write(self, outcomes: list[Outcome], total: int, before: int) -> tuple[list[Outcome], str]:
        done: list[Outcome] = []
        for number, tried in enumerate(outcomes, start=before + 1):
            outcome = self._recorded(tried)
            done.append(outcome)
            if outcome.result not in _WRITTEN:
                return done, f"{tried.item}: {outcome.why}"
            if self.tell:
                self.tell(number, total, f"{outcome.result} {tried.item}")
        return done, ""

    def _recorded(self, tried: Outcome) -> Outcome:
        """Write one object; the list of what was applied knows of it before the server does."""
        if tried.result == "same" and not tried.adopts:
            return replace(tried, result="unchanged")
        if self.record:
            self.record(replace(tried, result="sent", why=""))
        outcome = self._written(tried)
        if self.record:
            self.record(outcome)
        return outcome

    def _written(self, tried: Outcome) -> Outcome:
        item = tried.item
        try:
            served = self.discovery.of(item)
            if served is None:
                why = f"the server still knows no {item.kind} of {item.data.get('apiVersion')}"
                return Outcome(item, "absent", why)
            answer = self._patch(item, served, dry_run=False, force=self.force or tried.owned)
        except SignedOutError as error:
            return Outcome(item, "refused", f"{error}; it was not applied")
        except UnreachableError as error:
            return Outcome(item, "unknown", f"{error}; whether it was applied is not known")
        return self._judged(tried, answer, served)

    def _judged(self, tried: Outcome, answer: Answer, served: Served) -> Outcome:
        """Return what an answer to a write means: success only if it is the object, and the one that was there."""
        item = tried.item
        if answer.status >= 500 and not answer.message.startswith(_TYPED):
            return Outcome(item, "unknown", f"{answer.message}; whether it was applied is not known")
        if not answer.is_ok:
            return Outcome(item, "conflict" if answer.status == 409 else "refused", answer.message)
        metadata = mapping(answer.body.get("metadata"))
        if not is_object(answer, item, served) or (tried.uid and metadata.get("uid") != tried.uid):
            return Outcome(item, "unknown", "the answer is not the object; whether it was applied is not known")
        if tried.version and scalar_text(metadata.get("resourceVersion")) == tried.version:
            return replace(tried, result="unchanged")
        return replace(tried, result="applied", why="was there before" if answer.status == 200 else "")

    def _patch(self, item: ManifestObject, served: Served, *, dry_run: bool, force: bool) -> Answer:
        return apply_object(self.server, item, served, dry_run=dry_run, force=force)

    def _await_kinds(self) -> None:
        """Wait until kinds the export defines are served; what is still missing then is told object by object."""
        end = self.clock() + _KINDS_WAIT
        while True:
            self.discovery.forget()
            pending = [i for i in self.objects if (i.group, i.kind) in self._defined and self.discovery.of(i) is None]
            if not pending or self.clock() >= end:
                return
            self.sleep(1.0)


def apply_object(
    server: ApiServer, item: ManifestObject, served: Served, *, dry_run: bool, force: bool = False
) -> Answer:
    """Return the answer to a server-side apply of an object with strict validation."""
    query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": str(force).lower()}
    if dry_run:
        query["dryRun"] = "All"
    headers = [("Content-Type", "application/apply-patch+yaml")]  # JSON is YAML
    return server.request("PATCH", served.path(place_of(item), item.name), item.data, query=query, headers=headers)


def is_object(answer: Answer, item: ManifestObject, served: Served) -> bool:
    """Return whether an answer is the object that was asked for: kind, group, name and namespace."""
    body, metadata = answer.body, mapping(answer.body.get("metadata"))
    group = scalar_text(body.get("apiVersion")).rpartition("/")[0]
    place = place_of(item) if served.namespaced else ""
    return (
        (scalar_text(body.get("kind")), group) == (item.kind, item.group)
        and scalar_text(metadata.get("name")) == item.name
        and scalar_text(metadata.get("namespace")) == place
    )


_SERVERS_OWN: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionTimestamp"}
)


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two answers are one object in one state, the server's own notes aside."""
    return stated(one) == stated(other)


def stated(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an answer somebody stated: everything but the status and the server's own notes."""
    metadata = {key: value for key, value in mapping(body.get("metadata")).items() if key not in _SERVERS_OWN}
    rest = {key: value for key, value in body.items() if key not in ("status", "metadata")}
    return {**rest, "metadata": metadata}


def managers_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who manages fields of an object, controllers that write its status aside."""
    entries = mappings(mapping(body.get("metadata")).get("managedFields"))
    names = (scalar_text(one.get("manager")) for one in entries if one.get("subresource") != "status")
    return tuple(dict.fromkeys(name for name in names if name))


def place_of(item: ManifestObject) -> str:
    """Return the namespace an object is applied to, if its kind has one."""
    return scalar_text(item.metadata.get("namespace")) or DEFAULT_NAMESPACE


_REST: Final = 2


def _rank(item: ManifestObject) -> int:
    """Namespaces, then definitions of kinds, then the rest."""
    if (item.group, item.kind) == ("", "Namespace"):
        return 0
    return 1 if next(_defines(item), None) else _REST


def _defines(item: ManifestObject) -> Iterator[tuple[str, str]]:
    """Yield group and kind an object defines."""
    if (item.group, item.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        yield scalar_text(item.spec.get("group")), scalar_text(mapping(item.spec.get("names")).get("kind"))
    if (item.group, item.kind) == ("templates.gatekeeper.sh", "ConstraintTemplate"):
        crd = mapping(mapping(mapping(item.spec.get("crd")).get("spec")).get("names"))
        yield _CONSTRAINTS, scalar_text(crd.get("kind"))
