"""What people read: numbers, plurals, lists, and sentences about how sure a first place is."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import tenancykit as tk
from kubeanswers.terminal import counted
from tenancykit.decision.explain import Contribution
from tenancykit.decision.weight_space import weights_near
from tenancykit.design.model import Choice
from tenancykit.report import charts
from tenancykit.report.calling import called
from tenancykit.report.exploring import options_apart
from tenancykit.report.figures import days_text, estimate, number, numbers_apart
from tenancykit.report.reasons import (
    changes_of_order,
    contested,
    hangs_on,
    how_sure,
    of_samples,
    weight,
    what_would_change_it,
    why_first,
    worth_telling,
)
from tenancykit.sentences import listed
from tenancykit.study.certainty import SAMPLES, WEIGHT_DOUBT, drawn_nodes
from tenancykit.study.discovery import Found
from tests import studies


def study() -> tk.Study:
    """A scenario in which some stakeholder chooses otherwise."""
    return studies.study("ml-platform")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (4, "4"), (61.98, "62.0"), (0.42, "0.42"), (0.00035, "0.00035"), (1230.4, "1,230"), (1.709e6, "1.71M")],
)
def test_numbers_have_few_digits_and_whole_ones_no_decimals(value: float, told: str) -> None:
    assert number(value) == told


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ((1_708_960.0, 1_709_423.0), ("1.7090M", "1.7094M")),
        ((0.9813, 0.9821), ("0.981", "0.982")),
        ((79.2, 85.6), ("79.2", "85.6")),
        ((3.0, 3.0), ("3", "3")),
    ],
)
def test_two_numbers_that_differ_are_told_apart(pair: tuple[float, float], told: tuple[str, str]) -> None:
    assert numbers_apart(*pair) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(1_814_000.0, "1.81M"), (13_700_000.0, "13.7M"), (61_000_000.0, "61.0M"), (250_100_000.0, "250M")],
)
def test_millions_have_three_digits(value: float, told: str) -> None:
    assert estimate(value) == told


def test_plurals_and_lists_read_as_people_write_them() -> None:
    assert (counted(1, "design"), counted(1125, "design")) == ("1 design", "1,125 designs")
    assert (listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])) == (
        "",
        "a",
        "a and b",
        "a, b and c",
    )


def test_rare_days_are_told_without_an_exponent() -> None:
    assert [days_text(days) for days in (0.0, 1.2e-6, 0.135, 38.2)] == ["0", "<0.001", "0.14", "38"]


def test_a_weight_next_to_none_or_all_is_not_told_as_none_or_all() -> None:
    assert [weight(share) for share in (0.0, 0.0035, 0.4, 0.997)] == ["0.00", "0.004", "0.40", "0.997"]


def test_how_sure_names_samples_and_doubt_and_never_all_cases() -> None:
    told = how_sure(study())
    assert "of samples of figures within their intervals" in told
    assert "weights by 20 %" in told
    assert "cases" not in told
    assert of_samples(0.97, 4000) == "3,880 of 4,000 samples"


@pytest.mark.parametrize("name", studies.EXAMPLES)
def test_what_the_other_samples_hang_on_is_said_and_measured_on_the_same_samples(name: str) -> None:
    """Every one of 63 assumptions left a design first that was first in 92 % of samples, and nothing said why."""
    studied = studies.study(name)
    assert studied.verdict is not None
    nodes = drawn_nodes(studied.basis, studied._admitted_figures)
    weights = weights_near(studied.heard, WEIGHT_DOUBT)
    drawn = weights.draw(np.random.default_rng(np.random.SeedSequence(0).spawn(1)[0]), SAMPLES)
    first = np.einsum("sdc,sc->sd", nodes, drawn).argmax(axis=1)
    assert np.isin(first, sorted(studied.standing.family)).mean() == pytest.approx(studied.verdict.share, abs=2e-3)
    told = hangs_on(studied)
    assert told.startswith("The other ")
    assert any(hinge.words in told and hinge.share > studied.verdict.share for hinge in studied.hinges)
    assert hangs_on(replace(studied, evaluations=studied.evaluations[:1])) == ""


def test_who_would_choose_otherwise_is_named_with_the_choice() -> None:
    told = contested(study())
    others = {name: view.ranking.winner for name, view in study().stakeholders.items() if view.ranking}
    best = study().best
    assert set(others.values()) - {best.id}
    for name, winner in others.items():
        assert f"stakeholder {name}" in told
        assert winner == best.id or called(study()[winner], best) in told


def test_a_lead_too_small_for_three_decimals_is_said_to_be_small(monkeypatch: pytest.MonkeyPatch) -> None:
    ranking = study().ranking
    assert ranking is not None
    found = study().why(*ranking.ordered()[:2])
    for lead, told in ((0.0004, ", less than 0.001 more than "), (0.001, ", 0.001 more than ")):
        monkeypatch.setattr(tk.Study, "why", lambda *_, lead=lead: replace(found, lead=lead))
        assert told in why_first(study())


def test_a_reason_is_told_where_three_decimals_of_the_score_show_it_and_no_id_is_needed() -> None:
    small, large = (Contribution("effort", 1.0, 2.0, 0.1, amount) for amount in (0.0004, -0.0005))
    assert worth_telling((small, large)) == (large,)
    for told in (why_first(study()), contested(study()), what_would_change_it(study())):
        assert told
        assert not re.search(r"\b(RA\d\d|HY\d)\b", told)
        assert "nines" not in told


def test_explaining_two_designs_says_where_their_order_changes_with_tenants() -> None:
    found = study().crossing_points("RA06", "RA04")
    told = changes_of_order(study(), "RA06", "RA04")
    assert found
    for crossing in found:
        assert f"from {crossing.tenants:,} tenants on {crossing.less} takes fewer hours" in told
    assert changes_of_order(study(), "RA06", "RA06") == ""


def test_notes_of_charts_use_no_exponents_and_no_wrong_plurals() -> None:
    best = study().best
    drawn = [charts.acceptability(study()), charts.utilisation(best), charts.gantt(best), charts.attack_paths(best)]
    for chart in drawn:
        assert "e+0" not in chart.svg
        assert "1 kinds" not in chart.svg
        assert ">0.00<" not in chart.svg


def test_designs_told_apart_by_shape_as_well_as_colour() -> None:
    assert charts.pareto(study()).svg.count("<polygon") > 1


def test_explored_designs_that_differ_never_read_the_same() -> None:
    evaluations = [study()[identifier] for identifier in ("RA01", "RA06", "RA07")]
    found = [Found(e.id, dict(e.resolved.design.choices), (1.0, 1.0, 1.0, 1.0), admitted=True) for e in evaluations]
    shared, told = options_apart(found)
    assert "cp_namespace_rbac" in shared
    assert len(set(told)) == len(told)
    lean = replace(
        found[0],
        id="X1",
        choices={name: Choice(choice.options[:-1]) for name, choice in found[0].choices.items()},
    )
    _, pair = options_apart([found[0], lean])
    assert pair[1] == f"RA01 -{next(iter(found[0].choices.values())).options[-1]}"
