"""Starting commands that are to be killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

# One process imports everything and then forks a child per command: children start at once, so that
# many can be killed in little time, and none inherits threads, since the parent never computes.
NURSERY = """
import json, os, sys
from pellucid import cli, console, console_measure, evaluate, runs
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
