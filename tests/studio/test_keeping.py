from __future__ import annotations

import os
from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import OutputError
from tenancykit.studio.files import read_session
from tenancykit.studio.keeping import Keeper
from tenancykit.studio.serve import kept_file
from tenancykit.studio.session import Session


def another(measured: tk.Study, file: Path) -> tuple[Session, Keeper]:
    """Return a page of its own that keeps the same file."""
    session = Session(measured.scenario, study=measured)
    return session, Keeper(session, file)


def test_a_page_loaded_again_goes_on_and_undo_starts_afresh(measured: tk.Study, tmp_path: Path) -> None:
    file = tmp_path / "not" / "there" / "yet.json"
    session, keeper = another(measured, file)
    assert keeper.restore() == ""
    session.weigh(cost=0.9)
    keeper.keep()
    again, kept = another(measured, file)
    assert kept.restore().startswith("continued where it was left")
    assert again.weights.cost == pytest.approx(session.weights.cost)
    again.undo()
    assert again.weights == Session(measured.scenario, study=measured).weights


def test_of_two_pages_the_later_keeps_and_the_earlier_is_told_until_it_takes_over(
    measured: tk.Study, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    first, one = another(measured, file)
    one.restore()
    _, other = another(measured, file)
    other.restore()
    first.weigh(cost=0.9)
    with pytest.raises(OutputError, match="continued in another tab"):
        one.keep()
    assert one.elsewhere
    assert read_session(file).weights.cost != pytest.approx(first.weights.cost), "nothing was overwritten"
    one.take_over()
    assert read_session(file).weights.cost == pytest.approx(first.weights.cost)
    with pytest.raises(OutputError, match="continued in another tab"):
        other.keep()


def test_what_cannot_be_read_is_put_aside_and_never_overwritten(measured: tk.Study, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    for number in (1, 2):
        file.write_text(f'{{"schema": "tenancykit/session/v9", "number": {number}}}')
        _, keeper = another(measured, file)
        assert f"unreadable-{number}" in keeper.restore()
        assert f'"number": {number}' in (tmp_path / f"kept.json.unreadable-{number}").read_text()
        assert read_session(file).scenario
        file.unlink()


def test_a_folder_that_is_no_folder_is_told(measured: tk.Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    _, keeper = another(measured, tmp_path / "file" / "kept.json")
    with pytest.raises(OutputError):
        keeper.restore()


def test_a_scenario_changed_on_disk_since_is_told(measured: tk.Study, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    another(measured, file)[1].restore()
    _, keeper = another(measured, file)
    assert "was changed since" in keeper.restore(changed=file.stat().st_mtime + 1)
    _, keeper = another(measured, file)
    assert "was changed since" not in keeper.restore(changed=file.stat().st_mtime - 1)


def test_each_scenario_and_each_name_in_the_address_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for query in ("token=t", "token=t&session=anna", "session=../../etc/passwd", "session=" + "x" * 500, "session=%00"):
        monkeypatch.setenv("QUERY_STRING", query)
        for scenario in ("ml-platform", "/a/scenario.yaml", "/b/scenario.yaml"):
            file = kept_file(tmp_path, scenario)
            assert file.parent == tmp_path / "studio-sessions"
            assert len(os.fsencode(file.name)) < 200
            found.add(file)
    assert len(found) == 15
