"""The board edition: what its first page says can be worked out again, its money adds up, its risks have owners."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import command_line
from tenancykit.cli.designs import _with_today
from tenancykit.criterion_names import CRITERIA
from tenancykit.report import charts
from tenancykit.report.calling import called
from tenancykit.report.paper import Paper
from tenancykit.report.record_board import BoardEdition, reversals
from tenancykit.report.record_words import explained
from tenancykit.report.risks import risks
from tenancykit.scenario.model import Scenario, TenantClass, Weights
from tenancykit.study.outlook import grown_scenario, outlook
from tests.laws.small import teams
from tests.report.test_record import words
from tests.studies import EXAMPLES, study

PAPER = Paper(author="Ada Lovelace", status="accepted", sign_off=("CISO",), owners={"budget": "Jane Doe"})


def board(example: str = "saas-inference", paper: Paper = PAPER) -> BoardEdition:
    found = study(example)
    return BoardEdition(found, found.best, paper)


def test_the_first_page_carries_status_date_author_number_and_who_signs() -> None:
    found = study("saas-inference")
    dated = tk.paper(author="Ada Lovelace", date="2026-11-30", status="accepted", sign_off=["CISO", "CFO"])
    record = tk.record(found, paper=dated)
    text = words(record.html)
    assert f"Status accepted Date 2026-11-30 Author Ada Lovelace Number {record.digest}" in text
    assert "Sign-off Decision Date Signature CISO CFO" in text
    assert "Status: accepted. Date: 2026-11-30. Author: Ada Lovelace." in record.markdown


def test_what_nobody_stated_is_a_blank_and_the_scenarios_stakeholders_sign() -> None:
    found = study("saas-inference")
    record = tk.record(found)
    assert re.search(r"Status proposed Date _+ Author _+ Number", words(record.html))
    assert f"Signature {' '.join(found.stakeholders)}" in words(record.html)
    assert record.html == tk.record(found).html


def test_the_author_changes_the_page_and_not_the_number_of_the_decision() -> None:
    found = study("saas-inference")
    assert tk.record(found, paper=PAPER).digest == tk.record(found).digest
    assert tk.record(found, paper=PAPER).html != tk.record(found).html


def test_a_record_with_author_and_today_works_out_again_and_another_author_is_noticed(tmp_path: Path) -> None:
    found = study("gpu-cloud")
    page = tk.record(found, paper=PAPER.model_copy(update={"before": "RA01"})).write(tmp_path)[1]
    home = found.scenario.folder
    assert home is not None
    assert tk.replay(page, load_catalogue(), folder=home).same
    page.write_text(page.read_text().replace("<dd>Ada Lovelace</dd>", "<dd>Somebody Else</dd>"))
    assert not tk.replay(page, load_catalogue(), folder=home).same


@pytest.mark.parametrize("example", ["saas-inference", "regulated-hybrid"])
def test_where_the_page_says_another_design_is_first_it_is(example: str) -> None:
    found = study(example)
    text = reversals(found)
    current = dict(zip(CRITERIA, found.weights.values, strict=True))
    for interval in found.weight_intervals:
        for at, label in ((interval.low - 0.01, interval.below), (interval.high + 0.01, interval.above)):
            if label is None or not 0 < at < 1:
                continue
            rest = 1 - current[interval.criterion]
            moved = {n: w * (1 - at) / rest for n, w in current.items()} | {interval.criterion: at}
            assert found.with_weights(Weights.by_criterion(moved, normalise=True)).best.id == label
            name = called(found[label], found.best).replace("the same", "the recommended design")
            assert f"{name} is first where".lower() in text.lower()


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_would_reverse_it_is_told_once_for_each_design_and_by_the_nearest_weight(example: str) -> None:
    found = study(example)
    sentences = [
        text for text in re.split(r"(?<=[a-z0-9)])\. ", reversals(found).rstrip(".")) if "is first where" in text
    ]
    designs = [text.partition(" is first where ")[0] for text in sentences]
    assert len(set(designs)) == len(designs)
    assert all(text.count("weighs") <= 1 for text in sentences)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_board_is_told_what_the_word_for_how_sure_and_priors_mean(example: str) -> None:
    page = words(board(example).first_page("0" * 16))
    assert re.search(r"How sure (?:Clear|Close|Contested): ", page)
    assert "Clear, close, contested : first in 95 of 100 samples" in page
    assert "Prior : " in page


def test_no_sentence_of_what_would_reverse_it_leaves_open_which_design_is_the_same() -> None:
    told = reversals(study("saas-inference"))
    assert "the recommended design but for" in told.lower()
    assert "the same" not in told.lower()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_first_page_names_no_id_and_explains_its_words(example: str) -> None:
    edition = board(example)
    page = words(edition.first_page("0" * 16))
    assert not re.search(r"\b(?:RA|HY|X)\d|[a-z]+_[a-z]+_", page.replace("_" * 24, ""))
    said = " ".join(text for _, text in edition.sheet())
    for level in set(re.findall(r"\bL\d\b", said)):
        assert f"{level} : " in page
    for named in edition.study.scenario.tenants.classes:
        if re.search(rf"(?<![\w-]){named.id}(?![\w-])", said) and named.name.casefold() != named.id:
            assert named.name in page
    assert "Days open : days of a year on which" in page


def test_a_word_that_a_page_does_not_use_is_not_explained() -> None:
    told = dict(explained(study("saas-inference").best, "two clusters with MIG"))
    assert set(told) == {"Cluster", "MIG"}


def test_a_machine_the_page_names_is_said_by_what_it_holds() -> None:
    best = study("saas-inference").best
    machines = best.scores["cost"].detail.machines
    told = dict(explained(best, f"It buys {' and '.join(f'2 x {name}' for name in machines)}."))
    assert set(machines) <= set(told)
    assert told["aws_p4de_24xlarge"] == "a machine with 96 CPU, 1,152 GiB of memory, 8 x A100-80GB"


def test_what_treats_open_days_is_said_once_as_a_share_of_them() -> None:
    edition = board()
    treated = risks(edition.study, edition.chosen, edition.outlook)[0].treatment
    cures = re.findall(r"(.+?): at most (\d+) %", treated)
    assert len({cure for cure, _ in cures}) == len(cures) > 0
    assert all(0 <= int(share) <= 100 for _, share in cures)


def test_every_table_names_its_columns_again_on_the_next_sheet() -> None:
    html = tk.record(study("saas-inference")).html
    assert html.count("<table>") == html.count("<thead>") > 5


@pytest.mark.parametrize(("buying", "word"), [("allowed", "to buy"), ("refused", "missing")])
def test_the_picture_holds_the_machines_a_fleet_lacks_and_calls_them_so(buying: str, word: str) -> None:
    found = tk.compare(teams(fleet=f"mode: fixed\n  buying: {buying}", gpu_nodes=2, bare=", bare_metal: true"))["RA09"]
    drawn = " ".join(row[-1] for row in charts.architecture(found).rows)
    counts = re.findall(r"([\d,]+) \u00d7", drawn)
    fleet = found.scores["cost"].figures["fleet"]
    lacks = sum(fleet["missing"].values())
    assert lacks > 0
    assert f" {word})" in drawn
    assert (
        sum(int(n.replace(",", "")) for n in counts)
        == sum(found.scores["cost"].detail.housing.totals().values()) + lacks
    )


def test_three_years_add_up_and_each_year_is_that_of_its_tenants() -> None:
    found = outlook(study("saas-inference").best)
    assert [year.tenants["basic"] for year in found.years] == [73, 110, 165]
    assert {year.tenants["regulated"] for year in found.years} == {4}
    assert found.total == found.building + sum((year.total for year in found.years), Decimal(0))
    assert found.years[0].total < found.years[1].total < found.years[2].total
    assert found.low < found.total < found.high


def test_without_growth_a_year_is_twelve_months_of_today() -> None:
    best = study("saas-inference").best
    classes = [c.model_copy(update={"growth_per_year": 0.0}) for c in best.scenario.tenants.classes]
    still = replace(best, scenario=_with_classes(best.scenario, classes))
    found = outlook(still)
    today = Decimal(str(round(best.scores["cost"].value, 2)))
    assert all(year.total == (today - best.people.build_month) * 12 for year in found.years)


def test_a_class_that_grows_past_every_scenario_ends_the_outlook_where_it_does() -> None:
    scenario = study("saas-inference").scenario
    classes = [c.model_copy(update={"growth_per_year": 99.0}) for c in scenario.tenants.classes]
    grown = grown_scenario(_with_classes(scenario, classes), 1)
    assert grown is not None
    assert grown.tenants.classes[0].count == 6000
    assert grown_scenario(_with_classes(scenario, classes), 2.5) is None


def test_a_shrinking_class_keeps_its_named_tenants() -> None:
    scenario = study("saas-inference").scenario
    classes = [c.model_copy(update={"growth_per_year": -0.9}) for c in scenario.tenants.classes]
    shrunk = grown_scenario(_with_classes(scenario, classes), 2.5)
    assert shrunk is not None
    named = {c.id: sum(t.tenant_class == c.id for t in scenario.tenants.named) for c in classes}
    assert all(c.count == max(1, named[c.id], round(before.count * 0.1**2.5)) for c, before in
               zip(shrunk.tenants.classes, classes, strict=True))  # fmt: skip


def _with_classes(scenario: Scenario, classes: list[TenantClass]) -> Scenario:
    return scenario.model_copy(update={"tenants": scenario.tenants.model_copy(update={"classes": tuple(classes)})})


def test_every_risk_has_a_figure_a_treatment_and_an_owner() -> None:
    edition = board()
    found = risks(edition.study, edition.chosen, edition.outlook)
    assert {risk.kind for risk in found} == {"security", "schedule", "budget", "operations", "decision"}
    assert all(risk.what and risk.size and risk.treatment for risk in found)
    text = words(edition.register())
    assert "Jane Doe" in text
    assert "security lead (proposed)" in text


def test_a_first_place_that_is_not_clear_is_a_risk_of_its_own() -> None:
    edition = board()
    assert edition.study.verdict is not None
    told = [risk for risk in risks(edition.study, edition.chosen, edition.outlook) if risk.kind == "decision"]
    assert (not edition.study.verdict.clear) == any("Another design" in risk.what for risk in told)


def test_an_alternative_is_cheaper_where_the_page_says_less() -> None:
    edition = board()
    assert edition.alternatives()
    for other in edition.alternatives():
        change = other.scores["cost"].value - edition.chosen.scores["cost"].value
        word = re.search(r"USD a month (more|less)", edition.why_not(other))
        assert word is None or word[1] == ("more" if change > 0 else "less")


def test_what_stands_today_is_drawn_before_and_a_design_nobody_compared_is_refused() -> None:
    found = study("saas-inference")
    text = words(tk.record(found, paper=Paper(before="RA01")).html)
    assert f"Today is taken to be RA01 {found['RA01'].name}" in text
    with pytest.raises(InputError, match="RA99"):
        tk.record(found, paper=Paper(before="RA99"))


def test_a_dump_of_today_becomes_the_picture_before(tmp_path: Path) -> None:
    dump = tmp_path / "dump.yaml"
    dump.write_text(
        "\n---\n".join(
            f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{tenant: {name}}}}}"
            for name in ("team-a", "team-b")
        )
    )
    options = command_line().parse_args(
        ["export", "ml-platform", "--to", "out", "--before", str(dump), "--owner", "budget=Jane Doe"]
    )
    found, paper = _with_today(options)
    assert paper.before == "FOUND"
    assert paper.owners == {"budget": "Jane Doe"}
    assert "Today is taken to be FOUND" in words(BoardEdition(found, found.best, paper).pictures())


@pytest.mark.parametrize(
    ("added", "told"),
    [({"status": "done"}, "status"), ({"date": "tomorrow"}, "date"), ({"owners": {"luck": "me"}}, "owners"),
     ({"author": "two\nlines"}, "author"), ({"writer": "me"}, "writer")],
)  # fmt: skip
def test_a_paper_that_cannot_be_is_told_by_field_with_what_it_takes(added: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=f"paper: {told}") as raised:
        tk.paper(**added)
    fault = raised.value.faults[0]
    assert "Input should" not in str(fault)
    assert fault.allowed or told == "author"


def test_a_path_of_today_that_is_not_there_is_not_taken_for_a_design() -> None:
    options = command_line().parse_args(["export", "ml-platform", "--to", "out", "--before", "nowhere.yaml"])
    with pytest.raises(InputError, match=r"--before: 'nowhere.yaml' is neither a file or folder nor a design"):
        _with_today(options)


def test_the_recommendation_is_not_called_so_twice() -> None:
    for number in (None, "RA15"):
        text = re.sub(r"<[^>]+>", " ", tk.record(study("saas-inference"), number).html)
        assert "Recommended:" not in text.split("Sign-off")[0]
        assert "Decided by hand:" not in text.split("Sign-off")[0]
