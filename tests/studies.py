"""Examples compared once for every test that only reads them: measuring is most of what a test run takes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue

EXAMPLES = ("ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid")
REFERENCES = sorted(load_catalogue().references)
COMPOSED = {"ml-platform": (), "saas-inference": ("HY1",), "gpu-cloud": ("HY1",), "regulated-hybrid": ("HY1", "HY2")}
"""The compositions that stand beside the references, the best and the one that costs clearly less."""


@cache
def study(example: str, *variants: str) -> tk.Study:
    """Return an example compared as users compare it, with variants beside the references."""
    return tk.compare(tk.load_scenario(example), designs=variants)


@cache
def published(example: str, *variants: str) -> tk.Study:
    """Return an example's references as their sources publish them, not completed, with variants beside them."""
    return tk.compare(tk.load_scenario(example), designs=variants, as_published=True)


def candidates(example: str) -> list[str]:
    """Return the designs a comparison holds: the references and, with several classes, the compositions."""
    return [*REFERENCES, *COMPOSED[example]]


SHAPES = ("RA01", "RA02", "RA04", "RA08", "RA09", "RA11", "RA13", "RA15")
"""References that between them have every kind of control plane, sharing of machines and delivery."""


def sampled(values: Iterable[Any], sample: Iterable[Any]) -> list[Any]:
    """Return the values of a parameter: the sample in every run, the others where asked for with ``-m ""``."""
    kept = set(sample)
    return [value if value in kept else pytest.param(value, marks=pytest.mark.whole) for value in values]
