from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kubeanswers.errors import MissingExtraError, OutputError
from tenancykit.studio import Studio, serve


def test_a_taken_port_moves_on_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind((serve.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = serve.free_port(port)
    assert port < found < port + 20
    assert f"Port {port} on 127.0.0.1 is taken; the studio uses {found}." in capsys.readouterr().err
    assert serve.free_port(found) == found
    assert capsys.readouterr().err == ""


def test_ports_that_are_all_taken_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_is_free", lambda _: False)
    for port in (8888, 65_535):
        with pytest.raises(OutputError, match=f"port {port} on 127.0.0.1 and those after it are taken"):
            serve.free_port(port)


def test_a_missing_server_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"tenancykit\[lab\]"):
        serve.serve(8866, browser=False)


def test_the_server_listens_on_loopback_and_the_token_is_not_on_the_command_line(tmp_path: Path) -> None:
    command = serve.command(8866)
    environment = serve.environment("secret", "ml-platform", tmp_path)
    assert "--Voila.ip=127.0.0.1" in command
    assert "--Voila.auto_token=True" in command
    assert "secret" not in " ".join(command)
    assert environment["JUPYTER_TOKEN"] == "secret"  # noqa: S105 - for this test


def test_the_page_opens_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    for name, value in serve.environment("t", "saas-inference", tmp_path).items():
        if name.startswith("TENANCYKIT_"):
            monkeypatch.setenv(name, value)
    studio = serve.opened()
    assert isinstance(studio, Studio)
    assert studio.session.scenario.name == "saas-inference"
    values = [w.value for w in studio._panels[-1].widget.children[1].children]
    assert values == [str(tmp_path / "out")]


def test_the_page_keeps_the_catalogue_it_was_started_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    (tmp_path / "own" / "references").mkdir(parents=True)
    for name, value in serve.environment("t", "saas-inference", tmp_path, [str(tmp_path / "own")]).items():
        if name.startswith("TENANCYKIT_"):
            monkeypatch.setenv(name, value)
    (tmp_path / "own" / "references" / "broken.yaml").write_text("id: [")
    shown = serve.page()
    assert "broken.yaml:" in shown.value
    assert "load this page again" in shown.value


def test_a_page_without_network_asks_no_other_host() -> None:
    template = Path(serve.__file__).parent / "voila" / "templates" / "tenancykit" / "index.html.j2"
    assert "https://" not in template.read_text(encoding="utf-8")
