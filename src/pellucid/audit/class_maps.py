"""What matters for each class over many images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from PIL import Image

from pellucid import config, evaluate
from pellucid.audit.part import Announced, Finding, Part, Task, check_counts
from pellucid.drawing import coloured, scaled
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Passes
from pellucid.explain import NormLime
from pellucid.runs import Subject


@final
@dataclass(frozen=True)
class ClassMaps(Part):
    """NormLIME's importance of each part of the image for each class, from LIME's explanations of `n` images.

    Nothing is drawn for a class that no image was predicted as. All maps share one scale, which 2 % of all values
    exceed.
    """

    explainer: NormLime = field(default_factory=NormLime)
    n: int = 50

    labelled = False

    def __post_init__(self) -> None:
        check_counts(self, 1, "n")
        if self.explainer.words:
            raise ConfigError(
                "ClassMaps draws maps, and words have no place in the image; leave NormLime's words at 0"
            )

    def passes(self, subject: Subject) -> Passes:
        """LIME's masks for each image."""
        masks = self.explainer.lime.masks
        masks = masks if isinstance(masks, int) and masks else 1000
        return Passes(min(self.n, len(subject.split)) * masks, 0)

    def announced(self) -> Sequence[Announced]:
        """None: it has other things to say."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Explain them one by one, then put that together."""
        classes = task.subject.split.classes

        def watch(step: evaluate.Explained) -> None:
            task.watch(step.done, step.total, "LIME for class maps")

        folder = evaluate.explain(
            task.subject.model, task.some(self.n), self.explainer, task.place, seed=task.seed, batch=16, watch=watch
        )
        importance = folder.importance(self.explainer.rule)
        learnt = self.explainer.taught(importance, task.subject.split.shape)
        known = (importance.counts > 0).any(1) if importance.counts.dim() > 1 else importance.counts > 0
        some = task.batch(1)
        shown = {name: number for number, name in enumerate(classes) if bool(known[min(number, len(known) - 1)])}
        maps = {
            name: learnt.on(task.subject.model, some, number).map[0].mean(0).cpu() for name, number in shown.items()
        }
        _, scale = scaled(torch.stack([*maps.values()]).flatten(1), share=0.98) if maps else (None, 0.0)
        paths: dict[str, str] = {}
        for name, map in maps.items():
            picture = Image.fromarray(coloured(map / (scale or 1.0), signed=False))
            paths[name] = task.keep(picture, str(shown[name]))
        details = {
            "classes": paths,
            "scale": scale,
            "images": min(self.n, len(task.subject.split)),
            "explainer": config.dump(self.explainer),
        }
        return Finding(details=details)
