"""What one or several networks say of the images that they take, where a person may say otherwise."""

from collections.abc import Sequence
from dataclasses import replace

from pellucid.class_names import class_names
from pellucid.errors import ConfigError
from pellucid.intake import Intake
from pellucid.subjects.asked import Asked


def common_intake(asked: Sequence[Asked], said: Sequence[Intake | None]) -> Intake:
    """What holds for networks that are shown the same images: what they agree on, and what the question says.

    Networks that want different images are refused, unless the question says a size.
    """
    first = asked[0]
    known = [(one.model, intake) for one, intake in zip(asked, said, strict=True) if intake is not None]
    scaled = [(model, replace(intake, classes=())) for model, intake in known]
    named = [(model, intake.classes) for model, intake in known if intake.classes]
    found = scaled[0][1] if scaled else Intake()
    for model, other in scaled[1:]:
        if other != found:
            if first.size is None:
                raise ConfigError(
                    f"'{scaled[0][0]}' takes images as {_words(found)} and '{model}' as {_words(other)}; "
                    "ask about each alone, or give --size for both"
                )
            found = replace(Intake(), shape=found.shape)
    if first.classes is not None:
        return replace(found, classes=class_names(first.classes))
    for model, classes in named[1:]:
        if classes != named[0][1]:
            raise ConfigError(
                f"'{named[0][0]}' and '{model}' call their classes differently; ask about each alone, "
                "or give --classes for both"
            )
    return replace(found, classes=named[0][1]) if named else found


def shape_in_words(shape: Sequence[int]) -> str:
    """Channels, height and width as people write them."""
    return " x ".join(map(str, shape))


def _words(intake: Intake) -> str:
    shape = "any size" if intake.shape is None else shape_in_words(intake.shape)
    stretched = ", stretched" if intake.stretched else ""
    return f"{shape} ({intake.crop:.3g} of a picture, {intake.interpolation}{stretched})"
