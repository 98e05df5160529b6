from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from kubeanswers.errors import OutputError
from kubeanswers.writing import make_parents, refuse_same, replacing, write_text

OURS = "tool: ours"
NEW = f"{OURS}\nnew\n"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make another user's files")


def test_a_reader_sees_the_old_text_or_the_new_one_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "file.txt"
    write_text(file, NEW, ours=OURS)
    with pytest.raises(KeyError), replacing(file, ours=OURS) as stream:
        stream.writelines([b"half", {"": b""}["the other half"]])
    assert file.read_text() == NEW
    assert [entry.name for entry in file.parent.iterdir()] == ["file.txt"]


def test_a_file_of_somebody_else_stays_unless_it_is_forced(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("theirs")
    with pytest.raises(OutputError, match="was not written by this command; name another, or add --force"):
        write_text(file, NEW, ours=OURS)
    assert file.read_text() == "theirs"
    write_text(file, NEW, ours=OURS, force=True)
    write_text(file, NEW + "again", ours=OURS)
    assert file.read_text() == NEW + "again"
    (tmp_path / "empty").touch()
    write_text(tmp_path / "empty", NEW, ours=OURS)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_permissions_of_a_file_that_was_there_stay(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file.txt"
    file.write_text(OURS)
    file.chmod(mode)
    write_text(file, NEW, ours=OURS)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.read_text() == NEW


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007, 0o000])
def test_new_files_and_folders_are_as_the_umask_has_them(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "folder" / "file.txt", NEW, ours=OURS)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "folder" / "file.txt").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


def test_a_symbolic_link_is_never_written_through(tmp_path: Path) -> None:
    victim, link, nowhere = tmp_path / "victim", tmp_path / "link", tmp_path / "nowhere"
    victim.write_text(OURS)
    link.symlink_to(victim)
    nowhere.symlink_to(tmp_path / "missing")
    for force in (False, True):
        with pytest.raises(OutputError, match="symbolic link"):
            write_text(link, NEW, ours=OURS, force=force)
        with pytest.raises(OutputError, match="leads nowhere"):
            write_text(nowhere, NEW, ours=OURS, force=force)
    assert victim.read_text() == OURS
    assert link.is_symlink()
    assert not (tmp_path / "missing").exists()


@root_only
def test_somebody_elses_link_in_a_shared_folder_is_refused_even_on_the_way(tmp_path: Path) -> None:
    shared, mine = tmp_path / "shared", tmp_path / "mine"
    mine.mkdir()
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "out").symlink_to(mine)
    os.lchown(shared / "out", 12345, 12345)
    with pytest.raises(OutputError, match="somebody else's symbolic link"):
        write_text(shared / "out" / "file.txt", NEW, ours=OURS)
    assert list(mine.iterdir()) == []
    (tmp_path / "own").symlink_to(mine)
    write_text(tmp_path / "own" / "file.txt", NEW, ours=OURS)
    assert (mine / "file.txt").read_text() == NEW


@root_only
def test_the_owner_of_a_file_that_was_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text(OURS)
    os.chown(file, 12345, 54321)
    write_text(file, NEW, ours=OURS)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


def test_a_device_is_written_through_and_stays_a_device(tmp_path: Path) -> None:
    before = Path("/dev/null").stat()
    write_text("/dev/null", NEW, ours=OURS)
    assert Path("/dev/null").stat().st_rdev == before.st_rdev
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    if Path("/dev/full").exists():
        with pytest.raises(OutputError, match="cannot be written"):
            write_text("/dev/full", NEW, ours=OURS)
        assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    (tmp_path / "link").symlink_to("/dev/null")
    write_text(tmp_path / "link", NEW, ours=OURS)
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, NEW, ours=OURS)
    reader.join(10)
    assert read == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_folders_are_made_only_below_one_that_exists(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    with pytest.raises(OutputError, match="is no folder"):
        write_text(tmp_path / "file" / "below" / "x", NEW, ours=OURS)
    with pytest.raises(OutputError, match="is no folder"):
        write_text(tmp_path / "dangling" / "x", NEW, ours=OURS)
    with pytest.raises(OutputError, match="no such folder; make it first"):
        make_parents(Path("/no-such-folder-at-the-top/out"))
    assert not Path("/no-such-folder-at-the-top").exists()
    assert not (tmp_path / "missing").exists()
    with pytest.raises(OutputError, match="is a folder"):
        write_text(tmp_path, NEW, ours=OURS)


def test_an_input_is_known_by_whatever_name(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("x")
    os.link(file, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(file)
    for name in ("in.csv", "hard", "soft", "../" + tmp_path.name + "/in.csv"):
        with pytest.raises(OutputError, match="is an input of this command"):
            refuse_same([tmp_path / name], [file])
    refuse_same([tmp_path / "other", "/dev/null"], [file, "/dev/null", "\0"])


def test_no_file_of_a_folder_that_is_read_is_replaced_by_force(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.yaml", "report.xml"):
        (tmp_path / "in" / name).write_text("x")
    with pytest.raises(OutputError, match="which this command reads"):
        refuse_same([tmp_path / "in" / "a.yaml"], [tmp_path / "in"], force=True)
    refuse_same([tmp_path / "in" / "report.xml", tmp_path / "in" / "new.yaml"], [tmp_path / "in", ""], force=True)
    refuse_same([tmp_path / "in" / "a.yaml"], [tmp_path / "in"])


def test_outputs_have_names_and_each_its_own(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="named for two outputs"):
        refuse_same([tmp_path / "x", tmp_path / "." / "x"], [])
    with pytest.raises(OutputError, match="has no name"):
        refuse_same([""], [])
    refuse_same(["/dev/null", "/dev/null"], [])


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_an_impossible_name_is_an_output_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / name, NEW, ours=OURS)
