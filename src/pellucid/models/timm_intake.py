"""What timm says of the images that its networks take, and of their classes."""

from collections.abc import Mapping
from typing import Any, get_args

from torch import nn

from pellucid.class_names import class_names
from pellucid.intake import Intake, Interpolation


def timm_intake(name: str, network: nn.Module, expected: Mapping[str, Any], data: Any) -> Intake:
    """How timm would show images to a network of its own; `data` is its module of that name.

    Classes are known where weights of timm's own have them, or where what describes the network names them. A network
    that was made for another number of classes has no names.
    """
    settings: Mapping[str, Any] = getattr(network, "pretrained_cfg", None) or {}
    channels, height, width = expected.get("input_size", (3, 224, 224))
    patches = getattr(network, "patch_embed", None)
    if (size := getattr(patches, "img_size", None)) is not None:
        height, width = (size, size) if isinstance(size, int) else size
    scaled = str(expected.get("interpolation", ""))
    return Intake(
        (_channels(network, channels), height, width),
        crop=min(float(expected.get("crop_pct") or 1), 1.0),
        # what is drawn at random in training is bilinear here
        interpolation=next((known for known in get_args(Interpolation) if known == scaled), "bilinear"),
        stretched=expected.get("crop_mode") == "squash",
        classes=_classes(name, settings, getattr(network, "num_classes", 0), data),
    )


def _channels(network: nn.Module, otherwise: int) -> int:
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    return otherwise if first is None else first.in_channels


def _classes(name: str, settings: Mapping[str, Any], outputs: int, data: Any) -> tuple[str, ...]:
    names, described = settings.get("label_names"), settings.get("label_descriptions") or {}
    if isinstance(names, Mapping):
        names = [names[key] for key in sorted(names, key=int)]
    if names:
        several = [described.get(name, name) for name in names]
        several = [text if text == name else f"{text}, {name}" for name, text in zip(names, several, strict=True)]
        return tuple(several) if len(several) == outputs else ()
    # a number of classes is proof of nothing elsewhere
    published = ":" not in name or name.startswith("hf-hub:timm/")
    if not published or settings.get("num_classes") != outputs:
        return ()
    subset = data.infer_imagenet_subset(dict(settings))
    if subset is None:
        return ()
    if outputs == 1000:
        return class_names("imagenet")
    info = data.ImageNetInfo(subset)
    return tuple(f"{text}, {id_}" for text, id_ in zip(info.label_descriptions(), info.label_names(), strict=True))
