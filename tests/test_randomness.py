import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chance import ERROR
from pellucid.randomness import Noise, derive


def test_an_image_has_its_noise_in_any_batch_and_order() -> None:
    index = torch.tensor([5, 2, 9, 1_000_000_007])
    noise = Noise(7, index)
    together = noise.normal(3, 4)
    for row, one in enumerate(index):
        assert torch.equal(Noise(7, one[None]).normal(3, 4)[0], together[row])
    assert torch.equal(Noise(7, index.flip(0)).normal(3, 4), together.flip(0))


def test_seeds_images_streams_and_positions_differ() -> None:
    draws = [
        Noise(seed, torch.tensor([image])).stream(word).uniform(50)
        for seed in (0, 1)
        for image in (0, 1)
        for word in ("a", "b")
    ]
    everything = torch.cat([draw.flatten() for draw in draws])
    assert len(everything.unique()) == len(everything)


def test_uniform_numbers_are_uniform_along_every_axis() -> None:
    uniform = Noise(3, torch.arange(2000)).uniform(40, dtype=torch.float64)
    assert 0 <= float(uniform.min()) and float(uniform.max()) < 1
    for sample in (uniform.flatten(), uniform[:, 0], uniform[0], uniform[:, 1] - uniform[:, 0]):
        # a difference of independent uniforms is uniform around the circle
        assert stats.kstest((sample % 1).numpy(), "uniform").pvalue > ERROR
    # of 780 pairs of columns; without any correlation each is about normal, of deviation 1 / sqrt(2000)
    correlation = torch.corrcoef(uniform.T).fill_diagonal_(0).abs().max()
    assert 780 * 2 * stats.norm.sf(float(correlation) * 2000**0.5) > ERROR


def test_normal_numbers_are_normal() -> None:
    normal = Noise(11, torch.arange(500)).normal(20, 10)
    assert stats.kstest(normal.flatten().numpy(), "norm").pvalue > ERROR


def test_integers_cover_their_range_evenly() -> None:
    counts = Noise(0, torch.arange(7000)).integers(7).bincount(minlength=7)
    assert stats.chisquare(counts.numpy()).pvalue > ERROR
    assert len(counts) == 7


@given(st.lists(st.one_of(st.integers(), st.text()), max_size=4))
def test_derived_seeds_are_stable_words_apart(words: list[int | str]) -> None:
    seed = derive(*words)
    assert 0 <= seed < 2**62
    assert seed == derive(*words)
    assert seed != derive(*words, 0)


def test_the_caller_s_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    Noise(0, torch.arange(3)).normal(5)
    assert torch.equal(torch.get_rng_state(), before)
