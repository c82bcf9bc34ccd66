"""Which places come first, what becomes of them, and which networks there are."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from chance import rare
from pellucid.errors import ConfigError, Damaged, NotFinite, PellucidError, ShapeError, UnknownName
from pellucid.evaluate.retrain import Design, Values, protocols_named
from pellucid.evaluate.retrain.cells import Cell
from pellucid.evaluate.retrain.materials import SHARED, Changed
from pellucid.evaluate.retrain.ranks import Ranks, Unit, ranked


def ranks_of(table: Tensor, shape: tuple[int, int, int], unit: Unit = "pixel", seed: int = 0) -> Ranks:
    return ranked(Values(table, torch.zeros(3, dtype=torch.long)), unit, shape, owner="mine", seed=seed)


def test_the_largest_comes_first() -> None:
    found = ranks_of(torch.tensor([[[[0.5, -1.0], [2.0, 1.0]]]]), (1, 2, 2))
    assert found.table.tolist() == [[[[2, 3], [0, 1]]]]
    assert found.places == 4 and found.table.dtype == torch.int16


def test_a_pixel_is_the_sum_of_its_channels_and_a_scalar_stands_alone() -> None:
    table = torch.tensor([[[[3.0, 2.0]], [[0.0, 2.0]]]])
    assert ranks_of(table, (2, 1, 2)).table.tolist() == [[[[1, 0]]]]
    scalar = ranks_of(table, (2, 1, 2), "scalar").table
    assert scalar.shape == (1, 2, 1, 2)
    assert int(scalar[0, 0, 0, 0]) == 0 and int(scalar[0, 1, 0, 0]) == 3
    assert sorted(ranks_of(table[:, :1], (2, 1, 2), "scalar").table.flatten().tolist()) == [0, 1, 2, 3]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.integers(0, 100))
def test_ranks_are_an_order_that_values_agree_with(values: list[int], seed: int) -> None:
    table = torch.tensor(values, dtype=torch.float32).view(1, 1, 2, 3)
    ranks = ranks_of(table, (1, 2, 3), seed=seed).table.flatten()
    assert sorted(ranks.tolist()) == list(range(6))
    assert (table.flatten()[ranks.long().argsort()].diff() <= 0).all()


def test_of_equal_places_chance_decides_and_decides_again_the_same() -> None:
    table = torch.zeros(2, 1, 8, 8)
    one, again, other = (ranks_of(table, (1, 8, 8), seed=seed).table for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other) and not torch.equal(one[0], one[1])
    # nothing is said of where: the first half is as often left as right
    left = torch.stack([ranks_of(table[:1], (1, 8, 8), seed=seed).table[0, 0, :, :4] < 32 for seed in range(50)])
    assert not rare(int(left.sum()), 50 * 32, 0.5)


def test_many_places_need_longer_words() -> None:
    found = ranks_of(torch.rand(1, 1, 200, 200, generator=torch.Generator().manual_seed(0)), (1, 200, 200))
    assert found.table.dtype == torch.int32 and int(found.table.max()) == 39999


def test_ranks_are_read_back(tmp_path: Path) -> None:
    ranks = Ranks(torch.arange(4).view(1, 1, 2, 2).short(), torch.zeros(3, dtype=torch.long))
    ranks.save(tmp_path / "ranks.npz")
    found = Ranks.load(tmp_path / "ranks.npz")
    assert torch.equal(found.table, ranks.table) and torch.equal(found.rows, ranks.rows)
    (tmp_path / "ranks.npz").write_bytes(b"half")
    with pytest.raises(Damaged, match=r"ranks\.npz' is damaged: .*; remove it, and give the command"):
        Ranks.load(tmp_path / "ranks.npz")


X = torch.rand(3, 2, 2, 2, generator=torch.Generator().manual_seed(0))
MEAN = torch.tensor([0.25, 0.75])
ORDER = Ranks(torch.tensor([0, 1, 2, 3]).view(1, 1, 2, 2).short(), torch.zeros(3, dtype=torch.long))
OWN = Ranks(torch.stack([torch.arange(4), 3 - torch.arange(4)]).view(2, 1, 2, 2).short(), torch.tensor([0, 1, 1]))


def changed(*cells: Cell) -> Tensor:
    images = Changed(X, MEAN, {("all", SHARED): ORDER, ("each", 0): OWN}, cells)
    return images(torch.arange(3).expand(len(cells), -1))


def test_what_is_removed_and_what_is_kept() -> None:
    mean = MEAN.view(2, 1, 1)
    roar, kar, each = changed(Cell("roar", "all", 0.5, 0), Cell("kar", "all", 0.5, 1), Cell("roar", "each", 0.25, 0))
    assert torch.equal(roar[:, :, 1], X[:, :, 1]) and (roar[:, :, :1] == mean).all()
    assert torch.equal(kar[:, :, 0], X[:, :, 0]) and (kar[:, :, 1:] == mean).all()
    assert (each[0, :, 0, 0] == MEAN).all() and (each[1:, :, 1, 1] == MEAN).all()
    assert torch.equal(each[1:, :, 0], X[1:, :, 0])


def test_all_and_nothing() -> None:
    none, all_of_it, bare, whole = changed(
        Cell("roar", "all", 0, 0), Cell("roar", "all", 1, 0), Cell("kar", "all", 0, 0), Cell("kar", "all", 1, 0)
    )
    assert torch.equal(none, X) and torch.equal(whole, X)
    assert torch.equal(all_of_it, bare) and (bare == MEAN.view(2, 1, 1)).all()


def test_a_grid_has_every_combination_once() -> None:
    cells = Design(("roar", "kar"), (0.1, 0.5), 3).cells(["a", "b"])
    assert len(set(cells)) == len(cells) == 24
    assert [cell.ranking for cell in cells] == ["a"] * 12 + ["b"] * 12
    assert str(cells[1]) == "roar of 0.1 by a, seed 1"
    assert protocols_named(["kar"]) == ("kar",)


NOTHING = Values(torch.zeros(1, 1, 2, 2), torch.zeros(3, dtype=torch.long))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Design(("roar",)).cells([]), ConfigError, "no ranking is named; give one or more"),
        (lambda: Design(()), ConfigError, "no protocol is named; give one or more"),
        (
            lambda: Design(fractions=(0.1, 0.1)),
            ConfigError,
            "a fraction is named twice in 0.1, 0.1; name each once",
        ),
        (
            lambda: Design(fractions=(1.5,)),
            ConfigError,
            "a fraction is 1.5; it is a share of all places, in [0, 1]",
        ),
        (lambda: Design(seeds=0), ConfigError, "seeds is 0; train with 1 or more"),
        (lambda: protocols_named(["raor"]), UnknownName, "no protocol is called 'raor' (did you mean 'roar'?)"),
        (
            lambda: ranked(NOTHING, "pixel", (1, 3, 3), owner="mine", seed=0),
            ShapeError,
            "'mine' ranks places of 1x2x2 in images of 1x3x3; there must be a value for each",
        ),
        (
            lambda: ranks_of(torch.full((1, 1, 1, 1), torch.nan), (1, 1, 1)),
            NotFinite,
            "'mine' has NaN or infinite values; a rank needs finite ones",
        ),
    ],
)
def test_errors(call: object, error: type[PellucidError], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()
