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

from collections.abc import Iterator, Sequence

from pellucid.audits import Figure
from pellucid.reports.page.numbers import percent, plain
from pellucid.reports.page.read import Audit, Network
from pellucid.reports.page.words import spoken

# metrics of explanations that say whether a map stays as it is, the harder first
_STEADY = {
    "adversarial-similarity": "when the image is attacked",
    "random-similarity": "under a little noise",
}
_SUBJECTS = {"decided": "accuracy", "robust": "robustness", "checked": "checks", "explained": "explanations"}


def sentence(audit: Audit, network: Network) -> str:
    """What was found of a network, in one sentence."""
    clauses = [
        clause
        for clause in (
            "is untrained" if network.untrained else "",
            _accuracy(audit, network),
            _robustness(audit, network),
            _calibration(audit, network),
            _checks(audit, network),
            _explanations(audit, network),
            *_lacking(audit, network),
        )
        if clause
    ]
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."


def headline_attack(audit: Audit, network: Network) -> Figure | None:
    """The robust accuracy that stands for all: AutoAttack's, else that of the widest budget of L-inf."""
    for kind in ("auto-attacked", "robust"):
        found = [
            figure
            for part in audit.of(kind)
            for figure in network.figures(part)
            if figure.name == "robust_accuracy" and figure.arguments[:1] == ("linf",) and figure.estimate
        ]
        if found:
            return found[-1]  # budgets ascend
    return None


def steadiness(audit: Audit, network: Network) -> tuple[str, Sequence[Figure]]:
    """How steady maps are: the metric that says so, and its figures, one of each explainer."""
    for metric in _STEADY:
        found = [
            figure
            for part in audit.of("explained")
            for figure in network.figures(part)
            if figure.name == metric and figure.estimate
        ]
        if found:
            return metric, found
    return "", ()


def _accuracy(audit: Audit, network: Network) -> str:
    for figure in _figures(audit, network, "decided", "accuracy"):
        if figure.estimate:
            return f"gets {percent(figure.estimate.value)} of {figure.estimate.n:,} images right"
    return ""


def _robustness(audit: Audit, network: Network) -> str:
    figure = headline_attack(audit, network)
    if figure is None or figure.estimate is None:
        return ""
    attack = "AutoAttack" if "auto-attack" in figure.arguments else "an attack"
    within = f" of up to {figure.arguments[1]}" if len(figure.arguments) > 1 else ""
    return f"of {figure.estimate.n:,} images, {percent(figure.estimate.value)} stay right under {attack}{within}"


def _calibration(audit: Audit, network: Network) -> str:
    for figure in _figures(audit, network, "decided", "calibration_error"):
        if figure.estimate:
            return f"its confidence is off by {100 * figure.estimate.value:.1f} points on average"
    return ""


def _checks(audit: Audit, network: Network) -> str:
    verdicts = [
        verdict
        for part in audit.of("checked")
        if (outcome := network.outcomes.get(part)) and outcome.finding
        for verdict in outcome.finding.verdicts
    ]
    failed = sum(not verdict.passed for verdict in verdicts)
    if not verdicts:
        return ""
    if not failed:
        return f"all {len(verdicts)} checks passed" if len(verdicts) > 1 else "the one check passed"
    return f"{failed} of {len(verdicts)} checks failed, so figures under attack may be too good"


def _explanations(audit: Audit, network: Network) -> str:
    metric, figures = steadiness(audit, network)
    values = sorted(figure.estimate.value for figure in figures if figure.estimate)
    if not values:
        return ""
    least, most = plain(values[0]), plain(values[-1])
    likeness = least if least == most else f"{least} to {most}"
    makers = "one explainer" if len(values) == 1 else f"{len(values)} explainers"
    return f"maps of {makers} keep a likeness of {likeness} {_STEADY[metric]}"


def _lacking(audit: Audit, network: Network) -> Iterator[str]:
    failed = [name for name, outcome in network.outcomes.items() if outcome.finding is None and not outcome.skipped]
    if failed:
        yield f"{_listed([spoken(name) for name in failed])} failed"
    kinds = {audit.kind(name) for name, outcome in network.outcomes.items() if not outcome.skipped}
    if "auto-attacked" in kinds:
        kinds.add("robust")
    lacking = [subject for kind, subject in _SUBJECTS.items() if kind not in kinds]
    if lacking:
        one = len(lacking) == 1 and lacking[0] in ("accuracy", "robustness")
        yield f"{_listed(lacking)} {'was' if one else 'were'} not measured"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _figures(audit: Audit, network: Network, kind: str, name: str) -> Iterator[Figure]:
    return (figure for part in audit.of(kind) for figure in network.figures(part) if figure.name == name)
