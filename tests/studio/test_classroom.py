"""A class: who gets in, what each gets, what the trainer sees, and what is refused before anything starts."""

from __future__ import annotations

import json
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kubeanswers.errors import InputError, OutputError
from tenancykit.report.lab import notebooks
from tenancykit.studio import workshop
from tenancykit.studio.classroom import opening
from tenancykit.studio.classroom.board import page
from tenancykit.studio.classroom.holding import held
from tenancykit.studio.classroom.opening import open_class, proxy_command
from tenancykit.studio.classroom.places import prepare
from tenancykit.studio.classroom.roster import admits, seats
from tenancykit.studio.classroom.settings import SETTINGS, ClassSettings, read_settings
from tenancykit.studio.workshop.progress import PERSON, PROGRESS, progress


def settings(folder: Path, count: int = 2) -> ClassSettings:
    return ClassSettings(
        folder=folder, notebooks=notebooks(), address="127.0.0.1", port=8888, inner=(1, 2, 3), proxy=("proxy",),
        accounts={seat.name: seat.account() for seat in seats(count)},
    )  # fmt: skip


def test_an_account_opens_with_its_own_password_and_no_other() -> None:
    seated = seats(2)
    accounts = {seat.name: seat.account() for seat in seated}
    assert [seat.name for seat in seated] == ["trainer", "participant-01", "participant-02"]
    assert all(admits(accounts, seat.name, seat.password) for seat in seated)
    assert not admits(accounts, seated[0].name, seated[1].password)
    assert not admits(accounts, "nobody", "")
    assert not any(seat.password in found.model_dump_json() for seat in seated for found in accounts.values())


def test_a_roster_names_the_accounts(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada Lovelace\n\nGrace Hopper\n")
    assert [seat.name for seat in seats(2, tmp_path / "names.txt")] == ["trainer", "ada-lovelace", "grace-hopper"]


@pytest.mark.parametrize(
    ("names", "told"),
    [("Ada\nada\n", "names.txt:2: the account 'ada' is taken: line 1 has it"),
     ("Trainer\nAda\n", "names.txt:1: the account 'trainer' is taken: it is the trainer's"),
     ("Ada\n", "holds 1 names")],
)  # fmt: skip
def test_a_name_another_participant_has_is_told_by_line(tmp_path: Path, names: str, told: str) -> None:
    (tmp_path / "names.txt").write_text(names)
    with pytest.raises(InputError) as caught:
        seats(2, tmp_path / "names.txt")
    assert told in str(caught.value)


@pytest.mark.parametrize("count", [0, -1, 201])
def test_a_class_has_a_size(count: int) -> None:
    with pytest.raises(InputError, match="--class"):
        seats(count)


def test_everybody_gets_a_copy_and_only_the_trainer_the_solutions(tmp_path: Path) -> None:
    found = settings(tmp_path)
    home, trainers = prepare(found, "participant-01"), prepare(found, "trainer")
    assert (home / "workshop" / "a-read-and-harden.ipynb").is_file()
    assert not (home / "workshop" / "solutions").exists()
    assert (trainers / "workshop" / "solutions").is_dir()
    assert not (home / "workshop" / "hub").exists(), "files for a hosted hub are the trainer's"
    (settings_of_lab,) = home.rglob("notification.jupyterlab-settings")
    assert json.loads(settings_of_lab.read_text())["fetchNews"] == "false", "nobody is asked about another host's news"
    (home / "01-quickstart.ipynb").write_text("mine")
    prepare(found, "participant-01")
    assert (home / "01-quickstart.ipynb").read_text() == "mine"
    assert (home / "workshop" / "group").resolve() == found.group.resolve()


def test_a_folder_serves_one_class_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path):
        with pytest.raises(OutputError, match="choose another with --folder"), held(tmp_path):
            pass
        with held(tmp_path / "another"):
            pass
    with held(tmp_path):
        assert (tmp_path / "hub").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file"), held(tmp_path / "file"):
        pass


def test_a_check_is_noted_for_the_trainer_and_only_in_a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(tmp_path)
    prepare(found, "participant-01")
    workshop.check(1, None)
    assert progress(found.progress) == {}
    monkeypatch.setenv(PROGRESS, str(found.progress))
    monkeypatch.setenv(PERSON, "participant-01")
    workshop.check(1, None)
    workshop.check(1, 3)
    assert progress(found.progress) == {"participant-01": {1: (2, False)}}
    board = page(found)
    assert board.count('<th scope="row">') == 2
    assert "<td>2</td>" in board


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"exercises": []}', '{"exercises": {"x": [1, true]}}', "[" * 60000, " " * 70000,
     '{"exercises": {"1": [1e400, false]}}', '{"exercises": {"1": [NaN, false]}}', '{"exercises": {"1": [-5, false]}}'],
)  # fmt: skip
def test_a_broken_note_of_progress_shows_nothing_instead_of_failing(tmp_path: Path, text: str) -> None:
    found = settings(tmp_path)
    found.progress.mkdir()
    (found.progress / "participant-01.json").write_text(text)
    assert "<td></td>" in page(found)


def test_two_participants_of_one_name_hand_in_two_designs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.studies import study

    design = study("saas-inference")["RA01"].resolved.design
    for account in ("participant-01", "participant-02"):
        monkeypatch.setenv(PERSON, account)
        workshop.submit("Sam", design, "saas-inference", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_address_others_reach_is_refused_without_tls(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in the clear"):
        open_class(2, folder=tmp_path, port=18000, address="0.0.0.0")  # noqa: S104 - refused
    with pytest.raises(InputError, match="--key"):
        open_class(2, folder=tmp_path, port=18000, certificate=tmp_path / "c.pem")
    with pytest.raises(InputError, match="--address"):
        open_class(2, folder=tmp_path, port=18000, address="localhost")


def test_where_the_proxy_cannot_be_installed_it_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(OutputError, match=r"there is no Node\.js here"):
        proxy_command(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None if "proxy" in name else f"/usr/bin/{name}")
    failed = subprocess.CompletedProcess([], 1, "", "npm error code ENOTFOUND\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OutputError, match="ENOTFOUND"):
        proxy_command(tmp_path)


def test_the_hub_reads_what_the_command_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(tmp_path)
    found.own.mkdir()
    file = opening._written(found)
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setenv(SETTINGS, str(file))
    assert read_settings() == found
    file.write_text(json.dumps({"folder": 1}))
    with pytest.raises(InputError):
        read_settings()


def test_a_class_is_announced_only_when_the_hub_answers_through_its_proxy(tmp_path: Path) -> None:
    class Proxy(BaseHTTPRequestHandler):
        knows = False

        def do_GET(self) -> None:
            self.send_response(200 if Proxy.knows and self.path == "/hub/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        found = settings(tmp_path).model_copy(update={"port": server.server_port})
        Thread(target=server.serve_forever, daemon=True).start()
        assert not opening._answers(found)
        Proxy.knows = True
        assert opening._answers(found)
        server.shutdown()
    assert not opening._answers(found)
