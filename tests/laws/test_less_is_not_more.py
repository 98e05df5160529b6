"""Law 2: dropping what a need rests on is undone by completion, or the design is not admitted."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tenancykit as tk
from kubeanswers.errors import InputError
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import Design
from tenancykit.design.needs import asked_needs, needs_of
from tenancykit.design.validity import reference_design, resolve
from tenancykit.report.opening import opening
from tenancykit.study.completion import completed
from tenancykit.study.evaluation import evaluate
from tests.laws.small import saas, teams
from tests.studies import study

CATALOGUE = load_catalogue()
SCENARIOS = {"teams": teams(), "saas": saas()}


def missed(design: Design, name: str) -> set[tuple[str, str]]:
    scenario = SCENARIOS[name]
    resolved = resolve(design, scenario, CATALOGUE)
    return {
        (one.tenant_class.id, asked.need.id)
        for one in resolved.classes
        for asked in asked_needs(one.tenant_class, scenario, CATALOGUE)
        if asked.missed(one.facts)
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    reference=st.sampled_from(sorted(CATALOGUE.references)),
    picks=st.lists(st.integers(0, 30), min_size=1, max_size=4),
)
def test_whatever_is_dropped_is_provided_again_or_the_design_is_refused(
    name: str, reference: str, picks: list[int]
) -> None:
    scenario = SCENARIOS[name]
    base = reference_design(CATALOGUE.references[reference], scenario, CATALOGUE)
    options = sorted({option for choice in base.choices.values() for option in choice.options})
    dropped = sorted({options[pick % len(options)] for pick in picks})
    try:
        variant = tk.variant(reference + "".join(f" -{option}" for option in dropped), scenario)
    except InputError:
        return  # a layer that every design must choose in
    whole, less = completed([base, variant], scenario, CATALOGUE)
    assert missed(less, name) <= missed(whole, name) or not resolve(less, scenario, CATALOGUE).is_valid


@pytest.mark.parametrize("reference", ["RA01", "RA06", "RA09", "RA10"])
def test_a_completed_reference_provides_every_need_that_something_provides(reference: str) -> None:
    for name, scenario in SCENARIOS.items():
        base = reference_design(CATALOGUE.references[reference], scenario, CATALOGUE)
        (whole,) = completed([base], scenario, CATALOGUE)
        assert missed(base, name), "the published design lacks nothing, so this shows nothing"
        assert not missed(whole, name)


def test_completing_twice_adds_nothing() -> None:
    for scenario in SCENARIOS.values():
        bare = [reference_design(each, scenario, CATALOGUE) for each in CATALOGUE.references.values()]
        once = completed(bare, scenario, CATALOGUE)
        assert [d.choices for d in completed(once, scenario, CATALOGUE)] == [d.choices for d in once]


def test_the_queue_that_completes_is_the_one_that_takes_people_least() -> None:
    scenario = teams(more="needs: {gpu-fractions: false, chargeback: false, self-service: false}")
    base = reference_design(CATALOGUE.references["RA01"], scenario, CATALOGUE)
    (whole,) = completed([base], scenario, CATALOGUE)
    (added,) = whole.choices["research"].supplements
    queues = ["sch_kai", "sch_kueue", "sch_volcano", "sch_yunikorn"]
    people = {q: evaluate(tk.variant(f"RA01 +{q}", scenario), scenario, CATALOGUE).people.per_month for q in queues}
    assert added.needs[0] == "fair-queueing"
    assert people[added.option] == min(people.values())


def test_fewest_parts_do_not_win_and_what_was_dropped_is_shown_as_put_back() -> None:
    found = tk.compare(teams(), designs=["RA01 -obs_opencost -obs_prom_shared"])
    whole, less = found["RA01"], found["RA01-obs_opencost-obs_prom_shared"]
    back = {supplement.option for supplement in less.resolved.of_class("research").choice.supplements}
    assert {"obs_opencost", "obs_prom_shared"} <= back
    assert less.people.per_month == whole.people.per_month
    assert found.rank(less.id) == found.rank(whole.id)


def test_cards_that_cannot_be_partitioned_are_shared_by_what_can() -> None:
    scenario = teams(card="L40S-48GB")
    base = reference_design(CATALOGUE.references["RA02"], scenario, CATALOGUE)
    (whole,) = completed([base], scenario, CATALOGUE)
    swapped = {s.replaces: s.option for s in whole.choices["research"].supplements}
    assert swapped["gpu_mig"] in {"gpu_mps", "gpu_timeslice", "gpu_hami"}


def test_the_whole_card_is_said_where_nothing_may_share_it() -> None:
    study = tk.compare(teams(card="L40S-48GB", more="needs: {gpu-fractions: false}"))
    asked = {one.need.id: one for one in needs_of(study.scenario.tenants.classes[0], study.scenario, CATALOGUE)}
    assert not asked["gpu-fractions"].wanted
    assert asked["gpu-fractions"].stated


def test_as_published_nothing_is_added() -> None:
    study = tk.compare(teams(), as_published=True)
    assert not any(c.choice.supplements for e in study.evaluations for c in e.resolved.classes)


def test_what_nothing_provides_is_named_and_not_admitted() -> None:
    study = tk.compare(teams(more="needs: {own-upgrade-pace: true}"))
    assert any("upgrade pace" in reason for reason in study.exclusions("RA01"))
    assert study.rank("RA01") is None
    assert study.rank("RA09") is not None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("needs: {fair-queing: true}", "did you mean fair-queueing"),
        ("needs: {own-cluster-admin: true}", "api_access: cluster"),
        ("needs: {own-crds: true}", "api_access: cluster"),
    ],
)
def test_a_need_that_is_unknown_or_contradicts_its_class_is_a_fault_with_a_cure(more: str, told: str) -> None:
    with pytest.raises(InputError) as error:
        teams(more=more)
    assert any(told in str(fault) for fault in error.value.faults)


def test_what_a_variation_goes_without_and_for_how_much_is_said_where_its_place_improves() -> None:
    """Law 2: a guard that no need and no requirement rests on may be dropped, and not in silence."""
    found = study("ml-platform", "RA01 -sch_priority", "RA06 -pol_psa")
    base = {"RA01": found["RA01"], "RA06": found["RA06"]}
    said = " ".join(opening(found).details)
    improved = 0
    for evaluation in found.evaluations:
        before = base.get(evaluation.id[:4])
        if before is None or before is evaluation:
            continue
        place, behind = found.rank(evaluation.id), found.rank(before.id)
        kept = {o.id for c in evaluation.resolved.classes for o in c.options}
        gone = [o for c in before.resolved.classes for o in c.options if o.id not in kept]
        swapped = kept - {o.id for c in before.resolved.classes for o in c.options}
        if gone and not swapped and place and behind and place < behind:
            improved += 1
            assert all(option.name in said for option in gone)
    assert improved, "priorities nobody asks for cost effort: the place improves without them"
    assert re.search(r"goes without [^.]*, which [^.]* has, and stands 0\.\d{3} before it: ", said)
