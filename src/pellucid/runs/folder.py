"""A run's folder: what was asked for, what happened, what came out.

spec.toml          the full specification
environment.json   the versions and the machine that it ran on
epochs.jsonl       a line per epoch
checkpoints/       while it trains
model.safetensors  the weights, once it is complete; model.json says which network they fit
result.json        what the network then scored on the test images
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from pellucid import config, files, models
from pellucid.errors import RunError
from pellucid.ledger import checksums
from pellucid.metrics import Estimate
from pellucid.runs.glance import MENDING, accuracy_in, epochs_in
from pellucid.runs.spec import Spec, build
from pellucid.train import Checkpoints, Epoch


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def checkpoints(self) -> Checkpoints:
        """The folder of the run's checkpoints."""
        return Checkpoints(self.path / "checkpoints")

    @property
    def complete(self) -> bool:
        """Whether the run has come to its end."""
        return (self.path / "result.json").exists()

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """The folder of a run that exists."""
        if not (path / "spec.toml").is_file():
            what = "has no spec.toml" if path.is_dir() else "does not exist"
            raise RunError(f"{path} is no run folder: it {what}; give the folder that 'pellucid train' named")
        return cls(path)

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes out while the block runs."""
        return files.locked(self.path)

    def write_spec(self, spec: Spec) -> None:
        """Write down what was asked for."""
        checksums.write(self.path / "spec.toml", config.toml(config.dump(spec)))

    def settings(self) -> config.Table:
        """What was asked for, as it stands there: to look at it, no plug-in that it names is imported."""
        checksums.check(self.path / "spec.toml", MENDING)
        return config.read(self.path / "spec.toml")

    def spec(self) -> Spec:
        """The specification that the run was asked for."""
        return build(self.settings())

    def write_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Write all epochs anew: appending could leave half a line, or one that a resumed run repeats."""
        lines = [json.dumps(epoch.to_record()) + "\n" for epoch in epochs]
        checksums.write(self.path / "epochs.jsonl", "".join(lines))

    def epochs(self) -> list[Epoch]:
        """The epochs that are trained so far."""
        return epochs_in(self.path)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the JSON files."""
        checksums.write_json(self.path / name, content)

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the JSON files; empty where it is not yet written."""
        path = self.path / name
        return checksums.read_json(path, MENDING) if path.exists() else {}

    def write_model(self, model: nn.Module, spec: Spec) -> None:
        """Write the weights, and which network they fit."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        checksums.write(self.path / "model.safetensors", save(tensors))
        self.write_description(spec)

    def write_description(self, spec: Spec) -> None:
        """Write which network the weights fit."""
        self.write_json("model.json", {"name": spec.model.name, "options": config.dump(spec.model.options)})

    def write_result(self, test: Mapping[str, Any], *, epochs: int, model: nn.Module) -> None:
        """Write what the network scored: the last file of all, whose presence says that the run is complete."""
        parameters = sum(parameter.numel() for parameter in model.parameters())
        self.write_json("result.json", {"test": test, "epochs": epochs, "parameters": parameters})

    def network(self, spec: Spec) -> nn.Module:
        """The network of a complete run, made by the function that the specification names and not `model.json`."""
        weights = self.path / "model.safetensors"
        checksums.check(weights, MENDING)
        return models.load(spec.model.name, weights=weights, options=spec.model.options)

    def summary(self) -> dict[str, Any]:
        """The run as plain values for JSON: what was asked for, its epochs and its figures."""
        epochs = self.epochs()
        return {
            "path": str(self.path),
            "complete": self.complete,
            "spec": self.settings(),
            "environment": self.read_json("environment.json"),
            "epochs": [epoch.to_record() for epoch in epochs],
            "result": self.read_json("result.json"),
        }


def runs_in(folder: Path) -> list[RunFolder]:
    """The runs that lie in a folder, by name."""
    return [RunFolder(path.parent) for path in sorted(folder.glob("*/spec.toml"))]


def test_accuracy(run: RunFolder) -> Estimate:
    """What the network of a complete run scored on the test images."""
    if not run.complete:
        raise RunError(f"{run.path} is not complete; the command that began it goes on with it")
    return accuracy_in(run.path)
