import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import Damaged, FileError, PellucidError
from pellucid.ledger import checksums


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    checksums.write_json(path, {"a": [1, 2.5, None]})
    assert checksums.read_json(path) == {"a": [1, 2.5, None]}
    checksums.write(path, b"other")
    assert checksums.read(path) == b"other"
    assert checksums.sound(path)
    checksums.check(path)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_flipped_bit_is_found(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("sealed")
    path = folder / "a"
    checksums.write(path, content)
    harmed = data.draw(st.sampled_from([path, folder / checksums.LEDGER]))
    flipped = bytearray(harmed.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(flipped) - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    os.utime(harmed)
    harmed.write_bytes(flipped)
    with pytest.raises(Damaged, match=r"'.*/a' is damaged: .*give the command that made it again"):
        checksums.read(path)
    assert not checksums.sound(path)


@pytest.mark.parametrize("length", [0, 1, 9])
def test_a_file_or_a_ledger_cut_short_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a"
    for harmed in (path, tmp_path / checksums.LEDGER):
        checksums.write(path, b"0123456789")
        content = harmed.read_bytes()
        os.truncate(harmed, length)
        with pytest.raises(Damaged):
            checksums.check(path, "make it again")
        harmed.write_bytes(content)
        checksums.check(path)


def test_a_kill_between_the_line_and_the_file_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "a"
    checksums.write(path, b"before")
    checksums.note(path, "0" * 64)
    assert checksums.read(path) == b"before"


def test_a_line_that_a_kill_cut_short_spoils_no_other(tmp_path: Path) -> None:
    checksums.write(tmp_path / "a", b"first")
    with (tmp_path / checksums.LEDGER).open("a") as ledger:
        ledger.write("0123  b")
    checksums.write(tmp_path / "c", b"second")
    assert checksums.read(tmp_path / "a") == b"first"
    assert checksums.read(tmp_path / "c") == b"second"


def test_the_ledger_does_not_grow_by_what_it_holds_already(tmp_path: Path) -> None:
    for _ in range(3):
        checksums.write(tmp_path / "a", b"same")
    assert len((tmp_path / checksums.LEDGER).read_text().splitlines()) == 1


def test_a_folder_that_somebody_put_together_has_nothing_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert checksums.read_json(tmp_path / "a.json") == {"a": 1}


def test_a_file_that_was_slipped_in_is_found(tmp_path: Path) -> None:
    checksums.write(tmp_path / "a", b"ours")
    (tmp_path / "b").write_bytes(b"ours")
    with pytest.raises(Damaged, match="/b"):
        checksums.read(tmp_path / "b")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_json_that_is_none_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(Damaged, match=r"a\.json' is damaged") as told:
        checksums.read_json(path)
    assert "\n" not in str(told.value)


def test_a_key_that_is_missing_is_damage_and_an_error_of_ours_stays(tmp_path: Path) -> None:
    with (
        pytest.raises(Damaged, match=r"KeyError: 'about'.*ask again"),
        checksums.reading(tmp_path / "a", "ask again"),
    ):
        json.loads("{}")["about"]
    with pytest.raises(PellucidError, match="^ours$"), checksums.reading(tmp_path / "a"):
        raise PellucidError("ours")


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory"), OSError(errno.EMFILE, "Too many files")]
)
def test_a_machine_that_has_run_out_of_something_is_no_damage(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as raised, checksums.reading(tmp_path / "a"):
        raise error
    assert raised.value is error


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    assert not checksums.sound(tmp_path / "a")
    with pytest.raises(FileError, match="No such file"):
        checksums.read(tmp_path / "a")
