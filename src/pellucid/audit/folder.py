"""An audit's folder, from which its page is drawn without a network.

audit.json           what is audited: networks, images, profile, seed, and where it ran
0-NAME/PART.json     what a part found of the first network, how long it took; or why it failed
0-NAME/PART/         its records and pictures
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid import files
from pellucid.audit.part import Finding
from pellucid.errors import MeasurementError

SKIPPED = "skipped"
"""What a failure begins with where a part did not apply."""


@dataclass(frozen=True)
class Outcome:
    """What became of a part: a finding, or in one line why there is none."""

    finding: Finding | None
    failure: str
    seconds: float

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
        """What is audited."""
        try:
            return json.loads(self._about.read_text())
        except OSError as error:
            raise MeasurementError(f"{self.path} holds no audit: {error.strerror}") from error
        except ValueError as error:
            raise MeasurementError(f"{self._about} is damaged: {error}; remove it and audit again") from error

    @property
    def models(self) -> tuple[str, ...]:
        """The networks, as they were named."""
        return tuple(entry["name"] for entry in self.about["models"])

    @property
    def untrained(self) -> tuple[str, ...]:
        """Those of them that have learnt nothing."""
        about = self.about
        return tuple(dict.fromkeys(about["models"][number]["name"] for number in about.get("untrained", ())))

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts in their order."""
        return tuple(self.about["parts"])

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write down what is audited, or see that it is what was begun here."""
        plain = json.loads(json.dumps(about))
        if self._about.exists():
            known = self.about
            fixed = ("models", "data", "parts", "seed")
            if any(known[name] != plain[name] for name in fixed):
                raise MeasurementError(f"{self.path} holds another audit; give each a folder of its own with --out")
            return
        self.path.mkdir(parents=True, exist_ok=True)
        files.write_text(self._about, json.dumps(plain, indent=2) + "\n")

    def place(self, model: int, part: str) -> Path:
        """Where a part of a network's audit keeps its records and pictures."""
        name = re.sub(r"[^A-Za-z0-9._]+", "_", self.models[model].rstrip("/").rpartition("/")[2])
        return self.path / f"{model}-{name}" / part

    def outcome(self, model: int, part: str) -> Outcome | None:
        """What became of a part; none where it has not been tried to its end."""
        file = self._file(model, part)
        if not file.exists():
            return None
        try:
            known = json.loads(file.read_text())
            finding = None if known["finding"] is None else Finding.from_record(known["finding"])
            return Outcome(finding, known["failure"], known["seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise MeasurementError(f"{file} is damaged: {error}; remove it and audit again") from error

    def outcomes(self, model: int) -> dict[str, Outcome]:
        """What became of every part that has been tried, by name."""
        found = {part: self.outcome(model, part) for part in self.parts}
        return {part: outcome for part, outcome in found.items() if outcome is not None}

    def keep(self, model: int, part: str, outcome: Outcome) -> None:
        """Write down what became of a part."""
        record = {
            "finding": None if outcome.finding is None else outcome.finding.to_record(),
            "failure": outcome.failure,
            "seconds": outcome.seconds,
        }
        file = self._file(model, part)
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(file, json.dumps(record, indent=1) + "\n")

    def figures(self) -> Sequence[Mapping[str, Any]]:
        """Every figure of every network as plain values, for tables and other programs."""
        return [
            {"model": name, "network": number, "part": part, **figure.to_record()}
            for number, name in enumerate(self.models)
            for part, outcome in self.outcomes(number).items()
            if outcome.finding is not None
            for figure in outcome.finding.figures
        ]

    @property
    def _about(self) -> Path:
        return self.path / "audit.json"

    def _file(self, model: int, part: str) -> Path:
        place = self.place(model, part)
        return place.with_name(f"{place.name}.json")
