"""Accelerator models: memory, what pods ask for, how a card is divided, and which cards one fast fabric joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import Field

from kubeanswers.errors import Fault, did_you_mean
from tenancykit.catalogue.model import Entry, GpuMode, Note, Option, SourceKey, Vendor
from tenancykit.catalogue.price_entries import Memory
from tenancykit.partitions import MIG_PROFILE

USUAL: Final = "nvidia.com/gpu"
"""What pods ask for where no accelerator on offer is known by name."""


class Partition(Entry):
    """One way to divide a card."""

    id: str
    """Name of the mode or profile."""
    per_card: int = Field(ge=1, le=64)
    """Devices a card is divided into."""
    resource: str = ""
    """Extended resource of one such device; empty where it is that of the whole card."""


class Fabric(Entry):
    """The fast network between cards, and how far it reaches."""

    name: str
    """Name of the network (NVLink, Infinity Fabric, ICI, NeuronLink)."""
    cards: int = Field(ge=1)
    """Cards one domain joins at most."""
    label: str = ""
    """Label of nodes by which a domain larger than a machine is told; empty where a domain is one machine."""
    slices: dict[str, int] = Field(default_factory=dict)
    """Cards by topology, where cards are had in slices of a fixed topology, smallest first."""

    def slice_of(self, cards: int) -> str:
        """Return the smallest topology that holds so many cards; empty where none does."""
        return next((name for name, most in self.slices.items() if most >= cards), "")


class Accelerator(Entry):
    """A model of accelerator."""

    id: str
    """Name with its memory, as prices and scenarios name it (``MI300X-192GB``)."""
    vendor: Vendor
    """Who makes it, and whose operator and device plugin serve it."""
    memory: Memory
    """Memory of one card."""
    resource: str = Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    """Extended resource of a whole card."""
    partitions: tuple[Partition, ...] = ()
    """Ways to divide a card, beside the profiles that options state."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of nodes that carry it, by which its provider tells models apart."""
    fabric: Fabric | None = None
    """What joins it to others."""
    source: SourceKey
    assumption: bool = False
    """Whether something of it is from memory."""
    note: Note = ""


def accelerator(model: str, known: Mapping[str, Accelerator]) -> Accelerator | None:
    """Return the model of a name; a name without memory (``MI300X``) is the first that begins so."""
    found = known.get(model)
    return found or next((a for name, a in known.items() if model and name.startswith(f"{model}-")), None)


def resources_of(models: Iterable[str], known: Mapping[str, Accelerator]) -> tuple[str, ...]:
    """Return the extended resources of whole cards of some models, in order; the usual one where none is known."""
    found = {a.resource for model in models if (a := accelerator(model, known)) is not None}
    return tuple(sorted(found)) or (USUAL,)


def foreign_parts(
    options: Mapping[str, Option], places: Mapping[str, str], known: Mapping[str, Accelerator]
) -> Iterator[Fault]:
    """Yield profiles of cards that another maker makes, and partitions that a card does not have.

    Args:
        options: ways to cut cards, among others, by id.
        places: where each was read.
        known: accelerator models by id.
    """
    for option in options.values():
        for model, profiles in (option.gpu.profiles if option.gpu else {}).items():
            card = accelerator(model, known)
            if option.gpu is not None and card is not None:
                place = f"{places[option.id]}: gpu.profiles.{model}"
                yield from _foreign(place, option.gpu, card, profiles)


def _foreign(place: str, mode: GpuMode, card: Accelerator, profiles: Iterable[str]) -> Iterator[Fault]:
    if card.vendor != mode.vendor:
        cure = f"write vendor: {card.vendor}, or leave the model out"
        yield Fault(place, f"the option cuts cards of {mode.vendor}, and {card.id} is made by {card.vendor}", cure=cure)
        return
    listed = [part.id for part in card.partitions]
    for name in sorted(profiles):
        if (listed and name not in listed) or (mode.mode == "mig" and not MIG_PROFILE.match(name)):
            allowed = ", ".join(listed) or "names of MIG profiles, such as 1g.10gb"
            cure = did_you_mean(name, listed) or "write the name the card's maker gives it"
            yield Fault(place, f"{name!r} is no partition of {card.id}", allowed, cure)
