"""The corpus, and inputs near it: nothing but errors of ours, each of them one line."""

from pathlib import Path

import pytest

from fuzz.mutate import mutations
from fuzz.running import fault, known
from fuzz.targets import TARGETS

COUNT = 150
_TEXTS = ["set", "set-attack", "goals", "norm", "metrics", "explainers", "profile", "source", "network", "similarity"]
COSTLY = dict.fromkeys(_TEXTS, 20) | {name: 8 for name in TARGETS if name.startswith(("about", "audit", "run-"))}


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_read_or_refused(name: str, tmp_path: Path) -> None:
    inputs = known(name)
    assert inputs, "python -m tests.fuzz.seeds writes what a corpus begins with"
    for content in inputs:
        _, words = fault(TARGETS[name], content, tmp_path)
        assert not words, f"{words}; the input is {content[:200]!r}"


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_near_the_corpus_is_read_or_refused(name: str, tmp_path: Path) -> None:
    refused = 0
    for content in mutations(known(name), COSTLY.get(name, COUNT)):
        more, words = fault(TARGETS[name], content, tmp_path)
        assert not words, f"{words}; the input is {content[:200]!r}"
        refused += more
    assert refused or name in ("checkpoint",) or name.startswith("audit-"), "where damage is told and not raised"
