"""Pictures of explanations by one command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from command import call, refused
from pellucid import data, models
from pellucid.explainers import Gradient
from pellucid.page.words import legends
from pellucid.reports.explanations import where_to


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run on digits."""
    out = tmp_path_factory.mktemp("explained")
    arguments = ("--model", "lenet", "--device", "cpu", "--set", "recipe.epochs=1", "--out", str(out), "--json")
    return json.loads(call("train", "standard", *arguments))["path"]


def explained(*arguments: str) -> dict[str, Any]:
    return json.loads(call("explain", *arguments, "--device", "cpu", "--json"))


def photograph(name: str, width: int, height: int, color: str = "gray") -> str:
    Image.effect_noise((width, height), 80).convert("L" if color == "gray" else "RGB").save(name)
    return name


def test_every_picture_class_and_method_is_drawn_and_the_numbers_are_kept(network: str) -> None:
    photograph("one.png", 8, 8)
    Path("more").mkdir()
    photograph("more/two.jpg", 30, 20, color="rgb")
    found = explained(network, "one.png", "more", "--of", "pair", "--explainer", "gradient,adversarial")
    asked = [(entry["picture"], entry["explainer"], entry["asked"]) for entry in found["explanations"]]
    assert sorted(set(asked)) == sorted(
        (picture, method, word)
        for picture in ("one", "two")
        for method in ("gradient", "adversarial")
        for word in ("predicted", "runner-up")
    )
    for entry in found["explanations"]:
        assert len(entry["paths"]) == (3 if entry["explainer"] == "adversarial" else 1)
        for path in entry["paths"]:
            with Image.open(path) as picture:
                assert picture.size == (8, 8)
    with numpy.load("explanations/explanations.npz") as arrays:
        x = torch.from_numpy(arrays["x"])
        gradient = Gradient()(models.load(network), x, "predicted")
        assert torch.allclose(torch.from_numpy(arrays["gradient/predicted/map"]), gradient.map, atol=1e-6)
        change = arrays["adversarial/runner-up/image"] - arrays["x"]
        assert numpy.allclose(change, arrays["adversarial/runner-up/map"], atol=1e-6)
    assert json.loads(Path("explanations/explanations.json").read_text()) == found
    with Image.open(found["sheet"]) as sheet:
        assert sheet.width > 4 * 160 and sheet.height > 4 * 160


def test_what_an_adversarial_explanation_reached_is_said(network: str) -> None:
    asked = ("--n", "3", "--of", "pair", "--explainer", "adversarial,gradient", "--set", "adversarial.rho=0.02")
    found = explained(network, *asked)
    model = models.load(network)
    with numpy.load("explanations/explanations.npz") as arrays:
        for entry in found["explanations"]:
            if entry["explainer"] == "gradient":
                assert entry["leads_to"] is None
                continue
            row, key = found["pictures"].index(entry["picture"]), f"adversarial/{entry['asked']}"
            image, of = torch.from_numpy(arrays[f"{key}/image"])[[row]], int(arrays[f"{key}/of"][row])
            with torch.no_grad():
                after, drawn = (model(x).double().softmax(1)[0] for x in (image, image.clamp(0, 1)))
            end = entry["leads_to"]
            assert end["probability"] == pytest.approx(float(after[of]), abs=1e-6)
            assert end["probability_as_drawn"] == pytest.approx(float(drawn[of]), abs=1e-6)
            assert end["reached"] == (int(after.argmax()) == of) and end["predicted"] == str(int(after.argmax()))
            assert end["reached_as_drawn"] == (int(drawn.argmax()) == of)
            length = float((image - torch.from_numpy(arrays["x"])[[row]]).square().mean().sqrt())
            assert end["distance"] == pytest.approx(length, rel=1e-4)
            assert end["asked_for"] == 0.02 and end["norm"] == "rms"
    ends = [entry["leads_to"] for entry in found["explanations"] if entry["leads_to"]]
    assert not all(end["reached"] for end in ends), "a short way does not lead to every runner-up"
    reached = sum(end["reached"] for end in ends)
    assert f"adversarial, {reached} of 6 images lead to their class" in call(
        "explain", network, *asked, "--device", "cpu"
    )


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ({}, ("leads to 97.3%", "rms 0.0991 of 0.1")),
        ({"probability_as_drawn": 0.5}, ("leads to 97.3%, 50.0% as drawn", "rms 0.0991 of 0.1")),
        (
            {"reached": False, "predicted": "dog"},
            ("leads to 97.3%", "rms 0.0991 of 0.1", "not reached: dog is likelier"),
        ),
        ({"reached_as_drawn": False}, ("leads to 97.3%", "rms 0.0991 of 0.1", "reached, but not as drawn")),
        ({"asked_for": None, "norm": "l2"}, ("leads to 97.3%", "l2 0.0991")),
    ],
)
def test_where_an_explanation_leads_stands_under_it(end: dict[str, Any], lines: tuple[str, ...]) -> None:
    whole = {"probability": 0.973, "probability_as_drawn": 0.973, "reached": True, "reached_as_drawn": True}
    whole |= {"predicted": "cat", "distance": 0.0991, "asked_for": 0.1, "norm": "rms"}
    assert where_to(whole | end) == lines


def test_the_legend_is_that_of_what_is_drawn(network: str) -> None:
    methods = "gradient,smoothgrad,vargrad,adversarial,lrp,rise,layer-activation"
    quick = ("--set", "rise.masks=8", "--set", "smoothgrad.samples=2", "--set", "adversarial.steps=2")
    said = explained(network, "--n", "1", "--explainer", methods, *quick)["legends"]
    assert said["gradient"] == said["smoothgrad"]
    assert "brighter pixel" in said["gradient"] and "speaks for" not in said["gradient"]
    assert said["lrp"] == "red speaks for the class, blue against it"
    assert said["vargrad"].startswith("purple has no sign") and said["rise"].startswith("purple has no sign")
    assert "red" not in said["adversarial"] and "around gray" in said["adversarial"]
    assert said["layer-activation"].endswith("whatever the class")
    lines = legends(said)
    assert len(lines) == 6 and lines[0].startswith("gradient, smoothgrad: where it is red")
    assert legends({"lrp": said["lrp"]}) == ["red speaks for the class, blue against it"]


def test_pictures_and_classes_that_are_called_alike_have_files_of_their_own(network: str) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        photograph(f"{folder}/a b.png", 8, 8)
    photograph("a_b.png", 8, 8)
    found = explained(network, "a", "b", "a_b.png", "--explainer", "gradient")
    paths = [path for entry in found["explanations"] for path in entry["paths"]]
    assert len(set(paths)) == 3 and all(Path(path).exists() for path in paths)


def test_the_same_command_writes_the_same_bytes(network: str) -> None:
    def files() -> dict[str, bytes]:
        call("explain", network, "--n", "2", "--explainer", "smoothgrad", "--set", "samples=3", "--device", "cpu")
        return {path.name: path.read_bytes() for path in Path("explanations").iterdir()}

    first = files()
    assert len(first) == 2 + 3
    assert files() == first


def test_without_pictures_images_of_the_data_are_explained(network: str) -> None:
    found = explained(network, "--n", "3", "--split", "train", "--of", "all", "--explainer", "gradient")
    assert len(found["explanations"]) == 3 * 10
    assert all(name.startswith("train image ") for name in found["pictures"])
    total = sum(entry["probability"] for entry in found["explanations"])
    assert total == pytest.approx(3, abs=1e-6)


def test_what_learns_is_shown_training_images(network: str) -> None:
    method = ("--explainer", "expected-gradients,gradient", "--set", "expected-gradients.samples=4")
    found = explained(network, photograph("one.png", 8, 8), *method)
    assert found["explainers"]["expected-gradients"]["samples"] == 4
    assert len(found["explanations"]) == 2


def test_a_network_without_data_is_told_what_it_takes() -> None:
    network = models.build("lenet", shape=(1, 8, 8), seed=3)
    save_file(network.state_dict(), "own.safetensors")
    photograph("one.png", 20, 20)
    weights = ("--weights", "own.safetensors", "--shape", "1,8,8")
    found = explained("lenet", "one.png", *weights, "--explainer", "gradient", "--of", "3,7")
    assert [entry["of"] for entry in found["explanations"]] == ["3", "7"]
    with numpy.load("explanations/explanations.npz") as arrays:
        map = Gradient()(network, torch.from_numpy(arrays["x"]), 7).map
        assert torch.allclose(torch.from_numpy(arrays["gradient/7/map"]), map, atol=1e-6)


def test_the_mean_that_the_network_subtracts_is_a_baseline(network: str) -> None:
    method = ("--explainer", "input-times-gradient", "--set", "baseline=network-mean")
    found = explained(network, "--n", "2", *method)
    assert found["explainers"]["input-times-gradient"]["baseline"] == "network-mean"
    assert [entry["idle"] for entry in found["explanations"]] == [0, 0], "no pixel of a digit is as the mean"
    black = explained(network, "--n", "2", "--explainer", "occlusion")
    with numpy.load("explanations/explanations.npz") as arrays:
        shares = [float((image == 0).mean()) for image in arrays["x"]]
    assert [entry["idle"] for entry in black["explanations"]] == pytest.approx(shares)
    assert refused("explain", "mlp", "--data", "digits", "--n", "1", "--device", "cpu", *method) == (
        "the baseline is 'network-mean', and this network subtracts no mean from images; "
        "give a number in [0, 1], 'mean' or 'blur'"
    )


def test_what_a_person_reads(network: str) -> None:
    printed = call("explain", network, "--n", "1", "--explainer", "gradient", "--device", "cpu")
    assert "test image" in printed
    assert printed.strip().endswith("all of them side by side: explanations/sheet.png")


def test_what_maps_lose_and_what_has_to_be_known_of_them_is_said_wherever_they_are_shown() -> None:
    network = models.build("lenet", shape=(1, 8, 8), seed=3)
    with torch.no_grad():
        network.get_parameter("fc3.weight")[4] = 0
        network.get_parameter("fc3.bias")[4] = 7
    save_file(network.state_dict(), "own.safetensors")
    photograph("one.png", 8, 8)
    command = ("lenet", "one.png", "--weights", "own.safetensors", "--shape", "1,8,8", "--of", "4")
    plain = explained(*command, "--explainer", "gradient")
    with Image.open(plain["sheet"]) as sheet:
        height = sheet.height
    (entry,) = plain["explanations"]
    assert (entry["due"], entry["lost"], entry["notes"]) == (None, None, ["the map is zero everywhere"])
    found = explained(*command, "--explainer", "lrp")
    (entry,) = found["explanations"]
    assert (entry["sum"], entry["due"], entry["lost"]) == (0, pytest.approx(7, abs=1e-4), 1)
    with Image.open(found["sheet"]) as sheet:
        assert sheet.height == height + 20, "the sum and the loss make a fourth line, where the class took three"
    printed = call("explain", *command, "--explainer", "lrp", "--device", "cpu")
    assert "lrp, 1 of 1 maps: the map is zero everywhere" in printed
    assert "lrp, 1 of 1 maps: of what a map should add up to, 100.0% lost" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.png",), "'missing.png' does not exist; give image files, or folders of them"),
        (("empty",), "the folder 'empty' holds no images; give image files, or folders of them"),
        (
            ("text.png",),
            "cannot read 'text.png' in '.': it is no image or is cut short; give another file",
        ),
        (
            ("one.png", "--of", "cat"),
            "'cat' is no class of this network (there are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, all, pair, predicted, "
            "runner-up)",
        ),
        (("one.png", "--of", ","), "no class is asked about; give a class, predicted, runner-up, pair or all"),
        (("one.png", "--explainer", "gradcam"), "no explainer is called 'gradcam' (did you mean 'grad-cam'?)"),
        (
            ("one.png", "--explainer", "gradient,lime", "--set", "masks=3"),
            "'masks=3' does not say whose setting it is; write it as lime.masks=3",
        ),
    ],
)
def test_what_is_refused(network: str, arguments: tuple[str, ...], message: str) -> None:
    photograph("one.png", 8, 8)
    Path("empty").mkdir()
    Path("text.png").write_text("no picture")
    assert refused("explain", network, *arguments) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ("lenet", photograph("one.png", 8, 8)),
            "'lenet' does not say what images it takes; give channels, height and width: --shape 3,32,32",
        ),
        (
            lambda: ("lenet", photograph("one.png", 8, 8), "--shape", "8x8"),
            "'8x8' is no shape; give channels, height and width: --shape 3,32,32",
        ),
        (lambda: ("lenet",), "'lenet' is no run, so it knows no images; name image files, or give --data"),
        (
            lambda: ("lenet", photograph("one.png", 8, 8), "--shape", "1,8,8", "--explainer", "expected-gradients"),
            "expected-gradients learns from images of its own; give them with --data, in a folder 'train'",
        ),
    ],
)
def test_what_a_network_alone_cannot_answer(make: Callable[[], tuple[str, ...]], message: str) -> None:
    assert refused("explain", *make()) == message


def test_data_of_another_network_are_named() -> None:
    found = explained("lenet", "--data", "digits", "--n", "2", "--explainer", "gradient")
    assert len(found["explanations"]) == 2
    assert data.load("digits").test.shape == (1, 8, 8)
