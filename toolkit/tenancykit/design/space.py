"""The space of all valid designs of a tenant class: counted exactly, enumerated lazily, refusals with their reasons.

The layers are decided one after the other. What matters of the decisions so far is only which facts the constraints
still to be checked will read; decisions that leave the same facts behind are one state. The space is the graph of these
states (a decision diagram), so that 10^12 designs are counted in a fraction of a second and never have to be listed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

from kubeanswers.records import dataclass
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import DIMENSIONS, Dimension, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.conditions import Condition
from tenancykit.design.facts import class_facts
from tenancykit.design.model import Choice
from tenancykit.design.needs import asked_needs
from tenancykit.design.offers import gpu_models_on_offer
from tenancykit.design.validity import kubernetes_at_least, matching_models
from tenancykit.scenario.model import Scenario, TenantClass

Layer = tuple[Dimension, str]
Candidates = tuple[Option | None, ...]
State = frozenset[str]


@dataclass(frozen=True)
class Constraint:
    """Something every valid design keeps.

    Attributes:
        name: rule or option it comes from, with the reason in words.
        broken: whether facts break it.
        atoms: the facts it reads.
    """

    name: str
    broken: Callable[[frozenset[str]], bool]
    atoms: frozenset[str]


@dataclass(frozen=True)
class Step:
    """One layer of the decision diagram.

    Attributes:
        layer: the layer decided here.
        edges: per state before it, the options that may follow and the state each leads to.
    """

    layer: Layer
    edges: Mapping[State, tuple[tuple[Option | None, State], ...]]


@dataclass(frozen=True)
class Space:
    """Every valid design of one tenant class.

    Attributes:
        tenant_class: the class.
        combinations: combinations of options before constraints.
        count: valid designs, exactly.
        refused: per constraint, how many combinations break it (counted at the first constraint they break).
    """

    tenant_class: TenantClass
    combinations: int
    count: int
    refused: Mapping[str, int]
    _steps: tuple[Step, ...] = field(repr=False, default=())
    _start: State = field(repr=False, default=frozenset())

    @property
    def steps(self) -> tuple[Step, ...]:
        """The decision diagram, layer by layer, without dead ends; empty where nothing is valid."""
        return self._steps if self.count else ()

    def reasons(self) -> list[tuple[str, int]]:
        """Return the constraints with the combinations they refuse, the most frequent first."""
        return sorted(self.refused.items(), key=lambda item: (-item[1], item[0]))

    def __iter__(self) -> Iterator[Choice]:
        """Yield every valid choice, always in the same order."""
        return self._from(0, self._start, ()) if self.count else iter(())

    def _from(self, position: int, state: State, chosen: tuple[str, ...]) -> Iterator[Choice]:
        if position == len(self._steps):
            yield Choice(chosen)
            return
        for option, following in self._steps[position].edges[state]:
            yield from self._from(position + 1, following, chosen if option is None else (*chosen, option.id))


def space(
    tenant_class: TenantClass,
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    allowed: Mapping[Dimension, Sequence[str]] | None = None,
) -> Space:
    """Return the space of valid designs of a class.

    Args:
        tenant_class: the class.
        scenario: its scenario.
        catalogue: the options.
        allowed: option ids to keep, for dimensions that are narrowed; optional layers may still stay empty.
    """
    base = class_facts(scenario, tenant_class)
    candidates = _candidates(tenant_class, catalogue, allowed or {})
    constraints = [*_constraints(scenario, catalogue, base), *_needed(tenant_class, scenario, catalogue)]
    return _built(tenant_class, candidates, constraints, base)


def common_space(
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    allowed: Mapping[Dimension, Sequence[str]] | None = None,
    first: Sequence[str] = (),
) -> Space:
    """Return the space of designs that choose the same options for every class and are valid for each of them.

    Its ``tenant_class`` is the scenario's first.

    Args:
        scenario: the scenario.
        catalogue: the options.
        allowed: option ids to keep, for dimensions that are narrowed.
        first: layers to decide before the others, in this order; the designs are the same.
    """
    classes = scenario.tenants.classes
    found = [_candidates(tenant_class, catalogue, allowed or {}) for tenant_class in classes]
    order = sorted(found[0], key=lambda layer: first.index(layer[1]) if layer[1] in first else len(first))
    candidates = {
        layer: tuple(option for option in found[0][layer] if all(option in other[layer] for other in found))
        for layer in order
    }
    constraints = [
        _under(constraint, base)
        for tenant_class in classes
        for base in (class_facts(scenario, tenant_class),)
        for constraint in (
            *_constraints(scenario, catalogue, base),
            *_needed(tenant_class, scenario, catalogue),
        )
    ]
    return _built(classes[0], candidates, constraints, frozenset())


def _under(constraint: Constraint, base: frozenset[str]) -> Constraint:
    """Return a constraint that knows the facts of its class, and reads only what options decide."""

    def broken(facts: frozenset[str]) -> bool:
        return constraint.broken(facts | base)

    return Constraint(constraint.name, broken, constraint.atoms - base)


def _built(
    tenant_class: TenantClass,
    candidates: Mapping[Layer, Candidates],
    constraints: Sequence[Constraint],
    base: frozenset[str],
) -> Space:
    due, needed = _schedule(candidates, constraints)
    combinations = math.prod(map(len, candidates.values()))
    fixed = [c.name for c in due.pop(-1, ()) if c.broken(base)]
    if fixed:
        return Space(tenant_class, combinations, 0, {fixed[0]: combinations})
    steps, start, refused = _diagram(candidates, due, needed, base)
    pruned, count = _alive(steps, start)
    return Space(tenant_class, combinations, count, refused, pruned, start)


def _schedule(
    candidates: Mapping[Layer, Candidates], constraints: Sequence[Constraint]
) -> tuple[dict[int, list[Constraint]], list[frozenset[str]]]:
    """Return the constraints due at each layer (-1: before any), and the facts still needed after each layer."""
    position: dict[str, int] = {}
    for index, options in enumerate(candidates.values()):
        for option in options:
            for atom in (option.id, *option.provides) if option else ():
                position[atom] = index
    due: dict[int, list[Constraint]] = {}
    for constraint in constraints:
        due.setdefault(max((position.get(atom, -1) for atom in constraint.atoms), default=-1), []).append(constraint)
    needed = [
        frozenset().union(*(c.atoms for when, found in due.items() if when > index for c in found))
        for index in range(len(candidates))
    ]
    return due, needed


def _diagram(
    candidates: Mapping[Layer, Candidates],
    due: Mapping[int, Sequence[Constraint]],
    needed: Sequence[frozenset[str]],
    base: frozenset[str],
) -> tuple[list[Step], State, dict[str, int]]:
    start = base & frozenset().union(*(c.atoms for found in due.values() for c in found))
    ways: Counter[State] = Counter({start: 1})
    refused: Counter[str] = Counter()
    remaining = math.prod(map(len, candidates.values()))
    steps: list[Step] = []
    for index, (layer, options) in enumerate(candidates.items()):
        remaining //= len(options) or 1
        edges: dict[State, tuple[tuple[Option | None, State], ...]] = {}
        following: Counter[State] = Counter()
        for state, count in ways.items():
            kept = []
            for option in options:
                facts = state if option is None else state | {option.id, *option.provides}
                broken = next((c for c in due.get(index, ()) if c.broken(facts)), None)
                if broken is not None:
                    refused[broken.name] += count * remaining
                    continue
                kept.append((option, facts & needed[index]))
                following[facts & needed[index]] += count
            edges[state] = tuple(kept)
        steps.append(Step(layer, edges))
        ways = following
    return steps, start, dict(refused)


def _alive(steps: Sequence[Step], start: State) -> tuple[tuple[Step, ...], int]:
    """Return the diagram without dead ends, and the number of its paths."""
    counts: dict[State, int] | None = None
    pruned: list[Step] = []
    for step in reversed(steps):
        edges: dict[State, tuple[tuple[Option | None, State], ...]] = {}
        below: dict[State, int] = {}
        for state, kept in step.edges.items():
            live = tuple(edge for edge in kept if counts is None or counts[edge[1]])
            edges[state] = live
            below[state] = sum(1 if counts is None else counts[edge[1]] for edge in live)
        counts = below
        pruned.append(Step(step.layer, edges))
    return tuple(reversed(pruned)), counts[start] if counts else 0


def _candidates(
    tenant_class: TenantClass, catalogue: Catalogue, allowed: Mapping[Dimension, Sequence[str]]
) -> dict[Layer, Candidates]:
    wishes = tenant_class.requirements
    result: dict[Layer, Candidates] = {}
    for dimension in DIMENSIONS:
        for layer, required in LAYERS[dimension].items():
            options: list[Option | None] = [
                option
                for option in catalogue.in_dimension(dimension)
                if option.layer == layer
                and option.selectable
                and option.id not in wishes.forbid_options
                and (dimension not in allowed or option.id in allowed[dimension])
            ]
            wanted = [option for option in options if option and option.id in wishes.require_options]
            if wanted:
                options = list(wanted)
            elif not required:
                options.append(None)
            result[dimension, layer] = tuple(options)
    return result


def _constraints(scenario: Scenario, catalogue: Catalogue, base: frozenset[str]) -> list[Constraint]:
    found: list[Constraint] = []
    offered = gpu_models_on_offer(scenario, catalogue)
    for rule in catalogue.rules.values():
        if rule.then is not None:
            found.append(_implication(f"{rule.id}: {rule.why}", rule.when, rule.then))
        if rule.kubernetes_min and not kubernetes_at_least(scenario.kubernetes, rule.kubernetes_min):
            found.append(_implication(f"{rule.id}: {rule.why}", rule.when, Condition("never")))
    restricting = [rule for rule in catalogue.rules.values() if rule.gpu_models]
    if "gpu" in base and restricting and offered:

        def no_model(facts: frozenset[str]) -> bool:
            lists = [rule.gpu_models for rule in restricting if rule.when.holds(facts)]
            return bool(lists) and not matching_models(offered, lists)

        atoms = frozenset().union(*(rule.when.atoms() for rule in restricting))
        found.append(Constraint("no GPU model on offer will do", no_model, atoms))
    for option in catalogue.options.values():
        found.extend(
            _implication(f"{option.id}: {need.why}", Condition("atom", option.id), need.when) for need in option.needs
        )
    gpu_options = {option.id for option in catalogue.in_dimension("gpu_sharing") if option.layer != "allocation"}
    found.append(Constraint("gpu_sharing: nothing is chosen", gpu_options.isdisjoint, frozenset(gpu_options)))
    return found


def _needed(tenant_class: TenantClass, scenario: Scenario, catalogue: Catalogue) -> list[Constraint]:
    """Return what the class asks of every design; needs that do not exclude are left to the figures."""
    return [
        _implication(f"need {asked.need.id}: {asked.need.what}", asked.need.applies, asked.need.met)
        for asked in asked_needs(tenant_class, scenario, catalogue)
        if not asked.need.instead
    ]


def _implication(name: str, when: Condition, then: Condition) -> Constraint:
    def broken(facts: frozenset[str]) -> bool:
        return when.holds(facts) and not then.holds(facts)

    return Constraint(name, broken, when.atoms() | then.atoms())
