"""What the format cannot say: references that must exist, names that must differ, wishes that cannot all hold."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.quantities import MIB
from kubeanswers.source import Document, Path_, Place
from tenancykit.scenario.fitting import NodeShape, node_faults
from tenancykit.scenario.model import Demand, Scenario, TenantClass, WorkloadUse
from tenancykit.scenario.naming import class_tenants, named_kubernetes_name
from tenancykit.scenario.worth import parse_rate
from tenancykit.sentences import listed

WEIGHT_TOLERANCE = 1e-6
LEAST_MEMORY = MIB
"""Assumption: no container runs in less; a smaller request lacks its unit."""


def check(scenario: Scenario, document: Document, known_nodes: Mapping[str, NodeShape] | None = None) -> list[Fault]:
    """Return every semantic fault of a scenario.

    Args:
        scenario: the scenario.
        document: where it was read from, for places.
        known_nodes: shapes of the node types of the price book and of the scenario; without it, none is looked up.
    """
    place = document.where
    return [
        *_unique_ids(scenario, place),
        *_references(scenario, place),
        *_named_tenants(scenario, place),
        *_groups(scenario, place),
        *_workload_shapes(scenario, place),
        *_weights(scenario, place),
        *_contradictions(scenario, place),
        *_judgements(scenario, place),
        *node_faults(scenario, place, known_nodes),
    ]


def _unique_ids(scenario: Scenario, place: Place) -> Iterator[Fault]:
    lists: list[tuple[Path_, list[str], str]] = [
        (("tenants", "classes"), [c.id for c in scenario.tenants.classes], "tenant class"),
        (("workloads",), [w.id for w in scenario.workloads], "workload"),
        (("infrastructure", "sites"), [s.id for s in scenario.infrastructure.sites], "site"),
        (("infrastructure", "nodes"), [n.type for n in scenario.infrastructure.nodes], "node type"),
    ]
    for path, ids, what in lists:
        for index, identifier in enumerate(ids):
            first = ids.index(identifier)
            if first != index:
                earlier = place((*path, first)).split(": ")[0]
                yield Fault(place((*path, index)), f"{what} {identifier!r} is already at {earlier}", cure="rename one")


def _references(scenario: Scenario, place: Place) -> Iterator[Fault]:
    templates = [w.id for w in scenario.workloads]
    classes = [c.id for c in scenario.tenants.classes]
    for c, tenant_class in enumerate(scenario.tenants.classes):
        yield from _uses(tenant_class.workloads, ("tenants", "classes", c, "workloads"), templates, place)
    for n, tenant in enumerate(scenario.tenants.named):
        if tenant.tenant_class not in classes:
            yield Fault(
                place(("tenants", "named", n, "class")),
                f"unknown tenant class {tenant.tenant_class!r}",
                ", ".join(classes),
                did_you_mean(tenant.tenant_class, classes),
            )
        yield from _uses(tenant.workloads or (), ("tenants", "named", n, "workloads"), templates, place)


def _uses(uses: tuple[WorkloadUse, ...], path: Path_, templates: list[str], place: Place) -> Iterator[Fault]:
    for u, use in enumerate(uses):
        if use.template not in templates:
            yield Fault(
                place((*path, u, "template")),
                f"unknown workload {use.template!r}",
                ", ".join(templates),
                did_you_mean(use.template, templates),
            )
        if use.demand:
            yield from _demand(use.demand, (*path, u, "demand"), place)


def _named_tenants(scenario: Scenario, place: Place) -> Iterator[Fault]:
    names: dict[str, int] = {}
    short: dict[str, str] = {}
    for n, tenant in enumerate(scenario.tenants.named):
        where = place(("tenants", "named", n, "name"))
        if tenant.name in names:
            earlier = place(("tenants", "named", names[tenant.name], "name")).split(": ")[0]
            yield Fault(where, f"tenant {tenant.name!r} is already at {earlier}", cure="remove or rename one")
            continue
        names[tenant.name] = n
        derived = named_kubernetes_name(tenant)
        if derived in short:
            yield Fault(
                where,
                f"tenants {short[derived]!r} and {tenant.name!r} both map to the Kubernetes name {derived!r}",
                cure="rename one, or set kubernetes_name on one",
            )
        short.setdefault(derived, tenant.name)
    for c, tenant_class in enumerate(scenario.tenants.classes):
        own = [t for t in scenario.tenants.named if t.tenant_class == tenant_class.id]
        if len(own) > tenant_class.count:
            yield Fault(
                place(("tenants", "classes", c, "count")),
                f"class {tenant_class.id!r} counts {tenant_class.count} tenants but {len(own)} are named",
                cure=f"raise count to at least {len(own)}",
            )
    yield from _generated_names(scenario, short, place)


def _generated_names(scenario: Scenario, short: dict[str, str], place: Place) -> Iterator[Fault]:
    if not short and len(scenario.tenants.classes) == 1:
        return
    taken = dict(short)
    named = Counter(tenant.tenant_class for tenant in scenario.tenants.named)
    for c, tenant_class in enumerate(scenario.tenants.classes):
        for tenant in itertools.islice(class_tenants(scenario, tenant_class), named[tenant_class.id], None):
            if tenant.kubernetes_name in taken:
                yield Fault(
                    place(("tenants", "classes", c, "id")),
                    f"the generated tenant {tenant.kubernetes_name!r} has the Kubernetes name of "
                    f"{taken[tenant.kubernetes_name]!r}",
                    cure="rename the class or the tenant",
                )
                break
            taken[tenant.kubernetes_name] = tenant.name


def _groups(scenario: Scenario, place: Place) -> Iterator[Fault]:
    for n, tenant in enumerate(scenario.tenants.named):
        for g, group in enumerate(tenant.groups):
            if group.startswith("system:"):
                what = f"group {group!r} is Kubernetes's own, and everybody or the cluster's admins may be in it"
                yield Fault(place(("tenants", "named", n, "groups", g)), what, cure="name the tenant's own group")


def _workload_shapes(scenario: Scenario, place: Place) -> Iterator[Fault]:
    for w, workload in enumerate(scenario.workloads):
        path: Path_ = ("workloads", w)
        if workload.cpu == 0:
            yield Fault(place((*path, "cpu")), "a replica asks for no CPU", cure="write a CPU request such as 100m")
        if workload.memory == 0:
            yield Fault(place((*path, "memory")), "a replica asks for no memory", cure="write a request such as 256Mi")
        elif workload.memory < LEAST_MEMORY:
            what = f"a replica asks for {workload.memory:,} bytes of memory"
            yield Fault(place((*path, "memory")), what, "1Mi or more", "add the unit, such as Mi or Gi")
        if workload.gpu and workload.gpu.fraction is not None and workload.gpu.count != 1:
            yield Fault(
                place((*path, "gpu")), f"asks for {workload.gpu.count} GPUs and a fraction", "count: 1 with a fraction"
            )
        if workload.gang > workload.replicas:
            yield Fault(
                place((*path, "gang")),
                f"a gang of {workload.gang} cannot start from {workload.replicas} replicas",
                cure="lower gang or raise replicas",
            )
        if workload.demand.least > workload.replicas:
            what = f"keeps {workload.demand.least} replicas, and {workload.replicas} is all there are"
            yield Fault(place((*path, "demand", "least")), what, cure="lower least or raise replicas")
        yield from _demand(workload.demand, (*path, "demand"), place)


def _demand(demand: Demand, path: Path_, place: Place) -> Iterator[Fault]:
    if demand.profile == "trace" and not demand.file:
        yield Fault(place(path), "profile 'trace' names no file", cure="add file: demand.csv")
    if demand.file and demand.profile != "trace":
        what = f"names a file, and profile {demand.profile!r} does not read it"
        yield Fault(place((*path, "file")), what, cure="set profile: trace, or remove file")


def _weights(scenario: Scenario, place: Place) -> Iterator[Fault]:
    for path, weights in [(("weights",), scenario.weights)] + [
        (("stakeholders", name), weights) for name, weights in scenario.stakeholders.items()
    ]:
        total = sum(weights.of_criteria().values())
        if total <= 0:
            yield Fault(place(path), "all weights are zero", cure="give at least one criterion a weight")
        elif abs(total - 1) > WEIGHT_TOLERANCE and not weights.normalise:
            unsaid = [name for name in weights.of_criteria() if name not in weights.model_fields_set | {*weights.added}]
            counted = [f"{name} at {weights.of_criteria()[name]:g}" for name in unsaid if weights.of_criteria()[name]]
            what = f"weights add up to {total:g}" + (f", with {listed(counted)} as nothing is said" if counted else "")
            yield Fault(place(path), what, "a sum of 1", "correct them or set normalise: true")


def _judgements(scenario: Scenario, place: Place) -> Iterator[Fault]:
    """Yield what is wrong with scales, stakes and exchange rates."""
    if scenario.stakes and not any(scenario.stakes.values()):
        yield Fault(place(("stakes",)), "no plane counts anything", cure="give at least one plane a stake above 0")
    yield from _rates(scenario, place)
    classes = [c.id for c in scenario.tenants.classes]
    for name, ends in scenario.scales.isolation.items():
        yield from _unknown_class(name, classes, place(("scales", "isolation", name)))
        for plane, own in ends.planes.items():
            must = own.must if own.must is not None else ends.must
            plenty = own.plenty if own.plenty is not None else ends.plenty
            if must is not None and plenty is not None and must >= plenty:
                what = f"must is {must:g} and plenty {plenty:g} nines"
                yield Fault(place(("scales", "isolation", name, "planes", plane)), what, "must below plenty")


def _unknown_class(name: str, classes: list[str], where: str) -> Iterator[Fault]:
    if name not in classes:
        yield Fault(where, f"unknown tenant class {name!r}", ", ".join(classes), did_you_mean(name, classes))


def _rates(scenario: Scenario, place: Place) -> Iterator[Fault]:
    """Yield exchange rates for unknown classes or in another currency."""
    worth, currency = scenario.worth, scenario.infrastructure.currency.upper()
    stated: list[tuple[Path_, str, str]] = []
    if worth.person_day is not None:
        stated.append((("worth", "person_day"), worth.person_day, "person-day"))
    if worth.hour is not None:
        stated.append((("worth", "hour"), worth.hour, "hour"))
    if isinstance(worth.isolation, dict):
        for name, text in worth.isolation.items():
            path: Path_ = ("worth", "isolation", name)
            yield from _unknown_class(name, [c.id for c in scenario.tenants.classes], place(path))
            stated.append((path, text, "nine"))
    elif worth.isolation is not None:
        stated.append((("worth", "isolation"), worth.isolation, "nine"))
    for path, text, of in stated:
        found = parse_rate(text, of=of, flows=of == "nine").currency
        if found != currency:
            yield Fault(place(path), f"is in {found}", f"{currency}, the scenario's currency", "convert the amount")


def _contradictions(scenario: Scenario, place: Place) -> Iterator[Fault]:
    jurisdictions = {s.jurisdiction for s in scenario.infrastructure.sites if s.jurisdiction}
    for c, tenant_class in enumerate(scenario.tenants.classes):
        path: Path_ = ("tenants", "classes", c)
        unserved = [r for r in tenant_class.residency if r not in jurisdictions]
        if tenant_class.residency and len(unserved) == len(tenant_class.residency):
            yield Fault(
                place((*path, "residency")),
                f"data must stay in {', '.join(unserved)}, where no site is",
                ", ".join(sorted(jurisdictions)) or "no site states a jurisdiction",
                "add a site with that jurisdiction or change residency",
            )
        yield from _class_contradictions(tenant_class, path, place)
    infrastructure = scenario.infrastructure
    if infrastructure.provider_trust != "trusted" and all(site.provider == "own" for site in infrastructure.sites):
        what = f"{infrastructure.provider_trust} is said of a provider, and every site is one's own"
        yield Fault(place(("infrastructure", "provider_trust")), what, "trusted", "name the provider of the site")


def _class_contradictions(tenant_class: TenantClass, path: Path_, place: Place) -> Iterator[Fault]:
    wishes = tenant_class.requirements
    both = sorted(set(wishes.require_options) & set(wishes.forbid_options))
    if both:
        yield Fault(
            place((*path, "requirements")), f"{', '.join(both)} is both required and forbidden", cure="drop one"
        )
    if wishes.own_crds and tenant_class.api_access in ("none", "namespace"):
        yield Fault(
            place((*path, "requirements", "own_crds")),
            f"tenants bring their own CRDs but api_access is {tenant_class.api_access!r}",
            "api_access: cluster",
            "change one of the two",
        )
    if wishes.own_crds and tenant_class.kind == "customer" and tenant_class.api_access is None:
        yield Fault(
            place((*path, "requirements", "own_crds")),
            "customers hold no API access by default, so they cannot bring CRDs",
            "api_access: cluster",
            "state api_access or drop own_crds",
        )
