"""Machines where something is wrong: a line, an exit code that tells, and what was there before stays as it was.

One process imports everything and forks a child for each command, which meets with the mishap. Where it may, it has
mounts of its own, so that disks are full and folders are read-only in earnest.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from small_commands import RUN, WRITING, words, write_images

pytestmark = pytest.mark.slow


def tried(names: Sequence[str]) -> list[object]:
    """The quickest two in the suite, the others by the campaign alone."""
    return [pytest.param(name, marks=() if name in QUICKEST else pytest.mark.exhaustive) for name in names]


QUICKEST = ("measurements", "explanations")

CHILDREN = """
import json, os, shutil, sys, tempfile
import sklearn.datasets, matplotlib.figure
from pellucid import __main__, audits, cli, evaluate, reports, runs, subjects
from pellucid.cli.screens import audited, measured

for line in sys.stdin:
    mishap, arguments = json.loads(line)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))
            try:
                exec(mishap)
                sys.argv = ["pellucid", *arguments]
                __main__.main()
            except SystemExit as exit:
                os._exit(exit.code or 0)
            finally:
                import traceback
                traceback.print_exc()
                os._exit(99)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found = [file.seek(0) or file.read().decode(errors="replace") for file in (out, err)]
    print(json.dumps([code, *found]), flush=True)
"""
PRIVATE = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


class Children:
    """Commands, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*(["unshare", "--mount"] if PRIVATE else []), sys.executable, "-c", CHILDREN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def run(self, arguments: list[str], mishap: str = "") -> tuple[int, str, str]:
        """The exit code of a command that meets with a mishap, and what it said on both streams."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([mishap, arguments]), file=self.process.stdin, flush=True)
        return tuple(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.communicate()


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Generator[Children]:
    """Every command has been carried out where they begin, in the folders `runs`, `audit` and so on."""
    folder = tmp_path_factory.mktemp("unlucky")
    write_images(folder / "mine.npz")
    started = Children(folder)
    try:
        for name in WRITING:
            code, _, said = started.run(given(name, folder, name))
            assert code == 0, said
        yield started
    finally:
        started.close()


def content(folder: Path) -> dict[str, bytes]:
    """Every file, but for ours that are always there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def one_line(said: str) -> str:
    """The last line on standard error, where it is the one that tells of an error."""
    lines = said.splitlines()
    assert "Traceback" not in said and "not foreseen" not in said, said
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:], said
    assert ";" in lines[-1], "it says what to do"
    return lines[-1]


LOST = "error: cannot write to standard output: {}; give it another place, then the same command again"
NOWHERE = {
    "full": ("os.dup2(os.open('/dev/full', os.O_WRONLY), 1)", "No space left on device"),
    "closed": ("os.close(1); sys.stdout = None", "it is closed"),
    "cut": ("ends = os.pipe(); os.close(ends[0]); os.dup2(ends[1], 1)", "Broken pipe"),
}
READING = {"list": ["list", "runs"], "show": ["show", RUN, "--json"], "report": ["report", "audit", "--json"]}
EVERY = [*WRITING, *READING]


def given(name: str, folder: Path, out: str | Path) -> list[str]:
    """A command by its name, for the run that there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return words({**WRITING, **READING}[name], out)


@pytest.mark.parametrize("how", NOWHERE)
@pytest.mark.parametrize("name", tried(EVERY))
def test_lost_output_is_told_and_what_is_kept_is_kept(children: Children, name: str, how: str) -> None:
    mishap, why = NOWHERE[how]
    before = content(children.folder)
    code, _, said = children.run(given(name, children.folder, name), mishap)
    assert (code, one_line(said)) == (1, LOST.format(why))
    after = content(children.folder)
    assert after.keys() == before.keys()
    code, out, said = children.run(given(name, children.folder, name), "os.close(2); sys.stderr = None")
    assert (code, said) == (0, "") and out


@pytest.mark.parametrize("name", tried([*WRITING]))
def test_a_file_where_the_folder_should_be_is_named(children: Children, name: str, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for out in (taken, taken / "inner"):
        code, _, said = children.run(given(name, children.folder, out))
        assert code == 1 and "'" + str(taken) + "' is a file" in one_line(said)
    assert taken.read_text() == "mine"


MOUNTED = """
import subprocess
for how in {how!r}:
    subprocess.check_call(["mount", *how, {folder!r}])
ended = os._exit
def leave(code):
    if {copy!r}:
        shutil.copytree({folder!r}, {copy!r})
    subprocess.call(["umount", "-l", {folder!r}])
    ended(code)
os._exit = leave
"""
"""A mount for as long as a command takes; what is there in the end is copied."""


@pytest.mark.skipif(not PRIVATE, reason="mounts need more rights than these")
@pytest.mark.parametrize("room", ["4k", "12k", "24k", "64k"])
@pytest.mark.parametrize("name", tried([*WRITING]))
def test_a_full_disk_is_named_and_what_is_written_is_whole(
    children: Children, name: str, room: str, tmp_path: Path
) -> None:
    """The disk is filled by the command, and then has room for the same command again."""
    out, copy = tmp_path / "out", tmp_path / "copy"
    out.mkdir()
    disk = [["-t", "tmpfs", "-o", f"size={room}", "tmpfs"]]
    copying = MOUNTED.format(how=disk, folder=str(out), copy=str(copy))
    code, _, said = children.run(given(name, children.folder, out), copying)
    if code:
        assert code == 1
        assert "No space left on device; make room" in one_line(said)
        assert str(out) in said
    code, _, said = children.run(given(name, children.folder, copy))
    assert code == 0, said
    whole = content(children.folder / name)
    for file, found in content(copy).items():
        if Path(file).suffix in (".npz", ".npy", ".safetensors", ".png") and "retrained" not in name:
            assert found == whole[file], file


@pytest.mark.skipif(not PRIVATE, reason="mounts need more rights than these")
@pytest.mark.parametrize("name", tried([*WRITING, "report"]))
def test_a_folder_that_can_only_be_read_stays_as_it_is(children: Children, name: str) -> None:
    folder = children.folder / ("audit" if name == "report" else name)
    before = content(folder)
    closed = [["--bind", str(folder)], ["-o", "remount,ro,bind"]]
    mishap = MOUNTED.format(how=closed, folder=str(folder), copy="")
    code, _, said = children.run(given(name, children.folder, name), mishap)
    assert code == 0 or re.search("give --out another folder|Read-only file system; give", one_line(said))
    assert content(folder) == before


@pytest.mark.parametrize("name", tried([*WRITING]))
def test_a_folder_that_is_removed_meanwhile_is_named(children: Children, name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    mishap = f"moved = os.replace\ndef replace(*names):\n    shutil.rmtree({str(out)!r})\n    moved(*names)\n"
    mishap += "os.replace = replace"
    code, _, said = children.run(given(name, children.folder, out), mishap)
    assert code == 1 and str(out) in one_line(said)


@pytest.mark.parametrize("name", tried(EVERY))
def test_a_current_folder_that_is_gone_is_said(children: Children, name: str, tmp_path: Path) -> None:
    mishap = f"os.mkdir({str(tmp_path / 'gone')!r}); os.chdir({str(tmp_path / 'gone')!r}); os.rmdir(os.getcwd())"
    code, _, said = children.run(given(name, children.folder, "out"), mishap)
    assert (code == 0 and name in READING) or one_line(said)
    code, _, said = children.run(given(name, children.folder, tmp_path / "out"), mishap)
    assert code == 0 or one_line(said)


@pytest.mark.parametrize("name", tried([*WRITING]))
def test_a_folder_of_somebody_else_is_named(children: Children, name: str, tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can become somebody else")
    out = tmp_path / "out"
    out.mkdir()
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(0o755)
    code, _, said = children.run(
        given(name, children.folder, out), "os.setgroups([]); os.setgid(65534); os.setuid(65534)"
    )
    assert code == 1 and "is closed to you; give --out another folder" in one_line(said)
    assert not content(out)


@pytest.mark.parametrize("surroundings", [{"TERM": "dumb"}, {"COLUMNS": "10"}, {"COLUMNS": "1", "LINES": "1"}])
@pytest.mark.parametrize("name", tried(EVERY))
def test_a_poor_terminal_is_enough(children: Children, name: str, surroundings: dict[str, str]) -> None:
    command = [word for word in given(name, children.folder, name) if word != "--json"]
    code, out, said = children.run(command, f"os.environ.update({surroundings!r})")
    assert code == 0 and out, said
    assert "Traceback" not in said


BARE = {"HOME": None, "TMPDIR": "/nowhere", "MPLCONFIGDIR": "/proc/nowhere", "XDG_CACHE_HOME": "/nowhere"}
NO_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("surroundings", [BARE, NO_LOCALE, {"PYTHONIOENCODING": "ascii"}], ids=["bare", "C", "ascii"])
@pytest.mark.parametrize("name", tried(["runs", "explanations", "audit", "report"]))
def test_surroundings_may_lack_everything(
    children: Children, name: str, surroundings: dict[str, str | None], tmp_path: Path
) -> None:
    environment = {key: value for key, value in (os.environ | surroundings).items() if value is not None}
    command = [word for word in given(name, children.folder, tmp_path / "größe") if word != "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "pellucid", *command],
        capture_output=True,
        cwd=children.folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
