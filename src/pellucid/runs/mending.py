"""Making good what is damaged in the folder of a complete run."""

import warnings
from dataclasses import asdict

from lightning_fabric import Fabric

from pellucid import files
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.ledger import checksums
from pellucid.runs.folder import RunFolder, test_accuracy
from pellucid.runs.spec import Spec
from pellucid.train import accuracy


def mended(folder: RunFolder, spec: Spec, source: Data, fabric: Fabric) -> bool:
    """Whether a complete run is as it was written, or is so again; if not, it is to be trained again.

    What is damaged is said. What follows from the rest is written again; where the machine was noted that the run was
    trained on, nothing stays.
    """
    if not (_weights_kept(folder) and _epochs_kept(folder)):
        files.remove(folder.path / "result.json")
        return False
    if not _spec_kept(folder):
        folder.write_spec(spec)
    if not checksums.kept(folder.path / "model.json"):
        folder.write_description(spec)
    if not checksums.kept(folder.path / "environment.json"):
        files.remove(folder.path / "environment.json")
    if not _result_kept(folder):
        model = fabric.to_device(folder.network(spec))
        test = accuracy(model, source.test.to(fabric.device))
        folder.write_result(asdict(test), epochs=len(folder.epochs()), model=model)
    return True


def sound(folder: RunFolder) -> bool:
    """Whether there is nothing to mend; this much is asked of folders that cannot be written to, too."""
    try:
        folder.spec()
        folder.epochs()
        test_accuracy(folder)
        folder.read_json("environment.json")
    except PellucidError:
        return False
    return all(checksums.sound(folder.path / name) for name in ("epochs.jsonl", "model.safetensors", "model.json"))


def _weights_kept(folder: RunFolder) -> bool:
    return checksums.kept(folder.path / "model.safetensors")


def _epochs_kept(folder: RunFolder) -> bool:
    with checksums.telling():
        return bool(folder.epochs())
    return False


def _spec_kept(folder: RunFolder) -> bool:
    try:
        folder.spec()
    except PellucidError as error:
        warnings.warn(str(error), stacklevel=3)
        return False
    return True


def _result_kept(folder: RunFolder) -> bool:
    with checksums.telling():
        test_accuracy(folder)
        return True
    return False
