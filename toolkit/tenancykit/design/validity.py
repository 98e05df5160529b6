"""Whether a design is valid for a scenario, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubeanswers.remembering import remember
from tenancykit.catalogue.class_facts import is_class_fact
from tenancykit.catalogue.model import Option, Reference, Rule
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.boards import cuts
from tenancykit.design.facts import class_facts, class_workloads, design_facts
from tenancykit.design.fine_cuts import finer
from tenancykit.design.model import Choice, ClassDesign, Design, ResolvedDesign, Violation, choose
from tenancykit.design.naming import title
from tenancykit.design.needs import Asked, asked_needs
from tenancykit.design.offers import gpu_models_on_offer
from tenancykit.scenario.model import Scenario, TenantClass
from tenancykit.sentences import listed


def resolve(design: Design, scenario: Scenario, catalogue: Catalogue) -> ResolvedDesign:
    """Return the design looked up in the catalogue for every class of the scenario, with its violations.

    Raises:
        KeyError: the design chooses nothing for a class of the scenario.
    """
    classes: list[ClassDesign] = []
    violations: dict[Violation, list[str]] = {}
    for tenant_class in scenario.tenants.classes:
        resolved, broken = resolve_class(design.choices[tenant_class.id], tenant_class, scenario, catalogue)
        classes.append(resolved)
        for reason in broken:
            violations.setdefault(reason, []).append(tenant_class.id)
    name = title(classes)
    told = tuple(_told(*item, scenario) for item in violations.items())
    unfit = frozenset(class_id for ids in violations.values() for class_id in ids)
    return ResolvedDesign(design, tuple(classes), told, name.short, name.long, unfit, name.brief, name.tight)


def _told(reason: Violation, class_ids: Sequence[str], scenario: Scenario) -> Violation:
    """Return a violation with the classes it holds for, which go without saying where it holds for all."""
    if len(class_ids) == len(scenario.tenants.classes):
        return reason
    who = f"for {listed(class_ids)}"
    lacks = reason.words.removeprefix(_MISSES)
    told = f"{who}, {reason}" if lacks == reason.words else f"{_MISSES}{who} {lacks}"
    return reason._replace(words=told)


def resolve_class(
    choice: Choice, tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue
) -> tuple[ClassDesign, tuple[Violation, ...]]:
    """Return one class with its options and facts, and the reasons why the choice is not valid."""
    return judge_of(tenant_class, scenario, catalogue).resolve(choice)


def judge_of(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue) -> Judge:
    """Return what judges choices for a class; remembered, since every design of a comparison asks for the same few."""
    key = id(tenant_class), id(scenario), id(catalogue)
    found = _JUDGES.get(key)
    if found is None:
        # What an identity stands for is kept beside it, so that it stays its own.
        judge = Judge(tenant_class, scenario, catalogue), (tenant_class, scenario, catalogue)
        found = remember(_JUDGES, key, judge, _MOST_JUDGES)
    return found[0]


class Judge:
    """Looks up what is chosen for one tenant class and says why it is not valid.

    Args:
        tenant_class: the class.
        scenario: its scenario.
        catalogue: options, rules and needs.
    """

    def __init__(self, tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue) -> None:
        self.tenant_class = tenant_class
        self.catalogue = catalogue
        self.kubernetes = scenario.kubernetes
        self.base = class_facts(scenario, tenant_class)
        self._rules = [(rule, rule.when.required()) for rule in catalogue.rules.values()]
        self.asked = asked_needs(tenant_class, scenario, catalogue)
        self.offered = gpu_models_on_offer(scenario, catalogue)
        self.options = {**catalogue.options, **finer(class_workloads(scenario, tenant_class), self.offered, catalogue)}

    def resolve(self, choice: Choice) -> tuple[ClassDesign, tuple[Violation, ...]]:
        """Return the class with its options and facts, and the reasons why the choice is not valid."""
        options = tuple(self.options[identifier] for identifier in choice.options)
        facts = design_facts(self.base, options)
        facts |= self._useless_cuts(options)
        broken = [*_requisites(options, facts), *_class_wishes(self.tenant_class, choice, self.catalogue)]
        rules = self._applying(facts)
        for rule in rules:
            if rule.then is not None and not rule.then.holds(facts):
                broken.append(rule_broken(rule))
            broken += self._too_old(rule)
        restrictions = [rule.gpu_models for rule in rules if rule.gpu_models and "gpu" in facts]
        broken += self._no_model(restrictions)
        if restrictions:
            usable = matching_models(self.offered, restrictions)
            facts |= {f"gpu-model-only:{model}" for model in usable or {"none"}}
        broken += [need_missed(one) for one in self.asked if one.missed(facts) and not one.need.instead]
        return ClassDesign(self.tenant_class, choice, options, facts), tuple(broken)

    def refused(self, options: Iterable[str]) -> tuple[Violation, ...]:
        """Return why options cannot be chosen here, whatever else is: Kubernetes is too old, no GPU model will do."""
        facts = design_facts(self.base, (self.catalogue.options[identifier] for identifier in options))
        rules = self._applying(facts)
        restrictions = [rule.gpu_models for rule in rules if rule.gpu_models and "gpu" in facts]
        return (*self._no_model(restrictions), *(reason for rule in rules for reason in self._too_old(rule)))

    @property
    def demands(self) -> tuple[Rule, ...]:
        """The rules that follow from the class alone, whatever is chosen for it."""
        applying = self._applying(self.base)
        return tuple(rule for rule in applying if rule.then and all(map(is_class_fact, rule.when.atoms())))

    def _applying(self, facts: frozenset[str]) -> list[Rule]:
        """Return the rules that apply under facts."""
        return [rule for rule, required in self._rules if required <= facts and rule.when.holds(facts)]

    def _too_old(self, rule: Rule) -> tuple[Violation, ...]:
        if not rule.kubernetes_min or kubernetes_at_least(self.kubernetes, rule.kubernetes_min):
            return ()
        told = f"{rule.why} (Kubernetes {rule.kubernetes_min}, have {self.kubernetes})"
        return (Violation(told, f"rule {rule.id}: needs Kubernetes {rule.kubernetes_min}"),)

    def _no_model(self, restrictions: Sequence[Sequence[str]]) -> tuple[Violation, ...]:
        if not restrictions or not self.offered or matching_models(self.offered, restrictions):
            return ()
        lists = " and ".join("/".join(models) for models in restrictions)
        told = f"no GPU model on offer will do: needs {lists}, on offer {', '.join(sorted(self.offered))}"
        return (Violation(told, f"rules on GPU models: needs {lists}"),)

    def _useless_cuts(self, options: tuple[Option, ...]) -> frozenset[str]:
        """Return the fact that the way chosen to cut GPUs cuts none of the models on offer, where it is so."""
        modes = [option.gpu for option in options if option.layer == "fraction" and option.gpu]
        if "gpu-fraction" not in self.base or not modes or not self.offered:
            return frozenset()
        useless = not any(cuts(mode, model) for mode in modes for model in self.offered)
        return frozenset({"gpu-uncut"}) if useless else frozenset()


_MISSES: Final = "misses "
"""How reasons begin that a design lacks something."""
_MOST_JUDGES: Final = 64
_JUDGES: Final[dict[tuple[int, int, int], tuple[Judge, object]]] = {}


def rule_broken(rule: Rule) -> Violation:
    """Return why a design that breaks a rule is not admitted."""
    return Violation(rule.why, f"rule {rule.id}: needs {rule.then}")


def need_missed(asked: Asked) -> Violation:
    """Return why a design that does not provide a need is not admitted."""
    told = f"{_MISSES}{asked.need.name}, asked {asked.why}"
    return Violation(told, f"need {asked.need.id}: needs {asked.need.met}")


def option_missing(option: Option) -> Violation:
    """Return why a design without an option that its class requires is not admitted."""
    return Violation(f"{_MISSES}{option.name}, which is required", f"require_options: {option.id}")


def matching_models(offered: frozenset[str], restrictions: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the models on offer that every restriction allows (a restriction lists prefixes of model names)."""
    return frozenset(m for m in offered if all(any(m.startswith(p) for p in prefixes) for prefixes in restrictions))


def kubernetes_at_least(version: str, minimum: str) -> bool:
    """Return whether a Kubernetes version ``1.N`` is not older than another."""
    return int(version.split(".")[1]) >= int(minimum.split(".")[1])


def _requisites(options: tuple[Option, ...], facts: frozenset[str]) -> list[Violation]:
    broken = []
    for option in options:
        if not option.selectable:
            told = f"{option.name} is not for new designs: {option.status}"
            broken.append(Violation(told, f"option {option.id}"))
        broken.extend(
            Violation(f"{option.name}: {need.why}", f"option {option.id}: needs {need.when}")
            for need in option.needs
            if not need.when.holds(facts)
        )
    return broken


def _class_wishes(tenant_class: TenantClass, choice: Choice, catalogue: Catalogue) -> list[Violation]:
    wishes, known = tenant_class.requirements, catalogue.options
    lacking = [option_missing(known[o]) for o in wishes.require_options if o not in choice.options]
    return lacking + [
        Violation(f"has {known[o].name}, which is forbidden", f"forbid_options: {o}")
        for o in wishes.forbid_options
        if o in choice.options
    ]


def rule_limit(rules: tuple[Rule, ...], facts: frozenset[str]) -> int | None:
    """Return the most GPU pods per node that the rules allow under these facts, or None."""
    limits = [rule.gpu_pods_per_node for rule in rules if rule.gpu_pods_per_node and rule.when.holds(facts)]
    return min(limits) if limits else None


def reference_design(reference: Reference, scenario: Scenario, catalogue: Catalogue) -> Design:
    """Return a published reference architecture laid over the classes of a scenario.

    Each class gets the first tier whose condition holds for it; the last tier serves the rest.
    """
    choices: dict[str, Choice] = {}
    for tenant_class in scenario.tenants.classes:
        facts = class_facts(scenario, tenant_class)
        tier = next((t for t in reference.tiers if t.when.holds(facts)), reference.tiers[-1])
        choices[tenant_class.id] = choose(catalogue, tier.options, completion=tier.completion, tier=tier.id)
    return Design(reference.id, reference.name, choices, "reference", reference.source)
