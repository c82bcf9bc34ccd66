import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid import files
from pellucid.errors import FileError, RunBusy


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "first")
    files.write_text(path, "second")
    assert path.read_text() == "second"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError, match="midway"), files.replacing(path) as write:
        write(b"new")
        raise RuntimeError("midway")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"a\.txt': No space left on device; make room"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "abc", b"abc")
    assert files.checksum(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert files.checksum(tmp_path / "abc").startswith("ba7816bf8f01cfea")


def test_what_a_killed_process_left_is_cleared_and_what_another_writes_stays(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    kept = tmp_path / "inner" / "a.txt"
    kept.write_text("kept")
    with files.replacing(kept) as write:
        write(b"new")
        (left,) = (path for path in (tmp_path / "inner").iterdir() if path != kept)
        copy = left.with_name(f".b{left.suffix}")
        copy.write_bytes(b"half")
        files.clear_unfinished(tmp_path)
        assert left.exists()
        assert not copy.exists()
    assert os.listdir(tmp_path / "inner") == ["a.txt"]
    assert kept.read_text() == "new"


def test_processes_that_write_and_clear_one_tree_lose_nothing(tmp_path: Path) -> None:
    """Files that vanish while they are written would make a writer fail."""
    clearing = "import sys, pathlib, pellucid.files as f\nwhile True: f.clear_unfinished(pathlib.Path(sys.argv[1]))"
    others = [subprocess.Popen([sys.executable, "-c", clearing, str(tmp_path)]) for _ in range(2)]
    try:
        for number in range(300):
            files.write_text(tmp_path / "a.txt", str(number))
            assert (tmp_path / "a.txt").read_text() == str(number)
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.parametrize("kind", ["symbolic", "hard", "pipe"])
def test_a_lock_that_leads_elsewhere_is_refused_and_its_target_stays(tmp_path: Path, kind: str) -> None:
    target, folder = tmp_path / "mine.txt", tmp_path / "theirs"
    target.write_text("mine")
    folder.mkdir()
    if kind == "symbolic":
        (folder / ".lock").symlink_to(target)
    elif kind == "hard":
        os.link(target, folder / ".lock")
    else:
        os.mkfifo(folder / ".lock")
    with pytest.raises(FileError, match=r"\.lock.*remove it"), files.locked(folder):
        pytest.fail("it was locked")
    assert target.read_text() == "mine"


def test_a_folder_is_locked_for_others_and_free_afterwards(tmp_path: Path) -> None:
    with files.locked(tmp_path), pytest.raises(RunBusy, match=f"process {os.getpid()}"), files.locked(tmp_path):
        pytest.fail("it was locked twice")
    with files.locked(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_writing_over_a_link_leaves_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "mine.txt", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    files.write_text(link, "new")
    assert target.read_text() == "mine"
    assert link.read_text() == "new"
    link.unlink()
    link.symlink_to(target)
    with pytest.raises(FileError, match="symbolic link"):
        files.append(link, b"more")
    assert target.read_text() == "mine"


def test_a_folder_of_ours_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "chunks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="chunks.*symbolic link"):
        files.inner_folder(tmp_path / "chunks")
    assert files.inner_folder(tmp_path / "new" / "chunks").is_dir()
    assert files.inner_folder(tmp_path / "new" / "chunks").is_dir()


def test_appending_begins_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.append(path, b"first")
    files.append(path, b"second", at=2)
    files.append(path, b"third")
    assert path.read_bytes() == b"fisecondthird"


@pytest.mark.parametrize("there", ["file", "closed"])
def test_where_nothing_can_be_written_it_is_said(tmp_path: Path, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out" / "a.txt"
    if there == "file":
        (tmp_path / "out").write_text("a file")
        with pytest.raises(FileError, match="give another folder"):
            files.make_folder(tmp_path / "out")
    else:
        (tmp_path / "out").mkdir()

        def closed(*_: object) -> int:  # root may write anywhere, so permissions would prove nothing
            raise OSError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(os, "open", closed)
    with pytest.raises(FileError, match=r"a\.txt': (Not a directory|Permission denied); "):
        files.write_text(path, "text")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("pipe", "no regular file"), ("nothing", "No such file")):
        with pytest.raises(FileError, match=words), files.reading(tmp_path / name):
            raise AssertionError("it was opened")


def test_json_has_no_endless_number_and_no_nan() -> None:
    text = files.json_text({"tolerance": math.inf, "bounds": [-math.inf, 1.5, None], "words": ("inf", True)})
    assert json.loads(text, parse_constant=pytest.fail) == {
        "tolerance": "inf",
        "bounds": ["-inf", 1.5, None],
        "words": ["inf", True],
    }
    with pytest.raises(ValueError, match="JSON compliant"):
        files.json_text({"mean": math.nan})


def test_a_file_that_another_process_takes_away_while_its_name_is_looked_at_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, taken = tmp_path / "a.part", list[bool]()

    def looked_at(own: Path) -> os.stat_result:
        if own == path and not taken:
            taken.append(True)
            path.unlink()
        return os.lstat(own)

    monkeypatch.setattr(Path, "lstat", looked_at)
    with files.growing(path) as file:
        file.write(b"whole")
    assert taken == [True] and path.read_bytes() == b"whole"
