"""A little of the campaign in every run of the suite; `python -m tests.campaign` does all of it."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from campaign import disturb
from campaign.rows import ROWS, tabulated
from campaign.works import WORKS, Work, prepare
from faults import FailingDisk
from nursery import Nursery

# the quickest, and the one that appends to a file
WORKED = [WORKS["measure"], WORKS["references"]]


DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_says_what_was_counted() -> None:
    page = (DOCS / "reliability.md").read_text()
    table = page.partition("<!-- table -->\n")[2].partition("<!-- end of table -->")[0]
    counts = json.loads((DOCS / "results" / "reliability.json").read_text())
    assert list(counts) == [name for name in ROWS if name in counts]
    assert len(counts) >= 4
    assert table.rstrip("\n") == tabulated(counts)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Generator[Nursery]:
    folder = tmp_path_factory.mktemp("disturbed")
    prepare(folder)
    nursery = Nursery(folder)
    yield nursery
    nursery.close()


@pytest.fixture(scope="module", params=WORKED, ids=[work.name for work in WORKED])
def work(request: pytest.FixtureRequest, nursery: Nursery) -> tuple[Work, dict[str, Any]]:
    work: Work = request.param
    return work, disturb.undisturbed(nursery, work)


def test_a_work_leaves_the_same_twice(nursery: Nursery, work: tuple[Work, dict[str, Any]]) -> None:
    assert disturb.undisturbed(nursery, work[0]) == work[1]


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_after_any_fault_the_same_command_ends_with_the_same_bits(
    nursery: Nursery, work: tuple[Work, dict[str, Any]], kind: Any
) -> None:
    total = disturb.operations(nursery, work[0], kind)
    assert total > 30
    for at in disturb.moments(total, 6):
        assert disturb.failed_once(nursery, work[0], kind, at, work[1]) is None


def test_the_campaign_sees_what_is_wrong(nursery: Nursery, work: tuple[Work, dict[str, Any]]) -> None:
    """It compares with something, and a fault that is not there is no fault."""
    missing = disturb.failed_once(nursery, work[0], "disk", 10**9, {**work[1], "more": 1})
    assert missing is not None and missing.endswith("other than undisturbed: more")


def test_a_disk_fails_at_the_call_that_is_told(tmp_path: Path) -> None:
    disk = FailingDisk(2)
    disk.mkdir(tmp_path / "a")
    with pytest.raises(OSError, match="No space left"):
        disk.mkdir(tmp_path / "b")
    disk.mkdir(tmp_path / "c")
    assert disk.count == 3
    assert disk.getpid() > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
