"""What transformers says of the images that a classifier takes, and of its classes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pellucid.errors import ConfigError
from pellucid.intake import Intake, Interpolation
from pellucid.printable import printable

# by the numbers that Pillow gives them
_WAYS: tuple[Interpolation, ...] = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
_LONGEST = 200  # letters of a name
_WARPED = 384  # from this size on, processors with a `crop_pct` squeeze pictures

Numbers = tuple[float, ...] | None


def said_by(
    config: Mapping[str, Any], processor: Mapping[str, Any] | None, options: Mapping[str, object], owner: str
) -> tuple[Intake, Numbers, Numbers]:
    """How images are scaled and cropped, and the mean and deviation that they are normalized by.

    `processor` are the settings of the network's image processor. What `options` say comes first; where nothing says
    how pixels are normalized, the network is refused, since it would be shown other images than it has learned.
    """
    channels = config.get("num_channels", 3)
    mean, std = _numbers(options, "mean", owner), _numbers(options, "std", owner)
    intake = Intake(_shape(options, owner) or _plain_shape(config, channels), classes=_classes(config))
    if processor is None:
        if mean is None or std is None:
            raise ConfigError(
                f"'{owner}' has no preprocessor_config.json to say how pixels are normalized; add that file, "
                "or say it: --option mean=[0.5,0.5,0.5] --option std=[0.5,0.5,0.5]"
            )
        return intake, mean, std
    if mean is None and std is None:
        mean, std = _normalization(processor, channels)
    if "shape" not in options:
        intake = _scaled(processor, channels, intake)
    return intake, mean, std


def _scaled(processor: Mapping[str, Any], channels: int, plain: Intake) -> Intake:
    size, crop = (_sides(processor.get(name)) for name in ("size", "crop_size"))
    way = processor.get("resample", 2)
    interpolation = _WAYS[int(way)] if isinstance(way, int) and 0 <= int(way) < len(_WAYS) else "bilinear"
    if size is None or processor.get("do_resize") is False:
        shape = plain.shape if crop is None else (channels, *crop)
        return Intake(shape, interpolation=interpolation, classes=plain.classes)
    stretched, share = "height" in _table(processor.get("size")), 1.0
    if isinstance(kept := processor.get("crop_pct"), float):
        stretched = min(size) >= _WARPED
        share = 1.0 if stretched else kept
    elif crop is not None and processor.get("do_center_crop"):
        share = min(1.0, min(crop) / min(size))
        size = crop
    return Intake((channels, *size), share, interpolation, stretched, plain.classes)


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width, as processors of all ages write them."""
    if isinstance(size, int):
        return size, size
    if isinstance(size, list | tuple) and len(cast("Sequence[Any]", size)) == 2:
        return cast("tuple[int, int]", tuple(cast("Sequence[Any]", size)))
    table = _table(size)
    side = table.get("shortest_edge", table.get("longest_edge"))
    height, width = table.get("height", side), table.get("width", side)
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _table(value: Any) -> Mapping[str, Any]:
    # transformers has a class of its own for sizes, which is read like a table
    return dict(value.items()) if hasattr(value, "items") else {}


def _normalization(processor: Mapping[str, Any], channels: int) -> tuple[Numbers, Numbers]:
    """The mean and deviation of pixels in [0, 1], of what a processor does to those from 0 to 255."""
    factor = 255 * (processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0)
    offset = 1.0 if processor.get("rescale_offset") else 0.0
    mean, std = (0.0,) * channels, (1.0,) * channels
    if processor.get("do_normalize", True):
        mean, std = (_each(processor.get(name), channels) for name in ("image_mean", "image_std"))
    if abs(factor - 1) < 1e-9 and not offset and not any(mean) and all(one == 1 for one in std):
        return None, None
    # (factor x - offset - mean) / std, as (x - mean) / std
    scaled = tuple((one + offset) / factor for one in mean), tuple(one / factor for one in std)
    if processor.get("include_top"):  # which divides once more
        return scaled[0], tuple(one * two for one, two in zip(scaled[1], std, strict=True))
    return scaled


def _each(values: Any, channels: int) -> tuple[float, ...]:
    if isinstance(values, int | float):
        return (float(values),) * channels
    if not isinstance(values, list | tuple) or not all(
        isinstance(one, int | float) for one in cast("list[Any]", values)
    ):
        raise ConfigError(f"the image processor normalizes by {values!r}; give --option mean= and --option std=")
    return tuple(map(float, cast("list[Any]", values)))


def _plain_shape(config: Mapping[str, Any], channels: int) -> tuple[int, int, int] | None:
    sides = _sides(config.get("image_size"))
    return None if sides is None else (channels, *sides)


def _classes(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of classes, unless they are the numbers that transformers gives to classes without names."""
    table = config.get("id2label")
    if not isinstance(table, dict) or len(cast("dict[Any, Any]", table)) < 2:
        return ()
    names = cast("dict[str, Any]", table)
    if set(names) != set(map(str, range(len(names)))):
        return ()
    found = [printable(str(names[str(number)]))[:_LONGEST].strip(" ,") for number in range(len(names))]
    if all(re.fullmatch(r"LABEL_\d+", name) for name in found):
        return ()
    return tuple(name or str(number) for number, name in enumerate(found))


def _numbers(options: Mapping[str, object], name: str, owner: str) -> Numbers:
    values = options.get(name)
    if values is None:
        return None
    if not isinstance(values, list | tuple) or not all(
        isinstance(one, int | float) for one in cast("list[Any]", values)
    ):
        raise ConfigError(
            f"the option {name} of '{owner}' is {values!r}; give a number for each channel: [0.5,0.5,0.5]"
        )
    return tuple(map(float, cast("list[Any]", values)))


def _shape(options: Mapping[str, object], owner: str) -> tuple[int, int, int] | None:
    sizes = _numbers(options, "shape", owner)
    if sizes is None:
        return None
    if len(sizes) != 3:
        raise ConfigError(f"the option shape of '{owner}' has {len(sizes)} numbers; give channels, height and width")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])
