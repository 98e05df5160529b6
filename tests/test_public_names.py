"""A public name of the last release stays, or the changelog says that it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

import kubeanswers
import tenancykit

ROOT = Path(__file__).parents[1]
RELEASED = {
    tenancykit: (
        "Catalogue Design Evaluation Fault InputError Scenario Studio Study TenancyKitError __version__ assess audit "
        "can_i charts close_gap compare demand example explore export load_catalogue load_scenario own_design "
        "parse_scenario place prove reach record replay replay_evidence robustness variant with_proof"
    ),
    kubeanswers: (
        "ObjectSet ReachQuestion Reading can_i from_dicts may_write place_dump reach read_objects validate_object "
        "validate_text validate_update"
    ),
}
"""Names by package: those of 0.1.0, and of `kubeanswers` as it was first public."""


@pytest.mark.parametrize("package", RELEASED, ids=lambda one: one.__name__)
def test_no_public_name_is_lost_without_a_word(package: object) -> None:
    told = (ROOT / "CHANGELOG.md").read_text() + "".join(
        file.read_text() for file in (ROOT / "docs/changes").glob("*.md")
    )
    lost = [name for name in RELEASED[package].split() if not hasattr(package, name)]  # type: ignore[index]
    assert [name for name in lost if f"`{name}`" not in told] == []
