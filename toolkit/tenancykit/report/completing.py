"""What completes a design for a scenario, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kubeanswers.terminal import counted
from tenancykit.criteria.cost.machines import coarse_cuts
from tenancykit.design.facts import class_workloads
from tenancykit.design.model import Choice, ClassDesign, Supplement
from tenancykit.design.needs import Asked, asked_needs
from tenancykit.design.offers import price_book
from tenancykit.design.validity import judge_of
from tenancykit.sentences import listed, three_digits
from tenancykit.study.evaluation import Evaluation


def completed_with(evaluation: Evaluation) -> str:
    """Return what completes a design: the options added or swapped, for which need and class; empty where nothing."""
    every = [c.tenant_class.id for c in evaluation.resolved.classes]
    found: dict[tuple[Supplement, str], list[str]] = {}
    for resolved in evaluation.resolved.classes:
        for supplement in resolved.choice.supplements:
            why = _why(supplement, resolved, evaluation)
            found.setdefault((supplement, why), []).append(resolved.tenant_class.id)
    told = []
    for (supplement, why), classes in found.items():
        text = f"{_named(supplement, evaluation)} ({why})"
        told.append(text if classes == every else f"{text} for {', '.join(classes)}")
    return f"completed with {'; '.join(told)}" if told else ""


def _named(supplement: Supplement, evaluation: Evaluation) -> str:
    text = evaluation.catalogue.options[supplement.option].name
    return f"{text} in place of {_given_way(supplement, evaluation)}" if supplement.replaces else text


def _why(supplement: Supplement, resolved: ClassDesign, evaluation: Evaluation) -> str:
    """Return what asks for a supplement: needs, the scenario by name, what would be broken without, else isolation."""
    if supplement.needs:
        return ", ".join(evaluation.catalogue.needs[need].name for need in supplement.needs)
    if supplement.option in resolved.tenant_class.requirements.require_options:
        return "which is required"
    options = [supplement.replaces if o == supplement.option else o for o in resolved.choice.options]
    judge = judge_of(resolved.tenant_class, evaluation.scenario, evaluation.catalogue)
    broken, before = (judge.resolve(c)[1] for c in (Choice(tuple(filter(None, options))), resolved.choice))
    fresh = [str(one) for one in broken if one not in before]
    return fresh[0] if fresh else "the isolation that is required"


def _given_way(supplement: Supplement, evaluation: Evaluation) -> str:
    """Return what a supplement replaces; only what does not fit a fixed fleet gives way though it met the need."""
    gone = evaluation.catalogue.options[supplement.replaces]
    met = {name for need in supplement.needs for name in evaluation.catalogue.needs[need].met.atoms()}
    fits = met.isdisjoint({gone.id, *gone.provides})
    return gone.name if fits else f"{gone.name}, for which the fleet holds too few GPU nodes"


def left_out(evaluation: Evaluation) -> str:
    """Return which options of published designs are left out as nobody asks for them, and why; empty where none."""
    found: dict[str, dict[str, None]] = {}
    for choice in evaluation.resolved.design.choices.values():
        for one in choice.omissions:
            found.setdefault(one.why, {})[one.name] = None
    told = [f"{listed(list(names))}, since {why}" for why, names in found.items()]
    return f"leaves out {'; '.join(told)}" if told else ""


def goes_without(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what a design does not provide of what is needed, though it is admitted: what happens instead."""
    return tuple(f"{class_id}: no {asked.need.name}; {asked.need.instead}" for class_id, asked in _unmet(evaluation))


def cut_coarsely(evaluation: Evaluation) -> tuple[str, ...]:
    """Return where partitions hold at most half as many of a class's shares as a card has room for, a sentence each."""
    told: dict[tuple[str, float, int, int], list[str]] = {}
    for resolved in evaluation.resolved.classes:
        cut = resolved.chosen("gpu_sharing", "fraction")
        if cut is None or cut.gpu is None or cut.gpu.mode != "mig":
            continue
        offered = judge_of(resolved.tenant_class, evaluation.scenario, evaluation.catalogue).offered
        asked = [w.gpu for w in class_workloads(evaluation.scenario, resolved.tenant_class) if w.gpu is not None]
        for found in coarse_cuts(cut.gpu, offered, asked):
            told.setdefault(found, []).append(resolved.tenant_class.id)
    return tuple(
        f"By MIG one {model} holds {counted(held, 'share')} of {share:g} for {listed(list(dict.fromkeys(ids)))}, "
        f"not {room}: an instance has no less of the card's compute than is asked for."
        for (model, share, held, room), ids in told.items()
    )


def made_of(evaluation: Evaluation) -> list[str]:
    """Return what completes a design, what it leaves out and what it goes without, a sentence each."""
    told = filter(None, (completed_with(evaluation), left_out(evaluation)))
    without = [f"{text}." for text in goes_without(evaluation)]
    return [f"{text[0].upper()}{text[1:]}." for text in told] + without + list(cut_coarsely(evaluation))


def _unmet(evaluation: Evaluation) -> Iterator[tuple[str, Asked]]:
    for resolved in evaluation.resolved.classes:
        for asked in asked_needs(resolved.tenant_class, evaluation.scenario, evaluation.catalogue):
            if asked.need.instead and asked.missed(resolved.facts):
                yield resolved.tenant_class.id, asked


def swapped(evaluation: Evaluation) -> str:
    """Return what gave way to something else in a design, for all classes once; empty where nothing did."""
    options = evaluation.catalogue.options
    found = {
        f"{options[s.option].name} in place of {_given_way(s, evaluation)}": None
        for resolved in evaluation.resolved.classes
        for s in resolved.choice.supplements
        if s.replaces
    }
    return listed(list(found))


def lacks(evaluation: Evaluation) -> dict[str, list[str]]:
    """Return the needs a design does not provide though it is admitted, with the ids of the classes that ask them."""
    found: dict[str, list[str]] = {}
    for class_id, asked in _unmet(evaluation):
        found.setdefault(asked.need.name, []).append(class_id)
    return found


def machines_of(evaluation: Evaluation) -> Mapping[str, int]:
    """Return how many machines of each type a design takes where they are not counted beforehand; else nothing."""
    figures = evaluation.scores["cost"].figures
    counts: Counter[str] = Counter()
    for kind in ("nodes", "spare_nodes", "control_plane_nodes") if figures["fleet"] is None else ():
        counts.update(figures[kind])
    return dict(sorted(counts.items()))


def runs_on(evaluation: Evaluation) -> str:
    """Return the machines an elastic fleet has to hold for a design, as words; empty where the fleet is fixed."""
    machines = machines_of(evaluation)
    if not machines:
        return ""
    there = ", which have to be there or be bought; its cost holds them" if of_ones_own(evaluation) else ""
    return f"takes {listed([f'{number} x {name}' for name, number in machines.items()])}{there}"


def of_ones_own(evaluation: Evaluation) -> bool:
    """Return whether machines are the owner's own: to be had by buying them, not by asking for them."""
    return all(site.provider == "own" for site in evaluation.scenario.infrastructure.sites)


def priced_as(evaluation: Evaluation) -> str:
    """Return in which regions machines stand that are priced as in others, as a sentence; empty where none do.

    The price book holds a machine once, at one region's price.
    """
    infrastructure = evaluation.scenario.infrastructure
    book = price_book(evaluation.scenario, evaluation.catalogue).prices
    prices = [book[offer.type] for offer in infrastructure.nodes if offer.spec is None]
    found: dict[str, None] = {}
    for site in infrastructure.sites:
        regions = {p.region: None for p in prices if p.provider == site.provider and p.region != site.region}
        if site.region and regions:
            found[f"in {site.region} are priced as in {listed(list(regions))}"] = None
    return f"Machines {'; machines '.join(found)}, where the price book has them." if found else ""


def purchase(evaluation: Evaluation, *, digits: int | None = None, brief: bool = False) -> str:
    """Return what a fixed fleet lacks for a design and what buying it costs per month; empty where it lacks nothing.

    Args:
        evaluation: the design.
        digits: significant digits of the money; whole units unless given.
        brief: whether machines are counted instead of named.
    """
    fleet = evaluation.scores["cost"].figures["fleet"]
    if not fleet or not (fleet["missing"] or fleet["missing_control_plane_machines"]):
        return ""
    hosts = fleet["missing_control_plane_machines"]
    machines = [f"{number} x {name}" for name, number in fleet["missing"].items()]
    if hosts:
        machines.append(counted(hosts, "machine for control planes", "machines for control planes"))
    if brief:
        machines = [counted(sum(fleet["missing"].values()) + hosts, "machine")]
    currency, money = evaluation.scenario.infrastructure.currency, fleet["purchase_per_month"]
    told = f"{money:,.0f}" if digits is None else three_digits(money)
    if brief:
        return f"buys {listed(machines)} ({told} {currency} a month of that)"
    return f"buys {listed(machines)} for {told} {currency} a month (in its cost)"
