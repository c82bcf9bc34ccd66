"""Pictures of what the network sees: chosen images and the worst ones, with every explainer's map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import torch
from PIL import Image
from torch import Tensor, nn

from pellucid import evaluate
from pellucid.attacks import Attack
from pellucid.attacks.attack import check_budget
from pellucid.audits.bounded import blindly, bounded
from pellucid.audits.counting import passes_of
from pellucid.audits.part import Announced, Finding, Part, Task, check_counts
from pellucid.audits.slopes import without_slopes
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.drawing import colored, photograph, plane, scaled
from pellucid.evaluate.explanations import Passes
from pellucid.explainers import AdversarialExplanation, Explainer
from pellucid.looking import look
from pellucid.norms import Linf
from pellucid.probe import frozen
from pellucid.protocols import Norm
from pellucid.subjects import Subject, fitted

Entry = dict[str, Any]


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

    def __post_init__(self) -> None:
        check_counts(self, 1, "chosen", "looked_at", "steps")
        check_counts(self, 0, "worst")
        for length in (self.eps, *self.rho):
            check_budget(length, Linf(), "Gallery")

    def passes(self, subject: Subject) -> Passes:
        """Counted on one image; explainers that learn are left out."""
        asked = [explainer for explainer in self.explainers.values() if not explainer.learns]

        def ask(model: nn.Module, split: Split) -> None:
            (batch,) = split.batches([torch.arange(1)])
            for explainer in (*asked, *asked, *(AdversarialExplanation(rho=rho) for rho in 3 * self.rho)):
                explainer(model, batch.x, "predicted")

        return passes_of(subject, self.chosen + self.worst, ask)

    def announced(self) -> Sequence[Announced]:
        """None: it has other things to say."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Draw them all."""
        batch, why = self._images(task)
        model, classes = task.subject.model, task.subject.split.classes
        with frozen(model), torch.no_grad():
            probabilities = look(model, batch.x).double().softmax(1)
        ready, missing = self._usable(task, batch)
        entries: list[Entry] = []
        for number in range(len(batch)):
            sure, predicted = probabilities[number].max(0)
            path = task.keep(photograph(batch.x[number]), f"{number}")
            label = classes[int(batch.y[number])] if task.subject.labeled else None
            entries.append(
                {
                    "index": int(batch.index[number]),
                    "label": label,
                    "predicted": classes[int(predicted)],
                    "confidence": float(sure),
                    "right": None if label is None else bool(predicted == batch.y[number]),
                    "picture": path,
                    "why": why[number],
                    "maps": {},
                    "toward": {},
                    "attacked": None,
                }
            )
        of = probabilities.argmax(1)
        self._explain(task, batch, of, ready, entries, "")
        blind = without_slopes(task.subject)
        if blind:
            missing["adversarial"] = blind
        else:
            self._lead(task, batch, probabilities, entries)
        if task.subject.labeled:
            self._attack(task, batch, ready, entries, blindly if blind else bounded)
        return Finding(details={"images": entries, "missing": missing})

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

    def _explain(
        self,
        task: Task,
        batch: Batch,
        of: Tensor,
        explainers: Mapping[str, Explainer],
        entries: Sequence[Entry | None],
        prefix: str,
    ) -> None:
        """A map of each image by each explainer, on its own scale; entries that are none want none."""
        for step, (name, explainer) in enumerate(explainers.items()):
            task.watch(step, len(explainers), f"maps by {name}")
            found = explainer.on(task.subject.model, batch, of, seed=task.seed)
            for number, entry in enumerate(entries):
                if entry is None:
                    continue
                values, scale = scaled(plane(found.map[number].detach().cpu()))
                picture = Image.fromarray(colored(values, signed=explainer.signed))
                path = task.keep(picture, f"{number}-{prefix}{name}")
                about = [*found.in_short(number), *found.notes[number]]
                entry["maps"][name] = {"picture": path, "scale": scale, "signed": explainer.signed, "about": about}
                entry["maps"][name]["legend"] = explainer.legend

    def _lead(self, task: Task, batch: Batch, probabilities: Tensor, entries: Sequence[Entry]) -> None:
        """What would make the network sure of the label, of its prediction and of the next likely class."""
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
                for number, entry in enumerate(entries):
                    name = classes[int(of[number])]
                    steps = entry["toward"].setdefault(name, [])
                    if any(one["rho"] == rho for one in steps):
                        continue  # the label is often what is predicted
                    path = task.keep(photograph(images[number]), f"{number}-toward-{int(of[number])}-{step}")
                    probability = float(after[number, int(of[number])])
                    reached = bool(after[number].argmax() == of[number])
                    steps.append({"rho": rho, "picture": path, "probability": probability, "reached": reached})

    def _attack(
        self,
        task: Task,
        batch: Batch,
        explainers: Mapping[str, Explainer],
        entries: Sequence[Entry],
        make: Callable[[float, Norm, int], Attack],
    ) -> None:
        """Images that an attack makes fail, and what explainers say of those about what is predicted then."""
        classes = task.subject.split.classes
        found = make(self.eps, Linf(), self.steps).on(task.subject.model, batch, seed=task.seed)
        fallen = found.reached & ~found.reached_at_start
        after = found.after.double().softmax(1)
        changed: list[Entry | None] = []
        for number, entry in enumerate(entries):
            if not fallen[number]:
                changed.append(None)
                continue
            sure, predicted = after[number].max(0)
            entry["attacked"] = {
                "picture": task.keep(photograph(found.x[number]), f"{number}-attacked"),
                "predicted": classes[int(predicted)],
                "confidence": float(sure),
                "distance": float(found.distance[number]),
                "maps": {},
            }
            changed.append(entry["attacked"])
        if fallen.any():
            self._explain(task, batch.at(found.x), after.argmax(1), explainers, changed, "attacked-")
