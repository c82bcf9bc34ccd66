"""What classes are called, where a file names them or where its labels have to tell how many there are."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from pellucid import limits
from pellucid.errors import DataError, LabelError, count_of

_FEW = 1000  # classes that even a few images may be of
_LONGEST = 1000  # letters of a name


def numbered_classes(labels: Int[Tensor, " n"], place: str, remedy: str) -> tuple[str, ...]:
    """The classes from 0 to the largest label; a label far beyond the number of images is a mistake."""
    if not len(labels):
        return ()
    most = min(limits.CLASSES, max(_FEW, len(labels)))
    row = int(torch.argmax(labels))
    if int(labels[row]) >= most:
        raise LabelError(
            f"{place} has the label {int(labels[row])} in row {row}, and labels of "
            f"{count_of(len(labels), 'image')} stand for "
            f"{count_of(most, 'class')} at most; {remedy}"
        )
    return tuple(str(label) for label in range(int(labels[row]) + 1))


def named_classes(names: Sequence[object], place: str) -> tuple[str, ...]:
    """The names in a list that came from a file."""
    if len(names) > limits.CLASSES:
        raise DataError(f"{place} names {count_of(len(names), 'class')}; there may be {limits.CLASSES} at most")
    for number, name in enumerate(names):
        if not isinstance(name, str | int) or len(str(name)) > _LONGEST:
            raise DataError(f"{place} has no name for the class {number}; give text of {_LONGEST} letters at most")
    return tuple(map(str, names))
