"""The parts of an audit, each on a small network that has learned to read digits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid import CrossEntropy, Recipe, data, evaluate, fit, measure, models, plain
from pellucid.attacks import AutoAttack
from pellucid.audits import (
    Applicable,
    AutoAttacked,
    Checked,
    ClassMaps,
    Explained,
    Figure,
    Finding,
    Gallery,
    Gradients,
    Neurons,
    Part,
    Task,
)
from pellucid.audits.applicable import details as applicable
from pellucid.audits.planning import speed_of
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.evaluate.counting import passes_of
from pellucid.evaluate.explanations import (
    AdversarialSimilarity,
    Deletion,
    GradientBound,
    ImageAlignment,
    MassInMask,
    RandomSimilarity,
    Sparsity,
    counted,
    judge,
)
from pellucid.evaluate.speed import Speed
from pellucid.explainers import EXPLAINERS, LRP, GradCAM, Gradient, NormLime, SmoothGrad
from pellucid.explainers.lime import Grid, Lime
from pellucid.models import BlackBox
from pellucid.subjects import Subject

# without convolutions, so that Grad-CAM has nothing to look at
NO_CONVOLUTIONS = "no layer of this network puts out a map of features"


@pytest.fixture(scope="session")
def subject() -> Subject:
    digits = data.load("digits")
    model = models.build("mlp", shape=digits.train.shape, classes=len(digits.train.classes), hidden=(24,))
    for _ in fit(model, digits.train, CrossEntropy(), Recipe(epochs=4), seed=0):
        pass
    return Subject("reader", model.eval(), "digits", digits.test.take(120), digits.train)


def carried_out(part: Part, subject: Subject, place: Path) -> Finding:
    """What a part finds in a folder that `carry_out` would have made."""
    place.mkdir(parents=True, exist_ok=True)
    return part.carry_out(Task(subject, place, seed=5))


def named(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {str(figure): figure for figure in figures}


def pictures(content: Any) -> list[str]:
    """Every path of a picture in details."""
    content = plain.dump(content)
    if isinstance(content, dict):
        return [path for value in content.values() for path in pictures(value)]
    if isinstance(content, list):
        return [path for value in content for path in pictures(value)]
    return [content] if isinstance(content, str) and content.endswith(".png") else []


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def test_explanations_are_judged_as_by_judge(subject: Subject, tmp_path: Path) -> None:
    explainers = {"gradient": Gradient(), "smoothgrad": SmoothGrad(samples=2)}
    metrics = {"deletion": Deletion(), "sparsity": Sparsity(), "random-similarity": RandomSimilarity(draws=2)}
    part = Explained(explainers, metrics, n=6)
    task = Task(subject, tmp_path, seed=5)
    found = part.carry_out(task)
    assert list(named(found.figures)) == [str(entry) for entry in part.announced()]
    for name, explainer in explainers.items():
        records = judge(subject.model, task.some(6), metrics, explainer=explainer, seed=5)
        for metric, record in records.items():
            figure = named(found.figures)[f"{metric}({name})"]
            assert figure.estimate == record.mean
            assert figure.better == metrics[metric].better
    assert found.details.metrics["sparsity"].better == "neither"
    assert found.details.explainers["smoothgrad"]["samples"] == 2
    assert part.carry_out(task) == found, "a second attempt goes on with what is kept"


def test_what_has_to_be_known_of_maps_is_kept_with_them(subject: Subject, tmp_path: Path) -> None:
    blind = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with torch.no_grad():
        for parameter in blind.parameters():
            parameter.zero_()
        blind[1].get_parameter("bias")[3] = 2
    blinded = replace(subject, model=blind)
    lrp = {"lrp": LRP()}
    found = carried_out(Explained(lrp, {"sparsity": Sparsity()}, n=4), blinded, tmp_path / "judged")
    assert found.details.known == {
        "lrp": (
            "4 of 4 maps: the map is zero everywhere",
            "4 of 4 maps: of what a map should add up to, 100.0% lost",
        )
    }
    part = Gallery(lrp, chosen=1, worst=0, rho=(0.1,), steps=1)
    (image,) = carried_out(part, blinded, tmp_path / "drawn").details.images
    about = ("adds up to 0 of 2", "100.0% lost", "the map is zero everywhere")
    assert image.maps["lrp"].about == about


def test_what_cannot_be_judged_is_named_and_loses_nothing_else(subject: Subject, tmp_path: Path) -> None:
    metrics = {"sparsity": Sparsity(), "mass-in-mask": MassInMask()}
    explainers = {"grad-cam": GradCAM(), "gradient": Gradient()}
    found = named(carried_out(Explained(explainers, metrics, n=4), subject, tmp_path).figures)
    alone = named(
        carried_out(Explained({"gradient": Gradient()}, {"sparsity": Sparsity()}, n=4), subject, tmp_path).figures
    )
    assert found["sparsity(gradient)"] == alone["sparsity(gradient)"]
    assert found["sparsity(gradient)"].note == ""
    for name, reason in (
        ("mass-in-mask(gradient)", "'mask'"),
        ("sparsity(grad-cam)", NO_CONVOLUTIONS),
        ("mass-in-mask(grad-cam)", ""),
    ):
        assert found[name].estimate is None
        assert found[name].note.startswith("could not be measured: ")
        assert reason in found[name].note and "\n" not in found[name].note
    assert found["sparsity(grad-cam)"].better == "neither"


def test_images_without_a_value_are_counted(tmp_path: Path, subject: Subject) -> None:
    last = nn.Linear(64, 10)
    nn.init.zeros_(last.weight)
    blind = nn.Sequential(nn.Flatten(), last)
    found = carried_out(Gradients({"sparsity": Sparsity()}, n=4), replace(subject, model=blind), tmp_path)
    (figure,) = found.figures
    assert figure.estimate is None
    assert figure.note == (
        f"4 of 4 images have no value: {Sparsity().undefined}; 4 of 4 maps are zero, even, no more than rounding "
        "or a simpler method's, as 'pellucid explain' says of each"
    )


def test_gradients_are_judged_as_by_judge(subject: Subject, tmp_path: Path) -> None:
    metrics = {"gradient-bound": GradientBound(), "image-alignment": ImageAlignment()}
    part = Gradients(metrics, n=10)
    found = named(carried_out(part, subject, tmp_path).figures)
    assert list(found) == [str(entry) for entry in part.announced()]
    assert list(found) == ["gradient-bound", "image-alignment(gradient)"]
    records = judge(subject.model, Task(subject, tmp_path, 5).some(10), metrics, explainer=Gradient(), seed=5)
    estimates = [figure.estimate for figure in found.values()]
    assert estimates == [record.mean for record in records.values()]


def test_verdicts_are_those_of_every_check(subject: Subject, tmp_path: Path) -> None:
    found = carried_out(Checked(n=4, steps=2), subject, tmp_path)
    # all but that of searches for the nearest point, which says nothing of an attack within a budget
    assert [verdict.check for verdict in found.verdicts] == [
        name for name in evaluate.CHECKS if name != "convergence"
    ]
    assert found.figures == ()
    failing = nn.Sequential(subject.model, nn.Softmax(-1)).eval()
    changed = {
        verdict.check
        for before, verdict in zip(
            found.verdicts,
            carried_out(Checked(n=4, steps=2), replace(subject, model=failing), tmp_path).verdicts,
            strict=True,
        )
        if before.passed and not verdict.passed
    }
    assert changed, "a network that gives probabilities for logits is found out"


def test_auto_attack_is_the_attack_of_that_name(subject: Subject, tmp_path: Path) -> None:
    part = AutoAttacked(n=4, eps=0.4)
    (figure,) = carried_out(part, subject, tmp_path).figures
    assert str(figure) == str(part.announced()[0]) == "robust_accuracy(linf, 0.4, auto-attack)"
    record = measure(subject.model, Task(subject, tmp_path, 5).some(4), AutoAttack(eps=0.4), seed=5)
    assert figure.estimate == record.robust_accuracy(0.4)
    assert figure.estimate and figure.estimate.value < 1


GALLERY = Gallery(
    {"gradient": Gradient(), "grad-cam": GradCAM()}, chosen=2, worst=2, rho=(0.05, 0.3), eps=0.3, steps=5
)


def test_a_gallery_has_chosen_and_worst_images(subject: Subject, tmp_path: Path) -> None:
    place = tmp_path / "gallery"
    found = carried_out(GALLERY, subject, place).details
    assert found.missing.keys() == {"grad-cam"}
    assert NO_CONVOLUTIONS in found.missing["grad-cam"]
    images = found.images
    assert [image.why for image in images] == ["chosen at random"] * 2 + ["sure and wrong"] * 2
    assert len({image.index for image in images}) == 4
    decided = evaluate.decide(subject.model, subject.split)
    confidence = decided.columns["confidence"]
    surest = confidence[~decided.right].sort(descending=True).values.tolist()
    assert [image.confidence for image in images[2:]] == pytest.approx(surest[:2])
    classes = subject.split.classes
    for image in images:
        assert image.label in classes and image.right is (image.label == image.predicted)
        assert list(image.maps) == ["gradient"] and image.maps["gradient"].signed
        assert {image.label, image.predicted} <= set(image.toward)
        for steps in image.toward.values():
            assert [step.rho for step in steps] == [0.05, 0.3]
            assert steps[0].probability < steps[1].probability
    attacked = [image.attacked for image in images if image.attacked]
    assert attacked, "an attack of this size makes some image fail"
    for image in images[2:]:
        assert image.attacked is None, "what is wrong anyway is not attacked"
    for entry in attacked:
        assert entry.distance <= 0.3 + 1e-6 and list(entry.maps) == ["gradient"]
    for path in pictures(found):
        assert size(tmp_path / path) == (8, 8)


def test_a_gallery_without_labels_shows_none(subject: Subject, tmp_path: Path) -> None:
    found = carried_out(replace(GALLERY, rho=(0.05,)), replace(subject, labeled=False), tmp_path / "gallery").details
    assert [image.why for image in found.images] == ["chosen at random"] * 2
    for image in found.images:
        assert image.label is image.right is image.attacked is None
        assert len(image.toward) == 2, "the prediction and the runner-up"


LIME = Lime(Grid(2, 2), masks=20)


def test_class_maps_are_of_classes_that_were_predicted(subject: Subject, tmp_path: Path) -> None:
    part = ClassMaps(NormLime(LIME), n=6)
    found = carried_out(part, subject, tmp_path / "class maps").details
    some = Task(subject, tmp_path, 5).batch(6)
    predicted = {subject.split.classes[number] for number in subject.model(some.x).argmax(1).tolist()}
    assert set(found.classes) == predicted
    assert found.missing == {
        name: "no image was predicted as it" for name in subject.split.classes if name not in predicted
    }
    assert 0 <= found.idle < 0.5 and found.adjusted_r2 < 1
    assert found.images == 6 and found.scale > 0 and found.explainer == "normlime"
    for path in pictures(found):
        assert size(tmp_path / path) == (8, 8)
    assert part.passes(subject).forwards == 6 * 20
    with pytest.raises(ConfigError, match="^ClassMaps draws maps, and words have no place in the image; leave"):
        ClassMaps(NormLime(LIME, words=5))


def test_neurons_have_figures_and_pictures(subject: Subject, tmp_path: Path) -> None:
    place = tmp_path / "neurons"
    found = carried_out(Neurons(n=60, steps=5, targets=1, eps=0.2, shown=2, images=3), subject, place)
    figures = named(found.figures)
    (layer,) = found.details.layers
    assert list(figures) == [
        f"{name}({layer})"
        for name in ("consistency", "consistency_corrected", "content_over_target", "distance_ratio")
    ]
    for figure in found.figures:
        assert figure.estimate is not None, figure
        assert figure.estimate.low <= figure.estimate.value <= figure.estimate.high
    content = found.details.layers[layer]
    assert content.neurons == 24
    levels = [row.level for row in content.table]
    assert len(levels) == 4 and levels == sorted(levels, reverse=True)
    for row in content.table:
        assert size(tmp_path / row.picture) == (3 * 8, 8)


def test_neurons_of_images_that_nothing_can_lead_elsewhere(subject: Subject, tmp_path: Path) -> None:
    one = replace(subject, split=subject.split.take(2))
    figures = named(carried_out(Neurons(n=2, steps=1, targets=1), one, tmp_path / "neurons").figures)
    for figure in figures.values():
        assert (figure.estimate is None) == bool(figure.note), figure


def test_passes_are_counted(subject: Subject, tmp_path: Path) -> None:
    part = Explained({"smoothgrad": SmoothGrad(samples=7)}, {"deletion": Deletion()}, n=4)
    told = part.passes(subject)
    with counted(subject.model) as passes:
        carried_out(part, subject, tmp_path)
    # of an image with many blank pixels fewer are left to delete
    assert told.forwards == pytest.approx(passes.forwards, rel=0.2)
    # once for the metric, and once to see what has to be known of the maps
    assert told.backwards == passes.backwards == 2 * 4 * 8
    assert told.differentiated == passes.differentiated == 0
    assert Gallery(GALLERY.explainers, chosen=1, worst=0).passes(subject).backwards > 0


def test_passes_that_are_differentiated_are_told_apart(subject: Subject, tmp_path: Path) -> None:
    part = Explained({"gradient": Gradient()}, {"attacked": AdversarialSimilarity(steps=3)}, n=4)
    told = part.passes(subject)
    with counted(subject.model) as passes:
        carried_out(part, subject, tmp_path)
    # those of each step, and of the look that tells whether there is a slope at all; no others
    assert told.differentiated == passes.differentiated == 4 * (3 + 1)
    assert told.backwards == passes.backwards > told.differentiated
    speed = Speed(forward=1.0, backward=2.0, differentiation=4.0)
    assert speed.seconds(told) == told.forwards + 2 * told.backwards + 4 * told.differentiated


class Cramped(nn.Module):
    """A network in whose memory few images have room, and whose gradients have none."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.seen = room, list[int]()

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("more than there is")
        self.seen.append(len(x))
        return Steep.apply(x).flatten(1)[:, :10]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportReturnType]


class Steep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable  # pyright: ignore[reportUntypedFunctionDecorator]
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 2 * gradient


def test_a_slow_network_is_timed_on_one_image_and_one_that_fails_on_none(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pellucid.evaluate.speed._PATIENCE", -1.0)
    slow = Cramped(100)
    assert speed_of(replace(subject, model=slow)).forward > 0
    assert set(slow.seen) == {1}
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), ValueError("no")):
        assert speed_of(replace(subject, model=Failing(error))) == Speed(0.0, 0.0, 0.0)


class Failing(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


def test_speed_is_told_of_as_many_images_as_fit_and_of_networks_that_curve_nowhere(subject: Subject) -> None:
    cramped = Cramped(5)
    found = speed_of(replace(subject, model=cramped))
    assert set(cramped.seen) == {1, 4}
    assert found.forward > 0 and found.backward > 0
    assert speed_of(replace(subject, model=Cramped(0))) == Speed(0.0, 0.0, 0.0)


def test_a_question_that_fails_costs_nothing_known(subject: Subject) -> None:
    def ask(model: nn.Module, split: data.Split) -> None:
        raise ValueError("cannot be asked")

    before = torch.get_rng_state()
    passes = passes_of((1, 8, 8), 10, ask)
    assert (passes.forwards, passes.backwards) == (0, 0)
    assert torch.equal(before, torch.get_rng_state())


def test_every_part_that_needs_no_labels_ignores_them(subject: Subject, tmp_path: Path) -> None:
    (batch,) = subject.split.take(6).batches([torch.arange(6)])
    other = data.TensorSplit(batch.x, (batch.y + 1) % 10, subject.split.classes)
    same = data.TensorSplit(batch.x, batch.y, subject.split.classes)
    parts: dict[str, Part] = {
        "explained": Explained({"gradient": Gradient()}, {"deletion": Deletion()}, n=6),
        "gradients": Gradients({"image-alignment": ImageAlignment()}, n=6),
    }
    for name, part in parts.items():
        assert not part.labeled
        one, two = (
            carried_out(part, replace(subject, split=split, labeled=False), tmp_path / f"{name}-{number}")
            for number, split in enumerate((same, other))
        )
        assert one == two, name


def test_batches_are_of_the_same_images_as_samples(subject: Subject, tmp_path: Path) -> None:
    task = Task(subject, tmp_path, seed=5)
    some, batch = task.some(9), task.batch(9)
    assert isinstance(batch, Batch)
    (expected,) = some.batches([torch.arange(9)])
    assert torch.equal(batch.x, expected.x) and torch.equal(batch.index, expected.index)


def test_what_applies_is_told_of_every_explainer(subject: Subject, tmp_path: Path) -> None:
    vit = models.build("vit", shape=subject.split.shape, classes=10).eval()
    black = BlackBox(lambda x: x.reshape(len(x), -1)[:, :10])
    found: dict[str, dict[str, applicable.OfExplainer]] = {}
    for name, model in {"mlp": subject.model, "vit": vit, "black box": black}.items():
        finding = carried_out(Applicable(), replace(subject, model=model), tmp_path / name)
        assert isinstance(finding.details, applicable.Details) and not finding.figures
        found[name] = {one.name: one for one in finding.details.explainers}
        assert list(found[name]) == list(EXPLAINERS)
        assert plain.build(applicable.Details, plain.dump(finding.details)) == finding.details
    assert "no attention" in found["mlp"]["attention-rollout"].why and not found["vit"]["attention-rollout"].why
    assert NO_CONVOLUTIONS in found["mlp"]["grad-cam"].why and not found["vit"]["grad-cam"].why
    assert all(found[name]["gradient"].seconds and found[name]["gradient"].forwards == 1 for name in ("mlp", "vit"))
    gradients = {"gradient", "lrp", "grad-cam", "integrated-gradients", "adversarial"}
    assert all(found["black box"][name].why for name in gradients)
    assert not any(found["black box"][name].why for name in ("occlusion", "rise", "lime"))


def test_trying_explainers_takes_no_more_passes_than_a_few_batches(subject: Subject, tmp_path: Path) -> None:
    part = Applicable()
    with counted(subject.model) as passes:
        carried_out(part, subject, tmp_path)
    foretold = part.passes(subject).forwards
    assert 0 < foretold <= part.enough * len(EXPLAINERS)
    # a batch of copies that is under way when there are enough goes to its end
    assert 0 < passes.forwards <= foretold + 64 * len(EXPLAINERS)
