"""Labeled images: where they come from, how they are read in batches, and how they are varied."""

import lazy_loader

from pellucid.registry import Registry

DATA = Registry(
    "dataset",
    {
        "digits": "pellucid.data.digits:load_digits",
        "mnist": "pellucid.data.mnist:load_mnist",
        "cifar10": "pellucid.data.cifar:load_cifar10",
        "cifar100": "pellucid.data.cifar:load_cifar100",
        "npz": "pellucid.data.npz:load_npz",
        "folder": "pellucid.data.folder:load_folder",
        "hf": "pellucid.data.hugging_face:load_hugging_face",
    },
)

AUGMENTATIONS = Registry(
    "augmentation",
    {
        "flip": "pellucid.data.flip:Flip",
        "pad-crop": "pellucid.data.pad_crop:PadCrop",
        "random-resized-crop": "pellucid.data.random_resized_crop:RandomResizedCrop",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
