"""What a scenario's node types are: looked up in the catalogue's price book and the scenario's own."""

from __future__ import annotations

from collections.abc import Mapping

from tenancykit.catalogue.prices import PriceBook, load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.scenario.checks import NodeShape
from tenancykit.scenario.model import Scenario


def price_book(scenario: Scenario, catalogue: Catalogue) -> PriceBook:
    """Return the prices that hold for a scenario: the catalogue's, overridden by the file the scenario names.

    Raises:
        CatalogueError: a fault in a price file.
    """
    own = scenario.infrastructure.price_book
    return load_prices(catalogue, scenario.folder / own if own and scenario.folder else None)


def node_shapes(scenario: Scenario, catalogue: Catalogue) -> Mapping[str, NodeShape]:
    """Return the shape of every node type of the scenario's price book, by id."""
    return {
        identifier: NodeShape(price.node.cpu, price.node.memory, price.node.gpus, price.node.gpu_model)
        for identifier, price in price_book(scenario, catalogue).prices.items()
        if price.node is not None
    }


def gpu_models_on_offer(scenario: Scenario, catalogue: Catalogue) -> frozenset[str]:
    """Return the GPU models of the scenario's node types, own ones and those of the price book."""
    book = price_book(scenario, catalogue)
    models = set()
    for offer in scenario.infrastructure.nodes:
        if offer.spec is not None:
            models.add(offer.spec.gpu_model)
        elif offer.type in book:
            node = book[offer.type].node
            models.add(node.gpu_model if node else "")
    return frozenset(models - {""})
