"""Whether networks hold what was required of them: their figures, and the checks of these."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pellucid import shape
from pellucid.audits.folder import AuditFolder
from pellucid.audits.requirement import Requirement, Shortfall, shortfalls
from pellucid.evaluate import Verdict
from pellucid.ledger import checksums
from pellucid.page.figure import Figure

_FILE = "gate.json"
OVERRULES = "--allow-failed-checks"

# which figures a check bears on: where it fails, they are not to be relied on
_ATTACKED = ("robust_accuracy", "area")
_ONLY: Mapping[str, Sequence[str]] = {
    "probabilities": (*_ATTACKED, "loss", "calibration_error"),
    **dict.fromkeys(("gradients", "saturation", "quantized-input", "rising-loss", "absurd-budget"), _ATTACKED),
    **dict.fromkeys(("returned-points", "stronger-attack"), _ATTACKED),
    "convergence": ("area(attack)",),
    "convergence-below-chance": ("area(below_chance)",),
}


@dataclass(frozen=True)
class Gate:
    """What does not hold; what holds although a check says not to rely on it; and what holds and was not checked."""

    short: tuple[Shortfall, ...] = ()
    overruled: tuple[Shortfall, ...] = ()
    unchecked: tuple[Shortfall, ...] = ()

    def lines(self) -> list[str]:
        """What has to be said of requirements that hold."""
        return [
            *(
                f"{one.model}: {one.requirement} holds, but {one.found}; {OVERRULES} overrules it"
                for one in self.overruled
            ),
            *(f"{one.model}: {one.requirement} holds; {one.found}" for one in self.unchecked),
        ]


def gate(folder: AuditFolder, requirements: Sequence[Requirement], *, allow_failed_checks: bool = False) -> Gate:
    """Look at every requirement of every network.

    One does not hold where the figure is not as required, where a check that bears on it has failed, or where the
    checks failed to be made. A check that does not apply has no say; where none was made, that is said.
    """
    short = shortfalls(requirements, folder.figures(), folder.models)
    lost = {(one.requirement, one.model) for one in short}
    doubted: list[Shortfall] = []
    unchecked: list[Shortfall] = []
    for requirement in requirements:
        for number, model in enumerate(folder.models):
            if (requirement, model) in lost:
                continue
            made, doubts = _checked(folder, number, requirement)
            doubted += [Shortfall(requirement, model, doubt) for doubt in doubts]
            if not made and not doubts:
                unchecked.append(Shortfall(requirement, model, "no check of this figure was made"))
    if allow_failed_checks:
        return Gate(tuple(short), tuple(doubted), tuple(unchecked))
    return Gate((*short, *doubted), (), tuple(unchecked))


def write_gate(folder: AuditFolder, found: Gate) -> None:
    """Write down what has to be said, for the page."""
    checksums.write_json(folder.path / _FILE, {"lines": found.lines()})


def read_gate(folder: AuditFolder) -> list[str]:
    """What was written down when requirements were last looked at."""
    file = folder.path / _FILE
    if not file.exists():
        return []
    with checksums.reading(file):
        content = checksums.read_json(file)
        shape.check(content, {"lines": [str]})
        return content["lines"]


def bears_on(check: str, name: str, arguments: Sequence[str] = ()) -> bool:
    """Whether a failed check is about a figure.

    Checks of the network and its images, such as that it answers twice alike, are about every figure, and so is one
    that is not known here.
    """
    return check not in _ONLY or bool({name, f"{name}({', '.join(arguments)})"} & set(_ONLY[check]))


def _checked(folder: AuditFolder, number: int, requirement: Requirement) -> tuple[bool, list[str]]:
    """Whether checks of the figure were made, and what those that failed say."""
    figures = [
        figure
        for entry in folder.figures()
        if int(entry["network"]) == number
        for figure in [Figure.from_record(entry)]
        if requirement.of(figure.name, figure.arguments)
    ]
    own = [
        verdict
        for verdict in _verdicts(folder, number)
        if any(bears_on(verdict.check, figure.name, figure.arguments) for figure in figures)
    ]
    doubts = [f"the check '{one.check}' failed: {one.finding}" for one in own if not one.passed]
    for part, outcome in folder.outcomes(number).items():
        if outcome.finding is None and not outcome.skipped and _makes_checks(folder, part):
            doubts.append(f"the checks of '{part}' could not be made: {outcome.failure}")
    return bool(own), doubts


def _verdicts(folder: AuditFolder, number: int) -> Iterator[Verdict]:
    for outcome in folder.outcomes(number).values():
        yield from outcome.finding.verdicts if outcome.finding else ()


def _makes_checks(folder: AuditFolder, part: str) -> bool:
    return "checks" in folder.section(part).answers
