"""`pellucid neurons`, as a person or a program sees it."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from command import call, refused

QUICK = ["neurons", "mlp", "--data", "digits", "--device", "cpu", "--n", "60", "--traced", "6", "--draws", "20"]
ATTACKED = [*QUICK, "--eps", "0.3", "--set", "steps=3", "--targets", "2"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(*arguments: str) -> dict[str, Any]:
    return json.loads(call(*arguments, "--json"))


def test_a_table_for_people() -> None:
    out = call(*ATTACKED, "--similarity", "cifar10-wordnet")
    for word in (
        "mlp on digits, layer activation2",
        "6 of 60 images activate a neuron",
        "classes unlike each other",
        "cifar10-wordnet",
        "CS1",
        "r_inst",
        "most consistent",
        "attacks led an image to the class wanted, within 0.3",
    ):
        assert word in out, word
    bare = call(*QUICK)
    assert (
        "no value of CS1; CS1 above permuted labels; CS2; CS2 above permuted labels; CS1 - CS2; r_mean; r_inst: "
        "no image was attacked" in bare
    )


def test_another_reading_costs_no_more_passes_and_has_files_of_its_own() -> None:
    first = found(*ATTACKED)
    (folder,) = Path("neurons").iterdir()
    record = folder / "attacked" / "record.npz"
    before = record.stat().st_mtime_ns
    second = found(*ATTACKED, "--similarity", "cifar10-wordnet", "--top", "0.2", "--count", "all", "--root")
    assert record.stat().st_mtime_ns == before
    assert Path(first["path"]).parent == Path(second["path"]).parent == folder
    assert first["path"] != second["path"]
    (one,), (two,) = first["layers"], second["layers"]
    assert one["identity"] == one["level"] and two["identity"] != two["level"]
    assert (one["count"], two["count"]) == (6, 12)
    assert two["chance"] == pytest.approx(0.1242**0.5, abs=0.01)
    assert two["which"] == "all" and two["succeeded"] == one["succeeded"]
    assert found(*ATTACKED, "--pool", "mean")["path"] != first["path"]
    for content in (first, second):
        path = Path(content["path"])
        assert json.loads((path / "neurons.json").read_text())["layers"] == content["layers"]
        with numpy.load(path / "neurons-activation2.npz") as arrays:
            assert len(arrays["level"]) == content["layers"][0]["neurons"] - content["layers"][0]["dead"]
        with Image.open(content["pictures"]["activation2"]) as picture:
            assert picture.width > 9 * 160


def test_several_layers_and_a_similarity_from_a_file() -> None:
    Path("classes.toml").write_text(
        'kind = "hierarchy"\nkernel = "exponential"\nsigma = 1.0\n[parents]\n'
        + "\n".join(f'{digit} = ["{"round" if digit in (0, 6, 8, 9) else "straight"}"]' for digit in range(10))
    )
    content = found(*QUICK, "--layer", "activation1,fc3", "--similarity", "classes.toml", "--neurons", "2")
    assert [layer["layer"] for layer in content["layers"]] == ["activation1", "fc3"]
    assert content["similarity"]["parents"]["8"] == ["round"]
    for layer in content["layers"]:
        # classes are alike by exp(-2) within a group: 4 and 6 of them
        assert layer["chance"] == pytest.approx(0.1 + (12 + 30) / 100 * numpy.exp(-2), abs=1e-9)
        assert len(layer["most"]) == len(layer["least"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neurons", "mlp"], "'mlp' is no run, so it does not know its data; give --data"),
        ([*QUICK, "--similarity", "identty"], "kind is \"identty\" (did you mean 'identity'?)"),
        (
            [*QUICK, "--similarity", "none.toml"],
            "cannot read 'none.toml': No such file or directory; give a file that you may read",
        ),
        ([*QUICK, "--eps", "a lot"], "'a lot' is no budget; give a number, or a fraction such as 8/255"),
        (
            [*QUICK, "--layer", "fc9"],
            "the network has no layer 'fc9' "
            "(its first ones are: shape, normalize, flatten, fc1, activation1, fc2, activation2, fc3)",
        ),
        ([*QUICK, "--top", "2"], "share is 2; it is a part of all images, above 0 and at most 1"),
    ],
)
def test_what_is_refused(arguments: list[str], message: str) -> None:
    assert refused(*arguments) == message
