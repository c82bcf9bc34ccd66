import os
import re
from pathlib import Path

import pytest
import torch

from pellucid.errors import CheckpointError
from pellucid.train import Checkpoints


def state(epoch: int) -> dict[str, object]:
    return {"weights": {"a": torch.full((50,), float(epoch))}, "history": [{"number": epoch}]}


def test_the_newest_state_comes_back_and_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.latest() == (None, ())
    for epoch in range(1, 5):
        checkpoints.save(epoch, state(epoch))
    found, rejected = checkpoints.latest()
    assert found is not None and found["history"] == [{"number": 4}] and rejected == ()
    assert torch.equal(found["weights"]["a"], torch.full((50,), 4.0))
    assert sorted(os.listdir(checkpoints.folder)) == ["epoch-000003.ckpt", "epoch-000004.ckpt"]
    checkpoints.clear()
    assert checkpoints.latest() == (None, ())


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state(1))
    checkpoints.save(2, state(2))
    path = tmp_path / "epoch-000002.ckpt"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flipped":
        content[-100] ^= 1
    else:
        content.clear()
    path.write_bytes(content)
    found, rejected = checkpoints.latest()
    assert found is not None and found["history"] == [{"number": 1}]
    assert rejected == ("epoch-000002.ckpt is damaged (its checksum does not match) and was passed over",)


def test_a_full_disk_loses_no_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state(1))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = (
        f"cannot write '{tmp_path}/epoch-000002.ckpt': No space left on device; "
        "make room, then give the same command again; epoch-000001.ckpt is intact"
    )
    with pytest.raises(CheckpointError, match=re.escape(message)):
        checkpoints.save(2, state(2))
    found, rejected = checkpoints.latest()
    assert found is not None and found["history"] == [{"number": 1}] and rejected == ()
    assert os.listdir(tmp_path) == ["epoch-000001.ckpt"]
