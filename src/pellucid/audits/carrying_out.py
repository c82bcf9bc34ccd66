"""Carrying out an audit part by part; what is done is kept, and what fails does not lose the rest."""

import platform
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import torch

from pellucid import config, files
from pellucid.audits.folder import SKIPPED, AuditFolder, Outcome
from pellucid.audits.part import Part, Task
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


Event = Began | Done


def begin(
    subjects: Sequence[Subject], profile: Profile, folder: AuditFolder, *, seed: int = 0, command: str = ""
) -> None:
    """Write down what is audited and where, or see that the folder holds the same; `command` is what was typed."""
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
        "parts": {name: config.dump(part) for name, part in profile.parts.items()},
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
    folder.begin({**about, "command": command} if command else about)


def carry_out(
    subjects: Sequence[Subject],
    profile: Profile,
    folder: AuditFolder,
    *,
    seed: int = 0,
    watch: Watch = lambda _, __, ___: None,
) -> Generator[Event]:
    """Every part of every network that is not complete yet. A part that failed before is tried again.

    `watch` hears from within a part how many images of how many are done, and running figures in words.
    """
    begin(subjects, profile, folder, seed=seed)
    with files.locked(folder.path.resolve()):  # which somebody named, and may have made a link
        for number, subject in enumerate(subjects):
            known = fingerprint(subject.model)
            for name, part in profile.parts.items():
                if folder.complete(number, name):
                    continue
                if not part.fits(subject):
                    outcome = Outcome(
                        None, f"{SKIPPED}: it needs to know the right answers, and there are no labels", 0.0
                    )
                    folder.keep(number, name, outcome)
                    yield Done(number, name, outcome)
                    continue
                yield Began(number, name)
                outcome = _carried_out(part, known, Task(subject, folder.place(number, name), seed, watch))
                folder.keep(number, name, outcome)
                yield Done(number, name, outcome)


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
