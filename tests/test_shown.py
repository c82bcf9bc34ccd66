"""What a person sees of values in a console: a few lines that say what they are, and no tensor."""

import re

import pytest
import torch

from pellucid import data, evaluate
from pellucid.attacks import FMN, PGD
from pellucid.batch import Batch
from pellucid.data import Data, TensorSplit
from pellucid.evaluate import Decisions, Record
from pellucid.evaluate.explanations import Judged, Sparsity, judge
from pellucid.explainers import Gradient
from pellucid.ledger import Table
from pellucid.norms import Linf
from pellucid.testing.specimens import images, network

NUMBER = r"\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]"


def split() -> TensorSplit:
    x, y = images(dtype=torch.float32)
    return TensorSplit(x, y, ("ant", "bee", "cow", "do\x1b[2Jg"))


def test_splits_say_how_many_images_of_which_shape_in_which_classes() -> None:
    assert (
        repr(split()) == "TensorSplit(6 images of 1x6x6 in 4 classes: ant, bee, cow, do\N{REPLACEMENT CHARACTER}[2Jg)"
    )
    assert repr(split().take(1).with_column("map", torch.zeros(1))) == (
        "TensorSplit(1 image of 1x6x6 in 4 classes: ant, bee, cow, do\N{REPLACEMENT CHARACTER}[2Jg; columns map)"
    )


def test_data_has_a_line_for_each_split() -> None:
    assert repr(data.load("digits")) == (
        "Data 'digits'\n"
        "  train       TensorSplit(1,438 images of 1x8x8 in 10 classes: 0, 1, 2, 3, 4, 5, 6, ..., 9)\n"
        "  test        TensorSplit(359 images of 1x8x8 in 10 classes: 0, 1, 2, 3, 4, 5, 6, ..., 9)"
    )
    one = split()
    more = repr(Data("mine", one, one, augment=(data.Flip(),), skipped=("a.png", "b.png", "c.png", "d.png")))
    assert more.splitlines()[-2:] == [
        f"  augmented   {data.Flip()!r}",
        "  left out    4 files that cannot be read: a.png, b.png, ..., d.png",
    ]


def test_batches_and_explanations_and_attacked_images_name_no_pixel() -> None:
    x, y = images()
    batch = Batch(x, torch.arange(6) % 4, {"index": torch.arange(6)})
    assert repr(batch) == "Batch(6 images of 1x6x6, labels 0, 1, 2, 3, 0, 1, columns 'index')"
    explanation = Gradient()(network(), x, 2)
    assert repr(explanation) == "Explanation(6 maps of 1x6x6, of the classes 2, 2, 2, 2, 2, 2)"
    found = repr(PGD(eps=0.1, steps=2)(network(), x, y))
    assert re.fullmatch(
        r"Perturbed\(6 images of 1x6x6, \d of them reached the goal(, at distances from [\d.]+ to [\d.]+)?\)", found
    )


def test_records_say_which_attack_and_its_figures_with_intervals() -> None:
    nearest = repr(evaluate.measure(network(dtype=torch.float32), split(), FMN(steps=3, norm=Linf())))
    assert re.fullmatch(
        rf"Record of fmn in linf on 6 images\n  accuracy         {NUMBER} n=6\n"
        rf"  median distance  (none: .*|{NUMBER} n=\d)\n  never reached    \d",
        nearest,
    )
    bounded = repr(evaluate.measure(network(dtype=torch.float32), split(), PGD(eps=0.1, steps=2)))
    assert re.fullmatch(
        rf"Record of pgd in linf on 6 images\n  accuracy                {NUMBER} n=6\n"
        rf"  robust accuracy at 0.1  {NUMBER} n=6",
        bounded,
    )
    decided = repr(evaluate.decide(network(dtype=torch.float32), split()))
    assert re.fullmatch(rf"Decisions on 6 images\n  accuracy  {NUMBER} n=6\n  loss      {NUMBER} n=6", decided)


def test_judged_explanations_say_by_what_and_whose() -> None:
    found = judge(network(dtype=torch.float32), split(), {"sparsity": Sparsity()}, explainer=Gradient())
    assert re.fullmatch(
        rf"Judged of sparsity of gradient on 6 images\n  mean( \(\w+ is better\))?  {NUMBER} n=6",
        repr(found["sparsity"]),
    )


@pytest.mark.parametrize("kind", [Table, Record, Judged, Decisions])
def test_a_table_that_lacks_everything_can_be_shown(kind: type[Table]) -> None:
    """As one may that a file of somebody else's made."""
    assert repr(kind({}, {})).startswith(kind.__name__)
    columns = {"y": torch.zeros(2)}
    shown = repr(kind(columns, {"attack": ["pgd", {"kind": "fmn\n"}], "levels": [0.1], "metric": 3}))
    assert "on 2 images" in shown and "tensor" not in shown
