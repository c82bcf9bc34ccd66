"""Starting commands that are to be killed."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

# One process imports everything and then forks a child per command: children start at once, so that
# many can be killed in little time, and none inherits threads, since the parent never computes.
NURSERY = """
import json, os, re, signal, sys
import sklearn.datasets  # it takes longest, and would be imported anew by each child that reads the digits
from pellucid import audits, cli, evaluate, files, reports, runs, subjects
from pellucid.cli.screens import audited, measured
from faults import FailingDisk, FailingMemory

def dying(file, after, seconds):
    def die():
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))  # nobody handles its signal, so it ends the process
    def counted(path):
        nonlocal after
        if re.search(file, str(path)):
            after -= 1
            if after == 0:
                die()
    def replace(source, target):
        moved(source, target)
        counted(target)
    def append(path, *content, **options):
        added(path, *content, **options)
        counted(path)
    def write_at(path, *content, **options):
        wrote(path, *content, **options)
        counted(path)
    moved, os.replace = os.replace, replace
    added, files.append = files.append, append
    wrote, files.write_at = files.write_at, write_at
    if after == 0:
        die()

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        arguments, death, fault = json.loads(line)
        if death:
            dying(**death)
        sys.argv = ["pellucid", *arguments]
        if fault:
            os.dup2(os.open(fault["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            failing = FailingDisk(fault["at"]) if fault["kind"] == "disk" else FailingMemory(fault["at"])
            if fault["kind"] == "disk":
                files.os = failing
            else:
                failing.__enter__()
        status = 1
        try:
            cli.main()
        except SystemExit as exit:
            status = exit.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
        if fault:
            with open(fault["counted"], "w") as file:
                file.write(str(failing.count))
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

KILLED = -signal.SIGALRM
"""The status of a command that died as told."""


@dataclass(frozen=True)
class Death:
    """When a command dies: `seconds` after it has written to a file whose path matches `file` for the time `after`.

    Putting a new one into its place is writing, and so is adding to one.

    The command counts its files itself: whoever watched from outside would, on a busy machine, come too late.
    """

    file: str
    after: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Fault:
    """What fails a command: the disk or the memory, at the operation number `at` (0: none, which counts them)."""

    kind: Literal["disk", "memory"]
    at: int


@dataclass(frozen=True)
class Failed:
    """How a command with a fault ended, what it said on standard error, and how many operations it came to."""

    status: int
    said: str
    operations: int


class Nursery:
    """Starts commands, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )

    def run(self, *arguments: str, death: Death | None = None) -> int:
        """Start a command and wait for its end; its status."""
        return self._run(arguments, death and asdict(death), None)

    def failing(self, *arguments: str, fault: Fault) -> Failed:
        """Start a command that something fails, and wait for its end."""
        said, counted = self.folder / "said.txt", self.folder / "counted.txt"
        counted.unlink(missing_ok=True)
        status = self._run(arguments, None, asdict(fault) | {"said": str(said), "counted": str(counted)})
        return Failed(status, said.read_text(), int(counted.read_text()))

    def _run(self, arguments: Sequence[str], death: Any, fault: Any) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([arguments, death, fault]), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def close(self) -> str:
        """End the nursery and say what its commands said on standard error."""
        _, said = self.process.communicate(timeout=600)
        return said


def finished_despite_kills(
    nursery: Nursery, *command: str, file: str, ahead: Sequence[int], late: float, early: float
) -> int:
    """Start a command that dies, until it ends by itself; the number of deaths that it took.

    Each comes when it has put one of `ahead`, drawn anew, of its files into place, and a random moment later: up to
    `early` seconds where none is waited for, up to `late` seconds where some are.
    """
    draw = random.Random(0)
    for kills in range(200):
        after = draw.choice(ahead)
        status = nursery.run(*command, death=Death(file, after, draw.uniform(0, late if after else early)))
        if status == 0:
            return kills
        assert status == KILLED
    raise AssertionError("the command makes no progress")


def undisturbed_and_killed(
    nursery: Nursery, folder: Path, *command: str, ahead: Sequence[int], least: int
) -> tuple[Path, Path]:
    """What a command leaves that keeps its chunks in a folder of its own: let alone, and killed `least` times."""
    assert nursery.run(*command, "--out", "undisturbed") == 0
    kills = finished_despite_kills(
        nursery, *command, "--out", "killed", file=r"chunks/[^/]+\.npz$", ahead=ahead, late=0.02, early=0.3
    )
    assert kills >= least
    (undisturbed,), (survivor,) = (list((folder / name).iterdir()) for name in ("undisturbed", "killed"))
    assert undisturbed.name == survivor.name
    return undisturbed, survivor
