import hashlib
import json
from pathlib import Path

import torch
from click.testing import CliRunner

from pellucid import cli, config, runs
from pellucid.data import load


def _spec(*assignments: str) -> runs.Spec:
    return runs.build(runs.table("standard", {}, assignments))


def test_runs_that_say_nothing_of_labels_keep_their_names() -> None:
    spec = _spec()
    tables = config.dump(spec)
    for name in (
        "source",
        "root",
        "download",
        "memory",
        "workers",
        "random_labels",
        "first",
        "tested",
        "limit",
        "only",
    ):
        del tables["data"][name]
    del tables["model"]["init"], tables["references"]
    wanted = hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:12]
    assert spec.fingerprint == wanted
    assert _spec("data.random_labels=true").fingerprint != wanted
    old = config.dump(spec)
    del old["data"]["random_labels"]
    assert runs.build(old) == spec


def test_only_the_training_labels_are_dealt_out() -> None:
    data, dealt = load("digits"), runs.load_data(runs.DataSpec(random_labels=True))
    assert not torch.equal(dealt.train.labels, data.train.labels)
    assert dealt.test.fingerprint() == data.test.fingerprint()
    other = runs.load_data(runs.DataSpec(random_labels=True, split_seed=1))
    assert not torch.equal(dealt.train.labels, other.train.labels)


def test_a_network_is_trained_on_random_labels(tmp_path: Path) -> None:
    command = ["train", "standard", "--data", "digits", "--model", "mlp", "--device", "cpu", "--json"]
    command += ["--set", "recipe.epochs=1", "--set", "data.random_labels=true", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli.cli, command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["spec"]["data"]["random_labels"] is True
    assert found["spec"]["data"]["fingerprint"] != runs.prepare(runs.table("standard"))[0].data.fingerprint
    assert found["result"]["test"]["value"] < 0.5
