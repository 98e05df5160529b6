"""Layers of each dimension: at most one option of a design stands in each, and in some a design must choose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kubeanswers.source import read_yaml
from tenancykit.catalogue.model import DIMENSIONS, Dimension

LAYERS_FILE: Final = "layers.yaml"
"""File of the catalogue that states them."""


def _layers() -> dict[Dimension, dict[str, bool]]:
    stated: Mapping[str, Mapping[str, str]] = read_yaml(Path(__file__).with_name(LAYERS_FILE)).data
    return {d: {layer: word == "required" for layer, word in stated[d].items()} for d in DIMENSIONS}


LAYERS: Final = _layers()
"""Layers by dimension, in the order they are shown, and whether a design must choose in them (``layers.yaml``)."""
