"""Looking at the neurons of a subject."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pellucid import config
from pellucid.attacks import Attack, Budget, named
from pellucid.config import Table
from pellucid.data import sequential
from pellucid.evaluate.neurons import Examined, Probing, Which, examine, findings, write_findings
from pellucid.ledger import Job
from pellucid.looking import look
from pellucid.metrics.neurons import ClassSimilarity, Reading, WordNet
from pellucid.objectives.last_features import last_features
from pellucid.probe import frozen
from pellucid.subjects.subject import Subject, check_outputs


def layers_of(subject: Subject, names: Sequence[str]) -> tuple[str, ...]:
    """The layers named, or else the one that the last linear layer or convolution reads."""
    some = subject.split.take(2)
    (images,) = some.batches(sequential(some, 2))
    with frozen(subject.model), torch.no_grad():
        told = look(subject.model, images.x).shape[1]
    check_outputs(subject.name, told, subject.source, subject.split.classes)
    if names:
        return tuple(names)
    return (last_features(subject.model, images.x),)


def similarity_of(name: str) -> ClassSimilarity:
    """How alike classes are, by the name of a kind, a TOML file with the kind and its settings, or one of hypernyms.

    A file of hypernyms ends in .txt, as ImageNet's `wordnet.is_a.txt` does.
    """
    if name.endswith(".txt"):
        return WordNet(name)
    table: Table = config.read(Path(name)) if name.endswith(".toml") else {"kind": name}
    return config.build(ClassSimilarity, table)


def leading(name: str, budget: Budget | None, *, norm: str = "", assignments: Sequence[str] = ()) -> Attack | None:
    """The attack that leads images to other classes; none without a budget."""
    if budget is None:
        return None
    (attack,) = named(name, eps=(budget.eps,), norm=norm, goals=("lowest-loss",), assignments=assignments)
    return attack


def neurons_of(
    subject: Subject,
    probing: Probing,
    folder: Path,
    *,
    seed: int = 0,
    job: Job = Job(),
) -> Examined:
    """The passes over all images, kept in a folder inside `folder` that is named by all that they depend on."""
    subject.check_labeled("neurons are judged by labels")
    return examine(subject.model, subject.split, probing, folder, seed=seed, job=job)


def neurons_summary(
    subject: Subject,
    examined: Examined,
    similarity: ClassSimilarity,
    how: Reading,
    *,
    which: Which = "succeeded",
    seed: int = 0,
    top: int = 5,
) -> dict[str, Any]:
    """Each layer's figures and its `top` neurons from both ends, for tables and JSON; the folder gets all."""
    found = findings(examined, similarity, how, which=which, seed=seed)
    return {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        **write_findings(examined, found, similarity, how, top=top),
    }
