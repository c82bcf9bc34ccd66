import re

import pytest
import torch

from pellucid.batch import Batch, check_labels
from pellucid.errors import LabelError, PixelError, ShapeError

X = torch.full((2, 1, 3, 3), 0.5)
Y = torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (X * 4 - 1, "this batch has pixels from 1 to 1; they must lie in [0, 1]"),
        (X * 3, "this batch has pixels from 1.5 to 1.5; they must lie in [0, 1]"),
        (X * torch.nan, "this batch has pixels from nan to nan; they must lie in [0, 1]"),
        (X.byte(), "this batch holds torch.uint8 pixels; divide by 255 for floats in [0, 1]"),
    ],
)
def test_pixels_outside_the_range_are_refused(pixels: torch.Tensor, message: str) -> None:
    if "from 1 to 1" in message:
        assert len(Batch(pixels, Y)) == 2  # 1 itself is inside
        return
    with pytest.raises(PixelError, match=re.escape(message)):
        Batch(pixels, Y)


def test_the_remedy_is_named() -> None:
    with pytest.raises(PixelError) as caught:
        Batch(X * 3, Y)
    assert str(caught.value) == (
        "this batch has pixels from 1.5 to 1.5; they must lie in [0, 1]: "
        "divide by 255, and put normalization inside the model"
    )


def test_labels_and_lengths_are_checked() -> None:
    with pytest.raises(LabelError, match="this batch has the label -1; labels count from 0"):
        Batch(X, torch.tensor([0, -1]))
    with pytest.raises(ShapeError, match="'y' has 3 rows for 2 images; each image needs one"):
        Batch(X, torch.tensor([0, 1, 1]))
    with pytest.raises(ShapeError, match="'reference' has 1 rows for 2 images; each image needs one"):
        Batch(X, Y, {"reference": X[:1]})
    message = "the split has the label 5 and 3 classes; labels run from 0 to 2"
    with pytest.raises(LabelError, match=re.escape(message)):
        check_labels(torch.tensor([0, 5]), 3, "the split")


def test_columns_travel_and_a_missing_one_is_named() -> None:
    batch = Batch(X, Y).with_column("reference", X)
    assert torch.equal(batch.at(X / 2).column("reference"), X)
    message = (
        "this batch has no column 'saliency' (there are: reference); "
        "attach one with split.with_column('saliency', tensor)"
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        batch.column("saliency")


def test_the_index_is_the_column_or_the_place_in_the_batch() -> None:
    assert Batch(X, Y).index.tolist() == [0, 1]
    assert Batch(X, Y, {"index": torch.tensor([7, 3])}).index.tolist() == [7, 3]
