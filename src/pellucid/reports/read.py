"""What an audit's folder says, read once and in the order of the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.audits import AuditFolder, Found, Outcome, Section, read_gate
from pellucid.audits.fitting import left_out
from pellucid.durations import time_in_words
from pellucid.page import Network, short_names
from pellucid.subjects import untrained_words


@dataclass(frozen=True)
class Audit:
    """Everything that the page is drawn from, beside pictures: of each network by part what became of it."""

    path: Path
    about: Mapping[str, Any]
    networks: tuple[Network, ...]
    outcomes: tuple[Mapping[str, Outcome], ...]
    sections: Mapping[str, Section[Any]]
    gate: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: AuditFolder) -> "Audit":
        """Read the whole audit from its folder."""
        about = folder.about
        parts = tuple(about["parts"])
        given = [str(entry["name"]) for entry in about["models"]]
        networks = [
            Network(
                number,
                name,
                entry["name"],
                entry.get("fingerprint", ""),
                folder.place(number, parts[0] if parts else "none").parent,
                number in about.get("untrained", ()),
            )
            for number, (name, entry) in enumerate(zip(short_names(given), about["models"], strict=True))
        ]
        outcomes = tuple(folder.outcomes(network.number) for network in networks)
        sections = {part: folder.section(part) for part in parts}
        return cls(folder.path, about, tuple(networks), outcomes, sections, tuple(read_gate(folder)))

    @property
    def untrained(self) -> str:
        """What has to be said first where networks have learned nothing."""
        names = list(dict.fromkeys(network.name for network in self.networks if network.untrained))
        return untrained_words(names) if names else ""

    @property
    def budget(self) -> str:
        """The time that the audit had to keep to, in words; empty where there was no limit."""
        known = self.about.get("budget")
        return time_in_words(known["seconds"]) if known else ""

    @property
    def left_out(self) -> list[str]:
        """What was left out to keep to that time, a line for each part."""
        known = self.about.get("budget")
        return left_out(known["asked"], self.about["parts"]) if known else []

    def found(self, part: str) -> Found[Any]:
        """What a part found of each network."""
        outcomes = [own.get(part) for own in self.outcomes]
        findings = tuple(None if outcome is None else outcome.finding for outcome in outcomes)
        return Found(part, list(self.sections).index(part), self.networks, findings)
