"""What the catalogue finds wrong with a scenario: what it does not know, and wishes that no design can meet."""

from __future__ import annotations

from collections.abc import Iterator

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.source import Place
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.boards import cuts
from tenancykit.design.needs import need_faults, stated_needs
from tenancykit.design.offers import gpu_models_on_offer, node_shapes, offer_faults
from tenancykit.design.space import space
from tenancykit.design.validity import judge_of
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.scenario.reading import Known


def known_to(catalogue: Catalogue) -> Known:
    """Return what a scenario may refer to where this catalogue holds."""
    return Known(
        lambda scenario: node_shapes(scenario, catalogue),
        lambda scenario, place: wish_faults(scenario, catalogue, place),
    )


def wish_faults(scenario: Scenario, catalogue: Catalogue, place: Place) -> Iterator[Fault]:
    """Yield every reference to the catalogue that leads nowhere, and every class whose wishes contradict each other."""
    yield from offer_faults(scenario, catalogue, place)
    needs = list(need_faults(scenario, catalogue, place))
    yield from needs
    if needs:
        return
    known = [*catalogue.options, *catalogue.components]
    for index, name in enumerate(scenario.team.running):
        if name not in known:
            cure = did_you_mean(name, known) or "see: tenancykit catalogue options"
            yield Fault(place(("team", "running", index)), f"unknown option or component {name!r}", cure=cure)
    for index, tenant_class in enumerate(scenario.tenants.classes):
        where = ("tenants", "classes", index, "requirements")
        unknown = list(_unknown(tenant_class, catalogue, where, place))
        yield from unknown or _contradictions(tenant_class, scenario, catalogue, place(where))


def _unknown(
    tenant_class: TenantClass, catalogue: Catalogue, where: tuple[str | int, ...], place: Place
) -> Iterator[Fault]:
    for field in ("require_options", "forbid_options"):
        for index, name in enumerate(getattr(tenant_class.requirements, field)):
            if name not in catalogue.options:
                cure = did_you_mean(name, catalogue.options) or "see: tenancykit catalogue options"
                yield Fault(place((*where, field, index)), f"unknown option {name!r}", cure=cure)


def _contradictions(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue, where: str) -> Iterator[Fault]:
    wishes = tenant_class.requirements
    needs = [name for name, wanted in stated_needs(scenario, tenant_class).items() if wanted]
    if not (wishes.require_options or wishes.forbid_options or needs):
        return
    taken: dict[tuple[str, str], str] = {}
    for name in wishes.require_options:
        option = catalogue.options[name]
        earlier = taken.setdefault((option.dimension, option.layer), name)
        if earlier != name:
            what = f"{earlier} and {name} are both required, and a design has one {option.layer} option"
            yield Fault(where, what, cure="drop one")
            return
    vain = list(_cut_nothing(tenant_class, scenario, catalogue, where))
    if vain:
        yield from vain
        return
    found = space(tenant_class, scenario, catalogue)
    if not found.count:
        refused = judge_of(tenant_class, scenario, catalogue).refused(wishes.require_options)
        every = [*map(str, refused), *(name for name, _ in found.reasons())]
        named = [name for name in every if any(wish in name for wish in (*wishes.require_options, *needs))]
        what = f"no valid design of class {tenant_class.id!r} keeps these wishes: {([*refused] or named or every)[0]}"
        yield Fault(where, what, cure="drop a need, or a required or forbidden option")


def _cut_nothing(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue, where: str) -> Iterator[Fault]:
    """Yield ways to cut cards that are required by name and cut none on offer, such as MIG where all are AMD's."""
    offered = gpu_models_on_offer(scenario, catalogue)
    ways = {o.id: o.gpu for o in catalogue.in_dimension("gpu_sharing") if o.gpu and o.layer == "fraction"}
    for name in (name for name in tenant_class.requirements.require_options if name in ways and offered):
        if any(cuts(ways[name], model) for model in offered):
            continue
        others = [other for other, mode in ways.items() if any(cuts(mode, model) for model in offered)]
        own = ", ".join(ways[name].profiles) or f"cards of {ways[name].vendor}"
        what = f"{name} cuts {own}, and none of them is on offer ({', '.join(sorted(offered))})"
        instead = f"require {' or '.join(others)} instead, " if others else ""
        yield Fault(where, what, cure=f"{instead}drop it, or offer nodes whose cards it cuts")
