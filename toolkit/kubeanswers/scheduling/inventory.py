"""The objects of a dump, read: machines, pods and the rules between them, with every fault found on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.scheduling import claims, storage
from kubeanswers.scheduling.claims import Offers, read_offers
from kubeanswers.scheduling.configuration import Profile, profiles
from kubeanswers.scheduling.disruption import budgets
from kubeanswers.scheduling.expansion import CONTROLLERS, Expansion, expand
from kubeanswers.scheduling.fields import MALFORMED, explained, not_text
from kubeanswers.scheduling.objects import SPREADING, Reader, controllers, labels_of, machine, name_of, services
from kubeanswers.scheduling.requests import Object, amounts
from kubeanswers.scheduling.storage import Storage, read_storage
from kubeanswers.scheduling.values import Budget, Machine, Pod, Selector

_DONE: Final = ("Succeeded", "Failed")
_NAMELESS: Final = ("KubeSchedulerConfiguration",)
READ: Final = frozenset(
    {
        "KubeSchedulerConfiguration",
        "Namespace",
        "Node",
        "Pod",
        "PodDisruptionBudget",
        "LimitRange",
        "PriorityClass",
        "ResourceQuota",
        "RuntimeClass",
        "Service",
        *CONTROLLERS,
        *claims.KINDS,
        *storage.KINDS,
    }
)
"""Kinds that bear on where a pod goes; objects of other kinds are counted and left aside."""
Value = TypeVar("Value")


@dataclass(frozen=True)
class Inventory:
    """What a dump holds.

    Attributes:
        things: its objects, lists taken apart.
        machines: its nodes.
        pods: its pods that are not done, each with its object, and those its controllers have still to create.
        namespaces: labels of its namespaces.
        services, controllers: selectors of pods that are spread by default.
        budgets: disruption budgets.
        profiles: schedulers' settings by name.
        storage: its volumes.
        offers: its devices and the claims to them.
        aside: objects of kinds that do not bear on placement, counted by kind.
        notes: controllers that create no pods now, and why.
    """

    things: tuple[Object, ...]
    machines: tuple[Machine, ...]
    pods: tuple[tuple[Object, Pod], ...]
    namespaces: Mapping[str, Mapping[str, str]]
    services: tuple[tuple[str, Selector], ...]
    controllers: Mapping[tuple[str, str], Selector]
    budgets: tuple[Budget, ...]
    profiles: Mapping[str, Profile]
    storage: Storage
    offers: Offers
    aside: Mapping[str, int]
    notes: tuple[str, ...] = ()


def flatten(objects: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects of a dump, lists taken apart; empty documents are left out."""
    for thing in objects:
        if thing is None:
            continue
        if isinstance(thing, Mapping) and str(thing.get("kind", "")).endswith("List") and "items" in thing:
            kind, version = str(thing["kind"]).removesuffix("List"), thing.get("apiVersion")
            shared = {"apiVersion": version, "kind": kind} if kind else {}
            items = thing["items"] or ()
            listed = items if isinstance(items, Sequence) and not isinstance(items, str) else (items,)
            yield from flatten({**shared, **item} if isinstance(item, Mapping) else item for item in listed)
        else:
            yield thing


def take_inventory(objects: Iterable[Any], places: Mapping[int, str] | None = None) -> Inventory:
    """Return what a dump holds.

    Args:
        objects: parsed objects, lists included.
        places: file and line of objects, by their identity in memory, for messages.

    Raises:
        InputError: objects are malformed, with every fault found.
    """
    check = _Checking(places or {})
    documents = [document for document in objects if document is not None]
    if not documents:
        raise InputError(Fault("the dump", "holds no objects", "objects as kubectl get -o yaml prints them"))
    things = check.objects(flatten(documents))
    by_kind: dict[str, list[Object]] = {}
    for thing in things:
        by_kind.setdefault(str(thing["kind"]), []).append(thing)
    reader = check.value("classes", lambda: Reader(things)) or Reader()
    alive = [thing for thing in by_kind.get("Pod", ()) if not check.done(thing)]
    spreading = [thing for kind in SPREADING for thing in by_kind.get(kind, ())]
    guards = by_kind.get("PodDisruptionBudget", ())
    machines = tuple(check.each(by_kind.get("Node", ()), machine))
    found = Inventory(
        things=tuple(things),
        machines=machines,
        pods=tuple(check.each(alive, lambda thing: (thing, reader.pod(thing)))),
        namespaces=dict(check.each(by_kind.get("Namespace", ()), lambda t: (t["metadata"]["name"], labels_of(t)))),
        services=tuple(s for one in check.each(by_kind.get("Service", ()), lambda t: services([t])) for s in one),
        controllers={k: v for one in check.each(spreading, lambda t: controllers([t])) for k, v in one.items()},
        budgets=tuple(b for one in check.each(guards, lambda t: budgets([t], alive)) for b in one),
        profiles=check.value("profiles", lambda: profiles(things)) or {},
        offers=check.together(things, claims.KINDS, read_offers),
        storage=check.together(things, storage.KINDS, read_storage),
        aside=dict(sorted(Counter(str(t["kind"]) for t in things if t["kind"] not in READ).items())),
    )
    check.each(by_kind.get("ResourceQuota", ()), _hard)
    expected = check.value("controllers", lambda: expand(things, machines)) or Expansion((), ())
    check.once([machine.name for machine in found.machines])
    check.once([pod.key for _, pod in found.pods])
    to_come = tuple(check.each(expected.pods, lambda thing: (thing, reader.pod(thing))))
    if check.faults:
        raise InputError(dict.fromkeys(check.faults))
    return replace(found, pods=(*found.pods, *to_come), notes=expected.notes)


def _hard(quota: Object) -> bool:
    amounts((quota.get("spec") or {}).get("hard"), f"{name_of(quota)}: spec.hard")
    return True


class _Checking:
    """Reads values and keeps the faults instead of stopping at the first."""

    def __init__(self, places: Mapping[int, str]) -> None:
        self.places = places
        self.faults: list[Fault] = []
        self._seen: set[str] = set()

    def objects(self, found: Iterable[Any]) -> list[Object]:
        """Return the entries that are objects with a kind and a name."""
        things = []
        for number, thing in enumerate(found, 1):
            if not isinstance(thing, Mapping):
                self.faults.append(Fault(f"object {number}", f"is {type(thing).__name__}, not an object"))
            elif not thing.get("kind") or not isinstance(thing["kind"], str):
                self.faults.append(Fault(f"object {number}", "has no kind", "objects as kubectl prints them"))
            elif self.value(_called(thing, number), lambda t=thing: self._shaped(t), thing):  # type: ignore[misc]
                things.append(thing)
        return things

    def _shaped(self, thing: Object) -> bool:
        for part in ("metadata", "spec", "status"):
            if thing.get(part) is not None and not isinstance(thing[part], Mapping):
                raise ValueError(f"{part} is {type(thing[part]).__name__}, not a mapping")
        meta = thing.get("metadata") or {}
        for part in ("name", "namespace"):
            if meta.get(part) is not None and not isinstance(meta[part], str):
                raise ValueError(f"metadata.{part} is {meta[part]!r:.40}, not text: put it in quotes")
        if thing["kind"] in READ and thing["kind"] not in _NAMELESS and not meta.get("name"):
            raise ValueError("metadata.name is missing")
        if thing["kind"] in READ:
            rest = {key: value for key, value in thing.items() if key != "spec"}
            alike = repr(thing.get("spec"))  # most pods of a dump are made from few templates
            wrong = next(not_text(rest if alike in self._seen else thing), None)
            if wrong:
                raise ValueError(wrong)
            self._seen.add(alike)
        return True

    @staticmethod
    def done(pod: Object) -> bool:
        """Return whether a pod has ended and takes no room."""
        return (pod.get("status") or {}).get("phase") in _DONE

    def each(self, things: Iterable[Object], read: Callable[[Object], Value]) -> list[Value]:
        """Return what is read of each object, without those that are faulty."""
        found = (self.value(name_of(thing), lambda t=thing: read(t), thing) for thing in things)  # type: ignore[misc]
        return [value for value in found if value is not None]

    def together(
        self, things: Iterable[Object], kinds: Sequence[str], read: Callable[[Iterable[Object]], Value]
    ) -> Value:
        """Return what objects of some kinds say together; nothing where one of them is faulty."""
        parts = [thing for thing in things if thing["kind"] in kinds]
        return read(parts if len(self.each(parts, lambda thing: read([thing]))) == len(parts) else ())

    def value(self, where: str, read: Callable[[], Value], thing: Object | None = None) -> Value | None:
        """Return what is read, or ``None`` with the fault kept."""
        try:
            return read()
        except InputError as error:
            found = list(error.faults)
        except MALFORMED as error:
            found = [Fault(where, explained(error), "the API's own form")]
        place = self.places.get(id(thing))
        self.faults += [fault._replace(where=f"{place}: {fault.where}") for fault in found] if place else found
        return None

    def once(self, names: Sequence[str]) -> None:
        """Keep a fault for every name that occurs twice."""
        twice = sorted(name for name, number in Counter(names).items() if number > 1)
        self.faults += [Fault(name, "is given twice", "each object once") for name in twice]


def _called(thing: Object, number: int) -> str:
    meta = thing.get("metadata")
    known = isinstance(meta, Mapping) and all(isinstance(meta.get(part, ""), str) for part in ("name", "namespace"))
    return name_of(thing) if known and meta and meta.get("name") else f"{thing['kind']} (object {number})"
