"""Reads every section of a catalogue, for who wants to know now whether all of its files are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeanswers.errors import CatalogueError, Fault, InputError
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.catalogue.signs import load_claims, load_signs
from tenancykit.catalogue.workbook import load_work


def read_whole(catalogue: Catalogue) -> None:
    """Read every file of a catalogue, though nothing asks for its entries yet.

    Raises:
        CatalogueError: every fault of every section.
    """
    sections: tuple[Callable[[Catalogue], Any], ...] = (
        lambda each: each.sources,
        lambda each: each.components,
        lambda each: each.options,
        lambda each: each.features,
        lambda each: each.accelerators,
        lambda each: each.rules,
        lambda each: each.needs,
        lambda each: each.references,
        load_prices,
        lambda each: load_isolation(each).evidence,
        lambda each: load_isolation(each).expectations,
        load_work,
        load_claims,
        load_signs,
    )
    faults: dict[Fault, None] = {}
    for read in sections:
        try:
            read(catalogue)
        except InputError as error:
            faults.update(dict.fromkeys(error.faults))
    if faults:
        raise CatalogueError(sorted(faults))
