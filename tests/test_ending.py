"""However a command ends, it says so in a line, and the exit code agrees; what it prints may be cut off."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import torch

from pellucid import stopping
from pellucid.cli import run
from pellucid.cli.ending import ended
from pellucid.errors import DataError
from pellucid.stopping import Stopped

END = "; mend that, then give the same command again"
SMALLER = "; take fewer images at once (--batch), a smaller network, or another device"


def raising(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stopping.keeps(False)  # which commands that other tests have called may have said


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("a.npz is empty; take another"), 1, "error: a.npz is empty; take another"),
        (OSError(errno.ENOSPC, "No space left on device", "a"), 1, f"error: 'a': No space left on device{END}"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, f"error: No space left on device{END}"),
        (OSError("two\nlines"), 1, f"error: two lines{END}"),
        (ConnectionResetError(), 1, f"error: ConnectionResetError{END}"),
        (
            UnicodeEncodeError("utf-8", "gr\udcfcn", 2, 3, "surrogates not allowed"),
            1,
            r"error: the name 'gr\udcfcn' is not in UTF-8; give it one that is, or set LC_ALL=C.UTF-8, and try again",
        ),
        (MemoryError(), 1, f"error: there is too little memory{SMALLER}"),
        (torch.OutOfMemoryError("CUDA out of memory"), 1, f"error: CUDA out of memory{SMALLER}"),
        (KeyboardInterrupt(), 130, "stopped"),
        (click.exceptions.Exit(3), 3, ""),
        (click.exceptions.Exit(0), 0, ""),
    ],
)
def test_an_exception_is_a_line_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ended(raising(error)) == code
    assert capsys.readouterr().err == (f"{said}\n" if said else "")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "this was not foreseen, a fault of Pellucid or of the network: KeyError: 'x'"),
        (EOFError(), "this was not foreseen, a fault of Pellucid or of the network: EOFError"),
        (RecursionError("maximum"), "something is nested too deeply, a file or a network"),
        (SystemExit(0), "the code of a network or an extension ended the program (0)"),
        (GeneratorExit(), "this was not foreseen, a fault of Pellucid or of the network: GeneratorExit"),
    ],
)
def test_what_nobody_has_foreseen_keeps_its_traceback(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ended(raising(error)) == 1
    (name,) = os.listdir(tmp_path)
    assert (
        capsys.readouterr().err
        == f"error: {said}; report it with its traceback, which is kept in {tmp_path / name}\n"
    )
    assert "raise error\n" in (tmp_path / name).read_text()


def test_a_traceback_that_cannot_be_kept_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert ended(raising(KeyError("x"))) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert "KeyError: 'x'; its traceback stands above, since no temporary file can be written\n" in said


def test_a_current_folder_that_is_gone_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert ended(Path("a").absolute) == 1
    assert capsys.readouterr().err.startswith(
        "error: the current folder is not there any more; change to one that is"
    )


def test_a_signal_is_no_error_of_what_it_interrupts() -> None:
    for kind in (Exception, SystemExit, GeneratorExit):
        assert not issubclass(Stopped, kind)
    assert Stopped(15).code == 143


LOST = "error: cannot write to standard output: {}; give it another place, then the same command again\n"


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("", 0, ""),
        (">/dev/full", 1, LOST.format("No space left on device")),
        (">&-", 1, LOST.format("it is closed")),
        ("<&-", 0, ""),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&- 2>&- <&-", 1, ""),
        (">/dev/full 2>/dev/full", 1, ""),
        ("> >(true)", 1, LOST.format("Broken pipe")),
        ("2> >(true)", 0, ""),
    ],
)
def test_output_that_is_lost_is_told_by_the_exit_code(how: str, code: int, said: str) -> None:
    command = f"sleep_for() {{ sleep 0.2; }}; {{ sleep_for; exec '{sys.executable}' -m pellucid --help; }} {how}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, said)


def test_signs_that_the_terminal_cannot_show_are_spelled_out() -> None:
    program = "import sys; from pellucid.cli.streams import open_streams; open_streams(); print('a\\u00b2\\udce9')"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a\\xb2\\udce9\n", b"")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "error: no such command 'bogus'; 'pellucid --help' tells more"),
        (["measure"], "error: missing argument 'MODEL'; 'pellucid measure --help' tells more"),
        (
            ["measure", "mlp", "--splot", "test"],
            "error: no such option '--splot' (did you mean '--split'?); 'pellucid measure --help' tells more",
        ),
        (
            ["measure", "mlp", "--n", "few"],
            "error: invalid value for '--n': 'few' is not a valid integer; 'pellucid measure --help' tells more",
        ),
    ],
)
def test_words_that_make_no_command_are_told_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err == f"{said}\n"


def test_a_program_without_words_tells_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "offered"), [("mea", "measure"), ("measure --spl", "--split")])
def test_a_shell_is_told_how_a_command_could_go_on(
    typed: str, offered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["pellucid", *typed.split()]
    monkeypatch.setenv("_PELLUCID_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    assert run([]) == 0
    assert capsys.readouterr().out.splitlines() == [f"plain,{offered}"]
