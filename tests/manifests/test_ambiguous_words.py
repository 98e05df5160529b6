"""Words that YAML 1.1 or 1.2 reads as something else, everywhere a name can stand, read back by a second library."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from ruamel.yaml import YAML

import tenancykit as tk
from kubeanswers.parsing import parse_documents
from kubeanswers.source import dump_yaml, read_yaml
from tenancykit.examples import example
from tenancykit.manifests.yaml_writer import write_document, write_documents
from tests.study import platforms

WORDS: Final = (
    *("no", "yes", "on", "off", "y", "n", "true", "false", "null", "No", "YES", "Off", "TRUE", "Null", "~", "", "=", "<<", "-", "."),
    *("123", "0", "-1", "+1", "012", "0o17", "0x1", "0b11", "1_000", "1e3", "1E3", "1e-3", "1.5", ".5", "1.", "-.5e3", "0.0", "00"),
    *("1:30", "190:20:30", "1:30.5", ".inf", "-.INF", ".nan", "2001-01-01", "2001-01-01T00:00:00Z", "-e5", "1e", "0x", "08", "1__0"),
    *("9223372036854775808", "1e400", "---", "...", "?", ":", "- a", "a: b", "a #b", "#", "&a", "*a", "!x", "%a", "@a", "`a", "|", ">"),
    *("[", "]", "{", "}", ",", "'", '"', "a'b", 'a"b', "\\", "a\\nb", " a", "a ", "a\tb", "é", "漢", "😀", "a\nb", "a\n", "\n", "\u2028"),
)  # fmt: skip


def readers(text: str) -> list[Any]:
    """Return what each library makes of a text, in YAML 1.1 and 1.2, and what kubectl would."""
    found: list[Any] = [list(yaml.load_all(text, Loader=yaml.CSafeLoader))]
    for version in ((1, 1), (1, 2)):
        library = YAML(typ="safe", pure=True)
        library.version = version
        found.append(list(library.load_all(io.StringIO(text))))
    found.append([value for value, _ in parse_documents(text, "f", [])])
    return found


def test_every_word_is_the_same_text_to_every_reader_wherever_it_stands() -> None:
    data = {
        "values": list(WORDS),
        "keys": dict.fromkeys(WORDS, "x"),
        "nested": [{word: {word: [word, {word: word}]}} for word in WORDS],
    }
    for write in (write_document, dump_yaml):
        text = write(data)
        for read in readers(text):
            assert read == [data]
    for word in WORDS:
        for text in (write_documents([{"metadata": {"name": word}}]), dump_yaml({"metadata": {"name": word}})):
            assert all(read == [{"metadata": {"name": word}}] for read in readers(text)), text


NAMES: Final = (
    "no",
    "yes",
    "y",
    "123",
    "1e3",
    "0x1",
    "1_000",
    "0o17",
    "1:30",
    "=",
    "~",
    "null",
    "-e5",
    ".inf",
    "2001-01-01",
    "012",
    "<<",
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = read_yaml(example("saas-inference")).data
    classes = data["tenants"]["classes"]
    for group in classes[1:]:
        group["count"] = 1  # a pure Python reader reads every file twice
    classes[0]["count"] = len(NAMES)
    data["tenants"]["named"] = [{"name": name, "class": classes[0]["id"]} for name in NAMES]
    data["title"], data["description"] = "no", "1e3"
    data["stakeholders"] = {"yes": {"isolation": 1, "effort": 0, "operations": 0, "cost": 0}}
    folder = tmp_path_factory.mktemp("words") / "out"
    platforms.exported("RA01", tk.parse_scenario(dump_yaml(data)), folder)
    return folder


def test_tenants_of_such_names_are_written_so_that_every_reader_reads_text(exported: Path) -> None:
    files = sorted(exported.rglob("*.yaml"))
    assert len(files) > 10
    for file in files:
        first, *others = readers(file.read_text(encoding="utf-8"))
        assert all(other == first for other in others), file
        assert all(isinstance(text, str) for document in first for text in _names(document)), file


def test_what_is_written_for_such_names_is_read_back_without_a_fault(exported: Path) -> None:
    found = tk.audit(exported)
    assert found.faults == ()


def _names(value: Any) -> list[Any]:
    """Return what stands where a name, a namespace, a label or an annotation belongs."""
    found: list[Any] = []
    if isinstance(value, dict):
        metadata = value.get("metadata")
        if isinstance(metadata, dict):
            found += [metadata[key] for key in ("name", "namespace") if key in metadata]
            found += [
                item for key in ("labels", "annotations") for pair in (metadata.get(key) or {}).items() for item in pair
            ]
        found += list(value)
        found += [name for inner in value.values() for name in _names(inner)]
    elif isinstance(value, list):
        found += [name for inner in value for name in _names(inner)]
    return found


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl; no server is asked")
def test_kubectl_kustomize_builds_what_is_written_for_such_names(exported: Path) -> None:
    for folder in sorted(file.parent for file in exported.glob("clusters/*/kustomization.yaml")):
        done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[:2000]
