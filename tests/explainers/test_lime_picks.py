import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from networks import smooth
from pellucid.data import TensorSplit
from pellucid.errors import ConfigError
from pellucid.explainers.lime import DenseWeights, Grid, Lime, Slic, sp_lime, submodular_pick

EXAMPLE = torch.tensor([[0.6, -0.2, 0], [0.1, 0, 0.1], [0, 0.5, -0.5], [0.3, 0.3, 0.3]], dtype=torch.float64)


def test_an_example_worked_out_by_hand() -> None:
    picks = submodular_pick(EXAMPLE, 4)
    assert torch.allclose(picks.importance, torch.tensor([1, 1, 0.9]).double().sqrt())
    assert picks.rows.tolist() == [3, 2, 1, 0]
    assert torch.allclose(picks.gains, torch.tensor([2.9486832980505138, 0, 0, 0]).double())
    assert submodular_pick(EXAMPLE, 2, ties="first").rows.tolist() == [3, 0]


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from(["last", "first"]))
def test_every_pick_adds_the_most_to_what_is_covered(seed: int, count: int, ties: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    coefficients = torch.randint(-2, 3, (8, 6), generator=generator).double()
    coefficients[:, 0] = 0  # sparse in any case

    def covered(rows: list[int]) -> Tensor:
        used = (coefficients[rows] != 0).any(0)
        return coefficients.abs().sum(0).sqrt()[used].sum()

    picks = submodular_pick(coefficients, count, ties=ties)  # pyright: ignore[reportArgumentType]
    chosen: list[int] = picks.rows.tolist()
    assert len(set(chosen)) == count
    for number, row in enumerate(chosen):
        before = chosen[:number]
        others = [other for other in range(8) if other not in before]
        best = max(covered([*before, other]) for other in others)
        assert torch.isclose(covered([*before, row]), best)
        assert torch.isclose(picks.gains[number], best - covered(before), atol=1e-12)
        equal = [other for other in others if torch.isclose(covered([*before, other]), best)]
        assert row == equal[-1 if ties == "last" else 0]


def test_of_a_split_those_images_are_picked_whose_features_matter() -> None:
    x = torch.rand(70, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    split = TensorSplit((x * 255).to(torch.uint8), torch.arange(70) % 4, tuple("abcd"))
    model, lime = smooth(size=12).float(), Lime(Grid(3, 3), masks=60, features=2)
    picks = sp_lime(model, split, 4, lime)
    (batch,) = split.batches([torch.arange(70)])
    whole = lime.local(model, batch, "predicted").coefficients[:, 0]
    assert torch.equal(picks.rows, submodular_pick(whole, 4).rows)
    assert picks.gains[0] >= picks.gains[1] >= picks.gains[2]


def test_dense_explanations_are_warned_of() -> None:
    message = "every explanation uses every feature, so that all picks after the first are arbitrary"
    with pytest.warns(DenseWeights, match=f"^{re.escape(message)}; {re.escape('explain with Lime(features=...)')}$"):
        submodular_pick(torch.ones(3, 2), 2)
    assert submodular_pick(torch.ones(3, 2), 1).rows.tolist() == [2], "there a single pick is no arbitrary one"


def test_what_is_refused() -> None:
    for count in (0, 5):
        message = f"cannot pick {count} of 4 explanations; give 1 to 4"
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            submodular_pick(EXAMPLE, count)
    message = "segments by Slic are others in every image; use one that they share, such as Grid"
    split = TensorSplit(torch.zeros(3, 1, 12, 12, dtype=torch.uint8), torch.zeros(3, dtype=torch.long), ("a",))
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        sp_lime(smooth(size=12), split, 2, Lime(Slic()))
