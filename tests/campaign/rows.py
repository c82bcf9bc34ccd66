"""What the campaign counts: a row for each kind of disturbance."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol
from xml.etree import ElementTree

from campaign import disturb
from campaign.works import WORKS, Work, prepare
from nursery import Nursery

TESTS = Path(__file__).parents[1]


@dataclass
class Counted:
    """How many cases there were, and what went wrong in which."""

    count: int = 0
    failures: list[str] = field(default_factory=list[str])

    def add(self, failure: str | None, cases: int = 1) -> None:
        """Count a case, or several of which one line tells."""
        self.count += cases
        if failure is not None:
            self.failures.append(failure)


class Counting(Protocol):
    """Does a share of a row's cases."""

    def __call__(self, share: float, /) -> Counted:
        """What came of them."""
        ...


@dataclass(frozen=True)
class Row:
    """A kind of disturbance, in words for the table, and how it is counted."""

    words: str
    count: Counting


@contextmanager
def disturbing(works: Iterable[Work]) -> Generator[Iterable[tuple[Nursery, Work, dict[str, Any]]]]:
    """Each work in a folder of its own, with what it leaves where nothing happens to it."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        nursery = Nursery(Path(folder))
        try:
            yield ((nursery, work, disturb.undisturbed(nursery, work)) for work in works)
        finally:
            nursery.close()


def faults(
    share: float, *, kind: Literal["disk", "memory"], most: int, works: Iterable[Work] = WORKS.values()
) -> Counted:
    """Operations that fail in turn, at most so many for each work."""
    found = Counted()
    with disturbing(works) as each:
        for nursery, work, expected in each:
            total = disturb.operations(nursery, work, kind)
            for at in disturb.moments(total, max(2, round(share * min(most, total)))):
                found.add(disturb.failed_once(nursery, work, kind, at, expected))
    return found


def kills(share: float, *, least: int, works: Iterable[Work] = WORKS.values()) -> Counted:
    """Deaths at random moments, at least so many for each work."""
    found, draw = Counted(), random.Random(0)
    with disturbing(works) as each:
        for nursery, work, expected in each:
            done = 0
            while done < share * least:
                deaths, failure = disturb.killed(nursery, work, draw, expected)
                found.add(failure, deaths)
                done += max(deaths, 1)
    return found


def damage(share: float, *, each_work: int, works: Iterable[Work] = WORKS.values()) -> Counted:
    """Files that are damaged in a random way while a work is stopped, or when it is complete."""
    found, draw = Counted(), random.Random(0)
    with disturbing(works) as each:
        for nursery, work, expected in each:
            for _ in range(max(2, round(share * each_work))):
                found.add(disturb.damaged(nursery, work, draw, expected))
    return found


_SAID = 1000  # letters of what a test said that failed


def suite(*paths: str) -> Counting:
    """All tests of some files, whatever the share; one that is skipped counts for nothing."""
    assert all((TESTS / path).exists() for path in paths), paths
    return lambda _: _suite(paths)


def _suite(paths: Iterable[str]) -> Counted:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "-m",
                    "slow or not slow",
                    f"--junit-xml={report}",
                ),
                *("--numprocesses", "2", "--dist", "worksteal", *(f"tests/{path}" for path in paths)),
            ],
            cwd=TESTS.parent,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        found = Counted()
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("skipped") is None:
                harm = next((each for kind in ("failure", "error") if (each := case.find(kind)) is not None), None)
                said = "" if harm is None else " ".join((harm.get("message") or "").split())[:_SAID]
                found.add(None if harm is None else f"{case.get('classname')}::{case.get('name')}: {said}")
    return found


def fuzz(share: float, *, inputs: int) -> Counted:
    """So many inputs for every reader and every text that a person types."""
    found = Counted()
    with tempfile.TemporaryDirectory() as folder:
        tallies = Path(folder) / "tallies.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz", "--seed", "0"),
                *("--runs", str(round(share * inputs)), "--json", str(tallies)),
            ],
            cwd=TESTS.parent,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        for name, tally in json.loads(tallies.read_text()).items():
            found.add(f"{name}: {tally['failures']} inputs" if tally["failures"] else None, tally["inputs"])
    return found


ROWS: Mapping[str, Row] = {
    "disk": Row("a write, rename, fsync or opening that fails, in turn", partial(faults, kind="disk", most=100)),
    "memory": Row("an allocation that fails", partial(faults, kind="memory", most=40)),
    "kills": Row("a kill at a random moment", partial(kills, least=30)),
    "damage": Row(
        "a file that is cut, emptied, zeroed, lengthened or has a bit flipped", partial(damage, each_work=40)
    ),
    "signals": Row("SIGINT, SIGTERM and SIGHUP, from the first moment on", suite("test_stopping.py")),
    "tampered": Row(
        "JSON, TOML and arrays that are cut, empty or hold other things, for every command that reads them",
        suite("test_tampered.py", "runs/test_damaged_folders.py", "audits/test_recorded.py", "test_shape.py"),
    ),
    "surroundings": Row(
        "full and read-only disks, lost output, missing folders, poor terminals, for every command",
        suite("test_unlucky.py", "test_ending.py"),
    ),
    "links": Row(
        "a symbolic link in the place of a file of ours, and several processes in one folder",
        suite("test_links.py", "test_side_by_side.py", "test_files.py", "ledger"),
    ),
    "strangers": Row(
        "a program, a factory in a file, or a plug-in that would run code",
        suite("runs/test_strangers.py", "models/test_programs.py", "models/test_trust.py"),
    ),
    "names": Row(
        "control characters and markup in the names of classes, files and networks",
        suite("runs/test_names.py", "test_printable.py"),
    ),
    "endless": Row(
        "a small file that stands for an endless one, a pipe, a device",
        suite("data/test_endless.py", "models/test_endless_weights.py", "data/test_formats.py"),
    ),
    "fuzz": Row("a changed file for every reader, a changed text for every parser", partial(fuzz, inputs=1000)),
    "networks": Row(
        "a network that writes over its input, ends the program, or changes what is around it; a gate on it",
        suite("hostile/test_in_place.py", "hostile/test_contained.py", "audits/test_gate.py"),
    ),
    "threads": Row("several threads at one network", suite("hostile/test_threads.py")),
    "kinds": Row(
        "a network of another precision, without gradients, in numpy and so on, for every command",
        suite("test_kinds.py", "test_kinds_command.py", "test_little_memory.py"),
    ),
}


def tabulated(counts: Mapping[str, Mapping[str, int]]) -> str:
    """The table of the page."""
    lines = ["| row | disturbance | cases | failures |", "|---|---|---|---|"]
    for name, row in ROWS.items():
        one = counts.get(name)
        told = f"{one['count']:,} | {one['failures']}" if one else "not run to its end | "
        lines.append(f"| `{name}` | {row.words} | {told} |")
    return "\n".join(lines)
