"""What Ahern et al. (2019) claim of NormLIME, on digits."""

from dataclasses import replace

from pellucid.evaluate.retrain import ByExplainer, MeanWeight, NormLimeWeights, Protocol, Random, Ranking, Variance
from pellucid.explainers import SmoothGrad, VarGrad
from pellucid.explainers.lime import Grid, Lime
from pellucid.papers import AHERN
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.retrained import Retrained
from pellucid.studies.study import Row, Scale, Study

ROW = "network"
# every pixel is a cell, so that LIME tells as much apart as the gradients do
_LIME = Lime(Grid(8, 8), masks=640, baseline="mean")
_NORMLIME = NormLimeWeights(images=200, lime=_LIME)

RANKINGS: dict[str, Ranking] = {
    "normlime": _NORMLIME,
    "normlime of the class": replace(_NORMLIME, by="class"),
    "mean weight": MeanWeight(images=200, lime=_LIME),
    "mean weight of the class": MeanWeight(by="class", images=200, lime=_LIME),
    "lime": ByExplainer(_LIME),
    "smoothgrad": ByExplainer(SmoothGrad(samples=25)),
    "vargrad": ByExplainer(VarGrad(samples=25)),
    "variance": Variance(),
    "random": Random(),
}
COLUMNS: dict[str, Column] = {"accuracy": Accuracy(), "retrained": Retrained(RANKINGS)}

_KINDS: dict[Protocol, tuple[str, str]] = {
    "kar": ("Networks learn more from the pixels that {} ranks first alone", "more"),
    "roar": ("Networks lose more with the pixels that {} ranks first", "less"),
}
# global orders are compared with global ones, and those of a class or an image with those
_COMPARED = {
    "normlime": ("mean weight", "variance", "random"),
    "normlime of the class": ("mean weight of the class", "lime", "smoothgrad", "vargrad", "random"),
}


def _claim(protocol: Protocol, first: str, second: str) -> Claim:
    says, direction = _KINDS[protocol]
    return Claim(
        f"{says.format(first)} than by {second} ({protocol.upper()}).",
        (Place(ROW, f"retrained/{protocol}/{first}"),),
        (Place(ROW, f"retrained/{protocol}/{second}"),),
        direction="more" if direction == "more" else "less",
        source="abstract: more faithful than other methods",
        holds=f"{first} is the better order.",
        fails=f"{second} is as good an order.",
    )


CLAIMS = tuple(
    _claim(protocol, first, second) for protocol in _KINDS for first, others in _COMPARED.items() for second in others
)

AHERN2019_DIGITS = Study(
    "NormLIME on digits (Ahern, Noack et al. 2019): does it find the pixels that networks learn from?",
    (
        Row(
            ROW,
            "standard",
            settings={"model.name": "lenet", "recipe.batch": 64},
            about="whose decisions are explained",
        ),
    ),
    COLUMNS,
    CLAIMS,
    {
        "smoke": Scale(
            {"data.source": "digits", "recipe.epochs": 2, "recipe.optimizer": {"kind": "adam", "lr": 0.003}},
            images=20,
            seeds=1,
        ),
        "hour": Scale(
            {"data.source": "digits", "recipe.epochs": 20, "recipe.optimizer": {"kind": "adam", "lr": 0.002}},
            images=20,
            seeds=4,
        ),
    },
    paper=AHERN,
    remarks=(
        "A figure is the mean height of a curve over the shares 10, 30, 50, 70 and 90 % of pixels: by KAR they alone "
        "are kept, by ROAR they are removed, and a fresh network is trained and tested on what is left.",
        "Orders by class or by image tell more than which pixels matter: where the class is read from the order, a "
        "network learns it from the holes. They are compared with each other, and not with global orders.",
        "The paper's study with people is not repeated here.",
    ),
)
