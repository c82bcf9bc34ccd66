"""Every file that commands write and read back, damaged in every way: one line that names it and says what to do.

Each command is carried out once. Then each of its files is damaged in turn, with the ledger of its folder kept or
removed, and every command that reads the file is given. It makes the file anew and ends as before, or it ends with
one line; where the ledger is there, it never prints another figure.
"""

import itertools
import json
import random
import shutil
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pellucid import cli
from pellucid.ledger.checksums import LEDGER
from small_commands import RUN, WRITING, words, write_images

ALSO_READ_BY = {
    "runs": [WRITING["measurements"], WRITING["explanations"]],
    "audit": [["report", "audit", "--json"], ["report", "audit"]],
}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "null": lambda content: b"null",
    "list": lambda content: b"[]",
    "table": lambda content: b"{}",
    "deep": lambda content: b"[" * 100_000,
    "noise": lambda content: random.Random(0).randbytes(len(content)),
    "zeros": lambda content: bytes(len(content)),
    "not-utf-8": lambda content: b"\xff\xfe" + content,
}


def changes(content: bytes) -> Iterator[bytes]:
    """JSON with a value of the wrong type, and without it, for every key on the two floors below the first."""
    try:
        whole: Any = json.loads(content)
    except ValueError:
        return
    places: list[tuple[Any, Any]] = []
    if isinstance(whole, dict):
        for key, value in whole.items():
            places.append((whole, key))
            if isinstance(value, dict):
                places += [(value, inner) for inner in value]
            elif isinstance(value, list) and value:
                places.append((value, 0))
                if isinstance(value[0], dict):
                    places += [(value[0], inner) for inner in value[0]]
    wrongs = itertools.cycle(({"no": 1}, "\x1b[31m", [[]], None, -1, 1e999, True))
    for table, key in places:
        before = table[key]
        table[key] = next(wrong for wrong in wrongs if type(wrong) is not type(before))
        yield json.dumps(whole).encode()
        if isinstance(table, dict):
            del table[key]
            yield json.dumps(whole).encode()
        table[key] = before


def given(command: list[str]) -> int:
    """The exit code of a command that is given for the one run."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return cli.run(command)


def carried_out(place: Path, *folders: str) -> Path:
    """A folder in which a network was trained, and other commands carried out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        write_images(Path("mine.npz"))
        for folder in dict.fromkeys(["runs", *folders]):
            assert given(words(WRITING[folder], folder)) == 0, folder
    return place


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return carried_out(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module", params=WRITING)
def more(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, str]:
    return carried_out(tmp_path_factory.mktemp("made"), request.param), request.param


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def restored(made: Path) -> None:
    """The folder as it was made."""
    for path in Path().iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(made, ".", dirs_exist_ok=True)


_opened: list[set[Path]] = []
sys.addaudithook(lambda event, about: (event == "open" and _opened and _opened[-1].add(Path(str(about[0])))) or None)


@contextmanager
def opened() -> Generator[set[Path]]:
    """The files that are opened while the block runs, as they are named."""
    _opened.append(set())
    try:
        yield _opened[-1]
    finally:
        _opened.pop()


def attempts(file: Path) -> Iterator[tuple[str, bytes]]:
    """What a file may have become."""
    content = file.read_bytes()
    for name, damage in DAMAGES.items():
        yield name, damage(content)
    for number, changed in enumerate(changes(content)):
        yield f"change {number}", changed


def timeless(content: Any) -> Any:
    """Plain values without those that tell of time."""
    if isinstance(content, dict):
        kept = {name: value for name, value in content.items() if "second" not in name and name != "environment"}
        return {name: timeless(value) for name, value in kept.items()}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def told(captured: Any) -> Any:
    """What a command printed, without times."""
    try:
        return timeless(json.loads(captured.out))
    except ValueError:
        return captured.out


def fault(file: Path, ledger: bool, sound: Any, code: int, captured: Any) -> str:
    """What is wrong with how a command took a damaged file; nothing where all is well."""
    said = captured.err
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    if "Traceback" in said or "not foreseen" in said or "nested too" in said:
        return said[-400:]
    if code == 0:
        return "another result" if ledger and told(captured) != sound else ""
    if len(lines) != 1 or not said.endswith(f"{lines[0]}\n"):
        return f"no line: {said[-300:]}"
    if file.name not in lines[0] and file.parent.name not in lines[0]:
        return f"not named: {lines[0]}"
    if ";" not in lines[0]:
        return f"no remedy: {lines[0]}"
    return f"it steers the terminal: {lines[0]!r}" if any(ord(sign) < 32 for sign in lines[0]) else ""


def faults(
    words: Callable[[], list[str]], folder: str, made: Path, capsys: pytest.CaptureFixture[str], *, ledger: bool
) -> list[str]:
    """Give a command with each file that it reads damaged; of those that take seconds, in fewer ways."""
    restored(made)
    command = words()
    with opened() as read:
        assert given(command) == 0
    sound = told(capsys.readouterr())
    found: list[str] = []
    files = sorted(path for path in read if path.is_relative_to(folder) and (made / path).is_file())
    for number, file in enumerate(path for path in files if path.suffix not in (".png", ".html", ".lock")):
        every = 1 if command[0] in ("show", "list") else 9
        for how, content in itertools.islice(attempts(made / file), number % every, None, every):
            restored(made)
            file.write_bytes(content)
            if not ledger:
                (file.parent / LEDGER).unlink(missing_ok=True)
            code = given(command)
            if wrong := fault(file, ledger, sound, code, capsys.readouterr()):
                found.append(f"{' '.join(command[:2])}: {file}, {how}: {wrong}")
    return found


@pytest.mark.parametrize("ledger", [True, False], ids=["ledger", "none"])
@pytest.mark.parametrize("command", [["show", RUN, "--json"], ["show", RUN]], ids=" ".join)
def test_a_damaged_run_is_shown_or_named(
    command: list[str], ledger: bool, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = faults(lambda: words(command, ""), "runs", run, capsys, ledger=ledger)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.timeout(7200)  # hundreds of commands, of which an audit takes seconds
@pytest.mark.parametrize("ledger", [True, False], ids=["ledger", "none"])
def test_a_damaged_file_is_made_again_or_named(
    ledger: bool, more: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    made, folder = more
    found: list[str] = []
    for command in [WRITING[folder], *ALSO_READ_BY.get(folder, [])]:
        out = folder if command == WRITING[folder] else "other"
        found += faults(partial(words, command, out), folder, made, capsys, ledger=ledger)
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_a_damaged_network_of_several_is_named_before_any_work(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    restored(run)
    (one,) = Path("runs").iterdir()
    shutil.copytree(one, "runs/bad")
    Path("runs/bad/model.safetensors").write_bytes(b"")
    assert given(["audit", str(one), "runs/bad", "--profile", "quick", "--n", "4"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ") and "runs/bad" in said and ";" in said
    assert not Path("audit").exists()


def test_a_damaged_run_does_not_hide_the_others(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    restored(run)
    (one,) = Path("runs").iterdir()
    for name, damage in DAMAGES.items():
        shutil.copytree(one, f"runs/{name}")
        for file in ("epochs.jsonl", "result.json"):
            place = Path("runs", name, file)
            place.write_bytes(damage(place.read_bytes()))
    assert given(["list", "runs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert set(listed) == {one.name, *DAMAGES}
    assert listed[one.name].startswith("complete, test accuracy")
    assert all(" is damaged" in listed[name] and ";" in listed[name] for name in DAMAGES)
