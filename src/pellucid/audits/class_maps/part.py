"""What matters for each class over many images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from PIL import Image

from pellucid import config, evaluate
from pellucid.audits.class_maps.details import Details
from pellucid.audits.finding import Finding
from pellucid.audits.part import Announced, Part, Task, check_counts
from pellucid.drawing import colored, scaled
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Passes
from pellucid.explainers import NormLime
from pellucid.papers import cites
from pellucid.subjects import Subject

_GRAY = "gray: nothing that could be hidden is there in any image of the class"


@cites()
@final
@dataclass(frozen=True)
class ClassMaps(Part):
    """NormLIME's importance of each part of the image for each class, from LIME's explanations of `n` images.

    A class that no image was predicted as has no map, and why. Places that no image of a class has anything at are
    gray. All maps share one scale, which 2 % of all values exceed.
    """

    explainer: NormLime = field(default_factory=NormLime)
    n: int = 50

    lightened = (("n", 6),)

    labeled = False

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
        """The figures that it will find: none, since it makes maps."""
        return []

    def carry_out(self, task: Task) -> Finding:
        """Explain them one by one, then put that together."""
        job = task.job(16, lambda _: "LIME for class maps")
        folder = evaluate.explain_split(
            task.subject.model, task.some(self.n), self.explainer, task.place, seed=task.seed, job=job
        )
        importance = folder.importance(self.explainer.rule)
        names = evaluate.names_of(folder, task.subject.split, importance)
        missing = evaluate.missing(folder, importance, names)
        segments = evaluate.shared_segments(self.explainer, task.subject.split.shape)
        maps = evaluate.class_maps(importance, segments)
        known = importance.counts[:, segments.flatten()].view(maps.shape) > 0
        counted = importance.values[importance.counts > 0]
        _, scale = scaled(counted[None], share=0.98) if len(counted) else (None, 0.0)
        paths: dict[str, str] = {}
        for number, name in enumerate(names):
            if name not in missing:
                map = (maps[number] / (scale or 1.0)).where(known[number], torch.nan)
                paths[name] = task.keep(Image.fromarray(colored(map, signed=False)), str(number))
        gray = any(not bool(known[number].all()) for number, name in enumerate(names) if name not in missing)
        details = Details(
            paths,
            missing,
            scale,
            min(self.n, len(task.subject.split)),
            folder.fit(),
            folder.idle(),
            (*evaluate.notes_of(folder, self.explainer), *([_GRAY] if gray else [])),
            config.kind_of(type(self.explainer)),
        )
        return Finding(details=details)
