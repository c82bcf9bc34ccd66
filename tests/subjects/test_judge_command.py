"""`pellucid judge`, as a person or a program sees it."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from command import call, refused
from pellucid.evaluate.explanations import Judged


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


BARE = ["judge", "mlp", "--data", "digits", "--device", "cpu"]
QUICK = [*BARE, "--n", "20"]


def test_every_metric_of_every_explainer_comes_out_and_is_kept() -> None:
    methods = ["--explainer", "gradient,smoothgrad", "--set", "smoothgrad.samples=4"]
    metrics = ["--metric", "sparsity,random-similarity", "--set", "random-similarity.draws=2"]
    content: dict[str, Any] = json.loads(call(*QUICK, *metrics, *methods, "--json"))
    assert content["images"] == 20
    assert content["of"] == "predicted"
    assert [(one["explainer"], one["metric"]) for one in content["metrics"]] == [
        (explainer, metric)
        for explainer in ("gradient", "smoothgrad")
        for metric in ("sparsity", "random-similarity")
    ]
    for one in content["metrics"]:
        assert one["low"] <= one["mean"]["low"] <= one["mean"]["value"] <= one["mean"]["high"] <= one["high"]
        assert one["mean"]["n"] + one["undefined"] == 20
        record = Judged.load(Path(one["path"]) / "record.npz")
        assert record.mean is not None
        assert record.mean.value == one["mean"]["value"]
    assert content["metrics"][2]["explained_by"]["samples"] == 4
    assert content["metrics"][1]["settings"]["draws"] == 2
    assert content["metrics"][1]["forwards"] > content["metrics"][0]["forwards"]


def test_the_same_command_reads_the_same_result() -> None:
    command = [*QUICK, "--metric", "sparsity", "--explainer", "gradient", "--json"]
    first = call(*command)
    (folder,) = Path("judgments").iterdir()
    written = (folder / "record.npz").stat().st_mtime_ns
    assert call(*command) == first
    assert (folder / "record.npz").stat().st_mtime_ns == written


def test_the_table_says_how_to_read_it() -> None:
    out = call(*QUICK, "--metric", "sparsity", "--explainer", "gradient,occlusion")
    for word in (
        "sparsity",
        "gradient",
        "occlusion",
        "sparsity: 0 to 1, neither end is better",
        "image by image:",
        "explained for: predicted",
    ):
        assert word in out


def test_images_without_a_value_are_named() -> None:
    numpy.save("maps.npy", numpy.zeros((359, 1, 8, 8), dtype=numpy.float32))
    out = call(*QUICK, "--metric", "sparsity", "--maps", "maps.npy")
    assert "sparsity of stored maps: 20 of 20 images have no value: the map is zero" in out
    assert "note 1: sparsity" in out and "none" not in out


def test_stored_maps_are_drawn_with_their_images() -> None:
    maps = numpy.zeros((359, 1, 8, 8), dtype=numpy.float32)
    maps[:, 0, 0, 0] = 1
    maps[::2, 0, 0, 1] = 1
    numpy.save("maps.npy", maps)
    content = json.loads(call(*QUICK, "--metric", "sparsity", "--maps", "maps.npy", "--json"))
    record = Judged.load(Path(content["metrics"][0]["path"]) / "record.npz")
    even = record.columns["index"] % 2 == 0
    assert bool((record.columns["value"][even] == 62 / 64).all())
    assert bool((record.columns["value"][~even] == 63 / 64).all())


def test_one_class_can_be_asked_about() -> None:
    content = json.loads(call(*QUICK, "--metric", "sparsity", "--explainer", "gradient", "--of", "3", "--json"))
    assert content["of"] == 3
    record = Judged.load(Path(content["metrics"][0]["path"]) / "record.npz")
    assert bool((record.columns["of"] == 3).all())


def test_what_is_missing_or_unknown_is_said() -> None:
    assert refused(*QUICK, "--metric", "sparsity") == (
        "sparsity judges explanations; name an explainer, or give maps with --maps"
    )
    assert refused(*QUICK, "--metric", "sparsty", "--explainer", "gradient") == (
        "no metric is called 'sparsty' (did you mean 'sparsity'?)"
    )
    assert refused(*QUICK, "--metric", "sparsity", "--explainer", "gradient", "--of", "pair") == (
        "--of pair asks about 2 classes; ask about one, label, predicted or runner-up"
    )
    assert refused(*QUICK, "--metric", "sparsity", "--explainer", "gradient", "--set", "samples=3") == (
        "there is no setting 'samples' (there are none)"
    )
    assert refused(*QUICK, "--metric", "sparsity", "--maps", "no.npy").startswith("'no.npy' does not exist")
    assert refused(*QUICK, "--metric", "sparsity", "--column", "mask") == (
        "'mask' is no column; write it as name=file.npy"
    )
    numpy.save("short.npy", numpy.zeros((3, 1, 8, 8), dtype=numpy.float32))
    assert refused(*QUICK, "--metric", "sparsity", "--maps", "short.npy") == (
        "short.npy has 3 rows for 359 images; it must have one for each"
    )
