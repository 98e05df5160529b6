"""A study's figures come as pandas tables that join and filter, with stable names and units."""

from __future__ import annotations

from functools import cache

import pytest

import tenancykit as tk
from tenancykit.criterion_names import CRITERIA
from tenancykit.study.comparison import Study


@cache
def study() -> Study:
    return tk.compare(tk.load_scenario("ml-platform"))


def test_the_table_has_every_design_with_its_rank_and_figures() -> None:
    table = study().table
    assert list(table.index) == [one.id for one in study().order]
    assert table.loc[study().best.id, "rank"] == 1
    for name in CRITERIA:
        assert table.loc["RA01", name] == study()["RA01"].scores[name].value
    assert table["rank"].notna().sum() == len(study().ranking.labels)  # type: ignore[union-attr]
    assert set(table.attrs["units"]) >= set(CRITERIA)


def test_the_front_is_the_rows_nothing_beats() -> None:
    front = study().pareto_front
    assert front is not None
    assert set(study().front.index) == set(front.labels)


def test_the_bill_and_the_toil_add_up() -> None:
    for table, criterion in ((study().bill, "cost"), (study().toil, None)):
        parts = table.drop(columns="total").sum(axis=1)
        assert parts.to_numpy() == pytest.approx(table["total"].to_numpy())
        if criterion:
            assert table.loc["RA01", "total"] == pytest.approx(study()["RA01"].scores[criterion].value, abs=0.02)
        assert set(table.attrs["units"]) == set(table.columns)


def test_exposure_has_a_row_a_design_class_and_plane_inside_its_interval() -> None:
    table = study().exposure
    assert list(table.columns) == ["design", "class", "plane", "days", "low", "high", "nines", "assumption_share"]
    assert not table.duplicated(["design", "class", "plane"]).any()
    assert (table["low"] <= table["high"]).all()
    assert table["assumption_share"].between(0, 1).all()
