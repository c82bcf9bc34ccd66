"""Progress where there is no terminal: a line now and then, also where nothing new is heard."""

import io
import time

import pytest
from rich.console import Console

from pellucid.cli.screens.lines import Lines
from pellucid.cli.screens.screen import Screen
from pellucid.ledger import Progress


def test_a_line_comes_also_where_nothing_new_is_heard() -> None:
    written = io.StringIO()
    with Lines(Console(file=written, width=80), every=0.05) as lines:
        lines(Progress("explaining\n", 3, 1200, "lime"))
        deadline = time.monotonic() + 60
        while written.getvalue().count("\n") < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    said = written.getvalue().splitlines()
    assert len(said) >= 3
    assert all(line == "explaining , lime: 3 of 1,200, under a second so far" for line in said[:2])
    time.sleep(0.2)
    assert written.getvalue().splitlines() == said  # it ends with the block


def test_a_total_that_nobody_knows_is_not_told() -> None:
    written = io.StringIO()
    with Lines(Console(file=written, width=80), every=0.05) as lines:
        lines(Progress("passes", 3, 0))
        deadline = time.monotonic() + 60
        while not written.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert written.getvalue().startswith("passes: under a second so far\n")


@pytest.mark.parametrize("quiet", [False, True])
def test_screens_without_a_terminal_have_lines(
    quiet: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pellucid.cli.screens.lines.EVERY", 0.05)
    with Screen(quiet).progress() as bar:
        assert isinstance(bar, Lines)
        bar(Progress("measuring", 1, 2))
        time.sleep(1)
    said = capsys.readouterr()
    assert not said.out and ("measuring: 1 of 2" in said.err) == (not quiet)
