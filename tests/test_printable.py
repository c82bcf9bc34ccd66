"""Names and messages from elsewhere, where a person sees them."""

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.progress import Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from pellucid import cli
from pellucid.cli.ending import ended
from pellucid.cli.screens.screen import Terminal
from pellucid.drawing import Cell, Sheet
from pellucid.errors import DataError
from pellucid.printable import all_printable, cell, printable, printable_lines

NASTY = (
    "\x1b]0;pwned\x07\x1b[2J\x9b2J\x7f\x00\r\n\u2028\u202eevil\u2066\udcff<script>[red]a[/red][link=x]y[/link]:smile:"
)
HARM = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(st.characters(codec=None)))
def test_no_sign_does_anything(text: str) -> None:
    for one in (printable(text), printable_lines(text)):
        assert not HARM.search(one) and len(one) == len(text)
        one.encode()
    assert not re.search(r"[\t\n]", printable(text))
    assert printable(printable(text)) == printable(text)


def test_words_stay_as_they_are() -> None:
    for text in ("runs/mine", "Größe 4", "日本語", "שלום", "é", "👩‍🔬", "a\N{NO-BREAK SPACE}b"):
        assert printable(text) == text == printable_lines(text)
    assert printable("a\tb\nc\r\nd") == "a b c  d" and printable_lines("a\tb\nc") == "a\tb\nc"


def test_tables_are_shown_with_their_names() -> None:
    content = {"a\n": ["b\x1b", ("c\x07", 1, None, 0.5)], "n": True}
    assert all_printable(content) == {"a ": ["b\ufffd", ["c\ufffd", 1, None, 0.5]], "n": True}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-cat", "'-cat"),
        ("\t=1", "' =1"),
        ("\r\n=1", "'  =1"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("-0.5", "-0.5"),
        ("cat\x1b", "cat\ufffd"),
        ("a=b", "a=b"),
        ("", ""),
        (-0.5, -0.5),
        (None, None),
    ],
)
def test_no_name_is_a_formula(value: object, shown: object) -> None:
    assert cell(value) == shown
    text = io.StringIO()
    csv.writer(text).writerow([cell(value)])


@pytest.mark.parametrize("colored", [False, True])
def test_a_terminal_shows_text_as_text(
    colored: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    if colored:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    table = Table(Column(NASTY), NASTY, title=NASTY)
    table.add_row(NASTY, Text(NASTY))
    terminal.print(table)
    terminal.print(NASTY)
    terminal.print(Text.assemble(("failed", "bold red"), NASTY))
    with terminal.status(Text(NASTY)) as status:
        status.update(Text(NASTY))
    with Progress(TextColumn("{task.description}", markup=False), console=terminal) as bar:
        bar.add_task(NASTY, total=1)
        bar.refresh()
    shown = capsys.readouterr().out
    plain = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[2?K|\x1b\[[0-9]*A|\r", "", shown)
    assert colored == (plain != shown)
    assert not HARM.search(plain)
    assert "[red]a[/red][link=x]y[/link]:smile:" in plain


def test_columns_stand_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("name", "n")
    for name in ("plain", "\x1b[2J", "a\u202eb"):
        table.add_row(name, "1")
    Terminal().print(table)
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("arguments", [["show", NASTY.replace("\0", "")], ["measure", "mlp", f"--{NASTY}"], [NASTY]])
def test_an_error_shows_what_was_typed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) in (1, 2)
    found = capsys.readouterr()
    assert not HARM.search(found.out + found.err) and "evil" in found.err


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> Any:
        raise DataError(f"the class '{NASTY}'")

    assert ended(fail) == 1
    found = capsys.readouterr().err
    assert not HARM.search(found) and found.count("\n") == 1


def test_captions_of_any_words_are_drawn() -> None:
    picture = Image.new("RGB", (4, 4))
    sheet = Sheet([NASTY], [[Cell(picture, (NASTY, "a\nb"))]], f"{NASTY}\nsecond line").drawn()
    assert sheet.width > 160
