"""Every situation written down is judged as it would be in a cluster, and no sibling of it raises a false alarm."""

from __future__ import annotations

import pytest

from tests.audit.situations import Case, cases, check


@pytest.mark.parametrize("case", cases("admission"), ids=str)
def test_admission_counts_only_where_it_can_refuse(case: Case) -> None:
    check(case, case.report())


@pytest.mark.parametrize("case", cases("paths"), ids=str)
def test_single_objects_open_what_they_open_and_no_more(case: Case) -> None:
    check(case, case.report())
