"""Words: what looks alike is one word, in any image and in any batch."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from networks import images, smooth
from pellucid.batch import Batch
from pellucid.errors import ConfigError, Damaged, ShapeError
from pellucid.explainers.normlime import Vocabulary
from pellucid.explainers.normlime.vocabulary import describe, flattened


def quarters(size: int = 6) -> Tensor:
    """The four quarters of an image, as superpixels."""
    rows = (torch.arange(size) >= size // 2).long()
    return (2 * rows[:, None] + rows)[None]


def plain(*colors: float) -> Tensor:
    """An image whose quarters have one color each."""
    return torch.tensor(colors, dtype=torch.float64)[quarters()][:, None]


X = torch.cat([plain(0.1, 0.5, 0.9, 0.1), plain(0.9, 0.9, 0.5, 0.1), plain(0.5, 0.1, 0.1, 0.1)])
BATCH = Batch(X, torch.zeros(3, dtype=torch.long))
SEGMENTS, COUNTS = quarters().expand(3, -1, -1), torch.full((3,), 4)


def learned(words: int = 3, *, seed: int = 0, layer: str = "") -> Vocabulary:
    described = flattened(describe(smooth(), BATCH, SEGMENTS, COUNTS, layer=layer), COUNTS)
    return Vocabulary.learn(described, words, seed=seed, layer=layer)


def test_quarters_of_one_color_are_one_word_the_most_frequent_first() -> None:
    change = describe(smooth(), BATCH, SEGMENTS, COUNTS)[:, :, 0]
    assert torch.allclose(change[0], torch.tensor([0.1, 0.5, 0.9, 0.1], dtype=torch.float64))
    x = images(2, 1, 6, 6)
    flat = torch.zeros(2, 6, 6, dtype=torch.long)
    whole = describe(smooth(), Batch(x, torch.zeros(2).long()), flat, torch.ones(2).long())
    assert torch.allclose(whole[:, 0, 0], x.flatten(1).mean(1))
    assert torch.allclose(whole[:, 0, 1], x.flatten(1).std(1, correction=0))


def test_words_are_those_of_a_look_alike() -> None:
    # the borders change too, so that three plain colors make more than three looks
    x = torch.cat([plain(0.1, 0.1, 0.1, 0.1), plain(0.9, 0.9, 0.9, 0.9), plain(0.1, 0.1, 0.1, 0.1)])
    batch = Batch(x, torch.zeros(3, dtype=torch.long))
    described = flattened(describe(smooth(), batch, SEGMENTS, COUNTS), COUNTS)
    words = Vocabulary.learn(described, 2).words(smooth(), batch, SEGMENTS, COUNTS)
    assert words.tolist() == [[0] * 4, [1] * 4, [0] * 4]


def test_images_have_as_many_words_as_superpixels_alone_and_in_a_batch() -> None:
    segments = torch.cat([quarters(), quarters() // 2, quarters()])
    counts = torch.tensor([4, 2, 4])
    vocabulary = learned()
    together = vocabulary.words(smooth(), BATCH, segments, counts)
    assert together[1, 2:].tolist() == [-1, -1]
    alone = vocabulary.words(smooth(), Batch(X[1:2], torch.zeros(1).long()), segments[1:2], counts[1:2])
    assert alone.tolist() == together[1:2, :2].tolist()


@pytest.mark.parametrize("layer", ["", "0"])
def test_the_same_seed_learns_the_same_words(layer: str) -> None:
    one, other = learned(seed=3, layer=layer), learned(seed=3, layer=layer)
    assert torch.equal(one.centers, other.centers)
    assert one.words(smooth(), BATCH, SEGMENTS, COUNTS).min() >= 0


def test_a_vocabulary_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    vocabulary = learned(layer="0")
    vocabulary.save(tmp_path / "vocabulary.npz")
    found = Vocabulary.load(tmp_path / "vocabulary.npz")
    assert found.layer == "0" and len(found) == 3
    assert torch.equal(found.centers, vocabulary.centers)
    assert torch.equal(
        found.words(smooth(), BATCH, SEGMENTS, COUNTS), vocabulary.words(smooth(), BATCH, SEGMENTS, COUNTS)
    )


def test_features_of_a_layer_have_one_length() -> None:
    described = describe(smooth(), BATCH, SEGMENTS, COUNTS, layer="0")
    assert described.shape == (3, 4, 3)
    assert bool((described.norm(dim=2) <= 1 + 1e-12).all())


def test_too_many_words_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^12 words from \d+ different superpixels; ask for fewer words, or"):
        learned(words=12)
    with pytest.raises(ConfigError, match=re.escape("a vocabulary of 0 words; give 1 or more")):
        learned(words=0)


def test_layers_without_places_and_other_networks_are_refused() -> None:
    message = "the layer '3' gives (3, 4); words need features with height and width"
    with pytest.raises(ShapeError, match=re.escape(message)):
        learned(layer="3")
    colors = torch.cat([X, X, X], 1)
    message = (
        "superpixels have 9 features, and the vocabulary knows 3; learn one from images like these, with this network"
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        learned().words(smooth(), BATCH.at(colors), SEGMENTS, COUNTS)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.npz"
    path.write_bytes(b"no")
    with pytest.raises(Damaged, match=f"^'{re.escape(str(path))}' is damaged "):
        Vocabulary.load(path)
