"""Carrying out a specification in its folder."""

import hashlib
import platform
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from pellucid import config, files, models
from pellucid.config import Table
from pellucid.data import Data, Split, statistics
from pellucid.data.download import Report, silent
from pellucid.errors import ConfigError, RunBusy
from pellucid.ledger import Progress
from pellucid.metrics import Estimate
from pellucid.randomness import derive
from pellucid.runs.curves import check_available, curves, draw
from pellucid.runs.folder import RunFolder, test_accuracy
from pellucid.runs.loading import load_data
from pellucid.runs.mending import mended, sound
from pellucid.runs.references import check_teachers, identified, images_of, teacher
from pellucid.runs.spec import ModelSpec, Spec, augmented, build
from pellucid.train import Epoch, Resumed, Step, accuracy, fit_steps
from pellucid.train.references import Stored, Taught, make_steps


@dataclass(frozen=True)
class Finished:
    """The run is complete: where it lies and what its network scores on the test images."""

    folder: RunFolder
    test: Estimate


@dataclass(frozen=True)
class Teaching:
    """A teacher is trained first, in a folder of its own; its steps and epochs come next."""

    folder: RunFolder


Event = Teaching | Progress | Resumed | Step | Epoch | Finished


def prepare(settings: Table, report: Report = silent) -> tuple[Spec, Data]:
    """Load the data that settings name, and complete the settings with what follows from it."""
    named = build(settings)
    known = named.data
    _check_options(named.model)
    check_teachers(named)
    source = load_data(known, report)
    parts = [split.fingerprint() for split in (source.train, source.validation, source.test) if split is not None]
    fingerprint = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
    if known.fingerprint not in ("", fingerprint):
        raise ConfigError(
            f"the images of '{known.source}' are not those that the settings were made for; "
            "set data.fingerprint to '' to train on these"
        )
    spec = build(augmented(settings, source.augment))
    spec = replace(spec, data=replace(spec.data, fingerprint=fingerprint), model=_complete(spec, source))
    return replace(spec, references=identified(spec, source)), source


def execute(
    spec: Spec, source: Data, folder: RunFolder, fabric: Fabric, *, tensorboard: bool = False
) -> Generator[Event]:
    """Train what the specification says, going on from where an earlier attempt was stopped."""
    if _is_complete(spec, source, folder, fabric):
        yield Finished(folder, test_accuracy(folder))
        return
    if tensorboard:
        check_available()
    model = build_model(spec)  # before the folder is made, since it may turn out to be none
    with _alone(folder, fabric):
        if fabric.is_global_zero:
            folder.write_spec(spec)
            folder.write_json("environment.json", environment(fabric))
        train = yield from _attached(spec, source, folder, fabric)
        epochs: list[Epoch] = []
        events = fit_steps(
            model,
            train,
            spec.objective,
            spec.recipe,
            seed=spec.seed,
            validation=source.validation,
            fabric=fabric,
            checkpoints=folder.checkpoints,
        )
        board = curves(folder.path / "tensorboard") if tensorboard and fabric.is_global_zero else None
        for event in events:
            if isinstance(event, Resumed):
                epochs = list(event.history)
            elif isinstance(event, Epoch):
                epochs.append(event)
                if board is not None:
                    draw(board, event)
            if fabric.is_global_zero and not isinstance(event, Step):
                folder.write_epochs(epochs)
            yield event
        test = accuracy(model, source.test.to(fabric.device), rank=fabric.global_rank, ranks=fabric.world_size)
        if fabric.is_global_zero:
            folder.write_model(model, spec)
            folder.write_result(asdict(test), epochs=len(epochs), model=model)
            folder.checkpoints.clear()
        yield Finished(folder, test)


def _is_complete(spec: Spec, source: Data, folder: RunFolder, fabric: Fabric) -> bool:
    """Whether there is nothing left to train, also after a look at every file."""
    complete = folder.complete
    if fabric.broadcast(complete and not sound(folder)):
        with _alone(folder, fabric):
            complete = fabric.broadcast(fabric.is_global_zero and mended(folder, spec, source, fabric))
    if complete and fabric.is_global_zero:
        folder.checkpoints.clear()  # which a kill right after the last file was written may have left
    return complete


def _attached(spec: Spec, source: Data, folder: RunFolder, fabric: Fabric) -> Generator[Event, None, Split]:
    """The training images with a column for each reference."""
    train = source.train
    for name, reference in spec.references.items():
        if isinstance(reference, Taught):
            path = yield from _taught(reference, spec, source, folder, fabric)
            reference = Stored(path, threshold=reference.threshold, permute=reference.permute)  # noqa: PLW2901
        train = train.with_column(name, reference.maps(images_of(reference, spec, source), spec.seed))
    return train


def _taught(
    taught: Taught, spec: Spec, source: Data, folder: RunFolder, fabric: Fabric
) -> Generator[Event, None, str]:
    """Train a teacher beside the student, or find it, and make its maps; where they lie."""
    lesson = teacher(taught, spec, source)
    place = RunFolder(folder.path.parent / lesson.folder)
    yield Teaching(place)
    for event in execute(lesson, source, place, fabric):
        if not isinstance(event, Finished):
            yield event
    path = ""
    if fabric.is_global_zero:
        model = fabric.to_device(place.network(lesson))
        images = source.train.to(fabric.device)
        out = files.inner_folder(place.path / "references")
        made = yield from make_steps(model, images, taught.explainer, out, seed=spec.seed)
        path = str(made.path)
    return fabric.broadcast(path)


def build_model(spec: Spec) -> nn.Module:
    """The network that a specification starts from."""
    model = models.build(spec.model.name, seed=derive(spec.seed, "model"), **spec.model.options)
    if spec.model.init:
        models.fit_weights(model, models.read_weights(spec.model.init), spec.model.init)
    return model


def environment(fabric: Fabric) -> dict[str, Any]:
    """What the run ran on."""
    device = fabric.device
    return {
        "pellucid": version("pellucid"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "processes": fabric.world_size,
        "threads": torch.get_num_threads(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


@contextmanager
def _alone(folder: RunFolder, fabric: Fabric) -> Generator[None]:
    """The folder's lock, held by the first process; all processes give up together where it is taken."""
    busy = ""
    with ExitStack() as stack:
        if fabric.is_global_zero:
            try:
                stack.enter_context(folder.lock())
            except RunBusy as error:
                busy = str(error)
        if busy := fabric.broadcast(busy):
            raise RunBusy(busy)
        yield


def _check_options(model: ModelSpec) -> None:
    """Refuse options that the network does not take, before any data are read."""
    known = models.options_of(model.name)
    for option in model.options:
        if known is not None and option not in known:
            raise config.no_setting(f"model.options.{option}", [f"model.options.{name}" for name in known])


def _complete(spec: Spec, source: Data) -> ModelSpec:
    """The network's settings, with those that follow from the data and from the weights it starts from."""
    options = dict(spec.model.options)
    if spec.model.name in models.MODELS:
        options = {"shape": list(source.train.shape), "classes": len(source.train.classes)} | options
        if spec.model.normalize:
            # rounded, since sums in another order would otherwise give the same run another name
            mean, std = ([round(value, 4) for value in values] for values in statistics(source.train))
            # a channel without any variation is left at its scale
            options = {"mean": mean, "std": [value or 1.0 for value in std]} | options
    checksum = ""
    if spec.model.init:
        models.read_weights(spec.model.init)  # says what is wrong with the file before a folder is named after it
        checksum = files.checksum(Path(spec.model.init))
    return replace(spec.model, options=options, init_checksum=checksum)
