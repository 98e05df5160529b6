"""``tenancykit init``: answers as options or at a terminal become a commented scenario that reads and checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import main
from tenancykit.cli.arguments import ANSWERS
from tenancykit.study.drafting import drafted
from tenancykit.study.interviewing import Question, completed_answers, interview

EVERYBODY = {"teams": "8", "customers": "40", "teams-work": "training,notebook,inference,batch,service"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def asked(given: dict[str, str], catalogue: Catalogue) -> list[Question]:
    found: dict[str, str] = {}
    questions = []
    for question in interview(found, catalogue):
        found[question.id] = question.checked(given.get(question.id, ""))
        questions.append(question)
    return questions


def test_every_question_has_its_option_and_says_why(catalogue: Catalogue) -> None:
    questions = asked(EVERYBODY | {"gpu-nodes": "12"}, catalogue)
    assert sorted(q.id for q in questions) == sorted(ANSWERS)
    assert all(q.ask and q.why for q in questions)


def test_answers_as_options_write_what_was_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scenario.yaml"
    arguments = ["init", "--to", str(file), "--teams", "8", "--customers", "40", "--provider", "own"]
    assert main([*arguments, "--gpu-node", "own_hgx_h100", "--gpu-nodes", "12", "--compliance", "hipaa"]) == 0
    scenario = tk.load_scenario(file)
    assert {c.id: c.count for c in scenario.tenants.classes} == {"teams": 8, "customers": 40}
    assert scenario.tenant_class("customers").compliance == ("hipaa",)
    assert [(n.type, n.count) for n in scenario.infrastructure.nodes] == [("own_hgx_h100", 12), ("own_cpu_small", 4)]
    assert "assumption" in file.read_text()
    assert f"tenancykit compare {file}" in capsys.readouterr().out
    before = file.read_text()
    assert main([*arguments]) == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == before


def choices(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for question in asked(EVERYBODY | {"gpu-nodes": "12"}, catalogue):
        yield from ((question.id, value) for value, _ in question.choices)


def test_whatever_is_chosen_reads_back_without_a_fault(catalogue: Catalogue) -> None:
    tried = 0
    for name, value in choices(catalogue):
        given = EVERYBODY | {name: value} | ({} if name == "provider" else {"gpu-nodes": "12"})
        scenario = tk.parse_scenario(drafted(given, catalogue), catalogue)
        assert scenario.tenants.classes[0].count == 8
        tried += 1
    assert tried > 50


@pytest.mark.parametrize(
    "title", ["Größe: Ω # [x]", "'", '"', "null", "- {", "x" * 180, "<img src=x>", "yes", "1e3", "🚀", "日本"]
)
def test_any_title_is_written_so_that_it_reads_back(title: str, catalogue: Catalogue) -> None:
    assert tk.parse_scenario(drafted({"title": title}, catalogue), catalogue).title == title


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"teams": "many"}, "--teams: 'many' is not a number"),
        ({"teams": "-1"}, "is not a number"),
        ({"teams": "9999999"}, "0 to 1,000,000"),
        ({"teams-trust": "semitrusted"}, "did you mean semi-trusted"),
        ({"customers-gpu": "1"}, "--customers-gpu: is not asked"),
        ({"teams": "0"}, "nobody shares the platform"),
        ({"provider": "own", "gpu-node": "aws_p5_48xlarge"}, "unknown answer 'aws_p5_48xlarge'"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(given: dict[str, str], told: str, catalogue: Catalogue) -> None:
    with pytest.raises(InputError) as caught:
        completed_answers(given, catalogue)
    assert told in str(caught.value)


def test_every_wrong_answer_is_told_at_once(catalogue: Catalogue) -> None:
    with pytest.raises(InputError) as caught:
        completed_answers({"teams": "x", "customers": "y", "automation": "z"}, catalogue)
    assert len(caught.value.faults) >= 3


def test_a_terminal_is_asked_the_same_with_why_and_may_answer_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["Mine", "many", "3", "2,1"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(typed, ""))
    file = tmp_path / "scenario.yaml"
    assert main(["init", "--to", str(file)]) == 0
    out = capsys.readouterr().out
    assert out.count("Why: ") >= 14
    assert "'many' is not a number" in out
    scenario = tk.load_scenario(file)
    assert scenario.tenants.classes[0].count == 3
    assert [use.template for use in scenario.tenants.classes[0].workloads] == ["team-notebook", "team-training"]


def test_nobody_to_ask_and_a_terminal_that_ends_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.yaml"
    assert main(["init", "--to", str(file)]) == 2
    assert "nobody to ask" in capsys.readouterr().err

    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ended)
    assert main(["init", "--to", str(file)]) == 2
    assert "ended before every question was answered" in capsys.readouterr().err
    assert not file.exists()
