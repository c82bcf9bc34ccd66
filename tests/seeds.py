"""Seeds that a training is tried with: the first in every run of the suite, the others in the whole one."""

import pytest

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
