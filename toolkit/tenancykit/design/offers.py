"""What a scenario's node types are: looked up in the catalogue's price book and the scenario's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from kubeanswers.errors import Fault, did_you_mean
from kubeanswers.source import Place
from tenancykit.catalogue.accelerators import accelerator
from tenancykit.catalogue.price_entries import NodeShape as Machine
from tenancykit.catalogue.price_entries import gpu_memory
from tenancykit.catalogue.prices import PriceBook, load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.scenario.fitting import NodeShape
from tenancykit.scenario.model import NodeSpec, Scenario
from tenancykit.sentences import listed


def price_book(scenario: Scenario, catalogue: Catalogue) -> PriceBook:
    """Return the prices that hold for a scenario: the catalogue's, overridden by the file the scenario names.

    Raises:
        CatalogueError: a fault in a price file.
    """
    own = scenario.infrastructure.price_book
    return load_prices(catalogue, scenario.folder / own if own and scenario.folder else None)


def node_shapes(scenario: Scenario, catalogue: Catalogue) -> Mapping[str, NodeShape]:
    """Return the shape of every node type of the scenario's price book, and of the scenario's own, by id."""
    infrastructure = scenario.infrastructure
    own = [(offer.type, offer.spec) for offer in infrastructure.nodes if offer.spec]
    found = {name: _shape(spec, infrastructure.is_whole_host(spec)) for name, spec in own}
    return {**_priced_shapes(price_book(scenario, catalogue)), **found}


@lru_cache(maxsize=16)
def _priced_shapes(book: PriceBook) -> Mapping[str, NodeShape]:
    return {name: _shape(price.node, price.node.bare_metal) for name, price in book.prices.items() if price.node}


def _shape(node: Machine | NodeSpec, whole_host: bool) -> NodeShape:
    return NodeShape(node.cpu, node.memory, node.gpus, node.gpu_model, gpu_memory(node.gpu_model), whole_host)


def offer_faults(scenario: Scenario, catalogue: Catalogue, place: Place) -> Iterator[Fault]:
    """Yield every provider the price book does not know, and a currency it cannot convert to.

    A provider may be unknown where the scenario describes every machine itself: the prices for any provider hold then.
    """
    infrastructure, prices = scenario.infrastructure, price_book(scenario, catalogue).prices.values()
    providers = sorted({price.provider for price in prices} - {""})
    described = all(offer.spec for offer in infrastructure.nodes)
    for index, site in enumerate(infrastructure.sites):
        meant = did_you_mean(site.provider, providers)
        if site.provider not in providers and (meant or not described):
            cure = meant or "write own for your own machines, describe them (spec), or give prices in price_book"
            what = f"unknown provider {site.provider!r}"
            yield Fault(place(("infrastructure", "sites", index, "provider")), what, ", ".join(providers), cure)
    yield from _model_faults(scenario, catalogue, place)
    currencies = sorted({price.currency for price in prices if price.currency})
    if infrastructure.currency not in currencies:
        what = f"no price or exchange rate is in {infrastructure.currency!r}"
        cure = did_you_mean(infrastructure.currency, currencies) or "add an entry of kind exchange-rate to price_book"
        yield Fault(place(("infrastructure", "currency")), what, ", ".join(currencies), cure)


def _model_faults(scenario: Scenario, catalogue: Catalogue, place: Place) -> Iterator[Fault]:
    """Yield accelerators of own machines that are known by no such name but nearly so: then nothing would fit them."""
    known = {*catalogue.accelerators, *(model.rsplit("-", 1)[0] for model in catalogue.accelerators)}
    for index, offer in enumerate(scenario.infrastructure.nodes):
        model = offer.spec.gpu_model if offer.spec else ""
        meant = did_you_mean(model, known) if model and accelerator(model, catalogue.accelerators) is None else ""
        if meant:
            path = ("infrastructure", "nodes", index, "spec", "gpu_model")
            cure = f"{meant} tenancykit catalogue accelerators lists all"
            yield Fault(place(path), f"unknown accelerator {model!r}", cure=cure)


def unknown_models(scenario: Scenario, catalogue: Catalogue) -> list[str]:
    """Return what is assumed of accelerators on offer that the catalogue does not know, and how to describe them."""
    unknown = [
        m for m in sorted(gpu_models_on_offer(scenario, catalogue)) if not accelerator(m, catalogue.accelerators)
    ]
    return [
        f"accelerator {model!r} is not in the catalogue: it is taken for one of NVIDIA's (nvidia.com/gpu) that "
        "shares no fabric; describe it in accelerators/ of a folder given with --catalogue, as ours are listed by "
        "tenancykit catalogue accelerators"
        for model in unknown
    ]


def machines_of_others(scenario: Scenario, catalogue: Catalogue) -> list[str]:
    """Return which node types of the price book are another provider's than that of any site, and what follows."""
    sites = dict.fromkeys(site.provider for site in scenario.infrastructure.sites)
    book = price_book(scenario, catalogue)
    offers = [offer.type for offer in scenario.infrastructure.nodes if offer.spec is None and offer.type in book]
    return [
        f"{name} is a machine of {book[name].provider}, and the sites are of {listed([*sites])}: its shape and price "
        "are taken as they stand there; describe what is rented with spec, or name a type of the site's provider"
        for name in offers
        if book[name].provider and book[name].provider not in sites
    ]


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
