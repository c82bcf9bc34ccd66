"""Carrying out an audit part by part; what is done is kept, and what fails does not lose the rest."""

import json
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import torch

from pellucid import config, files
from pellucid.audits.fitting import Deadline, left_out
from pellucid.audits.folder import SKIPPED, AuditFolder, Outcome
from pellucid.audits.part import Part, Task
from pellucid.audits.planning import rows_at_once
from pellucid.audits.profile import Profile
from pellucid.audits.sharing import Sharing
from pellucid.errors import ConfigError
from pellucid.ledger import check_unchanged, fingerprint
from pellucid.subjects import Subject

_UNLABELED = Outcome(None, f"{SKIPPED}: it needs to know the right answers, and there are no labels", 0.0)
LOOK_AGAIN = 0.5
"""Seconds after which a process looks again where another one is at work."""

Watch = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Began:
    """A part is being carried out."""

    model: int
    part: str


@dataclass(frozen=True)
class Done:
    """A part has been carried out, or failed."""

    model: int
    part: str
    outcome: Outcome


@dataclass(frozen=True)
class Lightened:
    """What is still to come takes longer than there is time for, and now does less, as these lines say."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """Nothing is left to do but so many parts, which other processes have in hand."""

    parts: int


Event = Began | Done | Lightened | Waiting


def begin(
    subjects: Sequence[Subject],
    profile: Profile,
    folder: AuditFolder,
    *,
    seed: int = 0,
    command: str = "",
    asked: Profile | None = None,
) -> None:
    """Write down what is audited and where, or see that the folder holds the same; `command` is what was typed.

    `asked` is the profile as it was before it was made to fit into its budget.
    """
    if not subjects:
        raise ConfigError("there is no network to audit; name one or more")
    for subject in subjects:
        for part in profile.parts.values():
            part.check(subject)
    first = subjects[0].split
    about = {
        "models": [{"name": subject.name, "fingerprint": fingerprint(subject.model)} for subject in subjects],
        "data": {
            "source": subjects[0].source,
            "fingerprint": first.fingerprint(),
            "images": len(first),
            "classes": list(first.classes),
            "shape": list(first.shape),
            "labeled": subjects[0].labeled,
        },
        "untrained": [number for number, subject in enumerate(subjects) if subject.untrained],
        "parts": dumped(profile.parts),
        "profile": profile.summary,
        "seed": seed,
        "environment": {
            "pellucid": version("pellucid"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "device": str(next((tensor.device for tensor in subjects[0].model.parameters()), "cpu")),
            "threads": torch.get_num_threads(),
        },
    }
    if asked is not None and asked.budget:
        about["budget"] = budget_of(asked)
    with Sharing(folder).deciding():
        folder.begin({**about, "command": command} if command else about)


def budget_of(asked: Profile) -> dict[str, Any]:
    """What is written down of a profile that has to fit into a budget."""
    return {
        "seconds": asked.budget,
        "asked": dumped(asked.parts),
    }


def carry_out(
    subjects: Sequence[Subject],
    profile: Profile,
    folder: AuditFolder,
    *,
    seed: int = 0,
    watch: Watch = lambda _, __, ___: None,
    deadline: Deadline | None = None,
    sharing: Sharing | None = None,
) -> Generator[Event]:
    """Every part that is not complete yet, each of every network. A part that failed before is tried again.

    `watch` hears from within a part how many images of how many are done, and running figures in words. Before each
    part those that are still to come are made to fit into what the `deadline` leaves. Other processes may do the same
    in this folder: each part of each network is carried out by one of them, and in the end they wait for each other.
    """
    if sharing is None:
        with Sharing(folder) as own:
            begin(subjects, profile, folder, seed=seed)
            yield from carry_out(subjects, profile, folder, seed=seed, watch=watch, deadline=deadline, sharing=own)
        return
    files.clear_unfinished(folder.path)
    yield from _Share(
        subjects, profile.parts, folder, Task(subjects[0], folder.path, seed, watch), deadline, sharing
    )()


class _Share:
    """What one process does of an audit, and what it knows of the rest.

    `task` is one for any part: only its seed and its watch are used.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        parts: Mapping[str, Part],
        folder: AuditFolder,
        task: Task,
        deadline: Deadline | None,
        sharing: Sharing,
    ) -> None:
        self.subjects, self.parts, self.folder, self.task = subjects, parts, folder, task
        self.deadline, self.sharing = deadline, sharing
        every = [(number, name) for name in parts for number in range(len(subjects))]
        self.left = [entry for entry in every if not folder.complete(*entry)]
        self.tried = {entry: folder.tried(*entry) for entry in self.left}
        self.known: dict[int, tuple[str, int]] = {}
        self.last = ""

    def __call__(self) -> Generator[Event]:
        """Take part by part, until there is none."""
        while True:
            for entry in [entry for entry in self.left if self.folder.tried(*entry) != self.tried[entry]]:
                if outcome := self.folder.outcome(*entry):  # of another process
                    yield self._done(entry, outcome)
                else:  # somebody has removed it
                    self.tried[entry] = None
            before = self.parts
            taken = self._taken()
            if self.deadline is not None and self.parts != before:
                yield Lightened(tuple(left_out(dumped(before), dumped(self.parts))))
            if not self.left:
                return
            if taken is None:
                yield Waiting(len(self.left))
                time.sleep(LOOK_AGAIN)
                continue
            try:
                if self.folder.tried(*taken) != self.tried[taken]:  # somebody was faster
                    continue
                if fits := self.parts[taken[1]].fits(self.subjects[taken[0]]):
                    yield Began(*taken)
                outcome = self._carried_out(taken) if fits else _UNLABELED
                self.folder.keep(*taken, outcome)
            finally:
                self.sharing.release(*taken)
            yield self._done(taken, outcome)

    def _taken(self) -> tuple[int, str] | None:
        """The next part that nobody has in hand, which now this process has; none where there is none."""
        with self.sharing.deciding():
            self.parts = self._settled()
            self.left = [entry for entry in self.left if entry[1] in self.parts]
            taken = next((entry for entry in self.left if self.sharing.take(*entry)), None)
            if taken is not None:
                files.inner_folder(self.folder.place(*taken).parent)
                files.inner_folder(self.folder.place(*taken))
        return taken

    def _settled(self) -> Mapping[str, Part]:
        """The parts as they fit into the time that is left, or, where another process sees to that, as it has said.

        What was begun stays as it is.
        """
        parts, left, deadline = self.parts, self.left, self.deadline
        if deadline is None:
            tables = self.folder.about["parts"]
            return parts if tables == json.loads(json.dumps(dumped(parts))) else parts_of(tables)
        if not left or left[0][1] == self.last:
            return parts
        numbers = range(len(self.subjects))
        begun = {name for name in parts if any(self.folder.begun(number, name) for number in numbers)}
        if begun >= {name for _, name in left}:
            return parts
        elsewhere = [entry for entry in left if self.sharing.elsewhere(*entry)]
        waiting = [entry for entry in left if entry[1] in begun and entry not in elsewhere]
        fitted = deadline.fitted(parts, begun, waiting, elsewhere)
        if fitted != parts:
            self.folder.settle(dumped(fitted))
        return fitted

    def _carried_out(self, entry: tuple[int, str]) -> Outcome:
        number, self.last = entry
        subject = self.subjects[number]
        if number not in self.known:
            self.known[number] = fingerprint(subject.model), rows_at_once(subject)
        same, rows = self.known[number]
        task = replace(self.task, subject=subject, place=self.folder.place(*entry), rows=rows)
        return _attempted(self.parts[self.last], same, task)

    def _done(self, entry: tuple[int, str], outcome: Outcome) -> Done:
        self.left.remove(entry)
        if self.deadline is not None:
            self.deadline.took(self.parts[entry[1]], entry[0], outcome.seconds)
        return Done(*entry, outcome)


def dumped(parts: Mapping[str, Part]) -> dict[str, Any]:
    """Parts as tables of their settings."""
    return {name: config.dump(part) for name, part in parts.items()}


def parts_of(tables: Mapping[str, Any]) -> dict[str, Part]:
    """Parts from tables of their settings."""
    return {name: config.build_as(Part, table, name) for name, table in tables.items()}


def _attempted(part: Part, known: str, task: Task) -> Outcome:
    began = time.perf_counter()
    try:
        finding, failure = part.carry_out(task), ""
        check_unchanged(task.subject.model, known)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or "no reason was given"
        finding, failure = None, f"{type(error).__name__}: {reason}"
    return Outcome(finding, failure, time.perf_counter() - began)
