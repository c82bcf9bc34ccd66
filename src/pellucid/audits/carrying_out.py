"""Carrying out an audit part by part; what is done is kept, and what fails does not lose the rest."""

import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

from pellucid import config, files
from pellucid.audits.fitting import Deadline, left_out
from pellucid.audits.folder import SKIPPED, AuditFolder, Outcome
from pellucid.audits.part import Part, Task
from pellucid.audits.planning import rows_at_once
from pellucid.audits.profile import Profile
from pellucid.errors import ConfigError
from pellucid.ledger import check_unchanged, fingerprint
from pellucid.subjects import Subject

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


Event = Began | Done | Lightened


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
) -> Generator[Event]:
    """Every part that is not complete yet, each of every network. A part that failed before is tried again.

    `watch` hears from within a part how many images of how many are done, and running figures in words. Before each
    part those that are still to come are made to fit into what the `deadline` leaves.
    """
    if deadline is None:
        begin(subjects, profile, folder, seed=seed)
    known: dict[int, tuple[str, int]] = {}
    parts = profile.parts
    with files.locked(folder.path.resolve()):  # which somebody named, and may have made a link
        for name in profile.parts:
            lacking = [number for number in range(len(subjects)) if not folder.complete(number, name)]
            if not lacking:
                continue
            if deadline is not None:
                before, parts = parts, _fitted(parts, folder, deadline, len(subjects))
                if parts != before:
                    folder.settle(dumped(parts))
                    yield Lightened(tuple(left_out(dumped(before), dumped(parts))))
            if name not in parts:
                continue
            part, began = parts[name], time.perf_counter()
            for number in lacking:
                subject = subjects[number]
                if not part.fits(subject):
                    outcome = Outcome(
                        None, f"{SKIPPED}: it needs to know the right answers, and there are no labels", 0.0
                    )
                    folder.keep(number, name, outcome)
                    yield Done(number, name, outcome)
                    continue
                yield Began(number, name)
                if number not in known:
                    known[number] = fingerprint(subject.model), rows_at_once(subject)
                same, rows = known[number]
                outcome = _carried_out(part, same, Task(subject, folder.place(number, name), seed, watch, rows))
                folder.keep(number, name, outcome)
                yield Done(number, name, outcome)
            if deadline is not None:
                deadline.took(part, time.perf_counter() - began)


def _fitted(parts: Mapping[str, Part], folder: AuditFolder, deadline: Deadline, networks: int) -> Mapping[str, Part]:
    """The parts as they fit into the time that is left; one that was begun stays as it is."""
    begun = {name for name in parts if any(folder.begun(number, name) for number in range(networks))}
    return deadline.fitted(parts, begun)


def dumped(parts: Mapping[str, Part]) -> dict[str, Any]:
    """Parts as tables of their settings."""
    return {name: config.dump(part) for name, part in parts.items()}


def _carried_out(part: Part, known: str, task: Task) -> Outcome:
    files.inner_folder(task.place.parent)
    files.inner_folder(task.place)
    began = time.perf_counter()
    try:
        finding, failure = part.carry_out(task), ""
        check_unchanged(task.subject.model, known)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or "no reason was given"
        finding, failure = None, f"{type(error).__name__}: {reason}"
    return Outcome(finding, failure, time.perf_counter() - began)
