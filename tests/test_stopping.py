"""Signals that end the process: an exit code, at most a line, and nothing held.

Python itself takes some 15 ms to start. A signal that comes before our first line ends it as it ends any Python
program: by the signal, and with Python's own words where it is Ctrl-C.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PIL import Image

from pellucid import files

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
WORDS = "stopped; the same command goes on where it was stopped\n"
WATCHED = """
import os, signal, sys, threading, time
from collections.abc import Callable
from pathlib import Path
from pellucid import files, stopping
from pellucid.cli.ending import ended
def ready():
    print("ready", flush=True)
def wait():
    ready()
    while True:
        time.sleep(0.01)
stopping.begin()
"""


@pytest.fixture(autouse=True)
def heard() -> Generator[None]:
    """Signals that the shell ignores for its background jobs are heard by what the tests start."""
    before = {number: signal.getsignal(number) for number in CODES}
    for number in CODES:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Process:
    """A process, in a group of its own so that signals reach it and its children and nobody else."""

    printed = ""
    """What else it wrote to standard output, once it has ended."""

    def __init__(self, *arguments: str, **options: object) -> None:
        self.child = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,  # pyright: ignore[reportArgumentType,reportCallIssue]
        )

    def until(self, text: str) -> None:
        """Wait for a line of its output."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if text in line:
                return
        pytest.fail(f"it ended without '{text}': {self.child.communicate()[1]}")

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.child.pid, number)

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it said on standard error."""
        try:
            self.printed, said = self.child.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            raise
        return self.child.returncode, said


def watched(program: str, *arguments: str) -> Process:
    return Process("-c", WATCHED + program, *arguments)


def stopped(process: Process, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    process.until("ready")
    process.send(number)
    return process.end()


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_with_its_code_and_a_line(number: signal.Signals) -> None:
    assert stopped(watched("sys.exit(ended(wait))"), number) == (CODES[number], "stopped\n")
    assert stopped(watched("stopping.keeps(True); sys.exit(ended(wait))"), number) == (CODES[number], WORDS)


@pytest.mark.parametrize(
    "swallowing",
    [
        "except Exception: wait()",
        "except KeyboardInterrupt as error: raise RuntimeError('turned') from error",
        "except KeyboardInterrupt as error: raise ImportError('turned') from error",
        "except BaseException: sys.exit(0)",
    ],
)
def test_what_others_make_of_it_changes_nothing(swallowing: str) -> None:
    program = f"def work():\n    try: wait()\n    {swallowing}\nsys.exit(ended(work))"
    assert stopped(watched(program)) == (143, "stopped\n")


def test_it_ends_where_python_would_throw_the_exception_away() -> None:
    program = "class Clearing:\n    def __del__(self):\n        wait()\ndel (a := [Clearing()])[0]\nwait()"
    assert stopped(watched(program)) == (143, "stopped\n")


def test_it_ends_within_an_import(tmp_path: Path) -> None:
    (tmp_path / "slowly.py").write_text("import __main__\n__main__.wait()\n")
    program = "sys.path.insert(0, sys.argv[1])\ntry:\n    import slowly\nexcept BaseException:\n    print('caught')"
    process = watched(program, str(tmp_path))
    assert stopped(process) == (143, "stopped\n")


def test_a_second_signal_while_it_ends_is_no_traceback() -> None:
    program = "try:\n    wait()\nfinally:\n    wait()"
    process = watched(program)
    process.until("ready")
    process.send(signal.SIGTERM)
    process.until("ready")
    process.send(signal.SIGINT)
    assert process.end() == (143, "stopped\n")


def test_a_signal_that_comes_when_all_is_done_is_no_traceback() -> None:
    program = "import atexit\natexit.register(wait)\nstopping.at_once()"
    assert stopped(watched(program), signal.SIGINT) == (130, "stopped\n")


def test_a_signal_that_was_to_be_ignored_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = watched("sys.exit(ended(wait))")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.until("ready")
    process.send(signal.SIGHUP)
    process.send(signal.SIGTERM)
    assert process.end() == (143, "stopped\n")


def test_a_lock_and_half_a_file_are_let_go(tmp_path: Path) -> None:
    program = """
folder = Path(sys.argv[1])
def work():
    with files.locked(folder), files.replacing(folder / "a") as write:
        write(b"half")
        wait()
sys.exit(ended(work))
"""
    assert stopped(watched(program, str(tmp_path))) == (143, "stopped\n")
    assert os.listdir(tmp_path) == [".lock"]
    with files.locked(tmp_path):
        pass


def test_processes_that_it_forked_end_too_and_say_nothing() -> None:
    program = (
        "import multiprocessing\n"
        "child = multiprocessing.get_context('fork').Process(target=wait)\n"
        "child.start()\nprint('child', child.pid, flush=True)\nsys.exit(ended(wait))"
    )
    for group in (False, True):
        process = watched(program)
        process.until("ready")
        process.until("ready")
        process.send(signal.SIGTERM, group=group)
        assert process.end() == (143, "stopped\n")  # which waits until nobody holds its output


HELD = """
class Waiting:
    def __del__(self):
        time.sleep(1000)
def work():
    held = Waiting()
    {}
sys.exit(ended(work))
"""


def test_what_is_still_held_when_all_is_said_is_not_waited_for() -> None:
    assert stopped(watched(HELD.format("wait()"))) == (143, "stopped\n")
    process = watched(HELD.format("print('said'); raise OSError('broken')"))
    assert process.end() == (1, "error: broken; mend that, then give the same command again\n")
    assert process.printed == "said\n"


@pytest.mark.parametrize(
    "handled", ["sys.exit(ended(wait))", "stopping.at_once(); wait()"], ids=["raised", "at once"]
)
def test_that_the_processes_die_which_it_ends_is_no_error(handled: str) -> None:
    program = """
import multiprocessing
def died(number, frame):
    raise RuntimeError("a worker died")
signal.signal(signal.SIGCHLD, died)
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
child.start()
stopping.ends_too(lambda: (child.kill(), time.sleep(0.2)))
"""
    assert stopped(watched(program + handled)) == (143, "stopped\n")


def test_a_worker_ends_though_its_parent_did_so_while_it_started() -> None:
    program = """
import torch
from pellucid.data.workers import in_workers
os.register_at_fork(after_in_parent=lambda: os._exit(7), after_in_child=lambda: time.sleep(1))
next(in_workers(len, [torch.zeros(1)], workers=1))
"""
    assert watched(program).end() == (7, "")


def test_a_worker_is_heard_but_for_what_the_end_of_its_parent_does_to_it() -> None:
    program = """
import torch
from pellucid.data.workers import in_workers
def work(positions):
    {}
    print("broken", file=sys.stderr)
next(in_workers(work, [torch.zeros(1)], workers=1))
"""
    assert watched(program.format("pass")).end() == (0, "broken\n")
    assert watched(program.format("os.kill(os.getppid(), signal.SIGKILL)")).end() == (-signal.SIGKILL, "")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [["list", "attacks"], ["measure", "simple-cnn", "--data", "digits"]])
def test_a_signal_at_any_moment_of_the_start_is_no_traceback(
    number: signal.Signals, command: list[str], tmp_path: Path
) -> None:
    moments = random.Random(0)
    for moment in [0.0, 0.03, 0.06, 0.1, *(moments.uniform(0, 1) for _ in range(16))]:
        process = Process("-m", "pellucid", *command, cwd=tmp_path)
        time.sleep(moment)
        process.send(number)
        code, said = process.end()
        if code == -number or "Traceback" in said:  # it was not Pellucid's turn yet
            assert not any(later in said for later in ("pellucid/cli", "click", "torch")), said
        elif code == 0 and command[0] == "list":  # which was done before
            assert not said
        else:
            assert (code, said) in {(CODES[number], "stopped\n"), (CODES[number], WORDS)}, moment


def images(folder: Path, count: int = 24) -> None:
    for number in range(count):
        place = folder / "images" / f"class {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 6), 2 * number).save(place / f"{number}.png")


def until(there: Callable[[], bool], process: Process) -> None:
    while not there():
        assert process.child.poll() is None, process.end()
        time.sleep(0.02)


STREAMED = ["--set", "data.memory=1", "--set", "data.workers=2"]
TOGETHER = ["--devices", "2", "--strategy", "ddp"]


STARTED = """
import os, signal, subprocess
from pellucid.__main__ import main
class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        if "--devices" in arguments[0]:
            os.kill(os.getpid(), signal.{})
if "LOCAL_RANK" not in os.environ:
    subprocess.Popen = Popen
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_that_train_together_end_with_the_one_that_just_started_them(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(STARTED.format(number.name))
    images(tmp_path)
    command = ["train", "standard", "--data", "images", "--model", "mlp", "--device", "cpu", *TOGETHER]
    ended = Process(str(tmp_path / "program.py"), *command, cwd=tmp_path).end()
    assert ended == ((143, WORDS) if number == signal.SIGTERM else (-signal.SIGKILL, ""))


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("how", [[], STREAMED, TOGETHER], ids=["plain", "streamed", "together"])
def test_a_training_is_stopped_with_all_its_processes_and_goes_on(
    how: list[str], number: signal.Signals, group: bool, tmp_path: Path
) -> None:
    training_goes_on(how, number, group, tmp_path)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
def test_so_is_one_of_several_processes_with_workers_each(group: bool, tmp_path: Path) -> None:
    training_goes_on(STREAMED + TOGETHER, signal.SIGTERM, group, tmp_path)


def training_goes_on(how: list[str], number: signal.Signals, group: bool, tmp_path: Path) -> None:
    images(tmp_path, 120)  # of fewer no worker is started
    command = ["-m", "pellucid", "train", "standard", "--data", "images", "--model", "mlp", "--device", "cpu", *how]
    # with workers, who are started anew for each epoch, fewer are long enough
    command += ["--set", f"recipe.epochs={10 if STREAMED[-1] in how else 40}"]
    process = Process(*command, cwd=tmp_path)
    until(lambda: any(file.stat().st_size for file in tmp_path.glob("runs/*/epochs.jsonl")), process)
    process.send(number, group=group)
    code, said = process.end()
    assert code == CODES[number], said
    assert said.endswith(WORDS) and said.count(WORDS) == 1 and "Traceback" not in said, said
    (run,) = (tmp_path / "runs").iterdir()
    with files.locked(run):
        assert not list(run.rglob("*.unfinished"))
    assert not (run / "result.json").exists()
    process = Process(*command, cwd=tmp_path)
    code, said = process.end()
    assert code == 0 and "going on after epoch" in said, said
