import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.page import short_names


@pytest.mark.parametrize(
    ("given_names", "short"),
    [
        (["benchmarks/networks/digits/standard-digits-mlp-d9c579f6a4b1"], ["standard-digits-mlp"]),
        (["runs\\standard-digits-mlp-d9c579f6a4b1\\"], ["standard-digits-mlp"]),
        (
            ["runs/a-d9c579f6a4b1", "runs/a-06ffd69ca8a4", "runs/b-06ffd69ca8a4"],
            ["a-d9c579f6a4b1", "a-06ffd69ca8a4", "b"],
        ),
        (["here/a-d9c579f6a4b1", "there/a-d9c579f6a4b1"], ["here/a-d9c579f6a4b1", "there/a-d9c579f6a4b1"]),
        (["my_nets:build", "nets/weights-0123456789.pt2"], ["my_nets:build", "weights-0123456789.pt2"]),
        (["mlp", "mlp"], ["mlp", "mlp (2)"]),
        (["-0123456789ab", "", "/"], ["-0123456789ab", "", "/"]),
    ],
)
def test_names_are_as_short_as_they_can_be_told_apart(given_names: list[str], short: list[str]) -> None:
    assert list(short_names(given_names)) == short


@given(st.lists(st.text("ab/-0"), unique=True, max_size=5))
def test_other_names_stay_other_names(names: list[str]) -> None:
    assert len(set(short_names(names))) == len(names) == len(short_names(names))
