from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import tenancykit as tk
from kubeanswers.errors import InputError, OutputError
from tenancykit.studio import session as session_module
from tenancykit.studio.session import Session
from tenancykit.study.evaluation import Evaluation
from tests.studio.conftest import set_field

CLASS = ("tenants", "classes", 0)


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a design is measured."""

    def refuse(*_: object) -> Evaluation:
        raise AssertionError("a design was measured again")

    monkeypatch.setattr(session_module, "evaluate", refuse)


@pytest.mark.usefixtures("no_measuring")
def test_moving_a_weight_ranks_again_without_measuring(session: Session) -> None:
    session.weigh(isolation=1, effort=0, operations=0, cost=0)
    best = session.study.best
    most = max(e.scores["isolation"].value for e in session.study.evaluations if session.study.rank(e.id))
    assert best.scores["isolation"].value == most
    session.weigh(isolation=0, cost=1)
    least = min(e.scores["cost"].value for e in session.study.evaluations if session.study.rank(e.id))
    assert session.study.best.scores["cost"].value == least


@pytest.mark.usefixtures("no_measuring")
def test_weights_are_shares_of_what_is_entered(session: Session) -> None:
    session.weigh(isolation=3, effort=1, operations=0, cost=0)
    assert session.study.weights.as_dict() == pytest.approx(
        {"isolation": 0.75, "effort": 0.25, "operations": 0, "cost": 0}
    )


@pytest.mark.usefixtures("no_measuring")
def test_a_session_ranks_like_a_study_with_the_same_weights(session: Session, measured: tk.Study) -> None:
    session.weigh_as("finance")
    expected = measured.stakeholders["finance"]
    assert [e.id for e in session.study.order] == [e.id for e in expected.order]
    assert session.study.ranking is not None
    assert expected.ranking is not None
    assert session.study.ranking.scores.tolist() == expected.ranking.scores.tolist()


@pytest.mark.usefixtures("no_measuring")
def test_fewer_candidates_keep_the_scale_of_all_references(session: Session, measured: tk.Study) -> None:
    session.choose(["RA01", "RA09"])
    assert {e.id for e in session.study.evaluations} == {"RA01", "RA09"}
    assert session.study.scales.ends == measured.scales.ends


@pytest.mark.usefixtures("no_measuring")
def test_undo_goes_back_step_by_step_and_redo_forward(session: Session) -> None:
    start = session.state
    session.weigh(cost=0.9)
    session.weigh(cost=0.8)
    session.weigh(isolation=0.5)
    session.open("ra01", "cost")
    end = session.state
    assert session.undo()
    assert session.undo()
    assert session.state.weights["cost"] == 0.8
    assert session.undo(), "the two moves of one slider are one step"
    assert session.state == start
    assert not session.undo()
    while session.redo():
        pass
    assert session.state == end


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cots", 1.0, "did you mean cost"),
        ("cost", -1.0, "zero or more"),
        ("cost", float("nan"), "zero or more"),
        ("cost", float("inf"), "zero or more"),
    ],
)
def test_a_weight_that_cannot_be_is_refused_and_changes_nothing(
    session: Session, name: str, value: float, told: str
) -> None:
    before = session.state
    with pytest.raises(InputError, match=told):
        session.weigh(**{name: value})
    assert session.state is before


def test_all_weights_zero_are_refused(session: Session) -> None:
    with pytest.raises(InputError, match="all zero"):
        session.weigh(isolation=0, effort=0, operations=0, cost=0)


@pytest.mark.parametrize("act", ["choose", "open", "compare_with"])
def test_an_unknown_design_is_refused_with_a_suggestion(session: Session, act: str) -> None:
    argument = ["RA0I"] if act == "choose" else "RA0I"
    with pytest.raises(InputError, match="did you mean RA"):
        getattr(session, act)(argument)
    assert not session.can_undo


def test_a_fault_in_the_text_is_told_and_the_figures_stay(session: Session, measured: tk.Study) -> None:
    faults = session.edit(session.state.text.replace("kind: team", "kind: taem"))
    assert len(faults) == 1
    assert "classes[0].kind" in faults[0].where
    assert "did you mean team" in faults[0].cure
    assert session.study.best.id == measured.best.id
    assert "taem" in session.state.text
    assert session.edit(session.state.text.replace("taem", "team")) == ()
    assert session.state.faults == ()


def test_every_fault_of_an_edit_is_told_at_once(session: Session) -> None:
    text = session.state.text.replace("kind: team", "kind: taem").replace("count: 3", "count: -3")
    assert len(session.edit(text)) == 2


def test_a_form_can_mend_what_a_form_broke(session: Session) -> None:
    assert set_field(session, (*CLASS, "count"), 0)
    assert set_field(session, (*CLASS, "count"), 2) == ()
    assert session.state.text.count("count: 2") == 1


def test_changing_the_question_measures_what_changed_and_undo_needs_nothing(session: Session) -> None:
    set_field(session, (*CLASS, "count"), 4)
    assert len(session.waiting()) == len(session.designs)
    session.undo()
    assert session.waiting() == ()


def test_measuring_stopped_half_way_goes_on_where_it_was(session: Session) -> None:
    set_field(session, (*CLASS, "count"), 4)
    first, second = session.step(), session.step()
    assert first != second
    left = len(session.waiting())
    assert left == len(session.designs) - 2
    session.weigh(cost=0.9)
    assert len(session.waiting()) == left


def test_a_session_compares_what_compare_compares(session: Session, measured: tk.Study) -> None:
    fresh = Session(measured.scenario)
    for study in (fresh.study, session.study):
        assert [e.resolved.design for e in study.evaluations] == [e.resolved.design for e in measured.evaluations]
        assert (study.criteria_table.values == measured.criteria_table.values).all()


def test_a_title_or_weights_in_the_text_measure_nothing_again(session: Session) -> None:
    text = session.state.text.replace("Two teams and a customer", "Another title")
    assert session.edit(text) == ()
    assert session.waiting() == ()
    assert session.study.best.scenario.title == "Another title"


def test_a_variant_joins_the_comparison(session: Session) -> None:
    identifier = session.add_variant("RA01 +node_dedicated_tenant")
    assert session.study[identifier].id == identifier
    assert session.opened.id == identifier
    with pytest.raises(InputError, match="is there already"):
        session.add_variant("RA01  +node_dedicated_tenant")


def test_what_is_open_follows_the_ranking_until_it_is_chosen(session: Session) -> None:
    session.weigh_as("finance")
    assert session.opened.id == session.study.best.id
    assert session.beside.id == session.study.order[1].id
    session.open("RA10")
    session.weigh(isolation=1, cost=0)
    assert session.opened.id == "RA10"


def test_export_writes_manifests_and_record(session: Session, tmp_path: Path) -> None:
    done = session.export(tmp_path / "tree")
    assert done.result.objects > 0
    assert f" ({session.opened.id}) for " in (tmp_path / "tree" / "decision.md").read_text().partition("\n")[0]


def test_a_design_that_breaks_a_rule_is_not_exported(session: Session, tmp_path: Path) -> None:
    broken = next(e for e in session.study.evaluations if not e.resolved.is_valid)
    session.open(broken.id)
    with pytest.raises(InputError, match="choose a valid design"):
        session.export(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_a_folder_that_cannot_be_written_is_told(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        session.export(tmp_path / "file" / "tree")
    with pytest.raises(OutputError):
        session.save(tmp_path / "file" / "session.json")


def test_a_class_that_no_chosen_design_serves_brings_back_all_candidates(session: Session) -> None:
    base = session.designs[0]
    session.add_designs([replace(base, id="MINE", name="Mine", origin="own")])
    session.choose(["MINE"])
    document = yaml.safe_load(session.state.text)
    document["tenants"]["classes"].append({**document["tenants"]["classes"][0], "id": "more", "name": "More"})
    assert session.edit(yaml.safe_dump(document)) == ()
    compared = [e.id for e in session.study.evaluations]
    assert compared == [d.id for d in session.designs]
    assert {"RA01", "RA16", "HY1"} <= set(compared)
    assert session.undo()
    assert [e.id for e in session.study.evaluations] == ["MINE"]
