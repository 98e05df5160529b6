"""The page to share, and the weights that come back from it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tenancykit as tk
from kubeanswers.errors import OutputError
from tenancykit.cli import OK, main
from tenancykit.criterion_names import CRITERIA, FOUR
from tenancykit.decision.ranking import weighted_sum
from tenancykit.report import sharing
from tenancykit.report.collecting import collected_text
from tenancykit.scenario.model import Weights
from tenancykit.studio import workshop
from tenancykit.study.exchange_rates import weights_of

HOSTILE = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return tk.compare(tk.load_scenario("ml-platform"))


def answer(study: tk.Study, file: Path, who: str, *points: float, **other: Any) -> Path:
    weights = dict(zip(FOUR, points, strict=True))
    data = {"schema": "tenancykit/weights/v1", "question": sharing.question_of(study), "who": who, "weights": weights}
    file.write_text(json.dumps({**data, **other}))
    return file


def in_the_page(data: dict[str, Any], weights: list[list[float]]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, which runs the page's script without a browser")
    script = Path(sharing.__file__).with_name("share_page.js").read_text()
    asked = f"const data = {json.dumps(data)}; const all = {json.dumps(weights)};"
    told = "console.log(JSON.stringify(all.map((raw) => ranking(data, raw))));"
    done = subprocess.run([node, "-"], input=f"{script}\n{asked}\n{told}", capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_page_ranks_as_python_does_to_the_last_digit_for_a_thousand_weights(study: tk.Study) -> None:
    drawn = np.random.default_rng(17).integers(0, 101, size=(1000, len(CRITERIA))).astype(float)
    drawn = drawn[drawn.sum(axis=1) > 0]
    found = in_the_page(sharing.shared_data(study), drawn.tolist())
    assert len(found) >= 999
    scaled = study.scaled
    assert scaled is not None
    for points, shown in zip(drawn.tolist(), found, strict=True):
        weights = weights_of(Weights.by_criterion(dict(zip(CRITERIA, points, strict=True)), normalise=True))
        ranking = weighted_sum(scaled, study.scales.tree.heard(weights))
        assert shown["scores"] == ranking.scores.tolist()
        assert shown["ranks"] == ranking.ranks.tolist()
        assert shown["order"] == ranking.order.tolist()


def test_ties_and_criteria_that_do_not_count_are_ranked_alike_in_the_page(study: tk.Study) -> None:
    data = sharing.shared_data(study)
    alike = {**data, "utilities": [[0.5] * 4 for _ in data["names"]], "silent": [True, False, False, False]}
    found = in_the_page(alike, [[70, 10, 10, 10], [100, 0, 0, 0]])
    for shown in found:
        assert set(shown["ranks"]) == {1}
        assert [data["labelRank"][row] for row in shown["order"]] == sorted(data["labelRank"])
    assert found[0]["weights"] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert found[1]["weights"] == [1, 0, 0, 0]


def test_the_page_is_one_small_file_that_asks_nobody(study: tk.Study, tmp_path: Path) -> None:
    page = tk.share(study, tmp_path / "page.html").read_text()
    assert len(page.encode()) < 3_000_000
    assert "default-src 'none'" in page
    assert not re.search(
        r"""(src|href)=["']?(?!https://)[^"'#]""", re.sub(r"<script>.*</script>", "", page, flags=re.DOTALL)
    )
    assert not re.search(r"<(link|img|iframe|script [^>]*src)", page)
    assert "fetch(" not in page


def test_no_figure_of_the_page_stands_between_a_level_and_its_unit(study: tk.Study) -> None:
    told = [text for design in sharing.shared_data(study)["told"] for text in design]
    assert any(re.match(r"Isolation: [\d.]+ nines \(L\d\)", text) for text in told)
    assert not re.search(r"\(L\d\) nines", sharing.shared_page(study))


def test_hostile_names_are_text_in_the_page(study: tk.Study) -> None:
    named = replace(study, scenario=study.scenario.model_copy(update={"title": HOSTILE}))
    page = sharing.shared_page(named)
    assert "<img" not in page
    assert page.count("</script>") == 2


def test_a_page_never_replaces_a_file_of_somebody_else(study: tk.Study, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(OutputError):
        tk.share(study, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "mine"


def test_weights_that_come_back_are_read_as_a_decision(
    study: tk.Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        answer(study, tmp_path / "a.json", "Ana", 100, 10, 10, 5),
        answer(study, tmp_path / "b.json", "Bo", 5, 10, 10, 100),
    ]
    assert main(["collect", "ml-platform", *map(str, files)]) == OK
    told = " ".join(capsys.readouterr().out.split())
    assert "Conflict: " in told
    assert "They differ most about" in told
    assert "Joint decision by the mean of the weights" in told
    found = tk.collect(study, files)
    mean = [(0.8 + 0.04) / 2, 0.08, 0.08, (0.04 + 0.8) / 2]
    assert found.consensus.weights.values[:4] == pytest.approx(mean)
    assert found.reigns[0].low < 1 < found.reigns[-1].high


def test_who_reads_what_a_group_says_needs_no_list_of_designs(study: tk.Study, tmp_path: Path) -> None:
    files = [
        answer(study, tmp_path / "a.json", "Ana", 97, 1, 1, 1),
        answer(study, tmp_path / "b.json", "Bo", 1, 1, 1, 97),
    ]
    told = " ".join(collected_text(tk.collect(study, files)).split())
    for person in tk.collect(study, files).consensus.rankings:
        assert f"{person.winner} {study[person.winner].name}" in told.replace(
            f"{person.winner} is ", f"{person.winner} "
        )


def test_one_mind_is_called_agreement(study: tk.Study, tmp_path: Path) -> None:
    files = [answer(study, tmp_path / f"{who}.json", who, 25, 25, 25, 25) for who in ("Ana", "Bo")]
    assert "Agreement: all 2 put" in collected_text(tk.collect(study, files))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no file of weights"),
        ('{"schema": "tenancykit/weights/v0"}', "is of another version"),
        ('{"schema": "tenancykit/session/v1"}', "is no file of weights"),
        ("[" * 30_000, "is no JSON"),
        ("x" * 70_000, "is larger"),
    ],
)
def test_a_broken_file_is_told_in_words(study: tk.Study, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(tk.InputError) as told:
        tk.collect(study, [tmp_path / "bad.json"])
    assert "bad.json" in str(told.value)
    if said != "is larger":
        assert said in str(told.value)


def test_every_fault_of_every_file_is_told_at_once(study: tk.Study, tmp_path: Path) -> None:
    files = [
        answer(study, tmp_path / "a.json", "Ana", 1, 1, 1, 1),
        answer(study, tmp_path / "b.json", "ANA", 1, 1, 1, 1),
        answer(study, tmp_path / "c.json", "C\x1b[2J", 1, 1, 1, -3),
        answer(study, tmp_path / "d.json", "D", 0, 0, 0, 0),
        answer(study, tmp_path / "e.json", "E", 1, 1, 1, 1, question="of last year"),
        tmp_path / "missing.json",
    ]
    with pytest.raises(tk.InputError) as raised:
        tk.collect(study, files)
    told = str(raised.value)
    for said in ("gave weights in", "is no name", "weights.cost", "all zero", "other scales", "no such file"):
        assert said in told
    assert "\x1b" not in told


def test_talking_is_told_by_who_moved_and_what_it_changed(
    study: tk.Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bob = answer(study, tmp_path / "bob.json", "Bob", 0, 0, 0, 100)
    then = [answer(study, tmp_path / "then.json", "Ada", 100, 0, 0, 0), bob]
    now = [answer(study, tmp_path / "now.json", "ada", 50, 0, 0, 50), bob]
    words = ["collect", "ml-platform", *map(str, now), "--before", *map(str, then)]
    assert main(words) == OK
    told = " ".join(capsys.readouterr().out.split())
    assert "Weights lay up to 1.00 apart, now 0.50." in told
    assert "ada moved isolation from 1.00 to 0.50 and cost from 0.00 to 0.50." in told
    assert "Bob moved" not in told
    assert main([*words, "--json"]) == OK
    data = json.loads(capsys.readouterr().out)
    assert data["apart"] == [1, 0.5]
    assert [p["who"] for p in data["before"]["people"]] == ["Ada", "Bob"]


def test_designs_with_the_same_short_name_are_told_apart_in_the_list(study: tk.Study) -> None:
    short = [evaluation.name for evaluation in study.order]
    names = sharing.shared_data(study)["names"]
    assert len(set(short)) < len(short)
    assert len({name.split(" ", 1)[1] for name in names}) == len(names)


def test_the_notebook_hears_files_whatever_they_were_renamed_to(study: tk.Study, tmp_path: Path) -> None:
    answer(study, tmp_path / "from the CFO.json", "Ana", 97, 1, 1, 1)
    answer(study, tmp_path / "weights-bo (1).json", "Bo", 1, 1, 1, 97)
    (tmp_path / "ana.design.json").write_text("{}")
    told = workshop.heard(tmp_path, study)
    assert "Ana" in told
    assert "Bo" in told
    (tmp_path / "cut off.json").write_text('{"schema"')
    with pytest.raises(tk.InputError, match=r"cut off\.json:1: is no JSON"):
        workshop.heard(tmp_path, study)
