"""Published comparisons of tenancy models by cost: the product orders them as their authors do."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import yaml

import tenancykit as tk
from tests.laws.small import teams

LISTED = yaml.safe_load((Path(__file__).parent / "published_orders.yaml").read_text())
ORDERS = [one for one in LISTED if "order" in one]

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


OURS = {
    "namespace-rbac": "namespaces",
    "dedicated-node": "own-nodes",
    "virtual-control-plane": "virtual",
    "hosted-control-plane": "virtual-own-nodes",
    "dedicated-cluster": "clusters",
}
"""The words of the published rankings for what the sources compare."""


def test_every_published_ranking_that_does_not_speak_of_isolation_is_reproduced_or_says_why_not(shared: Path) -> None:
    rankings = yaml.safe_load((shared / "facts" / "published_rankings.yaml").read_text())["rankings"]
    compared = {one["source"]: one["order"] for one in ORDERS}
    reasons = {one["source"]: one["not_compared"] for one in LISTED if "not_compared" in one}
    for ranking in rankings:
        source = ranking["source_url"]
        for order in (one for one in ranking["orders"] if "isolation" not in one["criterion"]):
            if order["criterion"] in reasons.get(source, {}):
                continue
            assert compared[source] == in_our_words(order["order"], ranking["options"]), ranking["id"]


def in_our_words(step: Any, options: dict[str, str]) -> Any:
    return [in_our_words(each, options) for each in step] if isinstance(step, list) else OURS[options[step]]
