"""What a change of weights leaves alone is drawn once, and says what drawing everything again would say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenancykit.criterion_names import PLAIN
from tenancykit.decision.doubt import sampled_nodes
from tenancykit.scenario.model import Weights
from tenancykit.study import certainty
from tenancykit.study.certainty import DOUBT, SAMPLES, drawn_nodes
from tenancykit.study.estimates import shared_levels
from tests.studies import study


def test_a_study_by_other_weights_says_what_one_made_with_them_says_and_draws_nothing_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = study("gpu-cloud")
    assert found.verdict is not None
    weights = Weights(isolation=0.2, effort=0.3, operations=0.2, cost=0.3)
    afresh = replace(found, weights=found.with_weights(weights).weights)
    expected, hinges = afresh.verdict, afresh.hinges
    monkeypatch.setattr(certainty, "sampled_nodes", None)
    other = replace(found).with_weights(weights)
    assert other.basis is not found.basis
    vars(other)["basis"] = afresh.basis
    assert (other.verdict, other.hinges) == (expected, hinges)


@pytest.mark.parametrize("held", ["isolation", "cost", "ends"])
def test_a_source_held_still_gives_the_samples_of_drawing_all_with_it_still(held: str) -> None:
    found = study("gpu-cloud")
    basis, figures = found.basis, found._admitted_figures
    tree, parts = basis.scales.tree, [np.array(part) for part in (figures.values, figures.low, figures.high)]
    still = tree.columns(held)
    for part in parts[1:]:
        part[:, still] = figures.values[:, still]
    joint = certainty._joint(basis.evaluations, basis.scales.keys)
    levels = {PLAIN.index(name): each for name, each in shared_levels(basis.evaluations, SAMPLES, 0).items()}
    whole = sampled_nodes(
        tree,
        parts,
        replace(DOUBT, ends=0.0) if held == "ends" else DOUBT,
        SAMPLES,
        0,
        [repr(certainty.recommended(one)) for one in basis.evaluations],
        {column: drawn for column, drawn in joint.items() if column not in still},
        levels,
    )
    assert np.array_equal(drawn_nodes(basis, figures, held=held), whole)
