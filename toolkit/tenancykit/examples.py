"""The example scenarios that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

EXAMPLES: Final = ("ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid")
"""Names of the examples: internal ML platform, SaaS inference, GPU cloud, regulated hybrid."""

_SHIPPED: Final = Path(__file__).parent / "examples"
_CHECKOUT: Final = Path(__file__).parents[2] / "examples"


def example(name: str) -> Path:
    """Return the scenario file of an example.

    Raises:
        KeyError: there is no such example.
    """
    if name not in EXAMPLES:
        raise KeyError(name)
    for folder in (_SHIPPED, _CHECKOUT):
        file = folder / name / "scenario.yaml"
        if file.is_file():
            return file
    raise KeyError(name)
