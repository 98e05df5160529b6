"""What a scenario's platform has to do for each tenant class: asked by default or stated, each with its reason.

Whether a design provides a need is a condition over the traits of its options (``needs/*.yaml`` of the catalogue), so
an option of one's own folder provides a need by providing the trait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.source import Path_, Place
from tenancykit.catalogue.model import Dimension, Need
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.facts import class_facts
from tenancykit.scenario.model import Scenario, TenantClass


@dataclass(frozen=True)
class Asked:
    """Whether one tenant class needs something, and why.

    Attributes:
        need: what it is about.
        class_id: the class.
        wanted: whether it is asked.
        stated: whether the scenario says so, rather than the catalogue's default.
        why: the reason, as a sentence without its subject.
    """

    need: Need
    class_id: str
    wanted: bool
    stated: bool
    why: str

    def missed(self, facts: frozenset[str]) -> bool:
        """Return whether a design with these facts owes the class this need and does not provide it."""
        return self.wanted and self.need.applies.holds(facts) and not self.need.met.holds(facts)

    def __str__(self) -> str:
        return f"{self.need.name}: {'asked' if self.wanted else 'not asked'}, {self.why}"


def stated_needs(scenario: Scenario, tenant_class: TenantClass) -> dict[str, bool]:
    """Return what the scenario states of a class's needs; what the class states goes before what holds for all."""
    return {**scenario.needs, **tenant_class.needs}


def needs_of(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue) -> tuple[Asked, ...]:
    """Return every need of the vocabulary with whether the class asks it and why, in order of id."""
    facts = class_facts(scenario, tenant_class)
    stated = stated_needs(scenario, tenant_class)
    return tuple(_asked(need, tenant_class, facts, stated.get(need.id), catalogue) for need in catalogue.needs.values())


def asked_needs(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue) -> tuple[Asked, ...]:
    """Return the needs a class asks, in order of id."""
    return tuple(asked for asked in needs_of(tenant_class, scenario, catalogue) if asked.wanted)


def without_needs(scenario: Scenario, catalogue: Catalogue) -> Scenario:
    """Return the scenario asking for none of the vocabulary: designs are compared as published."""
    classes = tuple(c.model_copy(update={"needs": {}}) for c in scenario.tenants.classes)
    tenants = scenario.tenants.model_copy(update={"classes": classes})
    bare = scenario.model_copy(update={"needs": dict.fromkeys(catalogue.needs, False), "tenants": tenants})
    return bare if scenario.folder is None else bare.in_folder(scenario.folder)


def narrowed_needs(scenario: Scenario, catalogue: Catalogue, allowed: Mapping[Dimension, Sequence[str]]) -> Scenario:
    """Return the scenario without the default needs that nothing provides once dimensions are narrowed.

    Whoever narrows a dimension says what to look at, as whoever forbids an option does; needs that are stated stay.
    """
    options = [o for o in catalogue.options.values() if o.dimension not in allowed or o.id in allowed[o.dimension]]
    left = frozenset(name for option in options if option.selectable for name in (option.id, *option.provides))
    classes = []
    for tenant_class in scenario.tenants.classes:
        facts = class_facts(scenario, tenant_class) | left
        gone = {
            one.need.id: False
            for one in asked_needs(tenant_class, scenario, catalogue)
            if not one.stated and not one.need.met.holds(facts)
        }
        classes.append(tenant_class.model_copy(update={"needs": {**tenant_class.needs, **gone}}))
    if tuple(classes) == scenario.tenants.classes:
        return scenario
    tenants = scenario.tenants.model_copy(update={"classes": tuple(classes)})
    changed = scenario.model_copy(update={"tenants": tenants})
    return changed if scenario.folder is None else changed.in_folder(scenario.folder)


def _asked(
    need: Need, tenant_class: TenantClass, facts: frozenset[str], stated: bool | None, catalogue: Catalogue
) -> Asked:
    wanted, why = need.default.holds(facts), f"because {need.unless}"
    if stated is not None:
        wanted, why = stated, "as the scenario states"
    elif wanted:
        forbidden = frozenset(tenant_class.requirements.forbid_options)
        wanted = need.met.holds(facts | _offered(catalogue, forbidden))
        why = f"because {need.why}" if wanted else "because the class forbids every option that provides it"
    return Asked(need, tenant_class.id, wanted=wanted, stated=stated is not None, why=why)


@lru_cache(maxsize=64)
def _offered(catalogue: Catalogue, forbidden: frozenset[str]) -> frozenset[str]:
    options = [o for o in catalogue.options.values() if o.selectable and o.id not in forbidden]
    return frozenset(name for option in options for name in (option.id, *option.provides))


def need_faults(scenario: Scenario, catalogue: Catalogue, place: Place) -> Iterator[Fault]:
    """Yield every need the vocabulary does not know, and every one that contradicts its class."""
    known = list(catalogue.needs)
    places: list[tuple[Path_, dict[str, bool]]] = [(("needs",), scenario.needs)]
    for index, tenant_class in enumerate(scenario.tenants.classes):
        places.append((("tenants", "classes", index, "needs"), tenant_class.needs))
    for path, stated in places:
        for name in stated:
            if name not in known:
                yield Fault(place((*path, name)), f"unknown need {name!r}", ", ".join(known), did_you_mean(name, known))
    yield from _conflicts(scenario, catalogue, place)


def _conflicts(scenario: Scenario, catalogue: Catalogue, place: Place) -> Iterator[Fault]:
    templates = {workload.id for workload in scenario.workloads}
    uses = [use for c in scenario.tenants.classes for use in c.workloads]
    uses += [use for tenant in scenario.tenants.named for use in tenant.workloads or ()]
    if any(use.template not in templates for use in uses):
        return
    for index, tenant_class in enumerate(scenario.tenants.classes):
        facts = class_facts(scenario, tenant_class)
        stated = [name for name, wanted in stated_needs(scenario, tenant_class).items() if wanted]
        for name in filter(catalogue.needs.__contains__, stated):
            own = name in tenant_class.needs
            path: Path_ = ("tenants", "classes", index, "needs", name) if own else ("needs", name)
            for conflict in catalogue.needs[name].conflicts:
                if conflict.when.holds(facts):
                    what = f"class {tenant_class.id!r} cannot need {catalogue.needs[name].name}: {conflict.why}"
                    yield Fault(place(path), what, cure=conflict.cure)
