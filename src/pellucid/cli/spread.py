"""The option --devices: a command's work by several processes, each on a device of its own.

The first process reads and checks what is asked for, starts the others by Fabric's launcher, and prints. All carry
out the same command and share its folder through the ledger; they exchange nothing, so that nobody waits for one that
died.
"""

import os
import sys
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pellucid.cli.ending import say
from pellucid.cli.starter import starter, starting
from pellucid.errors import ConfigError, count_of
from pellucid.ledger import Job
from pellucid.stopping import ends_too, follow, keep_silent

if TYPE_CHECKING:
    from subprocess import Popen

    from lightning_fabric import Fabric

_GRACE = 3.0  # seconds in which a process that has nothing left to do gives up what it holds

devices = click.option(
    "--devices",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Share the work among N devices; with --device cpu, among N processes.",
)


@dataclass(frozen=True)
class Crew:
    """The processes that do one work, as this one of them sees it: its number, from 0, and its device."""

    device: str
    number: int = 0
    count: int = 1
    fabric: "Fabric | None" = None

    @property
    def helps(self) -> bool:
        """Whether this process says nothing, and leaves the result to the first."""
        return self.number > 0

    def too_many(self, images: int, batch: int) -> list[str]:
        """What to say where there are fewer chunks of images than processes; nothing where each has its share."""
        chunks = -(-images // batch)
        if chunks >= self.count:
            return []
        return [
            f"{count_of(images, 'image')} make {count_of(chunks, 'chunk')} of {batch}, for {self.count} processes to "
            f"share; with --batch {max(1, images // self.count)} each has one"
        ]

    @contextmanager
    def at_work(self) -> Generator[None]:
        """The block is the work, which all do together; only the first goes on after it."""
        if self.fabric is None:
            yield
        elif self.helps:
            warnings.showwarning = _of_damage
            try:
                yield
            except Exception as error:
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                say(f"warning: process {self.number + 1} of {self.count} gave up: {reason}")
                raise click.exceptions.Exit(1) from error
            raise click.exceptions.Exit(0)
        else:
            helpers = _started(self.fabric)
            try:
                yield
            except BaseException:
                for helper in helpers:
                    helper.kill()
                raise
            _end(helpers, self.count)


def crew(device: str, count: int, part: str = Job.part) -> Crew:
    """The processes that share the work of this command, `count` of them, and which of them this is."""
    from pellucid.subjects import check_device

    if count == 1:
        return Crew(device)
    if part != Job.part:
        raise ConfigError("--part is for processes that you start by yourself; give it or --devices")
    check_device(device, count)

    import logging

    import torch
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    kind = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    if "OMP_NUM_THREADS" not in os.environ:  # else Fabric divides them in the midst of the work
        threads = torch.get_num_threads() if kind == "cuda" else max(1, torch.get_num_threads() // count)
        torch.set_num_threads(threads)
        os.environ["OMP_NUM_THREADS"] = str(threads)
    fabric = Fabric(accelerator=kind, devices=count, strategy="ddp")
    if kind == "cuda":
        torch.cuda.set_device(fabric.device)
    found = Crew(str(fabric.device), fabric.global_rank, count, fabric)
    if found.helps:
        _be_quiet()
    return found


def _be_quiet() -> None:
    """What there is to say has been said by the first process."""
    keep_silent()
    warnings.showwarning = _unheard
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    if starter():
        follow(starter())


def _started(fabric: "Fabric") -> "list[Popen[bytes]]":
    """The other processes; none where somebody else starts them, such as torchrun."""
    launcher: Any = fabric.strategy.launcher
    helpers: list[Popen[bytes]] = []
    ends_too(lambda: [helper.kill() for helper in (*launcher.procs, *helpers)])
    # not `fabric.launch`, which lets all wait until the last has begun
    with starting():
        launcher.launch(lambda: None)
    helpers += launcher.procs
    launcher.procs.clear()  # else Fabric would kill all of them, and this one, when one dies
    return helpers


def _end(helpers: "list[Popen[bytes]]", count: int) -> None:
    """End processes that have nothing left to do, and say how many did not live to see it."""
    from subprocess import TimeoutExpired

    early = [helper for helper in helpers if helper.poll()]
    until = time.monotonic() + _GRACE
    for helper in helpers:  # those that find nothing left give up what they have claimed
        with suppress(TimeoutExpired):
            helper.wait(max(0.0, until - time.monotonic()))
    for helper in helpers:
        helper.terminate()
    for helper in helpers:
        try:
            helper.wait(_GRACE)
        except TimeoutExpired:
            helper.kill()
            helper.wait()
    if early:
        say(f"warning: {len(early)} of {count} processes ended early; the others did what was left")


def _unheard(*_: object, **__: object) -> None:
    """The first process says the same."""


def _of_damage(message: Warning | str, *_place: object, **_file: object) -> None:
    """What is damaged is said by whoever comes upon it first."""
    from pellucid.ledger.checksums import MADE_AGAIN

    if MADE_AGAIN in str(message):
        say(f"warning: {' '.join(str(message).split())}")
