"""Labeled images: where they come from, how they are read in batches, and how they are varied."""

from pellucid.data.arrays import load_npz
from pellucid.data.augment import Augmentation, Flip, PadCrop, RandomResizedCrop
from pellucid.data.cifar import load_cifar10, load_cifar100
from pellucid.data.columns import column_from
from pellucid.data.datasets import Data, Loader, Request
from pellucid.data.digits import load_digits
from pellucid.data.download import Report, silent
from pellucid.data.folder import load_folder
from pellucid.data.holdout import holdout
from pellucid.data.loading import load
from pellucid.data.mnist import load_mnist
from pellucid.data.pictures import Pictures, pictures
from pellucid.data.relabeled import with_random_labels
from pellucid.data.split import Split, sequential
from pellucid.data.statistics import statistics
from pellucid.data.streamed import StreamedSplit
from pellucid.data.tensors import TensorSplit
from pellucid.data.unlabeled import is_flat, load_unlabeled
from pellucid.registry import Registry

DATA: Registry[Loader] = Registry(
    "dataset",
    {
        "digits": load_digits,
        "mnist": load_mnist,
        "cifar10": load_cifar10,
        "cifar100": load_cifar100,
        "npz": load_npz,
        "folder": load_folder,
    },
)

AUGMENTATIONS: Registry[type[Augmentation]] = Registry(
    "augmentation",
    {
        "flip": Flip,
        "pad-crop": PadCrop,
        "random-resized-crop": RandomResizedCrop,
    },
)

__all__ = [
    "DATA",
    "AUGMENTATIONS",
    "load",
    "Data",
    "Loader",
    "Request",
    "Report",
    "silent",
    "Split",
    "TensorSplit",
    "StreamedSplit",
    "sequential",
    "Pictures",
    "pictures",
    "holdout",
    "with_random_labels",
    "is_flat",
    "load_unlabeled",
    "column_from",
    "statistics",
    "Augmentation",
    "Flip",
    "PadCrop",
    "RandomResizedCrop",
]
