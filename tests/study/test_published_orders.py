"""Published comparisons of tenancy models by cost: the product orders them as their authors do."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product
from pathlib import Path

import pytest
import yaml

import tenancykit as tk
from tests.laws.small import teams

ORDERS = yaml.safe_load((Path(__file__).parent / "published_orders.yaml").read_text())

DESIGNS = {
    "namespaces": "RA01",
    "own-nodes": "RA01 +node_dedicated_tenant",
    "virtual": "RA01 +cp_vcluster_shared",
    "virtual-own-nodes": "RA01 +cp_vcluster_private +node_dedicated_tenant",
    "clusters": "RA01 +cp_capi_dedicated +node_dedicated_tenant",
}
"""What the sources compare, on the same parts otherwise."""


@cache
def costs() -> dict[str, float]:
    """Return the cost a month of each on one's own machines: four teams, each of which fills two and a half of them."""
    study = tk.compare(teams(), designs=[design for design in DESIGNS.values() if "+" in design])
    return {name: study[design.replace(" ", "")].scores["cost"].value for name, design in DESIGNS.items()}


@pytest.mark.parametrize("published", ORDERS, ids=lambda one: one["source"].split("/")[2])
def test_cost_is_ordered_as_published(published: dict[str, list[str | list[str]]]) -> None:
    found = costs()
    groups = [[step] if isinstance(step, str) else step for step in published["order"]]
    for cheaper, dearer in pairwise(groups):
        for low, high in product(cheaper, dearer):
            assert found[low] < found[high], (low, high, found)
