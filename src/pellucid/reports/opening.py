"""The opening of the page: of each network a handful of figures, and a sentence made from them by these rules.

0. Whether it is known to be untrained: then nothing that follows tells of a trained network.
1. Accuracy, of all images that were looked at.
2. Then what is left of it under attack: by AutoAttack where that was measured, else by the widest budget of L-inf.
3. Then by how much confidence is wrong on average: the calibration error, where it was measured.
4. Then how many checks failed. If one did, figures under attack may be too good, and the sentence says so.
5. Then how much of their likeness maps keep when the image is attacked, or else under a little noise: the least and
   the most among explainers. No explainer is called the best.
6. What was asked for but failed, and what of 1, 2, 4 and 5 was not measured, is named at the end. A part that was
   skipped, since there are no labels, counts as not measured.

No rule says that a network can be trusted: that is for the reader to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pellucid.audits import Headline
from pellucid.page import DIRECTIONS, Lack, Network, Number, called, listed, spoken
from pellucid.reports.read import Audit

_SAID = ("accuracy", "robustness", "calibration", "checks", "explanations")  # rules 1 to 5; others follow
_WANTED = ("accuracy", "robustness", "checks", "explanations")
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
    return Answer(network, _sentence(audit, network, said), tuple(_keys(said)))


def _keys(said: Mapping[str, Headline]) -> Iterator[Key]:
    for about in dict.fromkeys((*_KEYS, *said)):
        if (one := said.get(about)) and (figure := one.figure):
            yield Key(one.label or called(figure), Number.of(figure), DIRECTIONS[figure.better])


def _sentence(audit: Audit, network: Network, said: Mapping[str, Headline]) -> str:
    """What was found of a network, in one sentence; `said` is what parts say, by what it is about."""
    clauses = [
        clause
        for clause in (
            "is untrained" if network.untrained else "",
            *(said[about].clause for about in dict.fromkeys((*_SAID, *said)) if about in said),
            *_lacking(audit, network),
        )
        if clause
    ]
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."


def _lacking(audit: Audit, network: Network) -> Iterator[str]:
    outcomes = audit.outcomes[network.number]
    failed = [part for part, outcome in outcomes.items() if outcome.finding is None and not outcome.skipped]
    if failed:
        yield f"{listed([spoken(part) for part in failed])} failed"
    tried = [audit.sections[part] for part, outcome in outcomes.items() if not outcome.skipped]
    lacking = [about for about in _WANTED if not any(about in section.answers for section in tried)]
    if lacking:
        one = len(lacking) == 1 and lacking[0] in ("accuracy", "robustness")
        yield f"{listed(lacking)} {'was' if one else 'were'} not measured"
