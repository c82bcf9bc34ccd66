"""The sentence that a page opens with: one of each network, made from its figures by these rules.

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

from pellucid.audits import Headline
from pellucid.page import Network, listed, spoken
from pellucid.reports.read import Audit

_SAID = ("accuracy", "robustness", "calibration", "checks", "explanations")  # rules 1 to 5; others follow
_WANTED = ("accuracy", "robustness", "checks", "explanations")


def sentence(audit: Audit, network: Network, said: Mapping[str, Headline]) -> str:
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
