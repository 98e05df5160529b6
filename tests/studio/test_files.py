from __future__ import annotations

import json
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.studio.session import Session


def moved(session: Session) -> Session:
    session.weigh(cost=0.7)
    session.add_variant("RA01 +node_dedicated_tenant")
    session.choose(["RA01", "RA09", "RA01+node_dedicated_tenant"])
    session.open("RA09", "cost")
    session.compare_with("RA01")
    return session


def test_a_saved_session_continues_where_it_was(session: Session, measured: tk.Study, tmp_path: Path) -> None:
    file = moved(session).save(tmp_path / "s.json")
    other = Session(measured.scenario, study=measured)
    other.load(file)
    assert [e.id for e in other.study.order] == [e.id for e in session.study.order]
    assert (other.opened.id, other.beside.id, other.state.criterion) == ("RA09", "RA01", "cost")
    assert other.state.text == session.state.text
    assert other.undo()
    assert len(other.study.evaluations) == len(measured.evaluations)


def test_saving_twice_gives_the_same_bytes(session: Session, tmp_path: Path) -> None:
    moved(session)
    assert session.save(tmp_path / "a.json").read_bytes() == session.save(tmp_path / "b.json").read_bytes()


def test_a_draft_with_faults_is_kept_with_the_last_valid_text(
    session: Session, measured: tk.Study, tmp_path: Path
) -> None:
    session.edit(session.state.text.replace("kind: team", "kind: taem"))
    file = session.save(tmp_path / "s.json")
    other = Session(measured.scenario, study=measured)
    other.load(file)
    assert "taem" in other.state.text
    assert len(other.state.faults) == 1


def test_a_session_about_an_example_finds_its_files_on_any_machine(tmp_path: Path) -> None:
    session = Session(tk.load_scenario("ml-platform"))
    file = session.save(tmp_path / "s.json")
    assert json.loads(file.read_text())["example"] == "ml-platform"
    assert str(tk.example("ml-platform").parent) not in file.read_text()
    other = Session(tk.load_scenario("gpu-cloud"))
    other.load(file)
    assert other.scenario.folder == tk.example("ml-platform").parent


def test_a_session_finds_the_scenario_files_beside_it(tmp_path: Path) -> None:
    source = tk.example("ml-platform").parent
    (tmp_path / "mine").mkdir()
    for name in ("scenario.yaml", "demand.csv"):
        (tmp_path / "mine" / name).write_bytes((source / name).read_bytes())
    file = Session(tk.load_scenario(tmp_path / "mine")).save(tmp_path / "s.json")
    assert json.loads(file.read_text())["folder"] == "mine"
    (tmp_path / "mine").rename(tmp_path / "gone")
    with pytest.raises(InputError, match="no such folder 'mine'"):
        Session(tk.load_scenario("ml-platform")).load(file)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "tenancykit/session/v9"}, "is not a session this version reads"),
        ({"weights": {"isolation": -1}}, "-1 is too small"),
        ({"weight": {}}, "did you mean weights"),
        ({"scenario": "tenants: ["}, "YAML syntax"),
        ({"scenario": ""}, "at least 1 character"),
        ({"candidates": ["RA0I"]}, "did you mean RA"),
        ({"opened": "RA99"}, "unknown design 'RA99'"),
        ({"criterion": "price"}, "isolation, effort, operations, cost"),
        ({"variants": ["RA01 +nothing_like_it"]}, "unknown option"),
        ({"example": "elsewhere"}, "unknown example"),
        ({"weights": dict.fromkeys(("isolation", "effort", "operations", "cost"), 0)}, "weights: are all zero"),
        ({"variants": ["RA01 +node_dedicated_tenant"] * 2}, "'RA01\\+node_dedicated_tenant' appears twice"),
        ({"variants": ["RA01"]}, "'RA01' appears twice"),
        ({"example": "", "folder": "\0"}, "no such folder"),
        ({"schema": "x" * 1000}, "'x{60}' is not a session"),
    ],
)
def test_a_malformed_session_is_told_and_changes_nothing(
    session: Session, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    file = session.save(tmp_path / "s.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    before = session.state
    with pytest.raises(InputError, match=told):
        session.load(file)
    assert session.state is before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("{", "YAML syntax"),
        ("[1, 2]", "is a list"),
        ("null", "is empty"),
        ("{}", "'scenario' is missing"),
        ('{"schema": "tenancykit/session/v1", "scenario": "tenants', "YAML syntax"),
    ],
)
def test_a_file_that_is_no_session_is_told(session: Session, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InputError, match=told):
        session.load(tmp_path / "s.json")


def test_a_missing_file_is_told(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.json"):
        session.load(tmp_path / "absent.json")


def test_a_session_uploaded_from_a_huge_file_is_refused_before_it_is_read(session: Session) -> None:
    before = session.state
    with pytest.raises(InputError, match=r"up\.json: is 48 MiB large; allowed: at most 8 MiB"):
        session.load_text('{"scenario": "' + "x" * 50_000_000, "up.json")
    assert session.state is before


def test_an_own_design_cannot_take_the_id_of_a_reference_architecture(session: Session, tmp_path: Path) -> None:
    file = session.save(tmp_path / "s.json")
    options = {c: list(choice.options) for c, choice in session.designs[0].choices.items()}
    saved = {**json.loads(file.read_text()), "own": [{"id": "RA01", "name": "another", "options": options}]}
    with pytest.raises(InputError, match="'RA01' appears twice"):
        session.load_text(json.dumps(saved))
