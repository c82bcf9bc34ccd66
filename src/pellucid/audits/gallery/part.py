"""Pictures of what the network sees: chosen images and the worst ones, with every explainer's map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import torch
from PIL import Image
from torch import Tensor

from pellucid import evaluate
from pellucid.attacks import Attack
from pellucid.attacks.attack import check_budget
from pellucid.audits.finding import Finding
from pellucid.audits.gallery.details import Details, OfAttacked, OfImage, OfMap, OfStep
from pellucid.audits.part import Announced, Part, Task, check_counts, halved
from pellucid.audits.searches import blindly, bounded, without_slopes
from pellucid.batch import Batch
from pellucid.drawing import colored, photograph, plane, scaled
from pellucid.evaluate.counting import passes_of_maps
from pellucid.evaluate.explanations import Passes
from pellucid.evaluate.speed import Speed
from pellucid.explainers import AdversarialExplanation, Explainer
from pellucid.looking import look
from pellucid.norms import Linf
from pellucid.papers import cites
from pellucid.probe import frozen
from pellucid.protocols import Norm
from pellucid.subjects import Subject, fitted

Rows = Sequence[int]


@cites()
@final
@dataclass(frozen=True)
class Gallery(Part):
    """`chosen` images at random and the `worst` ones, where the network is surest and wrong, among `looked_at`.

    Each with the maps of `explainers`; what would lead to the label, the prediction and the runner-up, at each length
    of `rho`; and, where an attack at `eps` makes it fail, the attacked image and what the explainers say of that.
    """

    explainers: Mapping[str, Explainer] = field(default_factory=dict[str, Explainer])
    chosen: int = 4
    worst: int = 4
    looked_at: int = 1000
    rho: tuple[float, ...] = (0.02, 0.05, 0.1)
    eps: float = 8 / 255
    steps: int = 20

    labeled = False
    weight = 2.0
    lightened = (("worst", 2), ("chosen", 2), ("steps", 10))

    def __post_init__(self) -> None:
        check_counts(self, 1, "chosen", "looked_at", "steps")
        check_counts(self, 0, "worst")
        for length in (self.eps, *self.rho):
            check_budget(length, Linf(), "Gallery")

    def passes(self, subject: Subject) -> Passes:
        """Counted on one image; explainers that learn are left out."""
        shape, classes = subject.split.shape, len(subject.split.classes)
        own = [subject.as_dear(one) for one in self.explainers.values()]
        asked = [*own, *own]  # of the image, and of the attacked one
        asked += [AdversarialExplanation(rho=rho) for rho in self.rho] * 3
        each = sum((passes_of_maps(explainer, shape, classes) for explainer in asked), Passes())
        attack = Passes(3 * self.steps, 3 * self.steps)
        looks = Passes(min(self.looked_at, len(subject.split)), 0) if self.worst else Passes()
        return (each + attack) * min(self.chosen + self.worst, len(subject.split)) + looks

    def lighter(self, subject: Subject, speed: Speed) -> "Gallery | None":
        """Of fewer images, then at one length, then without the dearest explainer."""
        if fewer := halved(self, len(subject.split)):
            return fewer
        if len(self.rho) > 1:
            return replace(self, rho=self.rho[-1:])
        shape, classes = subject.split.shape, len(subject.split.classes)
        costs = {
            name: speed.seconds(passes_of_maps(subject.as_dear(explainer), shape, classes))
            for name, explainer in self.explainers.items()
        }
        if len(costs) < 2:
            return None
        dearest = max(costs, key=costs.__getitem__)
        return replace(self, explainers={name: own for name, own in self.explainers.items() if name != dearest})

    def announced(self) -> Sequence[Announced]:
        """The figures that it will find: none, since it draws pictures."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Draw the images with their maps, at every budget."""
        batch, why = self._images(task)
        with frozen(task.subject.model), torch.no_grad():
            probabilities = look(task.subject.model, batch.x).double().softmax(1)
        ready, missing = self._usable(task, batch)
        entries = [self._entry(task, batch, probabilities, number, why[number]) for number in range(len(batch))]
        of = probabilities.argmax(1)
        maps = self._explained(task, batch, of, ready, "")
        entries = [replace(entry, maps=own) for entry, own in zip(entries, maps, strict=True)]
        blind = without_slopes(task.subject)
        if blind:
            missing["adversarial"] = blind
        else:
            ways = self._ways(task, batch, probabilities)
            entries = [replace(entry, toward=own) for entry, own in zip(entries, ways, strict=True)]
        if task.subject.labeled:
            after = self._attacked(task, batch, ready, blindly if blind else bounded)
            entries = [replace(entry, attacked=own) for entry, own in zip(entries, after, strict=True)]
        return Finding(details=Details(tuple(entries), missing))

    def _entry(self, task: Task, batch: Batch, probabilities: Tensor, number: int, why: str) -> OfImage:
        classes = task.subject.split.classes
        sure, predicted = probabilities[number].max(0)
        label = classes[int(batch.y[number])] if task.subject.labeled else None
        return OfImage(
            int(batch.index[number]),
            task.keep(photograph(batch.x[number]), f"{number}"),
            classes[int(predicted)],
            label,
            None if label is None else bool(predicted == batch.y[number]),
            float(sure),
            why,
        )

    def _usable(self, task: Task, batch: Batch) -> tuple[dict[str, Explainer], dict[str, str]]:
        """The explainers that can explain this network, and why the others cannot."""
        usable: dict[str, Explainer] = {}
        missing: dict[str, str] = {}
        for name, explainer in self.explainers.items():
            try:
                ready = fitted(explainer, task.subject.model, task.subject.train, seed=task.seed)
                ready.on(task.subject.model, batch.rows(slice(1)), "predicted", seed=task.seed)
                usable[name] = ready
            except Exception as error:  # one that cannot explain this network does not lose the others
                missing[name] = str(error).partition("\n")[0]
        return usable, missing

    def _images(self, task: Task) -> tuple[Batch, Sequence[str]]:
        """Images at random, then those on which the network is surest and wrong; no image twice."""
        split = task.some(self.looked_at)
        chosen = torch.linspace(0, len(split) - 1, min(self.chosen, len(split))).round().long().unique().tolist()
        worst: list[int] = []
        if task.subject.labeled:
            found = evaluate.decide(task.subject.model, split)
            confidence = found.columns["confidence"].where(~found.right, -1.0)
            order = confidence.argsort(descending=True, stable=True).tolist()
            worst = [row for row in order if confidence[row] >= 0 and row not in chosen][: self.worst]
        rows = [*chosen, *worst]
        (batch,) = split.batches([torch.tensor(rows)])
        return batch, ["chosen at random"] * len(chosen) + ["sure and wrong"] * len(worst)

    def _explained(
        self, task: Task, batch: Batch, of: Tensor, explainers: Mapping[str, Explainer], prefix: str, only: Rows = ()
    ) -> list[dict[str, OfMap]]:
        """A map of each image by each explainer, on its own scale; with `only`, of the images in some rows."""
        maps: list[dict[str, OfMap]] = [{} for _ in range(len(batch))]
        for step, (name, explainer) in enumerate(explainers.items()):
            task.watch(step, len(explainers), f"maps by {name}")
            found = explainer.on(task.subject.model, batch, of, seed=task.seed)
            for number in only or range(len(batch)):
                values, scale = scaled(plane(found.map[number].detach().cpu()))
                picture = Image.fromarray(colored(values, signed=explainer.signed))
                path = task.keep(picture, f"{number}-{prefix}{name}")
                about = (*found.in_short(number), *found.notes[number])
                maps[number][name] = OfMap(path, scale, explainer.signed, about, explainer.legend)
        return maps

    def _ways(self, task: Task, batch: Batch, probabilities: Tensor) -> list[dict[str, tuple[OfStep, ...]]]:
        """What would make the network sure of the label, of its prediction and of the next likely class."""
        ways: list[dict[str, tuple[OfStep, ...]]] = [{} for _ in range(len(batch))]
        classes = task.subject.split.classes
        likely = probabilities.topk(min(2, probabilities.shape[1])).indices
        wanted = [*likely.unbind(1), *([batch.y] if task.subject.labeled else [])]
        for step, rho in enumerate(self.rho):
            task.watch(step, len(self.rho), f"adversarial explanations at {rho:g}")
            for of in wanted:
                found = AdversarialExplanation(rho=rho).on(task.subject.model, batch, of, seed=task.seed)
                assert found.image is not None
                images = found.image.clamp(0, 1)
                with frozen(task.subject.model), torch.no_grad():
                    after = look(task.subject.model, images).double().softmax(1)
                for number, own in enumerate(ways):
                    target = int(of[number])
                    steps = own.setdefault(classes[target], ())
                    if any(one.rho == rho for one in steps):
                        continue  # the label is often what is predicted
                    path = task.keep(photograph(images[number]), f"{number}-toward-{target}-{step}")
                    reached = bool(after[number].argmax() == of[number])
                    own[classes[target]] = (*steps, OfStep(rho, path, float(after[number, target]), reached))
        return ways

    def _attacked(
        self,
        task: Task,
        batch: Batch,
        explainers: Mapping[str, Explainer],
        make: Callable[[float, Norm, int], Attack],
    ) -> list[OfAttacked | None]:
        """Images that an attack makes fail, and what explainers say of those about what is predicted then."""
        classes = task.subject.split.classes
        found = make(self.eps, Linf(), self.steps).on(task.subject.model, batch, seed=task.seed)
        fallen = (found.reached & ~found.reached_at_start).nonzero().flatten().tolist()
        if not fallen:
            return [None] * len(batch)
        after = found.after.double().softmax(1)
        maps = self._explained(task, batch.at(found.x), after.argmax(1), explainers, "attacked-", fallen)
        attacked: list[OfAttacked | None] = [None] * len(batch)
        for number in fallen:
            sure, predicted = after[number].max(0)
            path = task.keep(photograph(found.x[number]), f"{number}-attacked")
            distance = float(found.distance[number])
            attacked[number] = OfAttacked(path, classes[int(predicted)], float(sure), distance, maps[number])
        return attacked
