"""The freshness report: what is named, and that it is named only when its own claim has run out."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from tenancykit.catalogue.freshness import Overdue, overdue
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.dates import last_day
from tenancykit.report.listing import freshness, stale_prices

CATALOGUE = load_catalogue()


def by(what: str, today: date, catalogue: Catalogue = CATALOGUE) -> dict[str, Overdue]:
    return {item.id: item for item in overdue(catalogue, today) if item.what == what}


@pytest.mark.parametrize(
    ("stated", "last"),
    [("2026", "2026-12-31"), ("2026-02", "2026-02-28"), ("2026-12", "2026-12-31"), ("2026-03-04", "2026-03-04")],
)
def test_a_date_cut_short_counts_from_its_last_day(stated: str, last: str) -> None:
    assert last_day(stated) == date.fromisoformat(last)


def test_a_price_is_overdue_the_day_after_it_stopped_being_good(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    text = (
        "{id: mine, kind: egress, provider: own, amount: 1, per: gib, currency: USD, as_of: 2026-06-01, confidence: A"
    )
    (folder / "mine.yaml").write_text(f"entries:\n  - {text}, source: https://example.com}}\n")
    catalogue = load_catalogue(str(tmp_path))
    good = date(2026, 6, 1) + timedelta(days=180)
    assert "mine" not in by("price", good, catalogue)
    assert by("price", good + timedelta(days=1), catalogue)["mine"].days == 1


def test_a_version_is_overdue_by_the_projects_own_pace() -> None:
    component = CATALOGUE.components["kueue"]
    assert component.helm is not None
    assert component.lifecycle.minor_releases_12m == 6
    seen = max(last_day(component.helm.as_of), last_day(component.lifecycle.date))
    assert "kueue" not in by("version", seen + timedelta(days=60))
    assert by("version", seen + timedelta(days=62))["kueue"].days == 1


def test_support_that_has_ended_is_named_with_its_length() -> None:
    component = next(c for c in CATALOGUE.components.values() if c.lifecycle.support_months and c.lifecycle.date)
    late = by("support", last_day(component.lifecycle.date) + timedelta(days=5000))[component.id]
    assert f"{component.lifecycle.support_months:g} months" in late.why


def test_evidence_is_overdue_once_no_record_is_of_this_year_or_the_last() -> None:
    assert not by("evidence", date(2027, 12, 31))
    assert by("evidence", date(2028, 1, 1))["published flaws"].days == 1


def test_the_report_begins_with_how_much_is_past_its_date_of_what_is_stated() -> None:
    listing = freshness(load_catalogue(), date(2026, 11, 30))
    first, *table = listing.text().splitlines()
    counts = {words: (int(late), int(of)) for late, of, words in re.findall(r"(\d+) of (\d+) ([a-z ]+)", first)}
    rows = Counter(line.split()[0] for line in table[1:])
    assert {words: late for words, (late, _) in counts.items()} == {
        "prices": rows["price"],
        "versions of components": rows["version"],
        "windows of support": rows["support"],
    }
    assert all(late < of for late, of in counts.values())
    assert "the newest flaw held is of 2026" in first


def test_how_many_prices_are_older_is_said_before_them_also_where_none_is() -> None:
    today = date(2026, 12, 1)
    none, every = (stale_prices(CATALOGUE, days, today) for days in (99_999, -400))
    assert none.text().splitlines()[0].startswith("0 of ")
    count = len(every.entries)
    assert f"{count} of {count} prices" in every.text().splitlines()[0]
