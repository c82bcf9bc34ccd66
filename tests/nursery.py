"""Starting commands that are to be killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# One process imports everything and then forks a child per command: children start at once, so that
# many can be killed in little time, and none inherits threads, since the parent never computes.
NURSERY = """
import json, os, sys
import sklearn.datasets  # it takes longest, and would be imported anew by each child that reads the digits
from pellucid import audit, cli, console, console_audit, console_measure, evaluate, report, runs
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["pellucid", *json.loads(line)]
        try:
            cli.main()
        except SystemExit as exit:
            os._exit(exit.code or 0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Starts commands, one at a time."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )

    def start(self, *arguments: str) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(arguments), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def status(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> str:
        """End the nursery and say what its commands said on standard error."""
        _, said = self.process.communicate(timeout=60)
        return said


def alive(child: int) -> bool:
    """Whether the process has neither ended nor is a corpse that nobody has collected."""
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def finished_despite_kills(
    nursery: Nursery, *command: str, progress: Callable[[], int], ahead: Sequence[int], late: float, early: float
) -> int:
    """Start a command and kill it, until it ends by itself; the number of kills that it took.

    Each is killed when `progress` has risen by one of `ahead`, drawn anew, and a random moment later: up to `early`
    seconds where no progress is waited for, up to `late` seconds where some is.
    """
    draw = random.Random(0)
    for kills in range(200):
        before = progress()
        child = nursery.start(*command)
        further, deadline = draw.choice(ahead), time.monotonic() + 60
        while alive(child) and progress() < before + further and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, early if further == 0 else late))
        killed = alive(child)
        if killed:
            os.kill(child, signal.SIGKILL)
        status = nursery.status()
        if not killed or status == 0:
            assert status == 0
            return kills
        assert status == -signal.SIGKILL
    raise AssertionError("the command makes no progress")


def undisturbed_and_killed(
    nursery: Nursery, folder: Path, *command: str, ahead: Sequence[int], least: int
) -> tuple[Path, Path]:
    """What a command leaves that keeps its chunks in a folder of its own: let alone, and killed `least` times."""
    nursery.start(*command, "--out", "undisturbed")
    assert nursery.status() == 0
    kills = finished_despite_kills(
        nursery,
        *command,
        "--out",
        "killed",
        progress=lambda: len(list(folder.glob("killed/*/chunks/*.npz"))),
        ahead=ahead,
        late=0.02,
        early=0.3,
    )
    assert kills >= least
    (undisturbed,), (survivor,) = (list((folder / name).iterdir()) for name in ("undisturbed", "killed"))
    assert undisturbed.name == survivor.name
    return undisturbed, survivor
