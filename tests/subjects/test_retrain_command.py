"""`pellucid retrain`, as a person or a program sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from command import call, refused

SMALL = ["--set", "recipe.epochs=2", "--fractions", "0.1,0.5", "--seeds", "2", "--device", "cpu"]
FEW = ["--ranking", "random,variance,gradient"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_listed_network_is_trained_first_and_then_is_a_run() -> None:
    command = ["retrain", "mlp", "--data", "digits", "--option", "hidden=[8]", *FEW, *SMALL, "--json"]
    content: dict[str, Any] = json.loads(call(*command))
    assert Path(content["model"]).parent == Path("retrained") and (Path(content["path"]) / "record.npz").exists()
    assert len(content["rows"]) == 2 * 3 * 2 * 2
    roar, kar = content["protocols"]
    assert (roar["protocol"], kar["protocol"]) == ("roar", "kar")
    point = roar["rankings"]["variance"]["accuracy"][1]
    rows = [
        row["accuracy"]
        for row in content["rows"]
        if (row["protocol"], row["ranking"], row["fraction"]) == ("roar", "variance", 0.5)
    ]
    assert point["value"] == pytest.approx(sum(rows) / 2) and point["n"] == 2
    assert [(pair["first"], pair["second"]) for pair in kar["comparisons"]] == [
        ("random", "variance"),
        ("random", "gradient"),
        ("variance", "gradient"),
    ]
    # the run that it has left is retrained as it was, with its own recipe; nothing is left to do
    run = call("retrain", content["model"], *FEW, *SMALL, "--json")
    assert json.loads(run) == content
    shown = call("retrain", content["model"], *FEW, *SMALL)
    for word in ("ROAR: accuracy", "KAR: accuracy", "mean height", "variance", "no p is below 0.5000"):
        assert word in shown
    assert content["path"] in shown


def test_settings_of_rankings_and_one_seed_of_which_nothing_is_sure() -> None:
    command = ["retrain", "mlp", "--data", "digits", "--option", "hidden=[8]", *SMALL, "--protocol", "kar"]
    content = json.loads(call(*command, "--seeds", "1", "--ranking", "random", "--set", "by=all", "--json"))
    (kar,) = content["protocols"]
    assert kar["comparisons"] == []
    assert kar["rankings"]["random"]["area"]["low"] is None
    measurement = json.loads((Path(content["path"]) / "measurement.json").read_text())
    assert measurement["about"]["ranked by"] == {"random": {"kind": "random", "by": "all"}}
    why = "one network, so no interval; give 2 seeds or more"
    assert kar["rankings"]["random"]["area"]["note"] == why
    shown = call(*command, "--seeds", "1", "--ranking", "random", "--set", "by=all")
    assert "±" not in shown
    assert "each accuracy is of one network, so there are no intervals; give 2 seeds or more" in shown
    compared = call(*command, "--seeds", "1", "--ranking", "random,variance")
    assert f"note 1: {why}" in compared and "intervals over them" not in compared


def test_what_is_refused() -> None:
    content = json.loads(
        call("train", "standard", "--model", "mlp", "--set", "recipe.epochs=1", "--device", "cpu", "--json")
    )
    run = content["path"]
    assert refused("retrain", run, "--option", "hidden=[8]") == f"'{run}' is a run and has its options; give none"
    assert refused("retrain", "mlp") == "'mlp' is no run, so it does not know its data; give --data"
    assert refused("retrain", run, "--fractions", "0.1;0.5") == ("'0.1;0.5' are no fractions; write them as 0.1,0.5")
    assert refused("retrain", run, "--protocol", "rar").startswith("no protocol is called 'rar'")
    assert refused("retrain", run, "--set", "recipe.averages=0.9").startswith(
        "there is no setting 'recipe.averages' (did you mean 'recipe.average'"
    )
    (Path(run) / "result.json").unlink()
    assert refused("retrain", run) == (f"'{run}' is a run that is not complete; go on with the command that began it")
