"""Damaged files: every work, stopped or complete, comes to the same bits, whatever happened to its folder."""

import shutil
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harm import followed, harmed
from works import QUICK, SLOW, Stop, Watch, plain

WORKS = [*QUICK, *(pytest.param(work, marks=pytest.mark.slow) for work in SLOW)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Any]]:
    """The folder of a work that was stopped after some steps, or never, and what it comes to."""

    @cache
    def make(work: Callable[[Path, Watch], Any], steps: int) -> tuple[Path, Any]:
        out, seen = tmp_path_factory.mktemp("made"), [0]
        warnings.simplefilter("ignore")

        def watch(*_: object) -> None:
            seen[0] += 1
            if seen[0] == steps:
                raise Stop

        if not steps:
            return out, plain(work(out, watch))
        with pytest.raises(Stop):
            work(out, watch)
        return out, make(work, 0)[1]

    return make


@pytest.mark.parametrize("steps", [0, 3], ids=["complete", "stopped"])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_whatever_is_damaged_the_same_bits_come_out(
    tmp_path: Path, made: Callable[..., tuple[Path, Any]], work: Callable[[Path, Watch], Any], steps: int, seed: int
) -> None:
    folder, expected = made(work, steps)
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    harm = harmed(out, seed, files=1 + seed % 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = followed(lambda: work(out, lambda *_: None))
    assert plain(found) == expected, harm
    assert plain(work(out, lambda *_: None)) == expected, "the second time without any warning"
