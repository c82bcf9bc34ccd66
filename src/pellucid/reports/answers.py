"""The opening: of each network a sentence and a handful of figures, of what the sections of its parts have to say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pellucid.audits import Headline
from pellucid.page import DIRECTIONS, Lack, Network, Number, called
from pellucid.reports.read import Audit
from pellucid.reports.sentences import sentence

_KEYS = ("accuracy", "calibration", "robustness", "area", "explanations")  # the order of figures; others follow


@dataclass(frozen=True)
class Key:
    """A figure of the opening."""

    label: str
    number: Number | Lack
    direction: str


@dataclass(frozen=True)
class Answer:
    """What is said of a network before anything else."""

    network: Network
    sentence: str
    keys: tuple[Key, ...]


def answers(audit: Audit) -> tuple[Answer, ...]:
    """The answer of each network."""
    return tuple(_answer(audit, network) for network in audit.networks)


def _headlines(audit: Audit, network: Network) -> dict[str, Headline]:
    """What is said of each subject; of several parts that speak of one the first of the highest rank is heard."""
    said: dict[str, Headline] = {}
    for part, section in audit.sections.items():
        outcome = audit.outcomes[network.number].get(part)
        for one in section.headlines(outcome.finding) if outcome and outcome.finding else ():
            if one.about not in said or one.rank > said[one.about].rank:
                said[one.about] = one
    return said


def _answer(audit: Audit, network: Network) -> Answer:
    said = _headlines(audit, network)
    return Answer(network, sentence(audit, network, said), tuple(_keys(said)))


def _keys(said: Mapping[str, Headline]) -> Iterator[Key]:
    for about in dict.fromkeys((*_KEYS, *said)):
        if (one := said.get(about)) and (figure := one.figure):
            yield Key(one.label or called(figure), Number.of(figure), DIRECTIONS[figure.better])
