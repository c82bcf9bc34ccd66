"""Networks and budgets at which about half of the images stand, so that attacks can be told apart."""

import pytest

from pellucid.norms import L2, Linf

CASES = [
    pytest.param("digits_network", Linf(), 0.1, id="standard-linf"),
    pytest.param("digits_network", L2(), 0.5, id="standard-l2"),
    pytest.param("robust_digits_network", Linf(), 0.15, id="robust-linf", marks=pytest.mark.slow),
    pytest.param("robust_digits_network", L2(), 0.7, id="robust-l2", marks=pytest.mark.slow),
]
