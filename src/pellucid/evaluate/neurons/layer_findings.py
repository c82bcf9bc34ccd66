"""What the tables of an examination come to, layer by layer."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pellucid.errors import MeasurementError
from pellucid.evaluate.neurons.examining import Examined
from pellucid.evaluate.neurons.observing import column_of
from pellucid.evaluate.neurons.support import Support, supports
from pellucid.metrics import Estimate
from pellucid.metrics.neurons import (
    Ambiguity,
    ClassSimilarity,
    DistanceRatios,
    Identity,
    NeuronTable,
    Reading,
    ambiguity,
    consistency,
    distance_ratios,
)

Which = Literal["succeeded", "all"]
"""Which attacked images count: those that the network takes for the class that they were led to, or all."""


@dataclass(frozen=True, eq=False)
class LayerFindings:
    """One layer: its neurons by themselves and by a similarity of classes, and what attacks and errors show.

    `tried` pairs of an image and another class were attacked, and `succeeded` of them; `which` of them count.
    `missing` says of what could not be measured why: of `neurons` (all are dead), of `ambiguity`, of `ratios`, and of
    the support's `errors` and `attacks`.
    """

    layer: str
    identity: NeuronTable
    table: NeuronTable
    ambiguity: Ambiguity | None
    ratios: DistanceRatios | None
    support: Support | None
    which: Which
    tried: int
    succeeded: int
    missing: dict[str, str]

    def content(self) -> dict[str, Any]:
        """Figures with intervals, for tables and JSON; what is missing is None."""
        figures: dict[str, Estimate | None] = dict.fromkeys(FIGURES)
        if len(self.table):
            figures |= {
                "identity": self.identity.mean,
                "identity_corrected": self.identity.mean_corrected,
                "level": self.table.mean,
                "corrected": self.table.mean_corrected,
                "beyond": self.table.beyond(),
            }
        if self.ambiguity is not None:
            figures |= self.ambiguity.means()
        if self.ratios is not None:
            figures |= {"r_mean": self.ratios.mean, "r_inst": self.ratios.instance}
        if self.support is not None:
            for name in ("errors", "attacks"):
                if name not in self.missing:
                    figures[f"auroc_{name}"] = getattr(self.support, name)
        return {
            "layer": self.layer,
            "neurons": len(self.table) + self.table.dead,
            "dead": self.table.dead,
            "images": self.table.images,
            "count": self.table.count,
            "identity_chance": self.identity.chance,
            "chance": self.table.chance,
            **{name: None if found is None else asdict(found) for name, found in figures.items()},
            "which": self.which,
            "tried": self.tried,
            "succeeded": self.succeeded,
            "ratios_undefined": 0 if self.ratios is None else self.ratios.undefined,
            "support_unknown": 0 if self.support is None else self.support.unknown,
            "missing": {name: self.missing[_PARTS[name]] for name, found in figures.items() if found is None},
        }


FIGURES = (
    *("identity", "identity_corrected", "level", "corrected", "beyond"),
    *("content", "target", "content_above", "target_above", "difference"),
    *("r_mean", "r_inst", "auroc_errors", "auroc_attacks"),
)
"""What a layer is measured by, by the names in JSON."""


_PARTS = {
    **dict.fromkeys(FIGURES[:5], "neurons"),
    **dict.fromkeys(FIGURES[5:10], "ambiguity"),
    **dict.fromkeys(FIGURES[10:12], "ratios"),
    "auroc_errors": "errors",
    "auroc_attacks": "attacks",
}


def findings(
    examined: Examined,
    similarity: ClassSimilarity = Identity(),
    how: Reading = Reading(),
    *,
    which: Which = "succeeded",
    seed: int = 0,
) -> tuple[LayerFindings, ...]:
    """Each layer's measures. They cost no further passes, so that any `similarity` and reading can be tried.

    Images that an attack led to their class tell how neurons are misled. To compare networks that resist attacks
    differently well, `all` attacked images count: those that succeed are other images for each.
    """
    return tuple(_at(examined, layer, similarity, how, which, seed) for layer in examined.probing.layers)


def _at(
    examined: Examined, layer: str, similarity: ClassSimilarity, how: Reading, which: Which, seed: int
) -> LayerFindings:
    known, classes = examined.activations.columns, examined.classes
    own, labels = known[column_of(layer)], known["y"]
    plain = consistency(own, labels, Identity(), classes=classes, how=how, seed=seed)
    table = plain
    if similarity != Identity():
        table = consistency(own, labels, similarity, classes=classes, how=how, seed=seed)
    missing = dict[str, str]() if len(plain) else {"neurons": "every neuron says the same of all images"}
    found = ratios = None
    tried = succeeded = 0
    if examined.attacked is None:
        missing["ambiguity"] = missing["ratios"] = "no image was attacked"
    else:
        columns = examined.attacked.columns
        tried, succeeded = int((~columns["reached_at_start"]).sum()), int(columns["counted"].sum())
        rows = columns["counted"] if which == "succeeded" else ~columns["reached_at_start"]
        kept = {name: column[rows] for name, column in columns.items()}
        if len(kept["y"]) < 2:
            missing["ambiguity"] = f"{succeeded} of {tried} attacks succeeded; 2 or more are needed"
            missing["ratios"] = missing["ambiguity"]
        else:
            seen, targets = kept[column_of(layer)], kept["target"]
            found = ambiguity(own, labels, seen, kept["y"], targets, classes=len(classes), how=how, seed=seed)
            if not len(found):
                missing["ambiguity"] = "every neuron says the same of all images, or of all that were attacked"
                found = None
            ratios = distance_ratios(own, labels, seen, _rows(known["index"], kept["index"]), targets)
            if bool(ratios.means.isnan().all() | ratios.instances.isnan().all()):
                missing["ratios"], ratios = "no image of a target class differs from what was attacked", None
    support = _support(examined, layer, similarity, how, seed, missing)
    return LayerFindings(layer, plain, table, found, ratios, support, which, tried, succeeded, missing)


def _support(
    examined: Examined, layer: str, similarity: ClassSimilarity, how: Reading, seed: int, missing: dict[str, str]
) -> Support | None:
    """The support of predictions; what cannot be measured is noted as missing."""
    try:
        support = supports(examined, layer, similarity, how, seed=seed)
    except MeasurementError as error:
        return missing.update(errors=str(error), attacks=str(error))
    for name in ("errors", "attacks"):
        try:
            getattr(support, name)
        except MeasurementError as error:
            missing[name] = str(error)
    return support


def _rows(numbers: Tensor, wanted: Tensor) -> Tensor:
    """The rows in which images of these numbers are."""
    ascending, order = numbers.sort()
    return order[torch.searchsorted(ascending, wanted)]
