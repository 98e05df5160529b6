"""Published designs without what nobody asks for: tools of GitOps beside scripts, Slurm where nobody speaks of Slurm.

What an option is wanted for stands in its file (``wanted``). An architecture whose publisher shows such an option
beside what keeps tenants apart is the same architecture without it; who wants it says so, or names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tenancykit.catalogue.class_facts import CLASS_FACTS
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.facts import class_facts
from tenancykit.design.model import Choice, Design, Omission
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario, TenantClass


def as_asked(design: Design, scenario: Scenario, catalogue: Catalogue) -> Design:
    """Return a design without the options that its classes neither ask for nor have named, which is noted in it.

    An option stays where a rule, a need or a requirement is broken without it, and where the class is none that it is
    for. A design whose options are all named (one's own) stays what it is.

    Args:
        design: a published design, a variant of one, or one of one's own.
        scenario: whose classes ask.
        catalogue: the options.
    """
    unasked = {
        one.id: dict(_unasked(one, design.choices[one.id], scenario, catalogue)) for one in scenario.tenants.classes
    }
    waiting = sorted({name for found in unasked.values() for name in found})
    if not waiting:
        return design
    before = set(resolve(design, scenario, catalogue).violations)
    gone = [""]
    while gone:
        # What another option rests on goes once that one has gone.
        gone = []
        for option in waiting:
            left = _without(design, {name: found[option] for name, found in unasked.items() if option in found})
            after = set(resolve(left, scenario, catalogue).violations)
            if not after - before:
                design, before = left, after
                gone.append(option)
        waiting = [option for option in waiting if option not in gone]
    return design


def _unasked(
    tenant_class: TenantClass, choice: Choice, scenario: Scenario, catalogue: Catalogue
) -> Iterator[tuple[str, Omission]]:
    facts = class_facts(scenario, tenant_class)
    named = {*choice.named, *tenant_class.requirements.require_options}
    for option in map(catalogue.options.__getitem__, choice.options):
        wanted = option.wanted
        # Where what it needs of a class is not there the architecture is for others, and is not made to fit without it.
        fits = all(need.when.required() & CLASS_FACTS <= facts for need in option.needs)
        if wanted is not None and fits and option.id not in named and not wanted.when.holds(facts):
            yield option.id, Omission(option.id, option.name, wanted.otherwise)


def _without(design: Design, gone: dict[str, Omission]) -> Design:
    choices = dict(design.choices)
    for name, omission in gone.items():
        choice = choices[name]
        kept = tuple(option for option in choice.options if option != omission.option)
        completion = tuple(option for option in choice.completion if option in kept)
        choices[name] = replace(choice, options=kept, completion=completion, omissions=(*choice.omissions, omission))
    return replace(design, choices=choices)


__all__ = ["as_asked"]
