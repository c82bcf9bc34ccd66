"""An audit's folder, from which its page is drawn without a network.

audit.json           what is audited: networks, images, profile, seed, and where it ran
0-NAME/PART.json     what a part found of the first network, how long it took; or why it failed
0-NAME/PART/         its records and pictures
claims/              who works at which part, while somebody does
"""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pellucid import audits, files, plain
from pellucid.audits.finding import Finding
from pellucid.audits.section import Plain, Section, section_of
from pellucid.errors import Damaged, MeasurementError, UnknownName
from pellucid.ledger import checksums

SKIPPED = "skipped"
"""What a failure begins with where a part did not apply."""

MENDING = "the 'pellucid audit' command that made it mends it"


@dataclass(frozen=True)
class _Model:
    name: str
    fingerprint: str = ""


@dataclass(frozen=True)
class _Images:
    source: str = ""
    fingerprint: str = ""
    images: int = 0
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    labeled: bool = True


@dataclass(frozen=True)
class _Budget:
    """The seconds that an audit may take, and its parts as they were before they were made to fit."""

    seconds: float
    asked: Mapping[str, Any]


@dataclass(frozen=True)
class _About:
    """What an audit is of, as `audit.json` has it."""

    models: tuple[_Model, ...]
    data: _Images
    parts: Mapping[str, Any]
    untrained: tuple[int, ...] = ()
    profile: str = ""
    seed: int = 0
    environment: Mapping[str, Any] | None = None
    command: str | None = None
    budget: _Budget | None = None


_NAME = 200  # letters of what becomes a name of a file


@dataclass(frozen=True)
class _Kept:
    """What became of a part, as its file has it."""

    finding: Finding | None
    failure: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What became of a part: a finding, or in one line why there is none.

    `damaged` is whether there was one, in a file that is no longer as it was written.
    """

    finding: Finding | None
    failure: str
    seconds: float
    damaged: bool = False

    @property
    def skipped(self) -> bool:
        """Whether the part did not apply, such as one that needs labels where there are none."""
        return self.finding is None and self.failure.startswith(SKIPPED)


@dataclass(frozen=True)
class AuditFolder:
    """The folder of one audit."""

    path: Path

    @property
    def about(self) -> dict[str, Any]:
        """The description of the audit: networks, images, parts, seed and where it ran."""
        if not self._about.exists():
            raise MeasurementError(f"{self.path} holds no audit: No such file or directory")
        with checksums.reading(self._about, MENDING):
            about = checksums.read_json(self._about, MENDING)
            _check_about(about)
            return about

    @property
    def models(self) -> tuple[str, ...]:
        """The networks, as they were named."""
        return tuple(entry["name"] for entry in self.about["models"])

    @property
    def untrained(self) -> tuple[str, ...]:
        """The names of the networks that have learned nothing."""
        about = self.about
        return tuple(dict.fromkeys(about["models"][number]["name"] for number in about.get("untrained", ())))

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts in their order."""
        return tuple(self.about["parts"])

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write down what is audited, or see that it is what was begun here."""
        files.make_folder(self.path)
        plain = json.loads(json.dumps(about))
        content = json.dumps(plain, indent=2) + "\n"
        if self._about.exists():
            with checksums.telling(), checksums.reading(self._about, checksums.MADE_AGAIN):
                known = checksums.read_json(self._about, checksums.MADE_AGAIN)
                if any(known[name] != plain[name] for name in ("models", "data", "seed")) or not _same_parts(
                    known, plain
                ):
                    raise MeasurementError(
                        f"{self.path} holds another audit; give each a folder of its own with --out"
                    )
                return
        if not checksums.vouched(self._about, content):  # what lies here may be of another audit
            for number, entry in enumerate(plain["models"]):
                for part in plain["parts"]:
                    if (file := _file_of(self._place(number, entry["name"], part))).exists():
                        files.inner_folder(file.parent)
                        files.remove(file)
        checksums.write(self._about, content)

    def settled(self, asked: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        """The parts as they were made to fit into so many seconds when this audit began; none where it did not."""
        if not self._about.exists():
            return None
        try:
            known = self.about
        except Damaged:
            return None  # which is made again, or refused, when the audit begins
        budget = {"seconds": seconds, "asked": json.loads(json.dumps(asked))}
        return known["parts"] if known.get("budget") == budget else None

    def settle(self, parts: Mapping[str, Any]) -> None:
        """Write down the parts anew, where those that are still to come have been made lighter."""
        about = {**checksums.read_json(self._about, checksums.MADE_AGAIN), "parts": parts}
        checksums.write(self._about, json.dumps(about, indent=2) + "\n")

    def tried(self, model: int, part: str) -> tuple[int, int] | None:
        """What tells one attempt at a part from another; none where there was none."""
        try:
            known = self._file(model, part).lstat()
        except FileNotFoundError:
            return None
        return known.st_ino, known.st_mtime_ns

    def begun(self, model: int, part: str) -> bool:
        """Whether there is anything of a part, complete or not."""
        return self.place(model, part).exists() or self._file(model, part).exists()

    def kind(self, part: str) -> str:
        """The kind of a part, as `pellucid list parts` has it."""
        return str(self.about["parts"][part].get("kind", ""))

    def section(self, part: str) -> Section[Any]:
        """The section of the page that a part has; of a kind that is not installed, one of figures alone."""
        try:
            return section_of(audits.PARTS[self.kind(part)])
        except UnknownName:
            return Plain()

    def place(self, model: int, part: str) -> Path:
        """The folder where a part of a network's audit keeps its records and pictures."""
        return self._place(model, self.models[model], part)

    def _place(self, number: int, model: str, part: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9._]+", "_", model.rstrip("/").rpartition("/")[2])
        return self.path / f"{number}-{name}" / part

    def outcome(self, model: int, part: str) -> Outcome | None:
        """What became of a part; none where it has not been tried to its end."""
        file = self._file(model, part)
        if not file.exists():
            return None
        try:
            known = checksums.read_json(file, MENDING)
            with checksums.reading(file, MENDING):
                kept = plain.build(_Kept, known)
                finding = kept.finding
                if finding is not None:
                    details = plain.build_as(self.section(part).details, finding.details, "details")
                    finding = replace(finding, details=details)
                return Outcome(finding, kept.failure, kept.seconds)
        except Damaged as error:
            return Outcome(None, str(error), 0.0, damaged=True)

    def complete(self, model: int, part: str) -> bool:
        """Whether a part found something and all that it left is as it was; what is not is said."""
        outcome = self.outcome(model, part)
        faults = self._faults(model, part, outcome)
        for fault in faults:
            warnings.warn(fault, stacklevel=2)
        return not faults and outcome is not None and outcome.finding is not None

    def damaged(self) -> list[str]:
        """What is damaged or gone and can not be shown, a line for each file."""
        return [
            fault
            for number in range(len(self.models))
            for part in self.parts
            for fault in self._faults(number, part, self.outcome(number, part))
        ]

    def _faults(self, model: int, part: str, outcome: Outcome | None) -> list[str]:
        if outcome is None or outcome.finding is None:
            return [outcome.failure] if outcome is not None and outcome.damaged else []
        place = self.place(model, part)
        words = _names(plain.dump(outcome.finding.details))
        pictures = [place.parent / name for name in words if name.startswith(f"{part}/")]
        faults = [checksums.fault_of(path, MENDING) for path in pictures]
        return [*filter(None, dict.fromkeys([*faults, *checksums.faults_below(place, MENDING)]))]

    def outcomes(self, model: int) -> dict[str, Outcome]:
        """What became of every part that has been tried, by name."""
        found = {part: self.outcome(model, part) for part in self.parts}
        return {part: outcome for part, outcome in found.items() if outcome is not None}

    def keep(self, model: int, part: str, outcome: Outcome) -> None:
        """Write down what became of a part."""
        file = self._file(model, part)
        files.inner_folder(file.parent)
        checksums.write_json(file, plain.dump(_Kept(outcome.finding, outcome.failure, outcome.seconds)), indent=1)

    def figures(self) -> Sequence[Mapping[str, Any]]:
        """Every figure of every network as plain values, for tables and other programs."""
        return [
            {"model": name, "network": number, "part": part, **plain.dump(figure)}
            for number, name in enumerate(self.models)
            for part, outcome in self.outcomes(number).items()
            if outcome.finding is not None
            for figure in outcome.finding.figures
        ]

    @property
    def _about(self) -> Path:
        return self.path / "audit.json"

    def _file(self, model: int, part: str) -> Path:
        return _file_of(self.place(model, part))


def _check_about(about: Mapping[str, Any]) -> None:
    """Raise a ValueError that says what is wrong with what an audit says it is of."""
    plain.build(_About, about)
    if not about["models"]:
        raise ValueError("models is empty")
    for number, model in enumerate(about["models"]):
        if len(model["name"].rstrip("/").rpartition("/")[2]) > _NAME:
            raise ValueError(f"models[{number}].name is longer than names are")
    if about.get("budget") is not None and not all(
        isinstance(settings, dict) for settings in about["budget"]["asked"].values()
    ):
        raise ValueError("budget.asked has a part that is no table")
    for part, settings in about["parts"].items():
        if part in ("", ".", "..") or "/" in part or "\0" in part or len(part) > _NAME:
            raise ValueError("parts has one whose name is no name of a folder")
        if not isinstance(settings, dict):
            raise ValueError(f"parts.{part} is no table")
    if any(not 0 <= number < len(about["models"]) for number in about.get("untrained", ())):
        raise ValueError("untrained numbers a network that is not there")


def _same_parts(known: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Whether an audit that was begun does what is asked now; what was made to fit then stays as it is."""
    return known["parts"] == about["parts"] or ("budget" in about and known.get("budget") == about["budget"])


def _names(details: Any) -> Iterator[str]:
    """All words in what a part found; those that begin with its name are pictures that it kept."""
    if isinstance(details, str):
        yield details
    elif isinstance(details, Mapping | list | tuple):
        values = details.values() if isinstance(details, Mapping) else details
        for value in cast("Iterable[Any]", values):
            yield from _names(value)


def _file_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")
