"""What is kept of the catalogue between two runs is never what an answer depends on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kubeanswers.source import read_yaml
from tenancykit.catalogue import parsed
from tenancykit.catalogue.parsed import parsed_files
from tenancykit.catalogue.reading import OWN_ROOT, yaml_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder that is in use."""
    found = tmp_path / "cache"
    monkeypatch.setenv("TENANCYKIT_CACHE", str(found))
    return found


def own(*files: str) -> dict[Path, tuple[object, object, int]]:
    """Return what is read of the package's own files: data, what stood there, and the line of an inner value."""
    chosen = [OWN_ROOT / file for file in files] or yaml_files(OWN_ROOT)
    documents = parsed_files(OWN_ROOT, chosen)
    return {file: (d.data, dict(d.written), len(d.lines)) for file, d in documents.items()}


def test_the_second_run_reads_what_the_first_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = own()
    assert len(first) > 300
    kept = (folder / "catalogue.json").read_bytes()

    def never(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(parsed, "parse_yaml", never)
    assert own() == first
    assert (folder / "catalogue.json").read_bytes() == kept


def test_lines_are_those_of_the_file(folder: Path) -> None:
    file = OWN_ROOT / "options/policy_admission/pol_vap.yaml"
    for _ in range(2):
        document = parsed_files(OWN_ROOT, [file])[file]
        plain = read_yaml(file)
        assert {path: document.line(path) for path in plain.lines} == dict(plain.lines)
        assert document.where(()).rpartition(":")[0] == f"catalogue/{file.relative_to(OWN_ROOT)}"
    assert folder.exists()


def test_a_changed_file_is_parsed_again(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    for value in (1, 2):
        file.write_text(f"id: {value}\n")
        assert parsed_files(tmp_path, [file])[file].data == {"id": value}
    assert folder.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"key": 1}', b"\xff\xfe", b'{"key": "KEY", "documents": []}'])
def test_a_damaged_cache_is_built_again(folder: Path, damage: bytes) -> None:
    first = own("sources.yaml")
    file = folder / "catalogue.json"
    key = json.loads(file.read_bytes())["key"].encode()
    file.write_bytes(damage.replace(b"KEY", key))
    assert own("sources.yaml") == first
    assert json.loads(file.read_bytes())["documents"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions as on POSIX")
def test_a_cache_that_others_may_write_is_not_believed(folder: Path) -> None:
    first = own("sources.yaml")
    file = folder / "catalogue.json"
    text = file.read_text().replace("https://", "https://elsewhere.example/")
    for place in (file, folder):
        file.write_text(text)
        place.chmod(0o777)
        assert own("sources.yaml") == first
        place.chmod(0o700)


def test_nothing_is_kept_where_nothing_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for stated in ("off", str(blocked), str(blocked / "inside")):
        monkeypatch.setenv("TENANCYKIT_CACHE", stated)
        assert own("sources.yaml")
    assert list(tmp_path.iterdir()) == [blocked]
    assert not Path("off").exists()
