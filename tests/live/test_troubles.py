"""Servers too busy, tokens that run out, answers cut off: said plainly, nothing called verified, work listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tenancykit.cli import main
from tenancykit.live.client import KubeServer, UnreachableError
from tests.live.api_server import Cluster, Trouble
from tests.live.conftest import NAMESPACES, Serve

BUSY = "Too many requests, please try again later."
ALWAYS = 1_000_000


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenancykit.live.client.time.sleep", lambda _: None)
    monkeypatch.setattr(KubeServer.__init__, "__kwdefaults__", {"timeout": 30.0, "sleep": lambda _: None})


def busy(times: int, skip: int = 0) -> Trouble:
    return Trouble("", status=429, words=BUSY, retry="1", times=times, skip=skip)


def test_a_busy_server_is_asked_again_as_late_as_it_says(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles.append(busy(times=2))
    naps: list[float] = []
    with KubeServer(kubeconfig=serve(prod=cluster), sleep=naps.append) as server:
        assert server.request("GET", "/api/v1").status == 200
    assert naps == [1.0, 1.0]


def test_an_answer_cut_off_is_asked_for_again_and_given_up_at_last(cluster: Cluster, serve: Serve) -> None:
    cluster.troubles.append(Trouble("/api/v1", cut=True, times=2))
    with KubeServer(kubeconfig=serve(prod=cluster)) as server:
        assert server.request("GET", "/api/v1").status == 200
        cluster.troubles.append(Trouble("/api/v1", cut=True, times=ALWAYS))
        with pytest.raises(UnreachableError, match="does not answer"):
            server.request("GET", "/api/v1")


TROUBLES: Mapping[str, tuple[Callable[[int], Trouble], tuple[str, ...]]] = {
    "busy from then on": (lambda skip: busy(times=ALWAYS, skip=skip), (BUSY, "429")),
    "a token that ran out": (lambda skip: Trouble("", status=401, times=ALWAYS, skip=skip), ("does not let you in",)),
    "connections closed": (lambda skip: Trouble("", drop=True, times=ALWAYS, skip=skip), ("does not answer",)),
    "answers cut off": (lambda skip: Trouble("", cut=True, times=ALWAYS, skip=skip), ("does not answer",)),
}


@pytest.mark.parametrize("skip", [0, 40, 400])
@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_half_way_is_never_verified(
    name: str, skip: int, applied: Cluster, serve: Serve, scenario: Path, export: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    make, words = TROUBLES[name]
    applied.troubles.append(make(skip))
    arguments = ["verify", str(scenario), str(export), "--sample", "1", "--kubeconfig", str(serve(prod=applied))]
    assert main(arguments) != 0
    told = capsys.readouterr()
    assert ": verified" not in told.out
    assert any(word in told.out + told.err for word in words)


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_half_way_leaves_the_list_of_what_was_applied(
    name: str, cluster: Cluster, serve: Serve, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, words = TROUBLES[name]
    trouble = make(30)
    trouble.text, trouble.unless = "PATCH ", "dryRun"
    cluster.troubles.append(trouble)
    log = tmp_path / "applied.jsonl"
    code = main(["apply", str(export), "--yes", "--kubeconfig", str(serve(prod=cluster)), "--applied", str(log)])
    assert code in (1, 2)
    told = capsys.readouterr()
    assert any(word in told.out + told.err for word in words)
    last = {
        (one["kind"], one.get("namespace", ""), one["name"]): one["result"]
        for one in map(json.loads, log.read_text().splitlines())
    }
    applied = {key for key, result in last.items() if result == "applied"}
    there = {(kind, space, called) for _, kind, space, called in cluster.objects}
    there -= {("Namespace", "", called) for called in NAMESPACES}
    assert len(applied) == 30
    assert applied <= there
    assert there - applied <= {key for key, result in last.items() if result != "applied"}
