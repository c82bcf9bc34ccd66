"""What happens to audits that are killed at any moment, told by killing them."""

from collections.abc import Generator
from pathlib import Path

import pytest

from contents import contents
from nursery import Nursery, finished_despite_kills

COMMAND = [
    *["audit", "mlp", "lenet", "--data", "digits", "--split", "train", "--device", "cpu", "--seed", "3", "--json"],
    # the command is written down, so both folders are made under one name
    *["--profile", "killed", "--out", "audit"],
]

# a plug-in, since a profile of the library is too long to be killed often
PLUGIN = """
from pellucid.audits import Decided, Gradients, Profile, Robust
from pellucid.evaluate.explanations import ImageAlignment

PROFILE = Profile(
    "to be killed",
    {
        "decisions": Decided(),
        "robustness": Robust(n=320, nearest=128, linf=(0.1,), l2=(), steps=10, nearest_steps=10, repeated=1),
        "gradients": Gradients({"image-alignment": ImageAlignment()}, n=128),
    },
)
"""


@pytest.fixture
def nursery(tmp_path: Path) -> Generator[Nursery]:
    (tmp_path / "killed_profile.py").write_text(PLUGIN)
    metadata = tmp_path / "killed-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: killed\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[pellucid.profiles]\nkilled = killed_profile:PROFILE\n")
    nursery = Nursery(tmp_path)
    yield nursery
    if nursery.process.poll() is None:
        nursery.close()


@pytest.mark.slow
def test_an_audit_killed_again_and_again_ends_with_the_same_folder(tmp_path: Path, nursery: Nursery) -> None:
    assert nursery.run(*COMMAND) == 0
    undisturbed = (tmp_path / "audit").rename(tmp_path / "undisturbed")
    kills = finished_despite_kills(
        nursery,
        *COMMAND,
        file=r"audit/.+/[^/]+\.(npz|json)$",
        ahead=[0, 1, 2],
        late=0.02,
        early=0.3,
    )
    assert kills >= 10, kills
    expected, found = contents(undisturbed), contents(tmp_path / "audit")
    assert sorted(found) == sorted(expected)
    assert found == expected
    assert not list(tmp_path.rglob(".*.unfinished")), "no half-written file is left"
    assert len(list((tmp_path / "audit").glob("*/*.json"))) == 6
