"""An audit in one call: from networks and images to the page."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid.audits.carrying_out import LOOK_AGAIN, Done, Event, Watch, begin, carry_out, dumped, parts_of
from pellucid.audits.concluding import Audited, reported
from pellucid.audits.fitting import Deadline, left_out
from pellucid.audits.folder import AuditFolder
from pellucid.audits.gating import gate, write_gate
from pellucid.audits.planning import Planned, plan, speeds_of
from pellucid.audits.profile import Profile, chosen
from pellucid.audits.requirement import Required, Requirement, announced, announced_of
from pellucid.audits.sharing import Sharing
from pellucid.data import Data, Report, Split, sample, silent
from pellucid.durations import time_in_words
from pellucid.errors import ConfigError, PellucidError
from pellucid.evaluate.speed import UNKNOWN
from pellucid.subjects import Asked, Subject, answer_for

Network = str | Path | nn.Module
Networks = Network | Sequence[Network] | Mapping[str, Network]
Images = str | Path | Data | Split | Asked | None

_BETWEEN = 60.0  # seconds between pages that are drawn on the way


class Listener:
    """A listener to an audit while it is made. This one says nothing; others override what they want to hear.

    `command` is what was typed to begin the audit, for the page. One that `helps` listens in a process that was
    started to share the work of another one, which keeps to the budget and draws the page on the way.
    """

    command: str = ""
    helps: bool = False
    reading: Report = staticmethod(silent)

    def begins(self, subjects: Sequence[Subject]) -> None:
        """Hear which networks are going to be looked at, with their images."""

    def fitted(self, budget: float, lines: Sequence[str]) -> None:
        """Hear what is left out to keep to so many seconds, a line for each part; nothing where all fits."""

    def planned(self, planned: Sequence[Planned], complete: int) -> None:
        """Hear what is to be done, and how many parts are complete."""

    def progress(self, planned: Sequence[Planned]) -> AbstractContextManager[tuple[Watch, Callable[[Event], None]]]:
        """A context in which the work is done; what it gives hears from within parts, and of parts."""
        return nullcontext((lambda _, __, ___: None, lambda _: None))

    def drawn(self, page: Path) -> None:
        """Hear where the page lies as far as the audit has come."""

    def stopped(self, done: int, planned: int) -> None:
        """Hear that somebody stopped the audit after so many parts."""


def audit(
    models: Networks | Sequence[Subject],
    data: Images = None,
    profile: str | Profile = "quick",
    *,
    out: str | Path = "audit",
    n: int | None = None,
    seed: int = 0,
    required: Required | Sequence[str | Requirement] = (),
    processes: int = 1,
    listener: Listener = Listener(),  # noqa: B008, it has no state
) -> Audited:
    """Tell whether the decisions and explanations of networks can be believed, on one page in the folder `out`.

    `models` are names as on the command line, networks, or a mapping from the names under which they are shown.
    `data` is the name of a data set, its images, or an `Asked` that says further which part, weights and device;
    without it the images are those that the first run was trained on. `n` of them are drawn at random. The same call
    goes on where it was stopped, and tries again what failed. Several `processes` may give it at once, each with its
    own device: they share the work, and a budget counts on as many.

        found = audit({"mine": network}, "digits", out="audit/mine")
        found.figures["mine"]["accuracy"]
    """
    if processes < 1:
        raise ConfigError(f"processes is {processes}; give how many share the audit, 1 or more")
    required = required if isinstance(required, Required) else Required(required)
    requirements = required.parsed
    asked = chosen(profile, n=n) if isinstance(profile, str) else profile
    announced(requirements, asked.announced)
    subjects = _subjects(models, data, n, seed, listener.reading)
    announced_of(requirements, asked.parts.values(), subjects)
    folder = AuditFolder(Path(out))
    listener.begins(subjects)
    with Sharing(folder, helps=listener.helps) as sharing:
        settled = _settled(folder, asked, sharing) if asked.budget else None
        speeds = speeds_of(subjects, settled or asked.parts, folder) if sharing.leads else [UNKNOWN] * len(subjects)
        deadline = Deadline(asked.budget, subjects, speeds, processes) if asked.budget and sharing.leads else None
        parts = _fitted(asked, settled, deadline)
        _check_required(requirements, parts, subjects)
        begin(subjects, parts, folder, seed=seed, command=listener.command, asked=asked)
        if deadline is not None:
            listener.fitted(asked.budget, left_out(dumped(asked.parts), dumped(parts.parts)))
        planned = plan(subjects, parts, folder, speeds)
        listener.planned(planned, len(subjects) * len(parts.parts) - len(planned))
        done, drawn = 0, -math.inf
        try:
            with listener.progress(planned) as (watch, hear):
                for event in carry_out(
                    subjects, parts, folder, seed=seed, watch=watch, deadline=deadline, sharing=sharing
                ):
                    done += isinstance(event, Done)
                    hear(event)
                    early = isinstance(event, Done) and done < len(planned) and sharing.leads
                    if early and time.monotonic() - drawn > _BETWEEN:
                        listener.drawn(reported(folder).page)
                        drawn = time.monotonic()
        except KeyboardInterrupt:
            listener.stopped(done, len(planned))
            raise
    found = gate(folder, requirements, allow_failed_checks=required.allow_failed_checks)
    write_gate(folder, found)
    return reported(folder, found)


def _settled(folder: AuditFolder, asked: Profile, sharing: Sharing) -> Mapping[str, Any] | None:
    """The parts as they were made to fit by whoever leads; none where this process has that still to do."""
    while True:
        settled = folder.settled(dumped(asked.parts), asked.budget)
        if settled is not None or sharing.leads:
            return settled
        time.sleep(LOOK_AGAIN)


def _fitted(asked: Profile, settled: Mapping[str, Any] | None, deadline: Deadline | None) -> Profile:
    """The profile as it fits into its budget; where it was made to fit before, as it was then."""
    if settled is not None:
        return replace(asked, parts=parts_of(settled))
    return asked if deadline is None else replace(asked, parts=deadline.fitted(asked.parts))


def _check_required(requirements: Sequence[Requirement], parts: Profile, subjects: Sequence[Subject]) -> None:
    """Refuse a budget within which a figure that is required is not measured."""
    try:
        announced_of(requirements, parts.parts.values(), subjects)
    except PellucidError as error:
        least = time_in_words(parts.budget)
        raise ConfigError(f"{least} is too short for what is required; give a longer --budget, or none") from error


def _subjects(
    models: Networks | Sequence[Subject], images: Images, n: int | None, seed: int, report: Report
) -> list[Subject]:
    if not isinstance(models, Mapping):
        given = [models] if isinstance(models, str | Path | nn.Module) else list(models)
        if given and all(isinstance(one, Subject) for one in given):
            return [one for one in given if isinstance(one, Subject)]
        named = [(str(one) if isinstance(one, str | Path) else type(one).__name__, one) for one in given]
    else:
        named = [(name, one) for name, one in models.items()]
    words = [str(one) for _, one in named if isinstance(one, str | Path)]
    if len(words) == len(named):
        found = _asked(images, n, seed).subjects(words, report=report)
        return [replace(subject, name=name) for (name, _), subject in zip(named, found, strict=True)]
    if words:
        raise ConfigError(f"'{words[0]}' is a name among networks; give it as a network too, by models.load")
    found = [_by_value(name, one, images, n, seed, report) for name, one in named if isinstance(one, nn.Module)]
    for other in found[1:]:
        if other.split.fingerprint() != found[0].split.fingerprint():
            raise ConfigError(
                f"'{found[0].name}' and '{other.name}' take images in different ways; audit each alone, or say one "
                "way for both by Asked(..., size=...)"
            )
    return found


def _asked(images: Images, n: int | None, seed: int) -> Asked:
    if isinstance(images, Asked):
        return images
    if isinstance(images, Data | Split):
        raise ConfigError("networks by name take images by name; load them by models.load, or name the data")
    return Asked("", None if images is None else str(images), n=n, seed=seed)


def _by_value(name: str, network: nn.Module, images: Images, n: int | None, seed: int, report: Report) -> Subject:
    if images is None or (isinstance(images, Asked) and images.data is None):
        raise ConfigError(f"'{name}' does not know its images; give data")
    if isinstance(images, str | Path):
        images = Asked(name, str(images), n=n, seed=seed)
    if isinstance(images, Asked):
        return answer_for(network, replace(images, model=name), report)
    split, train = (images.test, images.train) if isinstance(images, Data) else (images, None)
    source = images.name if isinstance(images, Data) else "images of one's own"
    place = next((tensor.device for tensor in (*network.parameters(), *network.buffers())), torch.device("cpu"))
    some = split if n is None else sample(split, n, seed=seed)
    return Subject(name, network, source, some.to(place), train)
