"""What follows from the GPU models on offer: who makes them, whether machines hold whole boards, what can cut them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from kubeanswers.errors import InputError
from tenancykit.catalogue.accelerators import accelerator
from tenancykit.catalogue.model import GpuMode
from tenancykit.catalogue.price_entries import NodeShape
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.scenario.model import Infrastructure, NodeSpec, Scenario

BOARD: Final = 8
"""GPUs of an HGX board, whose NVLink switches serve all of them."""

LINKED: Final = ("V100", "A100", "H100", "H200", "H800", "B200", "B300", "GB200", "GB300")
"""GPU models that are sold on boards with NVLink switches; others hang on PCIe and share no fabric."""


def whole_boards(scenario: Scenario) -> bool:
    """Return whether every machine on offer with GPUs holds a whole board, or GPUs without NVLink.

    False where a machine's shape is not known: then a board may serve two machines.
    """
    return _whole(scenario.infrastructure, scenario.folder)


@lru_cache(maxsize=256)
def vendor_of(model: str) -> str:
    """Return who makes a GPU model; empty where the catalogue does not know it."""
    known = accelerator(model, load_catalogue().accelerators)
    return known.vendor if known else ""


def cuts(mode: GpuMode, model: str) -> bool:
    """Return whether a way to cut GPUs cuts those of a model: its own vendor's alone, and those it has profiles for."""
    return vendor_of(model) in ("", mode.vendor) and mode.cuts(model)


def makers_on_offer(scenario: Scenario) -> frozenset[str]:
    """Return who makes the accelerators on offer; NVIDIA where one, or a machine, is not known by name."""
    shapes = _shapes(scenario.infrastructure, scenario.folder)
    models = {shape.gpu_model if shape else "" for shape in shapes or (None,) if shape is None or shape.gpus}
    return frozenset(vendor_of(model) or "nvidia" for model in models)


@lru_cache(maxsize=256)
def _whole(infrastructure: Infrastructure, folder: Path | None) -> bool:
    return all(
        shape is not None and (not shape.gpus or shape.gpus >= BOARD or not shape.gpu_model.startswith(LINKED))
        for shape in _shapes(infrastructure, folder)
    )


@lru_cache(maxsize=256)
def _shapes(infrastructure: Infrastructure, folder: Path | None) -> tuple[NodeShape | NodeSpec | None, ...]:
    """Return the machines on offer; None for one that is described nowhere, or whose price book cannot be read."""
    own = infrastructure.price_book
    try:
        prices = load_prices(load_catalogue(), folder / own if own and folder else None).prices
    except InputError:
        return tuple(offer.spec for offer in infrastructure.nodes)
    priced = ((offer, prices.get(offer.type)) for offer in infrastructure.nodes)
    return tuple(offer.spec or (price.node if price else None) for offer, price in priced)
