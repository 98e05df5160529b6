"""Scenarios small enough to export, audit and change many times over."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tenancykit import api
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.needs import without_needs
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario


def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def small(example: str, tenants: int = 2) -> Scenario:
    """Return an example with at most so many tenants per class."""
    scenario = api.load_scenario(example, catalogue())
    classes = tuple(c.model_copy(update={"count": min(c.count, tenants)}) for c in scenario.tenants.classes)
    left = {c.id: c.count for c in classes}
    named = []
    for tenant in scenario.tenants.named:
        if left[tenant.tenant_class]:
            left[tenant.tenant_class] -= 1
            named.append(tenant)
    return scenario.model_copy(
        update={"tenants": scenario.tenants.model_copy(update={"classes": classes, "named": tuple(named)})}
    )


@cache
def two_classes() -> Scenario:
    """Return two classes of two teams each, all with access to the API; one pays for more; nobody needs an add-on.

    So the references are compared as published, which is how they are exported here.
    """
    scenario = without_needs(api.load_scenario("ml-platform", catalogue()), catalogue())
    one = scenario.tenants.classes[0].model_copy(update={"count": 2})
    other = one.model_copy(update={"id": "products", "service_tier": "premium"})
    return scenario.model_copy(
        update={"tenants": scenario.tenants.model_copy(update={"classes": (one, other), "named": ()})}
    )


def reference(identifier: str, scenario: Scenario) -> ResolvedDesign:
    return resolve(reference_design(catalogue().references[identifier], scenario, catalogue()), scenario, catalogue())


def exported(identifier: str, scenario: Scenario, folder: Path) -> ResolvedDesign:
    """Export a reference architecture and return it."""
    design = reference(identifier, scenario)
    export(design, scenario, catalogue(), folder)
    return design


def masked(name: str) -> str:
    """Return an object's name with tenants, classes and numbers taken out."""
    found = re.sub(r"(research|products)(-\d)?", lambda m: "TENANT" if m[2] else "CLASS", name)
    return re.sub(r"-\d+", "-N", found)
