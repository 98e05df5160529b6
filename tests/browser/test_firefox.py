"""The pages we write and serve, in Firefox as in Chromium: they work, ask no other host, and no script fails."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenancykit as tk
from tests import studies
from tests.browser.conftest import TOKEN, free_port
from tests.browser.firefox import Firefox


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    pytest.importorskip("websocket")
    found = next((p for name in ("firefox-esr", "firefox") if (p := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Firefox is installed (Debian: apt-get install firefox-esr)")
    profile = tmp_path / "profile"
    profile.mkdir()
    opened = Firefox(found, profile, free_port())
    yield opened
    opened.close()
    assert opened.errors == []
    ours = ("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:", "about:", "chrome:", "resource:")
    assert [url for url in opened.requests if not url.startswith(ours)] == []


def test_weights_move_on_the_shared_page_and_the_record_opens(firefox: Firefox, tmp_path: Path) -> None:
    study = studies.study("ml-platform")
    page, record = tmp_path / "page.html", tmp_path / "record.html"
    tk.share(study, page)
    record.write_text(tk.record(study).html, encoding="utf-8")
    firefox.go(page.as_uri())
    before = firefox.run("document.getElementById('first').textContent")
    assert study.best.id in before
    moved = "e => { e.value = e.id === 'w0' ? 100 : 0; e.dispatchEvent(new Event('input', {bubbles: true})); }"
    firefox.run(f"document.querySelectorAll('.weight input').forEach({moved})")
    after = firefox.run("document.getElementById('first').textContent")
    assert after != before
    firefox.go(record.as_uri())
    assert "Decision" in firefox.run("document.title")


def test_the_studio_ranks_and_shows_every_tab(firefox: Firefox, voila: tuple[str, Path]) -> None:
    firefox.go(f"{voila[0]}?token={TOKEN}&session={secrets.token_hex(4)}")
    firefox.wait("document.querySelector('.tk-grid button') && document.body.innerText.includes('First place.')")
    tabs = int(firefox.run("document.querySelectorAll('.tk-tabs [role=tab]').length"))
    assert tabs == 12
    for number in range(tabs):
        firefox.click(f"document.querySelectorAll('.tk-tabs [role=tab]')[{number}]")
        firefox.wait(f"document.querySelectorAll('.tk-tabs [role=tab]')[{number}].ariaSelected === 'true'")
        firefox.wait("document.querySelector('.tk-tabs [role=tabpanel]:not(.lm-mod-hidden)').innerText.trim()")
