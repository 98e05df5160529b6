"""How figures vary together: what two designs share moves them alike, and only what differs tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from tenancykit.decision.table import FloatArray
from tenancykit.study.estimates import shared_levels
from tests.studies import study

SAMPLES = 4000


def together(levels: FloatArray) -> float:
    """Return the correlation of two designs' deviates."""
    return float((levels[:, 0] * levels[:, 1]).mean() / (levels[:, 0].std() * levels[:, 1].std()))


def test_deviates_are_standard_normal_and_the_same_whoever_else_is_drawn() -> None:
    evaluations = study("ml-platform").evaluations
    every, few = (shared_levels(some, SAMPLES, 0) for some in (evaluations, evaluations[3:5]))
    for name, levels in every.items():
        assert levels.shape == (SAMPLES, len(evaluations))
        assert np.abs(levels.mean(axis=0)).max() < 0.06, name
        assert np.abs(levels.std(axis=0) - 1).max() < 0.06, name
        assert np.allclose(levels[:, 3:5], few[name])


def test_designs_that_share_more_work_err_more_alike() -> None:
    studied = study("ml-platform")
    twin, other = (shared_levels([studied["RA06"], studied[label]], SAMPLES, 0) for label in ("RA01", "RA13"))
    for name in ("effort", "operations"):
        near, far = (together(levels[name]) for levels in (twin, other))
        assert 0.9 < far < near < 1.01


def test_bills_of_the_same_machines_move_together() -> None:
    levels = shared_levels([study("ml-platform")[label] for label in ("RA06", "RA01")], SAMPLES, 0)["cost"]
    assert together(levels) == pytest.approx(1, abs=0.01)
