"""What is required of a network, as text and as a judgment."""

import re
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid import plain
from pellucid.audits import (
    PROFILES,
    Announced,
    Decided,
    Figure,
    Neurons,
    Requirement,
    announced,
    announced_of,
    shortfalls,
)
from pellucid.audits.requirement import End, Relation
from pellucid.data import TensorSplit
from pellucid.errors import ConfigError, UnknownName
from pellucid.metrics import Estimate
from pellucid.subjects import Subject, layers_of

HOW = "write it as accuracy >= 0.9 or robust_accuracy(linf, 8/255).low >= 40%"
FIGURES = [
    Figure("accuracy", (), Estimate(0.9, 0.8, 0.95, 100)),
    Figure("robust_accuracy", ("linf", "8/255"), Estimate(0.4, 0.3, 0.5, 100)),
    Figure("random-similarity", ("smoothgrad",), None, "lower"),
]
RECORDS = [{"model": "mine", "network": 0, "part": "some", **plain.dump(figure)} for figure in FIGURES]

words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,12}", fullmatch=True)
arguments = st.one_of(words, st.from_regex(r"[0-9]{1,3}/[1-9][0-9]{0,2}|layers\.[0-9]", fullmatch=True))
parts = st.tuples(
    words,
    st.lists(arguments, max_size=3).map(tuple),
    st.sampled_from(get_args(Relation)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(get_args(End)),
)


@given(parts)
def test_parsing_is_the_inverse_of_writing(
    parts: tuple[str, tuple[str, ...], Relation, float, End],
) -> None:
    requirement = Requirement(*parts)
    assert Requirement.parse(str(requirement)) == requirement
    spread = re.sub(r"([(),]|[<>]=?)", r" \1  ", str(requirement))
    assert Requirement.parse(spread) == requirement


@given(st.text(max_size=30))
def test_any_text_is_a_requirement_or_a_clear_error(text: str) -> None:
    try:
        found = Requirement.parse(text)
    except ConfigError as error:
        assert text in str(error)
    else:
        assert Requirement.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("accuracy >= 0.4", 0.4),
        ("accuracy>=.4", 0.4),
        ("accuracy >= 40%", 0.4),
        ("accuracy >= 40 %", 0.4),
        ("accuracy >= 2/5", 0.4),
        ("accuracy >= 4e-1", 0.4),
        ("accuracy >= -1", -1.0),
    ],
)
def test_numbers_are_decimals_fractions_or_percentages(text: str, bound: float) -> None:
    assert Requirement.parse(text) == Requirement("accuracy", (), ">=", bound)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy", f"'accuracy' is no requirement; {HOW}"),
        ("", f"'' is no requirement; {HOW}"),
        ("accuracy = 0.9", f"'accuracy = 0.9' is no requirement; {HOW}"),
        ("accuracy(linf >= 0.9", f"'accuracy(linf >= 0.9' is no requirement; {HOW}"),
        ("area(attack,) >= 0.9", f"'area(attack,) >= 0.9' has an empty argument; {HOW}"),
        (
            "accuracy.lowest > 0.9",
            "'accuracy.lowest > 0.9' asks for 'lowest'; an interval has the ends low and high",
        ),
        ("accuracy > much", "'much' in 'accuracy > much' is no number; give one such as 0.4, 8/255 or 40%"),
        ("accuracy > 1/0", "'1/0' in 'accuracy > 1/0' is no number; give one such as 0.4, 8/255 or 40%"),
        ("accuracy > 1e999", "'1e999' in 'accuracy > 1e999' is no number; give one such as 0.4, 8/255 or 40%"),
        ("accuracy > 1.2.3", "'1.2.3' in 'accuracy > 1.2.3' is no number; give one such as 0.4, 8/255 or 40%"),
    ],
)
def test_what_is_no_requirement(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Requirement.parse(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("accuracy >= 0.9", True),
        ("accuracy > 0.9", False),
        ("accuracy <= 0.9", True),
        ("accuracy < 0.9", False),
        ("accuracy.low >= 0.8", True),
        ("accuracy.low > 0.8", False),
        ("accuracy.high < 0.96", True),
        ("robust_accuracy(linf, 8/255) >= 40%", True),
        ("robust_accuracy(linf, 0.031372549) > 0.5", False),
        ("random-similarity(smoothgrad) < 1", False),
    ],
)
def test_a_figure_or_an_end_of_its_interval_is_compared(text: str, holds: bool) -> None:
    assert (shortfalls([Requirement.parse(text)], RECORDS, ["mine"]) == []) is holds


@given(st.integers(1, 510), st.floats(-1e-9, 1e-9))
def test_budgets_are_compared_as_numbers(levels: int, off: float) -> None:
    requirement = Requirement.parse(f"robust_accuracy(linf, {levels / 255 * (1 + off)!r}) > 0")
    assert requirement.of("robust_accuracy", ("linf", f"{levels}/255"))
    assert not requirement.of("robust_accuracy", ("linf", f"{levels + 1}/255"))
    assert not requirement.of("robust_accuracy", ("l2", f"{levels}/255"))
    assert not requirement.of("robust_accuracy", ("linf",))


def test_every_network_must_hold_it() -> None:
    worse = [
        {**RECORDS[0], "model": "other", "network": 1, "estimate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}}
    ]
    (short,) = shortfalls([Requirement.parse("accuracy >= 0.9")], [*RECORDS, *worse], ["mine", "other"])
    assert str(short) == "other does not hold accuracy >= 0.9: 0.5000 [0.4000, 0.6000] n=9"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("random-similarity(smoothgrad) < 1", "no image has a value"),
        (
            "robust_accuracy(linf, 9/255) > 0",
            "no figure is called 'robust_accuracy(linf, 9/255)' (did you mean 'robust_accuracy(linf, 8/255)'?); "
            "known are accuracy, random-similarity(smoothgrad), robust_accuracy(linf, 8/255)",
        ),
        (
            "zebra > 0",
            "no figure is called 'zebra' "
            "(there are: accuracy, random-similarity(smoothgrad), robust_accuracy(linf, 8/255))",
        ),
    ],
)
def test_what_has_no_value_does_not_hold(text: str, said: str) -> None:
    (short,) = shortfalls([Requirement.parse(text)], RECORDS, ["mine"])
    assert short.found == said


def test_a_figure_that_no_part_finds_is_refused_beforehand() -> None:
    known = [Announced("accuracy"), Announced("area", ("attack",)), Announced("consistency", None)]
    announced([Requirement.parse("area(attack) > 0"), Requirement.parse("consistency(layers.3) > 0")], known)
    message = (
        "no figure is called 'area(luck)' (did you mean 'area(attack)'?); "
        "known are accuracy, area(attack), consistency(...)"
    )
    with pytest.raises(UnknownName, match=f"^{re.escape(message)}$"):
        announced([Requirement.parse("area(luck) > 0")], known)
    announced([Requirement.parse("area(luck) > 0")], None)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "text", ["acuracy > 0.5", "robust_accuracy(linf, 9/255) > 0", "area(attak) > 0", "deletion > 0"]
)
def test_every_profile_knows_its_figures_before_anything_is_loaded(profile: str, text: str) -> None:
    with pytest.raises(UnknownName, match="no figure is called "):
        announced([Requirement.parse(text)], PROFILES[profile].announced)
    announced([Requirement.parse("consistency(head) > 0.5")], PROFILES[profile].announced)


def test_what_is_suggested_is_accepted() -> None:
    known = PROFILES["quick"].announced
    with pytest.raises(UnknownName) as caught:
        announced([Requirement.parse("robust_acuracy(linf, 8/255).low >= 40%")], known)
    (meant,) = re.findall(r"did you mean '(.*?)'\?", str(caught.value))
    announced([Requirement.parse(f"{meant}.low >= 40%")], known)


class Attention(nn.Module):
    """A little network of tokens whose last layer has a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(16, 8)
        self.norm = nn.LayerNorm(8)
        self.readout = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(1).unflatten(1, (-1, 16))
        return self.readout(self.norm(nn.functional.gelu(self.embed(tokens)).mean(1)))


def subject(labeled: bool = True) -> Subject:
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    split = TensorSplit(x, torch.arange(4) % 3, ("a", "b", "c"))
    return Subject("mine", Attention().eval(), "test", split, labeled=labeled)


def test_arguments_that_hang_on_the_network_are_checked_once_it_is_at_hand() -> None:
    parts = [Decided(), Neurons()]
    layer = layers_of(subject(), ())[0]
    announced_of(
        [Requirement.parse(f"consistency({layer}) > 0"), Requirement.parse("accuracy > 0")], parts, [subject()]
    )
    with pytest.raises(UnknownName) as caught:
        announced_of([Requirement.parse(f"consistency({layer}x) > 0")], parts, [subject()])
    assert str(caught.value).startswith(
        f"of 'mine' no figure is called 'consistency({layer}x)' (did you mean 'consistency({layer})'?); known are "
    )


def test_a_figure_that_needs_labels_is_refused_where_there_are_none() -> None:
    message = "'accuracy' needs the right answers, and these images have no labels; leave it out"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        announced_of([Requirement.parse("accuracy > 0")], [Decided()], [subject(labeled=False)])
