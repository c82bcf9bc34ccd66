"""Whatever is listed says which papers it is from, be it that there are none."""

import re
from typing import Any

import pytest

from pellucid.attacks import ATTACKS
from pellucid.audits import PARTS
from pellucid.evaluate.explanations import METRICS
from pellucid.explainers import EXPLAINERS
from pellucid.objectives import TERMS
from pellucid.papers import cites, papers_of

LISTED: dict[str, Any] = {
    f"{registry.kind} {name}": registry[name]
    for registry in (ATTACKS, EXPLAINERS, METRICS, TERMS, PARTS)
    for name in registry
}


@pytest.mark.parametrize("name", LISTED)
def test_what_is_listed_says_which_papers_it_is_from(name: str) -> None:
    assert "paper" in vars(LISTED[name]), f"{name} says nothing; write @cites() over it where it is from no paper"
    papers = papers_of(LISTED[name])
    assert len(set(papers)) == len(papers)
    for paper in papers:
        assert re.search(r", .*\b(19|20)\d\d\b", paper), "authors, a title and a year"
        assert "  " not in paper and paper == paper.strip()


def test_what_cites_nothing_has_no_papers() -> None:
    class Nothing: ...

    assert papers_of(Nothing) == ()
    assert papers_of(cites()(Nothing)) == () and "paper" in vars(Nothing)
    assert papers_of(cites("Somebody, Something, 2020.")(Nothing)) == ("Somebody, Something, 2020.",)
