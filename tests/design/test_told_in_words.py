"""Why a design is not admitted, and what completes it, is told in words; what stands behind is known by id in data."""

from __future__ import annotations

import re
from typing import Final

import pytest

import tenancykit as tk
from tenancykit.report import payload
from tenancykit.report.completing import completed_with
from tenancykit.study.comparison import Study
from tests.laws.small import teams
from tests.studies import EXAMPLES, study

_CODES: Final = re.compile(r"\b(?:cp|node|net|rt|st|gpu|sch|pol|id|obs|fl)_\w+|\(needs |\(rule |\(need ")
"""The catalogue's ids of options, and conditions of rules."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_reasons_are_words_and_data_says_what_stands_behind_them(name: str) -> None:
    found = study(name)
    assert [text for e in found.evaluations for text in found.exclusions(e.id) if _CODES.search(text)] == []
    designs = {one["id"]: one for one in payload.comparison(found)["designs"]}
    for evaluation in found.evaluations:
        behind = designs[evaluation.id]["behind"]
        assert len(behind) == len(evaluation.resolved.violations)
        assert all(re.match(r"(?:option|rule|rules|need|require_options|forbid_options)\b", text) for text in behind)


@pytest.fixture(scope="module")
def required() -> Study:
    scenario = teams()
    (only,) = scenario.tenants.classes
    wishes = only.requirements.model_copy(update={"require_options": ("id_spire",)})
    tenants = scenario.tenants.model_copy(update={"classes": (only.model_copy(update={"requirements": wishes}),)})
    return tk.compare(scenario.model_copy(update={"tenants": tenants}))


@pytest.mark.parametrize("name", EXAMPLES)
def test_everything_that_completes_a_design_says_why(name: str) -> None:
    _every_supplement_has_its_reason(study(name))


def test_what_a_rule_or_the_scenario_demands_says_so_too(required: Study) -> None:
    _every_supplement_has_its_reason(required)
    told = [completed_with(e) for e in required.evaluations]
    assert any("(which is required)" in text for text in told)


def _every_supplement_has_its_reason(found: Study) -> None:
    names = found.catalogue.options
    for evaluation in found.evaluations:
        told = completed_with(evaluation)
        for choice in evaluation.resolved.design.choices.values():
            for one in choice.supplements:
                replaced = f" in place of {re.escape(names[one.replaces].name)}[^(]*" if one.replaces else ""
                assert re.search(rf"{re.escape(names[one.option].name)}{replaced} \(\w", told), (one, told)
