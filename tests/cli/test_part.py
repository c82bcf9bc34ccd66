"""`--part`: shares of one work, each in a command of its own."""

import json
from pathlib import Path

import pytest

from command import call
from pellucid.errors import PartDone

NETWORK = ["mlp", "--data", "digits", "--n", "20", "--device", "cpu", "--batch", "5", "--json"]
COMMANDS = {
    "measure": ["measure", *NETWORK, "--attack", "pgd,random-point", "--eps", "0.1", "--no-verdicts"],
    "judge": ["judge", *NETWORK, "--metric", "sparsity,pixel-flipping", "--explainer", "gradient,smoothgrad"],
    "neurons": ["neurons", *NETWORK, "--traced", "20", "--least", "5"],
    "normlime": ["normlime", *NETWORK, "--masks", "100"],
    "references": ["references", *NETWORK],
    "retrain": [
        *["retrain", "mlp", "--data", "digits", "--option", "hidden=[8]", "--set", "recipe.epochs=1", "--seeds", "2"],
        *["--ranking", "random,variance", "--protocol", "roar", "--fractions", "0.5", "--together", "1"],
        *["--device", "cpu", "--json"],
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_two_halves_are_what_one_command_makes(name: str, tmp_path: Path) -> None:
    command, out = COMMANDS[name], ["--out", str(tmp_path / "first")]
    with pytest.raises(
        PartDone, match=r"^part 2/2 is done, and \d of \d chunks of '.*' are still to be made; give the"
    ):
        call(*command, *out, "--part", "2/2")
    call(*command, *out, "--part", "1/2")
    read = json.loads(call(*command, *out))
    whole = json.loads(call(*command, "--out", str(tmp_path / "second")))
    assert json.dumps(read).replace(str(tmp_path / "first"), str(tmp_path / "second")) == json.dumps(whole)
