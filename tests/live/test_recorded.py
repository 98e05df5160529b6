"""The fake API server answers as a real one did, in every recorded interaction about applying."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.api_server import recorded
from tests.live.conftest import empty_cluster
from tests.live.replaying import disagreements

CASES = [case for case in recorded()["cases"] if case["group"] in ("apply", "additions")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_fake_answers_as_the_real_server_did(case: dict[str, Any]) -> None:
    assert list(disagreements(empty_cluster(), case)) == []


def test_no_recorded_case_is_left_out() -> None:
    assert len(CASES) == 136
