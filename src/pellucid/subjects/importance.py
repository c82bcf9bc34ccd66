"""What is important to a subject for each class."""

from pathlib import Path
from typing import Any

from pellucid import evaluate
from pellucid.evaluate import ImportanceFolder
from pellucid.evaluate.class_importance.explaining import Labels
from pellucid.explainers.normlime import NormLime
from pellucid.ledger import Job
from pellucid.subjects.subject import Subject


def importance_of(
    subject: Subject,
    explainer: NormLime,
    folder: Path,
    *,
    labels: Labels = "predicted",
    seed: int = 0,
    job: Job = Job(),
) -> ImportanceFolder:
    """Explain every image, in a folder inside `folder` that is named by all that the explanations depend on."""
    if labels == "true":
        subject.check_labeled("--labels true explains for labels")
    return evaluate.explain_split(subject.model, subject.split, explainer, folder, labels=labels, seed=seed, job=job)


def importance_summary(
    subject: Subject, found: ImportanceFolder, explainer: NormLime, *, top: int = 5
) -> dict[str, Any]:
    """The most important features of each class, for tables and JSON; all of them are written to the folder."""
    return {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        **evaluate.write_importance(found, subject.split, explainer, top=top),
    }
