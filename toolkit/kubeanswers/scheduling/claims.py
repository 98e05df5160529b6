"""Devices and the claims to them (dynamic resource allocation): slices, classes, claims, templates.

Format: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/, versions ``v1`` and, where
its form differs, ``v1beta1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from kubeanswers.quantities import parse_quantity
from kubeanswers.records import dataclass
from kubeanswers.scheduling.objects import node_terms, one_of, toleration
from kubeanswers.scheduling.requests import Object
from kubeanswers.scheduling.values import Machine, NodeTerm, Taint, Toleration, term_holds

SLICE: Final = "ResourceSlice"
CLASS: Final = "DeviceClass"
CLAIM: Final = "ResourceClaim"
TEMPLATE: Final = "ResourceClaimTemplate"
KINDS: Final = (SLICE, CLASS, CLAIM, TEMPLATE)
_ATTRIBUTES: Final = {"string": str, "int": int, "bool": bool, "version": str}
"""Types of attributes, as the API names them."""
_MODES: Final = ("ExactCount", "All")

DeviceId = tuple[str, str, str]
"""Driver, pool and name of a device."""


@dataclass(frozen=True)
class Reach:
    """Machines from which devices can be used: one by name, all, those with some labels, or none."""

    name: str = ""
    everywhere: bool = False
    terms: tuple[NodeTerm, ...] | None = None

    def holds(self, machine: Machine) -> bool:
        """Return whether a machine is among them."""
        if self.name:
            return self.name == machine.name
        return self.everywhere or any(term_holds(term, machine) for term in self.terms or ())


@dataclass(frozen=True)
class Capacity:
    """An amount of a device that can be shared out, and in which portions (KEP 5075).

    Attributes:
        value: the whole.
        default: portion of a request that names none; ``None`` for the whole.
        least, most, step: bounds of portions and what they are multiples of.
        portions: the only portions, in rising order; empty for any.
    """

    value: Decimal
    default: Decimal | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    step: Decimal | None = None
    portions: tuple[Decimal, ...] = ()

    def portion(self, asked: Decimal | None) -> Decimal | None:
        """Return what a request takes; ``None`` where no portion is large enough or allowed."""
        if asked is None:
            return self.value if self.default is None else self.default
        taken = asked
        if self.least is not None:
            above = max(Decimal(0), asked - self.least)
            steps = Decimal(0) if self.step is None else (above / self.step).to_integral_value(ROUND_CEILING)
            taken = self.least + (above if self.step is None else steps * self.step)
        if self.portions:
            taken = next((portion for portion in self.portions if portion >= asked), asked)
            return taken if taken in self.portions else None
        return None if self.most is not None and taken > self.most else taken


@dataclass(frozen=True)
class Device:
    """A device a driver offers.

    Attributes:
        id: what it is known by.
        attributes: the API's typed values by name; a name without a domain is the driver's.
        capacity: amounts by name.
        taints: what keeps claims away.
        counters: what it takes of its pool's shared counters, as (set, counter, amount).
        shared: whether several claims can have it at one time.
        reach: where it can be used from.
        waits: whether it has to be made ready before pods are bound.
        sticks: whether its claim can then be used on one machine only.
    """

    id: DeviceId
    attributes: Mapping[str, Mapping[str, Any]]
    capacity: Mapping[str, Capacity]
    taints: tuple[Taint, ...]
    counters: tuple[tuple[str, str, Decimal], ...]
    shared: bool
    reach: Reach
    waits: bool
    sticks: bool

    def attribute(self, name: str) -> Mapping[str, Any] | None:
        """Return the typed value of a fully qualified attribute; ``None`` without it."""
        domain, _, own = name.partition("/")
        return self.attributes.get(name, self.attributes.get(own) if domain == self.id[0] else None)

    def described(self) -> dict[str, Any]:
        """Return what selectors see, by domain and name: the API's typed attributes, and capacities as text."""
        parts: tuple[tuple[str, Mapping[str, Any]], ...] = (
            ("attributes", self.attributes),
            ("capacity", {name: str(found.value) for name, found in self.capacity.items()}),
        )
        found: dict[str, Any] = {"driver": self.id[0], "allowMultipleAllocations": self.shared}
        for part, values in parts:
            domains: dict[str, dict[str, Any]] = {}
            for name, value in values.items():
                domain, slash, own = name.partition("/")
                domains.setdefault(domain if slash else self.id[0], {})[own if slash else name] = value
            found[part] = domains
        return found


@dataclass(frozen=True)
class Slice:
    """Part of a driver's pool: devices, or counters they share; ``reach`` is ``None`` where each device has its own."""

    name: str
    pool: tuple[str, str]
    generation: int
    number: int
    reach: Reach | None
    devices: tuple[Device, ...]
    counters: Mapping[str, Mapping[str, Decimal]]

    def relevant(self, machine: Machine) -> bool:
        """Return whether it says something about devices that can be used from a machine."""
        if self.counters:
            return True
        return any(d.reach.holds(machine) for d in self.devices) if self.reach is None else self.reach.holds(machine)


@dataclass(frozen=True)
class DeviceClass:
    """A device class: selectors of its devices, and the extended resource it stands for."""

    name: str
    selectors: tuple[str, ...]
    resource: str


@dataclass(frozen=True)
class Option:
    """One way to satisfy a request; ``sub`` names it among alternatives."""

    request: str
    device_class: str
    sub: str = ""
    every: bool = False
    count: int = 1
    selectors: tuple[str, ...] = ()
    admin: bool = False
    tolerations: tuple[Toleration, ...] = ()
    capacity: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Request:
    """A request of a claim: its options in order of preference."""

    name: str
    options: tuple[Option, ...]

    @property
    def alternatives(self) -> bool:
        """Whether it is a list of alternatives."""
        return any(option.sub for option in self.options)


@dataclass(frozen=True)
class Constraint:
    """Devices of some requests (all, where none is named) have to agree, or differ, in an attribute."""

    attribute: str
    agree: bool
    requests: frozenset[str]

    def covers(self, option: Option) -> bool:
        """Return whether devices of an option are meant."""
        return not self.requests or bool({option.request, f"{option.request}/{option.sub}"} & self.requests)


@dataclass(frozen=True)
class Taken:
    """A device given to a request; ``portions`` of a shared one, ``rank`` of the alternative it satisfies."""

    device: DeviceId
    request: str = ""
    admin: bool = False
    portions: Mapping[str, Decimal] | None = None
    rank: int | None = None


@dataclass(frozen=True)
class ResourceClaim:
    """A claim; ``taken`` is ``None`` until it has its devices, which then its ``users`` can use within ``reach``."""

    key: str
    requests: tuple[Request, ...]
    constraints: tuple[Constraint, ...] = ()
    taken: tuple[Taken, ...] | None = None
    reach: tuple[Reach, ...] = ()
    users: tuple[str, ...] = ()
    deleting: bool = False


@dataclass(frozen=True)
class Offers:
    """Everything a dump says about devices; ``kinds`` are those of its objects that are in the dump at all."""

    kinds: frozenset[str]
    slices: tuple[Slice, ...]
    classes: Mapping[str, DeviceClass]
    claims: Mapping[str, ResourceClaim]
    templates: Mapping[str, ResourceClaim]


def read_offers(objects: Iterable[Object]) -> Offers:
    """Return what objects say about devices.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: an object is malformed.
    """
    by_kind: dict[str, list[Object]] = {kind: [] for kind in KINDS}
    for thing in objects:
        if thing.get("kind") in by_kind:
            by_kind[thing["kind"]].append(thing)
    claims = [_claim(thing, thing.get("spec") or {}) for thing in by_kind[CLAIM]]
    templates = [_claim(thing, (thing.get("spec") or {}).get("spec") or {}) for thing in by_kind[TEMPLATE]]
    return Offers(
        kinds=frozenset(kind for kind, found in by_kind.items() if found),
        slices=tuple(map(_slice, by_kind[SLICE])),
        classes={found.name: found for found in map(_device_class, by_kind[CLASS])},
        claims={claim.key: claim for claim in claims},
        templates={claim.key: claim for claim in templates},
    )


def _reach(part: Object) -> Reach:
    return Reach(part.get("nodeName") or "", bool(part.get("allNodes")), node_terms(part.get("nodeSelector")))


def _slice(thing: Object) -> Slice:
    spec = thing["spec"]
    pool = spec["pool"]
    if not (pool.get("name") and spec.get("driver")):
        raise ValueError("spec.driver or spec.pool.name is missing")
    shared, own = _reach(spec), bool(spec.get("perDeviceNodeSelection"))
    counters = {
        one["name"]: {name: parse_quantity(value["value"]) for name, value in (one.get("counters") or {}).items()}
        for one in spec.get("sharedCounters") or ()
    }
    return Slice(
        name=thing["metadata"]["name"],
        pool=(spec["driver"], pool["name"]),
        generation=int(pool.get("generation") or 0),
        number=int(pool.get("resourceSliceCount") or 1),
        reach=None if own else shared,
        devices=tuple(
            _device(one, (spec["driver"], pool["name"], one["name"]), None if own else shared)
            for one in spec.get("devices") or ()
        ),
        counters=counters,
    )


def _device(thing: Object, identity: DeviceId, reach: Reach | None) -> Device:
    body = thing.get("basic") or thing
    taints = tuple(Taint(t["key"], str(t.get("value") or ""), t["effect"]) for t in body.get("taints") or ())
    counters = tuple(
        (one["counterSet"], name, parse_quantity(value["value"]))
        for one in body.get("consumesCounters") or ()
        for name, value in (one.get("counters") or {}).items()
    )
    return Device(
        id=identity,
        attributes={name: _attribute(name, value) for name, value in (body.get("attributes") or {}).items()},
        capacity={name: _capacity(value) for name, value in (body.get("capacity") or {}).items()},
        taints=taints,
        counters=counters,
        shared=bool(body.get("allowMultipleAllocations")),
        reach=_reach(body) if reach is None else reach,
        waits=bool(body.get("bindingConditions")),
        sticks=bool(body.get("bindsToNode")),
    )


def _attribute(name: str, value: Any) -> Mapping[str, Any]:
    typed = value if isinstance(value, Mapping) else {}
    kinds = (kind for kind, held in _ATTRIBUTES.items() if kind in typed and type(typed[kind]) is held)
    if next(kinds, None) is None:
        raise ValueError(f"attribute {name} is {value!r}, not one of {', '.join(_ATTRIBUTES)} with its value")
    return dict(typed)


def _capacity(value: Any) -> Capacity:
    if not isinstance(value, Mapping):
        return Capacity(parse_quantity(value))
    policy = value.get("requestPolicy") or {}
    span = policy.get("validRange") or {}

    def read(part: Object, name: str) -> Decimal | None:
        return None if part.get(name) is None else parse_quantity(part[name])

    portions = tuple(parse_quantity(one) for one in policy.get("validValues") or ())
    bounds = (read(span, "min"), read(span, "max"), read(span, "step"))
    return Capacity(parse_quantity(value["value"]), read(policy, "default"), *bounds, portions)


def _device_class(thing: Object) -> DeviceClass:
    spec = thing.get("spec") or {}
    return DeviceClass(thing["metadata"]["name"], _selectors(spec), spec.get("extendedResourceName") or "")


def _selectors(part: Object) -> tuple[str, ...]:
    return tuple(str(one["cel"]["expression"]) for one in part.get("selectors") or ())


def _claim(thing: Object, spec: Object) -> ResourceClaim:
    meta, devices = thing["metadata"], spec.get("devices") or {}
    requests = tuple(map(_request, devices.get("requests") or ()))
    allocation = (thing.get("status") or {}).get("allocation")
    results = ((allocation or {}).get("devices") or {}).get("results")
    terms = node_terms((allocation or {}).get("nodeSelector"))
    return ResourceClaim(
        key=f"{meta.get('namespace') or 'default'}/{meta['name']}",
        requests=requests,
        constraints=tuple(map(_constraint, devices.get("constraints") or ())),
        taken=None if allocation is None else tuple(_taken(one, requests) for one in results or ()),
        reach=() if terms is None else (Reach(terms=terms),),
        users=tuple(str(one.get("name")) for one in (thing.get("status") or {}).get("reservedFor") or ()),
        deleting=bool(meta.get("deletionTimestamp")),
    )


def _request(request: Object) -> Request:
    name, alternatives = request["name"], request.get("firstAvailable") or ()
    if alternatives:
        return Request(name, tuple(_option(one, name, one["name"]) for one in alternatives))
    return Request(name, (_option(request.get("exactly") or request, name, ""),))


def _option(body: Object, request: str, sub: str) -> Option:
    asked = (body.get("capacity") or {}).get("requests") or {}
    count = body.get("count")
    return Option(
        request=request,
        device_class=body["deviceClassName"],
        sub=sub,
        every=one_of("allocationMode", body.get("allocationMode") or "ExactCount", _MODES) == "All",
        count=1 if count is None else int(count),
        selectors=_selectors(body),
        admin=bool(body.get("adminAccess")),
        tolerations=tuple(map(toleration, body.get("tolerations") or ())),
        capacity=tuple((name, parse_quantity(value)) for name, value in sorted(asked.items())),
    )


def _constraint(constraint: Object) -> Constraint:
    agree = constraint.get("matchAttribute")
    return Constraint(
        agree or constraint["distinctAttribute"],
        agree=bool(agree),
        requests=frozenset(constraint.get("requests") or ()),
    )


def _taken(result: Object, requests: Iterable[Request]) -> Taken:
    if not isinstance(result["pool"], str):
        raise ValueError(f"pool is {result['pool']!r}, not text")  # noqa: TRY004 - one kind of error for the caller
    portions = {name: parse_quantity(value) for name, value in (result.get("consumedCapacity") or {}).items()}
    shared = bool(result.get("shareID") or portions)
    name, _, sub = str(result.get("request") or "").partition("/")
    subs = next(([option.sub for option in request.options] for request in requests if request.name == name), [])
    return Taken(
        (result["driver"], result["pool"], result["device"]),
        name,
        admin=bool(result.get("adminAccess")),
        portions=portions if shared else None,
        rank=subs.index(sub) if sub in subs and sub else None,
    )
