from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

gc.set_threshold(50_000, 10, 10)
"""A worker keeps whole studies in memory, and Python looks through them for cycles every 700 new objects unless told
otherwise: 265 tests took 25.3 seconds of the processor, and 21.3 with this (one pair, on a busy machine)."""

REPOSITORY = Path(__file__).parents[1]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    """Folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the public reference data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder 'shared' with reference data is not beside the checkout")
    return SHARED
