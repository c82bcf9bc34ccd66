"""Networks and images of every kind; each ends in a right outcome or in one clear line.

Whole audits take all parts of the quick profile, so a part that is added to it is tried on all of these.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from command import call, refused
from pellucid.audits import PROFILES, AuditFolder, Done, Outcome, Profile, carry_out, chosen
from pellucid.subjects import Asked, Subject
from pellucid.trust import trusting

NETWORKS = """
import torch
from torch import nn


def convolution(channels=1, classes=3):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, classes),
    )


def double(channels=1, classes=3):
    return convolution(channels, classes).double()


def half(channels=1, classes=3):
    return convolution(channels, classes).half()


def rounded(channels=1, classes=3):
    return half(channels, classes).float()


def training(channels=1, classes=3):
    return convolution(channels, classes).train()


def probabilities(channels=1, classes=3):
    return nn.Sequential(convolution(channels, classes), nn.Softmax(1))


def numbers():
    return nn.Flatten(0)
"""
CHEAP = [
    "robustness.linf=[0.1]",
    "robustness.steps=2",
    "robustness.nearest_steps=2",
    "robustness.repeated=1",
    "verdicts.steps=2",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"nets_{os.getpid()}.py").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def net(name: str) -> str:
    return f"nets_{os.getpid()}:{name}"


def arrays(count: int, *shape: int, classes: int = 3, names: int | None = None, layout: str = "NCHW") -> str:
    x = np.random.default_rng(0).random((count, *shape), dtype=np.float32)
    known = np.array([f"class {number}" for number in range(names or classes)])
    np.savez("images.npz", x=x, y=np.arange(count) % classes, layout=layout, classes=known)
    return "images.npz"


def few() -> Profile:
    """The decisions and the robustness of the quick profile."""
    found = chosen("quick", CHEAP)
    return Profile(
        "a test", {name: part for name, part in found.parts.items() if name in ("decisions", "robustness")}
    )


def outcomes(subjects: list[Subject], profile: Profile, folder: str = "audit") -> dict[str, Outcome]:
    events = list(carry_out(subjects, profile, AuditFolder(Path(folder))))
    return {event.part: event.outcome for event in events if isinstance(event, Done)}


def network(name: str, source: str, *options: str, **more: Any) -> list[Subject]:
    return [Asked(net(name), source, options=options, split="all", device="cpu", **more).subject()]


@pytest.mark.parametrize(
    ("shape", "classes", "count"),
    [((1, 8, 8), 3, 12), ((3, 8, 8), 2, 12), ((13, 9, 11), 3, 12), ((3, 512, 512), 3, 1), ((1, 8, 8), 1000, 6)],
    ids=["gray", "two-classes", "thirteen-channels", "large", "thousand-classes"],
)
def test_images_of_every_shape_and_number_of_classes(shape: tuple[int, ...], classes: int, count: int) -> None:
    source = arrays(count, *shape, classes=min(classes, 3), names=classes)
    found = outcomes(network("convolution", source, f"channels={shape[0]}", f"classes={classes}"), few())
    assert [outcome.failure for outcome in found.values()] == ["", ""]
    decided = found["decisions"].finding
    assert decided is not None
    figures = {str(figure): figure.estimate for figure in decided.figures}
    assert figures["accuracy"] is not None and figures["accuracy"].n == count
    assert len(decided.details.classes) == classes


@pytest.mark.parametrize(
    ("kind", "same_as"), [("double", "convolution"), ("half", "rounded"), ("training", "convolution")]
)
@pytest.mark.filterwarnings("ignore:this network is in float16")
def test_precision_and_mode_of_a_network_do_not_matter(kind: str, same_as: str) -> None:
    source = arrays(12, 1, 8, 8)
    plain = outcomes(network(same_as, source), few(), "plain")
    found = outcomes(network(kind, source), few(), "found")
    for part, outcome in plain.items():
        other = found[part].finding
        assert outcome.finding is not None and other is not None, found[part].failure
        for figure, same in zip(outcome.finding.figures, other.figures, strict=True):
            assert figure.estimate is not None and same.estimate is not None
            assert same.estimate.value == pytest.approx(figure.estimate.value, abs=1e-4)


def test_probabilities_are_told_from_logits() -> None:
    found = outcomes(
        network("probabilities", arrays(12, 1, 8, 8)),
        Profile("a test", {"verdicts": chosen("quick", ["verdicts.n=4", "verdicts.steps=2"]).parts["verdicts"]}),
    )
    finding = found["verdicts"].finding
    assert finding is not None, found["verdicts"].failure
    (verdict,) = (verdict for verdict in finding.verdicts if verdict.check == "probabilities")
    assert not verdict.passed and verdict.remedy


def scripted(model: nn.Module) -> str:
    torch.jit.script(model).save("net.pt")
    return "net.pt"


def exported(model: nn.Module) -> str:
    batch, images = torch.export.Dim("batch"), torch.zeros(2, 1, 8, 8)
    torch.export.save(torch.export.export(model, (images,), dynamic_shapes=({0: batch},)), "net.pt2")
    return "net.pt2"


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("saved", [scripted, exported])
def test_a_program_is_audited_like_any_other(saved: Callable[[nn.Module], str]) -> None:
    source = arrays(12, 1, 8, 8)
    (plain,) = network("convolution", source)
    with trusting(True):
        program = [Asked(saved(plain.model.eval()), source, split="all", device="cpu").subject()]
    one, other = outcomes([plain], few(), "plain"), outcomes(program, few(), "program")
    for part in one:
        mine, theirs = one[part].finding, other[part].finding
        assert mine is not None and theirs is not None, other[part].failure
        assert [figure.estimate for figure in mine.figures] == [figure.estimate for figure in theirs.figures]


@pytest.mark.parametrize("count", [1, 2])
def test_one_image_in_all_and_a_class_without_any(count: int) -> None:
    found = outcomes(network("convolution", arrays(count, 1, 8, 8)), few())
    decided = found["decisions"].finding
    assert decided is not None and found["robustness"].finding is not None
    by_class = [entry.accuracy is not None for entry in decided.details.classes]
    assert by_class == [number < count for number in range(3)]


def folder(*classes: str, count: int = 4, size: int = 8) -> Path:
    place = Path("pictures")
    for shade, name in enumerate(classes):
        (place / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("L", (size, size), 40 * number + 10 * shade).save(place / name / f"{number}.png")
    return place


def test_corrupt_files_are_named_or_left_out() -> None:
    place = folder("a", "b", "c")
    (place / "b" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(
        Exception, match=re.escape("cannot read 'b/2.png' in 'pictures': it is no image or is cut short")
    ):
        network("convolution", "pictures")
    (subject,) = network("convolution", "pictures", skip_bad=True)
    assert len(subject.split) == 11
    assert all(outcome.finding for outcome in outcomes([subject], few()).values())


def test_a_flat_folder_is_explained_without_labels() -> None:
    place = folder("", count=5)
    (place / "broken.png").write_bytes(b"nothing")
    with pytest.raises(Exception, match=re.escape("cannot read 'broken.png' in 'pictures'")):
        network("convolution", "pictures")
    (subject,) = network("convolution", "pictures", skip_bad=True, n=4)
    assert not subject.labeled
    assert subject.split.classes == ("0", "1", "2") and len(subject.split) == 4
    (batch,) = subject.split.batches([torch.arange(4)])
    assert torch.equal(subject.split.labels, subject.model(batch.x).argmax(1))
    found = outcomes([subject], few())
    assert all(outcome.skipped for outcome in found.values())


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (
            lambda: arrays(6, 1, 8, 8),
            ["convolution", "--option", "channels=3"],
            "'{net}:convolution' does not take images of 1 x 8 x 8: RuntimeError: Given groups=1, weight of size "
            "[4, 3, 3, 3], expected input[1, 1, 8, 8] to have 3 channels, but got 1 channels instead",
        ),
        (
            lambda: arrays(6, 1, 8, 8),
            ["convolution", "--option", "classes=7"],
            "'{net}:convolution' tells 7 classes apart and 'images.npz' has 3; "
            "take images of the classes that it has learned, or say what it calls them by --classes",
        ),
        (
            lambda: arrays(6, 1, 8, 8),
            ["numbers"],
            "'{net}:numbers' returned shape (64,) for 1 image; it must return (images, classes)",
        ),
        (
            lambda: str(folder("a", "b", "c")) and str(folder("d", count=0)),
            ["convolution", "--option", "classes=4"],
            "the class folder 'pictures/d' has no readable images; add some, or remove the folder",
        ),
    ],
    ids=["channels", "classes", "output", "class-without-images"],
)
def test_what_does_not_fit_is_one_clear_line(make: Callable[[], str], arguments: list[str], message: str) -> None:
    source = make()
    said = refused("audit", net(arguments[0]), *arguments[1:], "--data", source, "--split", "all", "--device", "cpu")
    assert said == message.replace("{net}", f"nets_{os.getpid()}")
    assert not Path("audit").exists()


def test_several_networks_share_the_images() -> None:
    source = arrays(6, 1, 8, 8)
    asked = Asked(net("convolution"), source, split="all", n=4, device="cpu")
    one, other = asked.subjects([net("convolution"), net("probabilities")])
    assert one.split.fingerprint() == other.split.fingerprint() and len(one.split) == 4
    message = "net.pt are weights of one network, and 2 are named; audit it alone, or name a run"
    assert refused("audit", "mlp", "lenet", "--data", source, "--weights", "net.pt") == message


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["labeled", "unlabeled"])
def test_a_whole_audit_of_few_images(kind: str) -> None:
    source = arrays(6, 1, 16, 16) if kind == "labeled" else str(folder("", count=3, size=16))
    command = [net("convolution"), "--data", source, "--profile", "quick", "--n", "2", "--device", "cpu", "--json"]
    cheap = ["--explainer", "gradient", *(word for one in CHEAP for word in ("--set", one))]
    content = json.loads(call("audit", *command, "--split", "all", *cheap))
    failed = {entry["part"]: entry["failure"] for entry in content["failures"]}
    assert all(kind == "unlabeled" and failure.startswith("skipped") for failure in failed.values()), failed
    assert {entry["part"] for entry in content["figures"]} <= set(PROFILES["quick"].parts) - set(failed)
    assert Path(content["page"]).exists()
