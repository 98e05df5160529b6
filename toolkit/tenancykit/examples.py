"""The example scenarios that ship with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from kubeanswers.errors import Fault, InputError, did_you_mean

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


def file_or_example(path: str | os.PathLike[str]) -> Path:
    """Return the path of a scenario: an example's where it is named and no file of that name stands here.

    Raises:
        InputError: a bare name is neither a file nor an example.
    """
    file = Path(path)
    if str(path) in EXAMPLES and not (file.is_file() or (file / "scenario.yaml").is_file()):
        return example(str(path))
    if not file.exists() and len(file.parts) == 1 and not file.suffix:
        cure = did_you_mean(str(path), EXAMPLES) or f"name a file, or an example: {', '.join(EXAMPLES)}"
        raise InputError(Fault(str(path), "no such file or example", cure=cure))
    return file
