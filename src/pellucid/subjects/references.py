"""The maps of a subject: what another network's gradients may be asked to resemble."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pellucid.explainers import Explainer
from pellucid.ledger import Job, all_of
from pellucid.subjects.subject import Subject
from pellucid.train.references import MapFolder, make
from pellucid.train.references.making import Precision


def references_of(
    subject: Subject,
    explainers: Mapping[str, Explainer],
    folder: Path,
    *,
    of: int | Literal["label", "predicted"] = "label",
    seed: int = 0,
    dtype: Precision = "float32",
    job: Job = Job(),
) -> list[MapFolder]:
    """The maps of every explainer, each in a folder inside `folder`; `job.watch` hears whose are made."""
    if of == "label":
        subject.check_labeled("--of label explains for labels")

    def made(name: str, explainer: Explainer) -> MapFolder:
        own = job.called(name)
        return make(subject.model, subject.split, explainer, folder, of=of, seed=seed, dtype=dtype, job=own)

    return all_of([partial(made, *each) for each in explainers.items()])


def references_summary(subject: Subject, made: Sequence[MapFolder]) -> dict[str, Any]:
    """The folder of the maps and what they are of, for tables and JSON."""
    return {
        "teacher": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        "images": len(subject.split),
        "maps": [{"path": str(one.path), "fingerprint": one.fingerprint, **one.about} for one in made],
    }
