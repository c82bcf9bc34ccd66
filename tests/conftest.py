"""What holds for every test: the same examples and one thread, on any processor and under any load."""

from collections.abc import Generator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import HealthCheck, settings

# No deadline and no limit on how long examples take to draw, since both time the machine and not the code. The same
# examples everywhere, so that a test that fails fails because of a change and can be run again on another machine;
# --hypothesis-profile=search draws others, which is how to look for what these have missed.
settings.register_profile(
    "everywhere",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("everywhere"), derandomize=False)
settings.load_profile("everywhere")

# Tensors are tiny here, and threads that wait for each other are slower than one. Set for all, since what one file
# sets holds for whichever file runs after it.
torch.set_num_threads(1)

_SHAPES = pytest.StashKey[bool]()
_SLOW = {
    line
    for line in Path(__file__).with_name("slow.txt").read_text().splitlines()
    if line and not line.startswith("#")
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-shape", action="store_true", help="check shapes in every case of a test")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and say which tests check the shapes of what is passed on.

    Those are one case of each function and one test of each class: checks double the time of all tests, and the next
    case of the same test calls the same functions.
    """
    for item in items:
        if _SLOW & {item.nodeid, item.nodeid.partition("[")[0]}:
            item.add_marker(pytest.mark.slow)
    seen: set[object] = set()
    for item in sorted(items, key=lambda item: (item.get_closest_marker("slow") is not None, item.nodeid)):
        owner = item.parent.nodeid if item.parent else ""
        keys = {owner, (item.path, getattr(item, "originalname", item.name))}
        item.stash[_SHAPES] = config.getoption("--every-shape") or not keys <= seen
        seen |= keys


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    jaxtyping.config.update("jaxtyping_disable", not item.stash[_SHAPES])
    return (yield)
