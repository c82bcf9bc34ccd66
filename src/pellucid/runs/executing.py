"""Carrying out a specification in its folder."""

import platform
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric
from torch import nn

from pellucid import files, models
from pellucid.data import Data, Split
from pellucid.errors import MissingExtra, RunBusy
from pellucid.ledger import Progress
from pellucid.metrics import Estimate
from pellucid.randomness import derive
from pellucid.runs.folder import RunFolder, test_accuracy
from pellucid.runs.mending import mended, sound
from pellucid.runs.preparing import teacher, training_images
from pellucid.runs.spec import Spec
from pellucid.train import Epoch, Resumed, Step, accuracy, fit_steps
from pellucid.train.references import Stored, Taught, make_steps

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


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


def execute(
    spec: Spec, source: Data, folder: RunFolder, fabric: Fabric, *, tensorboard: bool = False
) -> Generator[Event]:
    """Train what the specification says, going on from where an earlier attempt was stopped."""
    if _is_complete(spec, source, folder, fabric):
        yield Finished(folder, test_accuracy(folder))
        return
    if tensorboard:
        _check_tensorboard()
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
        board = _curves(folder.path / "tensorboard") if tensorboard and fabric.is_global_zero else None
        for event in events:
            if isinstance(event, Resumed):
                epochs = list(event.history)
            elif isinstance(event, Epoch):
                epochs.append(event)
                if board is not None:
                    _draw(board, event)
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
        train = train.with_column(name, reference.maps(training_images(reference, spec, source), spec.seed))
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


def _check_tensorboard() -> None:
    """Say what is missing for curves, before a training begins that would end without them."""
    try:
        import torch.utils.tensorboard  # pyright: ignore[reportUnusedImport]  # noqa: F401
    except ImportError as error:
        raise MissingExtra("--tensorboard needs an extra: pip install 'pellucid[tensorboard]'") from error


def _curves(folder: Path) -> "SummaryWriter":
    """A writer of curves into a folder."""
    _check_tensorboard()
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(files.inner_folder(folder)))


def _draw(board: "SummaryWriter", epoch: Epoch) -> None:
    """Add an epoch's figures to the curves; drawn again after a resume, they lie on top of themselves."""
    figures = {"loss": epoch.loss, "accuracy": epoch.accuracy, "learning rate": epoch.learning_rate}
    figures |= {f"terms/{name}": value for name, value in epoch.terms.items()}
    figures |= {f"weights/{name}": value for name, value in epoch.weights.items()}
    if epoch.validation is not None:
        figures["validation accuracy"] = epoch.validation.value
    for name, value in figures.items():
        board.add_scalar(name, value, epoch.number)
    board.flush()
