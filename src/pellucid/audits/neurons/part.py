"""What single neurons stand for, and whether attacks mislead them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch

from pellucid.attacks import PGD, Attack, Confirmed, LowestLoss, Square
from pellucid.attacks.attack import check_budget
from pellucid.audits.finding import Finding
from pellucid.audits.neurons.details import Details, OfLayer, OfNeuron
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.audits.searches import QUERIES, without_slopes
from pellucid.drawing import photograph
from pellucid.errors import PellucidError
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.neurons import Examined, LayerFindings, Probing, examine, findings
from pellucid.evaluate.neurons.writing import neuron_rows
from pellucid.metrics import Estimate
from pellucid.norms import Linf
from pellucid.page.figure import Better, Figure
from pellucid.papers import DONG, cites
from pellucid.subjects import Subject, layers_of

# the figure's name, that of the finding, and which end is the good one
_FIGURES: Sequence[tuple[str, str, Better]] = (
    ("consistency", "identity", "higher"),
    ("consistency_corrected", "identity_corrected", "higher"),
    ("content_over_target", "difference", "higher"),
    ("distance_ratio", "r_mean", "lower"),
)


@cites(DONG)
@final
@dataclass(frozen=True)
class Neurons(Part):
    """The consistency of neurons in the last features, and what they say of images led to other classes.

    `n` images; each is led to `targets` other classes by PGD at `eps`. Of the `shown` most and least consistent
    neurons the images that activate them most are drawn.
    """

    n: int = 500
    eps: float = 8 / 255
    steps: int = 20
    targets: int = 2
    shown: int = 6
    images: int = 6

    lightened = (("n", 100), ("targets", 1), ("steps", 5), ("n", 24))

    def __post_init__(self) -> None:
        check_counts(self, 1, "n", "steps", "targets", "shown", "images")
        check_budget(self.eps, Linf(), "Neurons")

    def passes(self, subject: Subject) -> Passes:
        """A few looks at each image, and the attacks, whose ends are looked at as well."""
        images = min(self.n, len(subject.split))
        rows = images * self.targets * self.steps
        return Passes(3 * images + rows + 2 * images * self.targets, images + rows)

    def announced(self) -> Sequence[Announced]:
        """Four, of a layer that only the network can tell."""
        return [Announced(name, None) for name, _, _ in _FIGURES]

    def announced_of(self, subject: Subject) -> Sequence[Announced]:
        """Four of the layer that is found to be the last; where none can be found, the part says why."""
        try:
            layers = layers_of(subject, ())
        except PellucidError:
            return self.announced()
        return [Announced(name, (layer,)) for layer in layers for name, _, _ in _FIGURES]

    def carry_out(self, task: Task) -> Finding:
        """Look, attack, look again; what cannot be measured is said."""
        layers = layers_of(task.subject, ())
        attack: Attack = PGD(eps=self.eps, steps=self.steps, goal=LowestLoss())
        if without_slopes(task.subject):
            attack = Square(eps=self.eps, queries=QUERIES * self.steps, goal=Confirmed())
        targets = min(self.targets, len(task.subject.split.classes) - 1)
        probing = Probing(layers, attack=attack, targets=targets, traced=0)
        job = task.job(64, lambda step: f"neurons: {step.doing}")
        examined = examine(task.subject.model, task.some(self.n), probing, task.place, seed=task.seed, job=job)
        figures: list[Figure] = []
        details: dict[str, OfLayer] = {}
        for found in findings(examined, which="all", seed=task.seed):
            content = found.content()
            for name, key, better in _FIGURES:
                known = content[key]
                estimate = None if known is None else Estimate(**known)
                figures.append(Figure(name, (found.layer,), estimate, better, content["missing"].get(key, "")))
            details[found.layer] = OfLayer(
                content["neurons"],
                self._table(task, examined, found),
                content["dead"],
                content["identity_chance"],
                None if content["beyond"] is None else Estimate(**content["beyond"]),
            )
        return Finding(tuple(figures), details=Details(details, self.eps, targets))

    def _table(self, task: Task, examined: Examined, found: LayerFindings) -> tuple[OfNeuron, ...]:
        rows = neuron_rows(found, examined, self.images)
        ends = rows[: self.shown] + rows[max(self.shown, len(rows) - self.shown) :]
        batch = task.batch(self.n)
        places = {number: row for row, number in enumerate(batch.index.tolist())}
        table: list[OfNeuron] = []
        for row in ends:
            strip = torch.cat([batch.x[places[number]] for number in row["top_images"]], -1)
            picture = task.keep(photograph(strip), str(row["neuron"]))
            table.append(OfNeuron(row["neuron"], row["level"], row["class"], row["share"], picture))
        return tuple(table)
