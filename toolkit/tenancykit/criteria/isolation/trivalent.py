"""Facts of which some are not known: conditions that surely hold, and those that may hold (Kleene's strong logic)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from kubeanswers.records import dataclass
from tenancykit.catalogue.barriers import IsolationCatalogue
from tenancykit.conditions import Condition


@dataclass(frozen=True)
class Facts:
    """What is known of a pair of tenants.

    Attributes:
        sure: facts that hold.
        possible: facts that hold or may hold; a superset of ``sure``.
    """

    sure: frozenset[str]
    possible: frozenset[str]

    def surely(self, condition: Condition) -> bool:
        """Return whether the condition holds however the unknown facts turn out."""
        return _holds(condition, self.sure, self.possible)

    def possibly(self, condition: Condition) -> bool:
        """Return whether the condition may hold."""
        return _holds(condition, self.possible, self.sure)


def _holds(condition: Condition, facts: AbstractSet[str], others: AbstractSet[str]) -> bool:
    """Return one bound; under a negation the other bound's facts are read."""
    if condition.kind == "atom":
        return condition.atom in facts
    if condition.kind == "and":
        return all(_holds(part, facts, others) for part in condition.parts)
    if condition.kind == "or":
        return any(_holds(part, facts, others) for part in condition.parts)
    if condition.kind == "not":
        return not _holds(condition.parts[0], others, facts)
    return condition.kind == "always"


def alike(class_facts: AbstractSet[str], unsure: Iterable[str], model: IsolationCatalogue) -> Facts:
    """Return what is known of two tenants of one class with these facts.

    Args:
        class_facts: facts of both.
        unsure: derived facts that depend on how things are set up.
        model: the catalogue.
    """
    base = {f"{side}:{name}" for side in ("attacker", "victim", "both", "either") for name in class_facts}
    return close(frozenset(base | {"same-class"}), frozenset(unsure), model)


def close(base: frozenset[str], unsure: frozenset[str], model: IsolationCatalogue) -> Facts:
    """Return the facts of a pair together with every derived fact that surely or possibly follows."""
    sure, possible = set(base), set(base)
    for fact in model.derived.values():
        if fact.id in unsure:
            possible.add(fact.id)
            continue
        if _holds(fact.when, sure, possible):
            sure.add(fact.id)
        if _holds(fact.when, possible, sure):
            possible.add(fact.id)
    return Facts(frozenset(sure), frozenset(possible))
