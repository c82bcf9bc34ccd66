"""Claims: one holder at a time, given up with its process, and taken over from machines that have gone silent."""

import os
import threading
from pathlib import Path

from pellucid import files
from pellucid.ledger import Claims
from pellucid.ledger.claims import STALE


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_chunk_has_one_holder_at_a_time(tmp_path: Path) -> None:
    one, other = Claims(tmp_path), Claims(tmp_path)
    assert one.take("a") and not other.take("a") and other.take("b")
    one.release("a")
    assert other.take("a")
    other.close()
    assert one.take("a") and one.take("b")
    one.close()
    assert not list(tmp_path.iterdir())


def test_what_a_gone_process_of_this_machine_left_is_taken_over_at_once(tmp_path: Path) -> None:
    one = Claims(tmp_path, "here")
    for left in ("", "here 12345"):
        (tmp_path / "a.claim").write_text(left)
        assert one.take("a")
        assert (tmp_path / "a.claim").read_text() == f"here {os.getpid()}"
        one.release("a")


def test_another_machine_is_waited_for_as_long_as_it_shows_that_it_lives(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "a.claim"
    path.write_text("elsewhere 7")
    one = Claims(tmp_path, "here", clock)
    assert not one.take("a")
    clock.now = STALE
    assert not one.take("a"), "it may have been there for a moment only"
    os.utime(path, (1, 1))  # it has shown that it lives
    clock.now = STALE + 1
    assert not one.take("a")
    clock.now = 2 * STALE + 2
    assert one.take("a"), "it has been silent for longer than a claim lasts"
    one.close()


def test_sweeping_removes_what_was_left_and_tells_of_others(tmp_path: Path) -> None:
    one, other = Claims(tmp_path), Claims(tmp_path)
    (tmp_path / "left.claim").write_text("")
    assert one.sweep() and not list(tmp_path.iterdir())
    assert other.take("a")
    assert not one.sweep() and other.sweep(), "one's own are none of others"
    other.close()


def test_what_shows_that_it_lives_is_no_thread_that_counts(tmp_path: Path) -> None:
    """While others count, nobody knows whose change of the filters of warnings it was, so that none is put back."""
    one, before = Claims(tmp_path), threading.active_count()
    assert one.take("a") and threading.active_count() == before
    one.close()
    assert threading.active_count() == before


def test_in_a_folder_that_goes_in_this_moment_nothing_is_claimed(tmp_path: Path) -> None:
    assert files.claimed(tmp_path / "gone" / "a.claim", "here 7", lambda _, __: True) is None
