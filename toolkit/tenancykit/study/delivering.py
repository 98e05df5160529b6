"""Published designs as a team would run them that delivers changes by hand or by scripts: without tools of GitOps.

How changes reach clusters is a statement of the scenario (``team.automation``). An architecture whose publisher shows a
GitOps tool beside what keeps tenants apart is the same architecture without it; who wants one says gitops, or names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import Choice, Design
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario

GITOPS: Final = frozenset({"delivery-hub", "delivery-lockdown", "gitops-fleet"})
"""Traits of what delivers from Git."""


def as_delivered(design: Design, scenario: Scenario, catalogue: Catalogue) -> Design:
    """Return a design without the GitOps tools that nobody asked for by name, where changes do not arrive by GitOps.

    A design whose options are all named (one's own) stays what it is, and so does one that breaks a rule without them.

    Args:
        design: a published design, a variant of one, or one of one's own.
        scenario: whose team delivers.
        catalogue: the options.
    """
    if scenario.team.automation == "gitops":
        return design
    choices = {
        name: _without(choice, _asked(name, choice, scenario), catalogue) for name, choice in design.choices.items()
    }
    left = replace(design, choices=choices)
    before, after = (resolve(one, scenario, catalogue) for one in (design, left))
    return design if set(after.violations) - set(before.violations) else left


def left_out(design: Design, scenario: Scenario, catalogue: Catalogue) -> Mapping[str, tuple[str, ...]]:
    """Return, per class, the GitOps tools a reference was published with and a design that follows it goes without."""
    found: dict[str, tuple[str, ...]] = {}
    if design.origin == "reference" and scenario.team.automation != "gitops":
        published = reference_design(catalogue.references[design.id], scenario, catalogue)
        for name, choice in published.choices.items():
            mine = design.choices[name].options
            if gone := tuple(o for o in choice.options if o not in mine and _delivers(o, catalogue)):
                found[name] = gone
    return found


def _without(choice: Choice, asked: frozenset[str], catalogue: Catalogue) -> Choice:
    kept = tuple(o for o in choice.options if o in asked or not _delivers(o, catalogue))
    return replace(choice, options=kept, completion=tuple(o for o in choice.completion if o in kept))


def _asked(class_id: str, choice: Choice, scenario: Scenario) -> frozenset[str]:
    return frozenset((*choice.named, *scenario.tenant_class(class_id).requirements.require_options))


def _delivers(option: str, catalogue: Catalogue) -> bool:
    return not GITOPS.isdisjoint(catalogue.options[option].provides)


__all__ = ["as_delivered", "left_out"]
