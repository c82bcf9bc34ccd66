"""Curves for TensorBoard, where that extra is installed."""

from pathlib import Path
from typing import TYPE_CHECKING

from pellucid import files
from pellucid.errors import MissingExtra
from pellucid.train import Epoch

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


def check_available() -> None:
    """Say what is missing for curves, before a training begins that would end without them."""
    try:
        import torch.utils.tensorboard  # pyright: ignore[reportUnusedImport]  # noqa: F401
    except ImportError as error:
        raise MissingExtra("--tensorboard needs an extra: pip install 'pellucid[tensorboard]'") from error


def curves(folder: Path) -> "SummaryWriter":
    """A writer of curves into a folder."""
    check_available()
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(files.inner_folder(folder)))


def draw(board: "SummaryWriter", epoch: Epoch) -> None:
    """Add an epoch's figures to the curves; drawn again after a resume, they lie on top of themselves."""
    figures = {"loss": epoch.loss, "accuracy": epoch.accuracy, "learning rate": epoch.learning_rate}
    figures |= {f"terms/{name}": value for name, value in epoch.terms.items()}
    figures |= {f"weights/{name}": value for name, value in epoch.weights.items()}
    if epoch.validation is not None:
        figures["validation accuracy"] = epoch.validation.value
    for name, value in figures.items():
        board.add_scalar(name, value, epoch.number)
    board.flush()
