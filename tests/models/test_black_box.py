"""Functions and ONNX files as networks of which only the answers are known."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

from command import call, refused
from networks import images, smooth
from pellucid import attacks, evaluate, explainers, models
from pellucid.attacks import PGD, Square
from pellucid.data import TensorSplit
from pellucid.errors import (
    ConfigError,
    NetworkError,
    NoGradients,
    NotTrusted,
    PellucidError,
    ShapeError,
    WeightsError,
)
from pellucid.explainers import RISE, Gradient, Lime, Occlusion
from pellucid.explainers.lime import Grid
from pellucid.intake import Intake, intake_of
from pellucid.ledger import fingerprint
from pellucid.models import BlackBox

Answer = Callable[[Any], Any]


def answering(model: nn.Module) -> Answer:
    """A network as a function of numpy's arrays, of which nothing else is known."""

    def answer(given: Any) -> Any:
        assert isinstance(given, numpy.ndarray)
        with torch.no_grad():
            return model(torch.from_numpy(given)).numpy()

    return answer


@pytest.fixture
def split() -> TensorSplit:
    x = images(12, 3, 8, 8).float()
    y = smooth(channels=3, size=8).float()(x).argmax(1)
    return TensorSplit(x, y, ("ant", "bee", "cat", "dog"))


@pytest.fixture
def model() -> nn.Module:
    return smooth(channels=3, size=8).float().eval()


def test_what_needs_answers_alone_is_the_same(model: nn.Module, split: TensorSplit) -> None:
    box = BlackBox(answering(model))
    ours, theirs = evaluate.decide(model, split), evaluate.decide(box, split)
    assert ours.accuracy == theirs.accuracy
    assert ours.calibration_error() == theirs.calibration_error()
    record = evaluate.measure(box, split, Square(eps=0.1, queries=50))
    assert record.robust_accuracy(0.1) == evaluate.measure(model, split, Square(eps=0.1, queries=50)).robust_accuracy(
        0.1
    )
    (batch,) = split.batches([torch.arange(4)])
    for explainer in (Occlusion(), RISE(masks=40), Lime(Grid(), masks=100)):
        found, known = explainer.on(box, batch, "predicted"), explainer.on(model, batch, "predicted")
        assert torch.allclose(found.map, known.map, atol=1e-6), explainer


def test_what_needs_gradients_is_refused_in_one_line(model: nn.Module, split: TensorSplit) -> None:
    box = BlackBox(answering(model))
    (batch,) = split.batches([torch.arange(4)])
    gradient: attacks.Attack = PGD(eps=0.1, steps=3)
    for ask in (lambda: Gradient().on(box, batch, "predicted"), lambda: gradient.on(box, batch)):
        with pytest.raises(NoGradients) as error:
            ask()
        assert "\n" not in str(error.value) and ";" in str(error.value)


@pytest.mark.parametrize("name", list(explainers.EXPLAINERS))
def test_every_explainer_explains_it_or_says_why_not(name: str, model: nn.Module, split: TensorSplit) -> None:
    box, x = BlackBox(answering(model)), split.pixels[:2]
    settings = {"rise": ["masks=20"], "lime": ["masks=100", "segmentation.kind=grid"], "normlime": ["lime.masks=100"]}
    explainer = explainers.named(name, settings.get(name, []))
    try:
        found = explainer.fit(box, x)(box, x, "predicted")
    except PellucidError as error:
        assert "\n" not in str(error)
        assert name not in ("occlusion", "rise", "lime", "normlime"), str(error)
    else:
        assert name in ("occlusion", "rise", "lime", "normlime")
        assert found.map.flatten(1).abs().sum(1).min() > 0


def test_probabilities_are_read_as_such(model: nn.Module) -> None:
    x, sure = images(5, 3, 8, 8).float(), answering(nn.Sequential(model, nn.Softmax(1)))
    assert torch.allclose(BlackBox(sure, probabilities=True)(x).softmax(1), model(x).softmax(1), atol=1e-6)
    never = BlackBox(lambda given: numpy.eye(4)[[0] * len(given)], probabilities=True)
    assert never(x).isfinite().all() and float(never(x).softmax(1)[0, 0]) == 1
    with pytest.raises(NetworkError, match="are no probabilities, which are 0 or more and add up to 1; leave out"):
        BlackBox(answering(model), probabilities=True)(x)


def test_a_function_may_take_tensors_and_few_at_once() -> None:
    seen: list[int] = []

    def answer(given: Tensor) -> Tensor:
        assert isinstance(given, Tensor) and not given.requires_grad
        seen.append(len(given))
        return given.flatten(1)[:, :4]

    x = images(7, 1, 2, 2).double().requires_grad_()
    found = BlackBox(answer, tensors=True, batch=3)(x)
    assert seen == [3, 3, 1] and not found.requires_grad
    assert found.dtype == x.dtype and torch.equal(found, x.detach().flatten(1))


def saying(answer: Any) -> Answer:
    """A function that answers the same to everything, or what it makes of its images."""

    def said(given: Any) -> Any:
        return answer(given) if callable(answer) else answer

    return said


def one_number(given: Any) -> Any:
    return given[:, 0, 0, 0]


def one_row(given: Any) -> Any:
    return given[:1, 0, 0]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("ant", NetworkError, "the function answered with str, which is no array of numbers"),
        ([["a"], ["a"]], NetworkError, "the function answered with list, which is no array"),
        (None, NetworkError, "the function answered with NoneType, which is no array of numbers"),
        (one_number, ShapeError, "the function answered (2,) about 2 images; let it"),
        (one_row, ShapeError, "the function answered (1, 4) about 2 images"),
    ],
)
def test_answers_that_are_none(answer: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(words)}"):
        BlackBox(saying(answer))(images(2, 1, 4, 4).float())


def test_no_images_at_once(model: nn.Module) -> None:
    with pytest.raises(ConfigError, match="^batch is 0; show the function 1 image or more at once$"):
        BlackBox(answering(model), batch=0)


def test_two_functions_are_two_networks(model: nn.Module) -> None:
    def adding(number: object) -> Answer:
        return lambda x: x[:, 0, 0] + number

    one, other = BlackBox(lambda x: x[:, 0, 0] + 1), BlackBox(lambda x: x[:, 0, 0] + 2)
    assert fingerprint(one) != fingerprint(other)
    same = [BlackBox(answering(smooth(channels=3, size=8, seed=seed).float())) for seed in (0, 0, 1)]
    assert fingerprint(same[0]) == fingerprint(same[1]) != fingerprint(same[2]), "what it closes over"
    for value in (3, "a", torch.ones(2), numpy.ones(2)):
        assert fingerprint(BlackBox(adding(value))) == fingerprint(BlackBox(adding(value)))
    assert fingerprint(BlackBox(adding(1))) != fingerprint(BlackBox(adding(2)))
    session = object()
    assert fingerprint(BlackBox(adding(session))) != fingerprint(BlackBox(adding(session))), "nobody can see into it"
    versions = [fingerprint(BlackBox(adding(session), identity=word)) for word in ("v1", "v1", "v2")]
    assert versions[0] == versions[1] != versions[2]


def make_answer() -> Answer:
    """What a command line may name: a function that makes a function."""
    return lambda given: given.reshape(len(given), -1)[:, :10]


def test_a_factory_may_make_a_function() -> None:
    found = models.load(f"{__name__}:make_answer")
    assert isinstance(found, BlackBox)
    assert found(images(2, 1, 8, 8).float()).shape == (2, 10)


def exported(path: Path, *, last: bool = False, batch: int | str = "n", half: bool = False) -> nn.Module:
    """A small network as an ONNX file, and as a module."""
    onnx = pytest.importorskip("onnx", reason="no onnx to write a network with; pip install pellucid[world]")
    pytest.importorskip("onnxruntime", reason="no onnxruntime; pip install pellucid[onnx]")
    helper, proto = onnx.helper, onnx.TensorProto
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)
    )
    kind, dtype = (proto.FLOAT16, numpy.float16) if half else (proto.FLOAT, numpy.float32)
    weights = [
        onnx.numpy_helper.from_array(value.numpy().astype(dtype), name.replace(".", "_"))
        for name, value in model.state_dict().items()
    ]
    nodes = [
        *([helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2])] if last else []),
        helper.make_node("Conv", ["first" if last else "x", "0_weight", "0_bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("GlobalAveragePool", ["b"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "4_weight", "4_bias"], ["scores"], transB=1),
    ]
    shape = [batch, 8, 8, 3] if last else [batch, 3, 8, 8]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("scores", kind, [batch, 4])],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())
    return model.eval()


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("batch", ["n", 1, 4])
@pytest.mark.parametrize("half", [False, True])
def test_onnx_answers_as_the_network_does(last: bool, batch: int | str, half: bool, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    model = exported(path, last=last, batch=batch, half=half)
    found, x = models.load(str(path), trust=True), images(6, 3, 8, 8).float()
    assert intake_of(found) == Intake((3, 8, 8))
    with torch.no_grad():
        assert torch.allclose(found(x), model(x), atol=1e-2 if half else 1e-5)
        normal = models.load(str(path), trust=True, options={"mean": [0.5] * 3, "std": [0.2] * 3})
        assert torch.allclose(normal(x), model((x - 0.5) / 0.2), atol=3e-2 if half else 1e-4)


def test_an_onnx_file_is_a_program(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    exported(path)
    with pytest.raises(NotTrusted, match="net.onnx is an ONNX program, which can read other files and take any time"):
        models.load(str(path))
    with pytest.raises(ConfigError, match="net.onnx is a whole program; it takes no weights"):
        models.load(str(path), weights=path, trust=True)
    with pytest.raises(ConfigError, match="there is no program"):
        models.load(str(tmp_path / "none.onnx"), trust=True)
    one = fingerprint(models.load(str(path), trust=True))
    exported(tmp_path / "other.onnx", batch=4)
    assert fingerprint(models.load(str(tmp_path / "other.onnx"), trust=True)) != one
    for content in (b"", b"\x00" * 100, path.read_bytes()[:200], b"\xff" * 1000):
        path.write_bytes(content)
        with pytest.raises((WeightsError, ConfigError)) as error:
            models.load(str(path), trust=True)
        assert "\n" not in str(error.value) and "net.onnx" in str(error.value)


def test_commands_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exported(tmp_path / "net.onnx")
    x = (255 * images(9, 3, 8, 8).float()).byte().permute(0, 2, 3, 1).numpy()
    numpy.savez("mine.npz", x=x, y=numpy.arange(9) % 4)
    asked = ["net.onnx", "--trust", "net.onnx", "--data", "mine.npz", "--split", "all", "--device", "cpu"]
    assert "square" in call("measure", *asked, "--attack", "square", "--eps", "0.1", "--set", "queries=20")
    call("explain", *asked, "--n", "2", "--explainer", "occlusion")
    why = refused("measure", *asked, "--attack", "pgd", "--eps", "0.1")
    assert "no gradient leads from the network's logits to its pixels" in why
    page = call("audit", *asked, "--n", "3", "--profile", "quick", "--explainer", "occlusion")
    assert "accuracy" in page
    assert "by Square alone" in Path("audit/report.html").read_text()
