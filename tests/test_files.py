import json
import math
import os
from pathlib import Path

import pytest

from pellucid import files


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "first")
    files.write_text(path, "second")
    assert path.read_text() == "second"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError, match="midway"), files.replacing(path) as file:
        file.write(b"new")
        raise RuntimeError("midway")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    files.write_bytes(tmp_path / "abc", b"abc")
    assert files.checksum(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert files.checksum(tmp_path / "abc").startswith("ba7816bf8f01cfea")


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    kept = tmp_path / "inner" / "a.txt"
    kept.write_text("kept")
    with files.replacing(kept) as file:
        file.write(b"new")
        (left,) = (path for path in (tmp_path / "inner").iterdir() if path != kept)
        copy = left.with_name(".b.txt.x.unfinished")
        copy.write_bytes(b"half")
    files.clear_unfinished(tmp_path)
    assert os.listdir(tmp_path / "inner") == ["a.txt"]
    assert kept.read_text() == "new"


def test_json_has_no_endless_number_and_no_nan() -> None:
    text = files.json_text({"tolerance": math.inf, "bounds": [-math.inf, 1.5, None], "words": ("inf", True)})
    assert json.loads(text, parse_constant=pytest.fail) == {
        "tolerance": "inf",
        "bounds": ["-inf", 1.5, None],
        "words": ["inf", True],
    }
    with pytest.raises(ValueError, match="JSON compliant"):
        files.json_text({"mean": math.nan})
