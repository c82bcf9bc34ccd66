"""The opening: of each network a sentence and a handful of figures."""

from dataclasses import dataclass

from pellucid.audits import Figure
from pellucid.reports.page.numbers import Lack, Number
from pellucid.reports.page.read import Audit, Network
from pellucid.reports.page.sentences import headline_attack, sentence, steadiness
from pellucid.reports.page.words import DIRECTIONS, called, spoken


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
    return tuple(
        Answer(network, sentence(audit, network), tuple(_keys(audit, network))) for network in audit.networks
    )


def _keys(audit: Audit, network: Network) -> list[Key]:
    decided = [figure for part in audit.of("decided") for figure in network.figures(part)]
    robust = [figure for part in audit.of("robust") for figure in network.figures(part)]
    attack = headline_attack(audit, network)
    chosen = [
        *(figure for figure in decided if figure.name in ("accuracy", "calibration_error")),
        *([attack] if attack else []),
        *(figure for figure in robust if figure.name == "area" and figure.arguments == ("attack",)),
    ]
    keys = [_key(called(figure), figure) for figure in chosen]
    metric, steady = steadiness(audit, network)
    if steady:
        middle = sorted(steady, key=lambda figure: figure.estimate.value if figure.estimate else 0)[len(steady) // 2]
        of = f" of {len(steady)} explainers, the median: {', '.join(middle.arguments)}" if len(steady) > 1 else ""
        keys.append(_key(f"{spoken(metric)}{of}", middle))
    return keys


def _key(label: str, figure: Figure) -> Key:
    return Key(label, Number.of(figure), DIRECTIONS[figure.better])
