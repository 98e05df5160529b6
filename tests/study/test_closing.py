"""What would close most of what stands open: options that are measured, with what they cost, on a page."""

from __future__ import annotations

import pytest

from tenancykit.report.text import explanation_text
from tenancykit.study.closing import closing_options, opened
from tests import studies

PAGE = 66
"""Lines of a printed page."""


@pytest.mark.parametrize("design", ["RA01", "RA09"])
def test_an_explanation_of_isolation_is_a_page_with_ranges_shares_and_priced_options(design: str) -> None:
    evaluation = studies.study("saas-inference")[design]
    told = explanation_text(opened(evaluation.explain("isolation"), page=True))
    assert len(told.splitlines()) <= PAGE
    assert "rests on assumptions" in told
    for tenant_class in evaluation.scenario.tenants.classes:
        assert tenant_class.id in told
    for each in evaluation.scores["isolation"].detail.exposure:
        if each.plane != "performance":
            assert f"{each.plane} {each.days:.3g} ({each.low:.3g} to {each.high:.3g})" in " ".join(told.split())


def test_options_that_close_most_leave_fewer_days_and_tell_what_they_cost() -> None:
    evaluation = studies.study("saas-inference")["RA01"]
    found = closing_options(evaluation)
    assert len(found) == 3
    assert [each.days for each in found] == sorted((each.days for each in found), reverse=True)
    assert all(each.days > 0 for each in found)
    assert any(each.cost > 0 for each in found)
    assert not {each.option for each in found} & set(evaluation.resolved.classes[0].choice.options)
