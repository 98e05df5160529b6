"""The first three lines: plain words, true figures, nothing left unsaid that a board would have to know."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
import yaml

import tenancykit as tk
from kubeanswers.errors import UndecidedError
from kubeanswers.quantities import HOURS_PER_MONTH
from tenancykit.decision.explain import Contribution
from tenancykit.decision.verdict import share_in_words
from tenancykit.design.naming import parts
from tenancykit.examples import example as shipped
from tenancykit.report.calling import EACH, apart, called, clusters, names_beside
from tenancykit.report.completing import machines_of
from tenancykit.report.opening import Opening, opening
from tenancykit.report.opening_buys import buys, in_short, other_families
from tenancykit.report.opening_days import days_in_words, levels_in_words, open_days, worst_days
from tenancykit.report.opening_line import LINE, fitted
from tenancykit.report.opening_nobody import nearest, nearest_lines
from tenancykit.report.opening_what import hires, provided, queues, recommended
from tenancykit.report.reasons import contribution
from tenancykit.report.text import study_text
from tenancykit.scenario.judgement import Scales
from tenancykit.scenario.model import TenantClass, Weights
from tenancykit.scenario.naming import tenants_of
from tenancykit.sentences import three_digits
from tenancykit.study.exchange_rates import leaves_of_rates
from tenancykit.study.leaves import leaf_values
from tests.laws.small import SAAS, TEAMS, saas, teams
from tests.studies import EXAMPLES
from tests.studies import study as example

SMALL_FLEET = "mode: fixed"


@cache
def study(name: str) -> tk.Study:
    """Small comparisons: an elastic one with two classes, a fleet too small, and the same with buying allowed."""
    if name == "saas":
        return tk.compare(saas())
    if name == "too-small":
        return tk.compare(teams(fleet=SMALL_FLEET, gpu_nodes=2, bare=", bare_metal: true"))
    return tk.compare(teams(fleet=f"{SMALL_FLEET}\n  buying: allowed", gpu_nodes=2, bare=", bare_metal: true"))


@cache
def told(name: str) -> Opening:
    return opening(study(name))


@pytest.mark.parametrize("name", ["saas", "too-small", "buying"])
def test_nobody_has_to_know_an_id_to_read_the_first_lines(name: str) -> None:
    text = " ".join((*told(name).lines, *told(name).details))
    assert not re.search(r"\b(RA\d\d|HY\d|window:|lapse:|upkeep:|rule )", text)


def test_a_fleet_that_is_too_small_is_said_in_machines_with_what_buying_takes() -> None:
    lines = told("too-small")
    missed = re.search(r"misses the fleet by (\d+) GPU nodes", lines.buys)
    assert missed
    assert int(missed[1]) >= 8, "40 GPUs asked, 8 there, four to a node"
    assert "buying: allowed" in lines.sure
    assert "USD a month" in lines.sure
    for some, every in re.findall(r"\((\d+) of (\d+) designs\)", lines.sure):
        assert int(some) <= int(every)


def test_what_has_to_be_bought_is_said_in_the_first_line() -> None:
    assert re.search(r"It buys \d+ x gpus.* USD a month", told("buying").recommended)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_an_elastic_fleet_has_to_hold_is_told(name: str) -> None:
    """80 GPUs had to be there for 46 that are taken at peak, and no line said that there was a machine."""
    studied = example(name)
    (line,) = (text for text in opening(studied).details if text.startswith("It takes ") and " x " in text)
    told = {kind: int(number) for number, kind in re.findall(r"(\d+) x ([\w-]+)", line)}
    figures = studied.best.scores["cost"].figures
    assert sum(told.values()) == sum(sum(figures[kind].values()) for kind in ("nodes", "control_plane_nodes"))
    assert ("or be bought" in line) == (name == "regulated-hybrid")
    assert "buys" not in opening(studied).recommended


def test_the_machines_told_are_those_of_the_bill_control_planes_with_them() -> None:
    """19 machines were told and 25 billed: six of control planes; with L4 for all, 28 and 70."""
    best = example("regulated-hybrid").best
    charges = [c for c in best.scores["cost"].detail.charges if c.price.unit == "hour"]
    assert sum(machines_of(best).values()) == sum(c.quantity for c in charges) / HOURS_PER_MONTH
    assert any(c.category == "control planes" for c in charges)


@pytest.mark.parametrize(("engineers", "said"), [(1.0, "3 people more"), (3.0, "one person more"), (4.0, "")])
def test_whom_the_team_would_have_to_hire_is_said_beside_the_people_it_takes(engineers: float, said: str) -> None:
    best = study("saas").best
    assert best.scores["operations"].figures["people_needed"] == 4
    team = best.scenario.team.model_copy(update={"engineers": engineers})
    assert hires(replace(best, scenario=best.scenario.model_copy(update={"team": team}))) == said
    assert ("than the team has" in told("saas").recommended) == bool(hires(best))


@pytest.mark.parametrize(("engineers", "said"), [(1.0, True), (4.0, False)])
def test_where_it_is_the_rota_that_takes_more_people_than_there_are_the_line_says_so(
    engineers: float, *, said: bool
) -> None:
    best = study("saas").best
    figures = best.scores["operations"].figures
    assert figures["people_needed"] == figures["on_call_minimum"]
    team = best.scenario.team.model_copy(update={"engineers": engineers})
    line = recommended(replace(best, scenario=best.scenario.model_copy(update={"team": team})))
    assert ("run by 4 people for an on-call rota, 3 people more than the team has" in line) == said
    assert ("rota" in line) == said


def test_open_days_are_days_of_a_year_and_leave_out_slow_neighbours() -> None:
    for evaluation in study("saas").evaluations:
        for days, plane in open_days(evaluation).values():
            assert 0 <= days <= 365
            assert plane != "performance"


def test_whose_days_they_are_is_told_of_a_class_that_is_alone() -> None:
    assert re.search(r"[0-9a-z)] for the 4 research teams; level L\d", told("buying").buys)


def test_a_level_above_the_one_asked_names_both() -> None:
    best = study("saas").best
    reached = {k: str(v["overall"]) for k, v in best.scores["isolation"].figures["classes"].items()}
    for asked in ("L0", "L5"):
        limits = best.scenario.requirements.model_copy(update={"isolation": asked})
        classes = [
            c.model_copy(update={"requirements": c.requirements.model_copy(update={"isolation": None})})
            for c in best.scenario.tenants.classes
        ]
        tenants = best.scenario.tenants.model_copy(update={"classes": classes})
        scenario = best.scenario.model_copy(update={"requirements": limits, "tenants": tenants})
        text, _ = levels_in_words(replace(best, scenario=scenario))
        assert all((f"{level} (level L0 asked)" in text) == (asked == "L0") for level in reached.values())


def test_every_class_is_told_its_own_level() -> None:
    text, meant = told("saas").buys, " ".join(told("saas").details)
    best = study("saas").best
    for name, found in best.scores["isolation"].figures["classes"].items():
        assert re.search(rf"\b{found['overall']}( \(L\d asked\))? for [^.;]*\b{name}\b", text)
        assert f"{found['overall']} means: " in meant


def test_needs_that_do_not_arise_under_a_design_are_not_said_to_be_provided() -> None:
    single = [e for e in study("buying").evaluations if not any(c.cluster.per_tenant for c in e.resolved.classes)]
    assert single
    for evaluation in single:
        assert "fleet automation" not in provided(evaluation)


def test_a_share_never_rounds_to_one_on_whose_other_side_the_word_differs() -> None:
    assert share_in_words(0.947) == "just under 95 %"
    assert share_in_words(0.497) == "just under 50 %"
    assert share_in_words(0.951) == "95 %"
    assert share_in_words(0.503) == "just over 50 %"
    assert share_in_words(0.5) == "50 %"


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_of_the_three_lines_is_one_line_of_a_board_paper(name: str) -> None:
    opened = opening(example(name))
    assert len(opened.lines) == 3
    for line in opened.lines:
        assert len(line) <= LINE, line


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_does_not_fit_the_three_lines_is_told_below_them(name: str) -> None:
    studied = example(name)
    opened = opening(studied)
    every = " ".join((*opened.lines, *opened.details))
    assert studied.best.resolved.long in every
    assert provided(studied.best) in every
    assert "weights by 20 %" in every
    assert "As weighed, one nine more" in every
    assert len(set(opened.details)) == len(opened.details)
    assert not re.search(r"\b(\w+) \1\b", every), "no word twice"
    assert all(re.fullmatch(r"[A-Z0-9].*[.?]", text) for text in opened.details), "whole sentences"


@pytest.mark.parametrize("name", ["saas", "too-small", "buying"])
def test_a_purchase_or_a_fleet_too_small_keeps_to_the_lines_too(name: str) -> None:
    assert all(len(line) <= LINE for line in told(name).lines)


def test_a_dear_purchase_keeps_to_the_line_and_its_price_is_told_below() -> None:
    """How much dearer a design is than the cheapest left no room for what buying takes: 262 characters."""
    asked = yaml.safe_load(shipped("saas-inference").read_text())
    asked["infrastructure"] |= {
        "mode": "fixed",
        "buying": "allowed",
        "sites": [{"id": "here", "provider": "own", "jurisdiction": "us"}],
        "nodes": [{"type": "own_l40s_server", "count": 4}, {"type": "own_cpu_server", "count": 3}],
        "control_plane": "self-managed",
        "virtualised": False,
    }
    opened = opening(tk.compare(tk.parse_scenario(yaml.safe_dump(asked))))
    assert all(len(line) <= LINE for line in opened.lines)
    assert re.search(r"It buys \d+ ", opened.recommended)
    assert any(re.match(r"It buys .* for [\d,]+ USD a month", text) for text in opened.details)


def test_many_classes_that_differ_keep_to_the_lines_and_are_told_in_full_below() -> None:
    plans = yaml.safe_load(SAAS)
    basic, regulated = plans["tenants"]["classes"]
    plans["tenants"]["classes"] = [
        {**(regulated if place % 2 else basic), "id": f"{name}-subscription-plan"}
        for place, name in enumerate(["bronze", "silver", "golden", "platinum"])
    ]
    opened = opening(studied := tk.compare(tk.parse_scenario(yaml.safe_dump(plans))))
    assert all(len(line) <= LINE for line in opened.lines)
    assert studied.best.resolved.long in " ".join((*opened.lines, *opened.details))
    assert days_in_words(studied.best) in " ".join((*opened.lines, *opened.details))


def test_what_only_an_estimate_keeps_out_is_said_and_leaves_no_first_place_clear() -> None:
    """The second of two designs was clear where the first missed the date by a day of a schedule of months."""
    heavy = Weights.by_criterion({"isolation": 0.6, "effort": 0.1, "operations": 0.1, "cost": 0.2})
    scenario = teams().model_copy(update={"weights": heavy})
    best = tk.compare(scenario).best
    weeks = best.scores["effort"].figures["weeks_p50"]
    dated = scenario.requirements.model_copy(update={"go_live_weeks": weeks * 0.99})
    late = tk.compare(scenario.model_copy(update={"requirements": dated}))
    assert late.rank(best.id) is None
    assert late.verdict is not None
    assert late.verdict.word != "clear"
    assert best.id in {one.new_first for one in late.verdict.overturning}
    told = " ".join((*opening(late).lines, *opening(late).details))
    assert "comes first where the time it takes to go live is" in told
    assert all(len(line) <= LINE for line in opening(late).lines)


def test_a_limit_that_a_design_may_still_pass_by_its_own_doubt_is_said() -> None:
    scenario = saas()
    weeks = study("saas").best.scores["effort"].figures["weeks_p50"]
    dated = scenario.requirements.model_copy(update={"go_live_weeks": weeks * 1.01})
    told = opening(tk.compare(scenario.model_copy(update={"requirements": dated})))
    assert "may still miss the go-live date" in " ".join((*told.lines, *told.details))
    assert "may still miss" not in " ".join((*opening(study("saas")).lines, *opening(study("saas")).details))


def test_a_figure_beyond_a_stated_end_of_its_scale_is_said_to_be_extrapolated() -> None:
    """A scale of cost from 1 to 2 USD a month was taken, and nothing said that every design lay beyond it."""
    ends = Scales.model_validate({"cost": {"best": 1, "worst": 2}})
    told = " ".join(opening(tk.compare(teams().model_copy(update={"scales": ends}))).details)
    assert re.search(r"Its service cost of [\d,]+ USD a month lies beyond the worse end of the scale \(1 to 2\)", told)
    assert "extrapolated" not in " ".join(opening(study("saas")).details)


def test_a_figure_just_beyond_an_end_is_told_in_digits_that_tell_the_two_apart() -> None:
    """ "Its service cost of 3,370,000 lies beyond the worse end of the scale (2,590,000 to 3,370,000)"."""
    best = study("saas").best
    ends = Scales.model_validate({"cost": {"best": 1, "worst": float(best.scores["cost"].value) - 1}})
    asked = best.scenario.model_copy(update={"scales": ends})
    told = " ".join(opening(tk.compare(asked)).details)
    figures = re.search(r"service cost of ([\d,.]+) .*?beyond the worse end of the scale \(1 to ([\d,.]+)\)", told)
    assert figures
    assert float(figures[1].replace(",", "")) > float(figures[2].replace(",", ""))


@pytest.mark.parametrize("name", EXAMPLES)
def test_who_is_asked_about_gains_from_the_design_that_would_be_first(name: str) -> None:
    """The question named the class worth most, though the rival left it more open than the first did."""
    studied = example(name)
    for turn in studied.turns[:1]:
        kind, _, class_id = turn.rate.what.partition(":")
        if kind == "isolation":
            mine, theirs = (open_days(studied[label])[class_id][0] for label in (studied.best.id, turn.label))
            assert (theirs < mine) == (turn.times > 1) or theirs == mine


@pytest.mark.parametrize("name", EXAMPLES)
def test_at_the_worth_that_is_asked_about_the_named_design_draws_level(name: str) -> None:
    studied = example(name)
    tree, scales = studied.scales.tree, studied.scales
    for turn in studied.turns[:2]:
        leaves = leaves_of_rates(scales)[turn.rate.what]
        figures = leaf_values([studied[turn.label], studied.best], scales.keys)
        worth = tree.leaf_weights(studied.heard)
        worth[[i for i, leaf in enumerate(tree.leaves) if leaf.name in leaves]] *= turn.times
        rival, first = tree.leaf_values(figures) @ worth
        assert rival == pytest.approx(first, abs=1e-9) or len(studied.standing.family) > 1


def test_a_line_takes_what_fits_and_leaves_the_rest_in_order() -> None:
    long = "x" * LINE
    assert fitted("First.", ["Second.", long, "", "Third."]) == ("First. Second. Third.", [long])


def test_a_rival_that_begins_alike_is_told_by_what_it_has_more_and_less() -> None:
    studied = example("ml-platform")
    sandboxed = studied["RA08"]
    assert sandboxed.name.split(", ")[0] == studied["RA01"].name
    assert called(sandboxed, studied["RA01"]) == "the same with gVisor sandboxes and own storage classes"
    assert called(studied["RA01"], sandboxed) == studied["RA01"].name


def test_a_rival_is_told_without_its_classes_rather_than_by_its_rank() -> None:
    """ "Then the design ranked 2 is first" says nothing to who reads three lines."""
    studied = example("saas-inference")
    ways = [*apart(studied["HY1"], studied["RA06"])]
    assert "one with gVisor sandboxes for basic and premium" in ways
    assert ways.index("one with gVisor sandboxes") > ways.index("one with gVisor sandboxes for basic and premium")
    assert "one without gVisor sandboxes" in [*apart(studied["RA01"], studied["RA08"])]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rival_that_has_something_more_is_not_told_by_what_it_lacks(name: str) -> None:
    """ "One without gVisor sandboxes is first" was said of GPU nodes per customer, and of clusters for some."""
    studied = example(name)
    for best in studied.evaluations[:8]:
        mine = parts(best.resolved.classes)
        for rival in studied.evaluations:
            theirs = parts(rival.resolved.classes)
            more = any({*theirs[whom][1:]} - {*mine[whom]} for whom in mine) or clusters(rival) != clusters(best)
            assert not (more and any(" without " in f" {way}" for way in apart(rival, best))), (rival.id, best.id)


def test_a_short_name_stands_for_one_design_in_the_lines_read_together() -> None:
    """The safest and who would be first were both "a cluster per team for all", and were two designs."""
    short = re.compile(r"The safest, (one with[^(]*|[^(]* for all) \(")
    told = [(study, best) for study in map(example, EXAMPLES) for best in study.evaluations if study.rank(best.id)]
    found = [(study, best, short.search(buys(study, best)[0])) for study, best in told]
    assert any(name for _, _, name in found)
    for study, best, name in found:
        if name:
            assert name[0] not in buys(study, best, beside=f"Then {name[1]} is first.")[0]


def test_a_price_is_told_apart_unless_three_digits_tell_it_the_same() -> None:
    """200,000 USD a month more was "about the same money"."""
    studied = example("ml-platform")
    best, others = studied.best, studied.evaluations
    for other in others:
        same = three_digits(other.scores["cost"].value) == three_digits(best.scores["cost"].value)
        assert ("about the same money" in in_short(other, best)) == same


def test_isolation_that_speaks_for_a_design_with_no_fewer_open_days_is_told_as_a_value() -> None:
    """ "Although 270 days against 297 (-0.001)": the days were fewer, the value of all planes was not more."""
    studied = example("saas-inference")
    safe, open_ = sorted((studied["RA10"], studied["RA01"]), key=worst_days)
    for mine, theirs, amount, told in ((safe, open_, 0.1, True), (safe, open_, -0.1, False), (open_, safe, 0.1, False)):
        one = Contribution("isolation", 0.5, 0.6, 0.25, amount, "of 1")
        assert ("open days a year" in contribution(mine, theirs, one)) == told


def test_what_machines_of_ones_own_and_whose_queue_are_said_in_the_first_line() -> None:
    first = opening(example("regulated-hybrid")).recommended
    assert re.search(r"run by 4 people, on \d+ machines\. ", first)
    assert "Queue for research: " in first
    assert "people, on " not in opening(example("saas-inference")).recommended


def test_where_machines_are_priced_as_in_another_region_a_detail_says_so() -> None:
    """Machines in Frankfurt had the prices of Virginia, and no line said so."""
    here = opening(tk.compare(tk.parse_scenario(SAAS.replace("region: us-east-1", "region: eu-central-1")))).details
    assert any(re.match(r"Machines in eu-central-1 are priced as in [\w-]+, where the", one) for one in here)
    assert not any("are priced as in" in one for name in EXAMPLES for one in opening(example(name)).details)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_other_design_is_called_as_the_first_is(name: str) -> None:
    studied = example(name)
    best = studied.best
    beside = names_beside(studied, [e.id for e in studied.order if e.id != best.id])
    assert not {*beside.values()} & {best.name, best.resolved.long}


def test_nothing_stands_under_a_heading_that_has_nothing_to_say() -> None:
    found = study("too-small")
    assert ("In detail:" in study_text(found)) == bool(opening(found).details)


@pytest.mark.parametrize("name", EXAMPLES)
def test_whoever_would_be_first_is_told_in_few_words_and_truly(name: str) -> None:
    studied = example(name)
    best = studied.best
    for rival in studied.evaluations:
        if rival.resolved.name == best.resolved.name:
            continue
        ways = [*apart(rival, best)]
        assert min(map(len, ways), default=0) <= 50
        for way in ways:
            assert "(" not in way or ")" in way
            part = re.sub(r" for .*", "", way.removeprefix("one with "))
            if way.startswith("one with "):
                assert part in rival.resolved.long or part in clusters(rival)
    assert "ranked" not in " ".join(opening(studied).lines)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ({"startups": ("customer", 20)}, "the 20 startups"),
        ({"basic": ("customer", 60), "premium": ("customer", 12)}, "the 60 basic and 12 premium customers"),
        ({"regulated": ("customer", 1)}, "the one regulated customer"),
        ({"teams": ("team", 8)}, "the 8 teams"),
        ({"red-team": ("team", 8)}, "the 8 red-teams"),
        ({"analytics": ("team", 1200)}, "the 1,200 analytics teams"),
        ({"labs": ("customer", 1)}, "the one customer of class labs"),
        ({"labs": ("customer", 2), "startups": ("customer", 3)}, "the 2 labs and 3 startups"),
    ],
)
def test_tenants_of_classes_are_counted_in_english(ids: dict[str, tuple[str, int]], told: str) -> None:
    classes = [
        TenantClass.model_validate({"id": name, "kind": kind, "count": count, "workloads": [{"template": "x"}]})
        for name, (kind, count) in ids.items()
    ]
    assert tenants_of(classes) == told
    assert len(classes) == 1 or tenants_of(classes, classes) == "everybody"


def test_a_lone_tenant_has_nobody_to_be_open_to_and_no_level_is_told() -> None:
    lone = saas().model_copy(deep=True)
    first = lone.tenants.classes[0].model_copy(update={"count": 1})
    lone = lone.model_copy(update={"tenants": lone.tenants.model_copy(update={"classes": (first,)})})
    found = tk.compare(lone)
    assert opening(found).buys == "Days a year open to another tenant: none, there is no other tenant."
    assert "1 tenant in 1 class" in study_text(found)


def test_of_designs_that_leave_the_same_days_the_cheapest_is_called_the_safest() -> None:
    for found in (study("saas"), *map(example, EXAMPLES)):
        told = re.search(r"The safest, (.*?) \((?:([\d,]+) \w+ a month more|for about)", " ".join(found_text(found)))
        if told is None or told[2] is None:
            continue
        others = other_families(found, found.best)
        least = min(others, key=worst_days)
        days = days_in_words(least, what=False)
        cost = min(e.scores["cost"].value for e in others if days_in_words(e, what=False) == days)
        assert told[2] == three_digits(cost - found.best.scores["cost"].value)


def found_text(found: tk.Study) -> list[str]:
    told = opening(found)
    return [*told.lines, *told.details]


def test_whom_nobody_admits_is_told_alike_by_the_first_lines_and_by_whoever_cannot_go_on() -> None:
    found = study("too-small")
    assert found.ranking is None
    told = re.search(r"nearest: (.*?), which", found.nobody())
    assert told
    assert told[1] in " ".join(found_text(found))
    assert not re.search(r"\b(RA\d\d|HY\d)\b|rule |need ", found.nobody())
    assert "First place" not in study_text(found)
    with pytest.raises(UndecidedError, match="nearest: namespaces"):
        _ = found.best


def test_what_only_machines_are_lacking_to_is_nearest_and_its_purchase_is_told_whatever_kinds_they_are() -> None:
    bare = ", bare_metal: true"
    text = TEAMS.format(fleet=SMALL_FLEET, gpu_nodes=10, card="A100-80GB", bare=bare, hosting="", more="")
    text = text.replace("count: 60", "count: 1")
    text = text.replace("      count: 4\n", "      count: 4\n      requirements: {isolation: L4}\n")
    found = tk.compare(tk.parse_scenario(text))
    lines = opening(found)
    assert any("by 2 levels" in reason for e in found.evaluations for reason in found.exclusions(e.id))
    both = r"Nearest: [^.]*misses the fleet by \d+ CPU nodes? and \d+ GPU node"
    assert re.search(both, lines.buys)
    assert "Buying what" in lines.sure


def test_why_a_need_is_asked_gives_way_in_a_line_to_everything_that_is_missed() -> None:
    found = study("too-small")
    for full, short in zip(nearest(found), nearest_lines(found, 120), strict=True):
        assert ", asked because" not in short or short == full


def test_where_tenants_need_a_fair_queue_the_first_line_says_by_what_or_that_none_shares_a_card() -> None:
    """The name of a design is cut to fit, and its queue went with what was cut."""
    studied = example("regulated-hybrid")
    found = [queues(e) for e in studied.evaluations]
    assert any(told for told, _ in found)
    for evaluation, (told, none) in zip(studied.evaluations, found, strict=True):
        for resolved in evaluation.resolved.classes:
            chosen = resolved.chosen("scheduling_quota", "queue")
            if chosen is not None and chosen.words in told:
                assert "fair-queue" in resolved.facts
        assert not (told and none) or " for " in told
        assert not none or re.fullmatch(r"No queue: [^.]+ share no GPU node\.", none)
        line = recommended(evaluation)
        assert len(line) > LINE or not told or re.search(r"queues by|Queue(?: for [^:]+)?: ", line) or EACH in line


def test_a_first_place_that_costs_a_quarter_more_than_what_would_do_says_so_in_its_first_two_lines() -> None:
    safe = Weights.by_criterion({"isolation": 0.7, "effort": 0.1, "operations": 0.1, "cost": 0.1})
    dear = [found.with_weights(safe) for found in (study("saas"), example("saas-inference"), example("ml-platform"))]
    said = []
    for found in (*dear, study("saas"), *map(example, EXAMPLES)):
        others = [e.scores["cost"].value for e in other_families(found, found.best)]
        more = found.best.scores["cost"].value - min(others)
        first, second, _ = opening(found).lines
        assert ("more than the cheapest admitted" in first) <= (more >= 0.25 * min(others))
        if more >= 0.25 * min(others):
            assert f"{three_digits(more)} more than the cheapest admitted" in first or "The cheapest" in second
            said.append(first)
    assert any("cheapest admitted" in first for first in said)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_stands_below_the_lines_says_its_units_and_what_priors_are(name: str) -> None:
    details = opening(example(name)).details
    for text in details:
        if re.match(r"The (?:safest|cheapest admitted)", text) and ", leaves " in text:
            assert "leaves open, in days a year, " in text
        assert text.count("Likewise") <= 1
    assert any("Priors are how often" in text and "windows the days" in text for text in details)
