from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from kubeanswers.errors import OutputError
from tenancykit.manifests import output
from tenancykit.manifests.exchange import exclusive_lock
from tenancykit.manifests.output import INDEX_NAME, Changes, StagedTree


def write(target: Path, files: dict[str, str]) -> Changes:
    with StagedTree(target, {"design": "x"}) as tree:
        for path, text in files.items():
            tree.write(path, text)
        return tree.commit()


def contents(folder: Path) -> dict[str, str]:
    return {
        str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file() and f.name != INDEX_NAME
    }


def neighbours(target: Path) -> list[str]:
    return sorted(entry.name for entry in target.parent.iterdir() if entry != target)


def test_a_first_export_adds_its_files_and_leaves_nothing_beside_the_target(tmp_path: Path) -> None:
    changes = write(tmp_path / "out", {"a/b.yaml": "1\n", "c.yaml": "2\n"})
    assert contents(tmp_path / "out") == {"a/b.yaml": "1\n", "c.yaml": "2\n"}
    assert changes.added.paths == ("a/b.yaml", "c.yaml")
    assert neighbours(tmp_path / "out") == []


def test_a_second_export_says_what_changed(tmp_path: Path) -> None:
    write(tmp_path / "out", {"same": "1", "changed": "1", "gone": "1"})
    changes = write(tmp_path / "out", {"same": "1", "changed": "2", "new": "1"})
    assert changes.unchanged.paths == ("same",)
    assert changes.changed.paths == ("changed",)
    assert changes.removed.paths == ("gone",)
    assert changes.added.paths == ("new",)
    assert not changes.is_identical
    assert contents(tmp_path / "out") == {"same": "1", "changed": "2", "new": "1"}


def test_the_same_export_again_is_identical(tmp_path: Path) -> None:
    write(tmp_path / "out", {"a": "1"})
    before = (tmp_path / "out" / INDEX_NAME).read_bytes()
    assert write(tmp_path / "out", {"a": "1"}).is_identical
    assert (tmp_path / "out" / INDEX_NAME).read_bytes() == before


def test_files_of_others_are_carried_over(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, {"a/ours": "1"})
    (target / "a" / "theirs.txt").write_text("keep")
    (target / "empty").mkdir()
    (target / "link").symlink_to("/nowhere")
    changes = write(target, {"a/ours": "2"})
    assert (target / "a" / "theirs.txt").read_text() == "keep"
    assert (target / "empty").is_dir()
    assert str((target / "link").readlink()) == "/nowhere"
    assert set(changes.foreign.paths) == {"a/theirs.txt", "empty", "link"}


def test_files_of_others_that_were_there_before_the_first_export_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    assert write(target, {"a": "1"}).foreign.paths == ("notes.txt",)
    assert (target / "notes.txt").read_text() == "mine"


def test_a_file_edited_by_hand_is_kept_beside_the_new_one_and_reported(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, {"a": "1", "gone": "1"})
    (target / "a").write_text("edited")
    (target / "gone").write_text("edited too")
    changes = write(target, {"a": "2"})
    assert set(changes.by_hand.paths) == {"a", "gone"}
    assert contents(target) == {"a": "2", "a.changed-by-hand": "edited", "gone": "edited too"}
    (target / "a").write_text("edited again")
    write(target, {"a": "3"})
    assert contents(target)["a.changed-by-hand-2"] == "edited again"


def test_a_file_of_others_where_we_write_is_kept_beside_ours(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a").write_text("theirs")
    write(target, {"a": "ours"})
    assert contents(target) == {"a": "ours", "a.changed-by-hand": "theirs"}


def test_a_file_of_others_where_we_need_a_folder_stops_the_export(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a").mkdir()
    (target / "a" / "b").write_text("theirs")
    with pytest.raises(OutputError, match="lies where the export needs"):
        write(target, {"a": "ours"})
    assert contents(target) == {"a/b": "theirs"}


def test_a_broken_index_makes_every_file_a_strangers(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, {"a": "1", "b": "1"})
    (target / INDEX_NAME).write_text("{not json")
    changes = write(target, {"a": "2"})
    assert contents(target) == {"a": "2", "a.changed-by-hand": "1", "b": "1"}
    assert changes.foreign.count == 2


@pytest.mark.parametrize("moment", ["write", "commit", "index"])
def test_an_interrupted_export_leaves_the_old_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    target = tmp_path / "out"
    write(target, {"a": "old", "b": "old"})
    before = {**contents(target), INDEX_NAME: (target / INDEX_NAME).read_text()}
    if moment == "index":
        monkeypatch.setattr(StagedTree, "_write_index", interrupt)
    if moment == "commit":
        monkeypatch.setattr(output, "put_in_place", interrupt)
    with pytest.raises(KeyboardInterrupt), StagedTree(target) as tree:  # noqa: PT012 - the whole export is the subject
        tree.write("a", "new")
        if moment == "write":
            raise KeyboardInterrupt
        tree.commit()
    assert {**contents(target), INDEX_NAME: (target / INDEX_NAME).read_text()} == before
    assert neighbours(target) == []


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_full_disk_is_an_error_that_leaves_the_old_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    write(target, {"a": "old"})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match=r"No space left on device.*unchanged"):
        write(target, {"a": "new"})
    monkeypatch.undo()
    assert contents(target) == {"a": "old"}
    assert neighbours(target) == []


def test_what_a_killed_export_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    (tmp_path / ".out.new-dead" / "a").mkdir(parents=True)
    (tmp_path / ".out.index-dead").write_text("")
    (tmp_path / ".out.old-dead" / "tree").mkdir(parents=True)
    (tmp_path / ".out.old-dead" / "tree" / "kept.txt").write_text("theirs")
    write(target, {"a": "1"})
    assert neighbours(target) == []
    assert contents(target) == {"a": "1", "kept.txt": "theirs"}


def test_where_names_cannot_be_exchanged_the_old_tree_is_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancykit.manifests.exchange._exchange", lambda *_: False)
    write(tmp_path / "out", {"a": "1"})
    write(tmp_path / "out", {"a": "2"})
    assert contents(tmp_path / "out") == {"a": "2"}
    assert neighbours(tmp_path / "out") == []


def test_two_exports_at_once_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with exclusive_lock(target), pytest.raises(OutputError, match="another export"):
        write(target, {"a": "1"})
    write(target, {"a": "1"})
    assert neighbours(target) == []


def test_a_file_a_link_and_the_working_directory_are_no_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name, message in (("file", "is a file"), ("link", "symbolic link"), ("file/out", "is a file")):
        with pytest.raises(OutputError, match=message):
            write(tmp_path / name, {"a": "1"})
    monkeypatch.chdir(tmp_path / "folder" / "inner")
    for path in (".", "..", "../.."):
        with pytest.raises(OutputError, match="working directory"):
            write(Path(path), {"a": "1"})


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="not writable"):
        write(tmp_path / "out", {"a": "1"})


def test_a_folder_full_of_other_peoples_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.mkdir()
    monkeypatch.setattr(output, "MAX_FOREIGN", 3)
    for number in range(5):
        (target / str(number)).write_text("x")
    with pytest.raises(OutputError, match="a folder of its own"):
        write(target, {"a": "1"})
    assert len(contents(target)) == 5


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b"])
def test_no_file_leaves_the_tree(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutputError, match="would leave the export"):
        write(tmp_path / "out", {path: "1"})


def test_two_parts_of_an_export_cannot_claim_one_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="two parts"), StagedTree(tmp_path / "out") as tree:  # noqa: PT012 - as above
        tree.write("a", "1")
        tree.write("a", "2")


def test_the_index_is_json_with_a_hash_per_file(tmp_path: Path) -> None:
    write(tmp_path / "out", {"a": "1", "ü/b": "2"})
    index = json.loads((tmp_path / "out" / INDEX_NAME).read_text())
    assert index["schema"] == "tenancykit/export/v1"
    assert index["design"] == "x"
    assert sorted(index["files"]) == ["a", "ü/b"]


def test_permissions_of_a_folder_that_was_there_stay_and_a_new_one_is_as_the_umask_has_it(tmp_path: Path) -> None:
    target = tmp_path / "out"
    before = os.umask(0o077)
    try:
        write(target, {"a/x.yaml": "1"})
        assert stat.S_IMODE(target.stat().st_mode) == 0o700
        target.chmod(0o2750)
        (target / "a").chmod(0o2770)
        write(target, {"a/x.yaml": "2", "b/y.yaml": "1"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o2750
    assert stat.S_IMODE((target / "a").stat().st_mode) == 0o2770


def test_a_folder_at_the_top_of_the_file_system_is_not_made_on_the_way() -> None:
    with pytest.raises(OutputError, match="no such folder; make it first"):
        write(Path("/no-such-folder-at-the-top/out"), {"x": "1"})
    assert not Path("/no-such-folder-at-the-top").exists()
