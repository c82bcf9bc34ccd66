"""What an audit's folder says, read once and in the order of the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.audits import AuditFolder, Figure, Outcome, kept, letter, short_names
from pellucid.subjects import untrained_words


@dataclass(frozen=True)
class Network:
    """A network of the audit: its number, a short name and the one it was given, and what became of every part."""

    number: int
    name: str
    given: str
    fingerprint: str
    root: Path
    outcomes: Mapping[str, Outcome]
    untrained: bool = False

    @property
    def letter(self) -> str:
        """What it is called inside charts."""
        return letter(self.number)

    def details(self, part: str) -> Mapping[str, Any]:
        """What a part found besides figures; empty where it found nothing."""
        outcome = self.outcomes.get(part)
        return {} if outcome is None or outcome.finding is None else outcome.finding.details

    def figures(self, part: str) -> tuple[Figure, ...]:
        """The figures of a part; none where it found nothing."""
        outcome = self.outcomes.get(part)
        return () if outcome is None or outcome.finding is None else outcome.finding.figures


@dataclass(frozen=True)
class Audit:
    """Everything that the page is drawn from, beside pictures."""

    path: Path
    about: Mapping[str, Any]
    networks: tuple[Network, ...]
    gate: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: AuditFolder) -> "Audit":
        """Read all of it."""
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
                folder.outcomes(number),
                number in about.get("untrained", ()),
            )
            for number, (name, entry) in enumerate(zip(short_names(given), about["models"], strict=True))
        ]
        return cls(folder.path, about, tuple(networks), tuple(kept(folder)))

    @property
    def untrained(self) -> str:
        """What has to be said first where networks have learned nothing."""
        names = list(dict.fromkeys(network.name for network in self.networks if network.untrained))
        return untrained_words(names) if names else ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts by name."""
        return tuple(self.about["parts"])

    def kind(self, part: str) -> str:
        """Of what kind a part is."""
        settings = self.about["parts"][part]
        return str(settings.get("kind", "")) if isinstance(settings, Mapping) else ""

    def of(self, *kinds: str) -> Iterator[str]:
        """The parts of some kinds."""
        return (part for part in self.parts if self.kind(part) in kinds)
