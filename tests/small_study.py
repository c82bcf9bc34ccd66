"""A study of a few weights, which takes seconds."""

from pellucid.attacks import PGD
from pellucid.studies import Claim, Place, Plan, Row, Scale, Study
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.robust_accuracy import RobustAccuracy

PLAN = Plan("tiny", assignments=("data.source=digits", "model.name=mlp"))

STUDY = Study(
    "a study for tests",
    (
        Row("standard", "standard"),
        Row("short", "double-backprop", about="short gradients"),
        Row("taught", "direction-only", settings={"references.reference.explainer": {"kind": "gradient"}}),
    ),
    {"accuracy": Accuracy(), "attacked": RobustAccuracy(PGD(eps=0.1, steps=2))},
    (
        Claim("Training beats chance.", (Place("standard", "accuracy"),), than=0.15, holds="It does."),
        Claim("Attacks find nothing.", (Place("standard", "attacked"),), (Place("standard", "accuracy"),)),
    ),
    {
        "tiny": Scale(
            {
                "data.first": 600,
                "recipe.epochs": 2,
                "recipe.batch": 20,
                "objective.cross-entropy.at.attack.steps": 1,
            },
            images=40,
            few=10,
        )
    },
    remarks=("It is small.",),
)
