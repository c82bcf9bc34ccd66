"""Image classifiers of transformers, from folders that it has written, where it is installed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from command import call
from pellucid import models
from pellucid.class_names import shown_names
from pellucid.data.images import ImageFiles
from pellucid.errors import ConfigError, NotTrusted, RunError
from pellucid.intake import Intake, intake_of

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

TINY: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": (
        "ViT",
        {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "image_size": 96,
            "patch_size": 32,
        },
    ),
    "swin": (
        "Swin",
        {"embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2], "image_size": 96, "window_size": 3, "patch_size": 8},
    ),
    "convnext": ("ConvNext", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "image_size": 384}),
    "resnet": ("ResNet", {"embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1], "layer_type": "basic"}),
}


def saved(
    folder: Path, kind: str = "vit", classes: int = 10, names: dict[int, str] | None = None, **safe: bool
) -> Any:
    """A network without training in a folder, and itself."""
    name, settings = TINY[kind]
    told = {"num_labels": classes} if names is None else {"id2label": names}
    torch.manual_seed(3)
    config = getattr(transformers, f"{name}Config")(**settings, **told)
    network = getattr(transformers, f"{name}ForImageClassification")(config).eval()
    network.save_pretrained(folder, **safe)
    return network


def processed(folder: Path, kind: str = "ViT", **settings: Any) -> Any:
    processor = getattr(transformers, f"{kind}ImageProcessor")(**settings)
    processor.save_pretrained(folder)
    return processor


def intake(network: torch.nn.Module) -> Intake:
    found = intake_of(network)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("classes", [10, 1000])
def test_a_network_gives_the_logits_that_it_gave(kind: str, classes: int, tmp_path: Path) -> None:
    original = saved(tmp_path, kind, classes)
    processed(tmp_path, image_mean=[0.2, 0.3, 0.4], image_std=[0.5, 0.6, 0.7], size={"height": 96, "width": 96})
    network = models.load(f"hf:{tmp_path}")
    x = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values)[:, None, None] for values in ([0.2, 0.3, 0.4], [0.5, 0.6, 0.7]))
    torch.testing.assert_close(network(x), original((x - mean) / std).logits, atol=1e-4, rtol=1e-4)
    assert network(x).shape == (2, classes)
    # a thousand outputs are no proof of any names
    assert intake(network).shape == (3, 96, 96) and intake(network).classes == () and intake(network).stretched


def test_classes_are_what_the_folder_calls_them(tmp_path: Path) -> None:
    saved(tmp_path, names={0: "tabby, tabby cat", 1: "crane", 2: "crane", 3: "od\x1b[2Jd"})
    processed(tmp_path)
    found = intake(models.load(f"hf:{tmp_path}"))
    assert shown_names(found.classes) == ("tabby", "crane (1)", "crane (2)", "od\N{REPLACEMENT CHARACTER}[2Jd")


PROCESSORS: dict[str, tuple[str, dict[str, Any], Intake]] = {
    "squeezed": (
        "ViT",
        {"resample": 3, "size": {"height": 96, "width": 64}},
        Intake((3, 96, 64), 1, "bicubic", True),
    ),
    "cropped": (
        "CLIP",
        {"size": {"shortest_edge": 128}, "crop_size": {"height": 96, "width": 96}, "resample": 3},
        Intake((3, 96, 96), 0.75, "bicubic"),
    ),
    "a share": (
        "ConvNext",
        {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 2},
        Intake((3, 224, 224), 0.875),
    ),
    "large": (
        "ConvNext",
        {"size": {"shortest_edge": 384}, "crop_pct": 0.875, "resample": 2},
        Intake((3, 384, 384), 1, "bilinear", True),
    ),
    "as it is": ("ViT", {"do_resize": False}, Intake((3, 96, 96))),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_what_the_processor_does_is_said(name: str, tmp_path: Path) -> None:
    kind, settings, expected = PROCESSORS[name]
    saved(tmp_path)
    processed(tmp_path, kind, **settings)
    assert intake(models.load(f"hf:{tmp_path}")) == expected


@pytest.mark.parametrize("name", ["squeezed", "cropped", "a share", "large"])
def test_pictures_become_what_the_processor_makes_of_them(name: str, tmp_path: Path) -> None:
    kind, settings, expected = PROCESSORS[name]
    saved(tmp_path)
    processor = processed(tmp_path, kind, **settings)
    wave = Image.merge("RGB", [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.radial_gradient("L")])
    wave.resize((500, 400)).save(tmp_path / "a.png")
    network = models.load(f"hf:{tmp_path}")
    with Image.open(tmp_path / "a.png") as image:
        theirs = processor(image, return_tensors="pt")["pixel_values"]
    assert expected.shape is not None
    pixels = ImageFiles(tmp_path, ("a.png",), expected.shape, intake(network)).decode(0)
    ours = network.get_submodule("normalize")(pixels[None].float() / 255)
    assert ours.shape == theirs.shape and float((ours - theirs).abs().mean()) < 0.03


def test_normalization_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    original = saved(tmp_path)
    message = (
        f"'hf:{tmp_path}' has no preprocessor_config.json to say how pixels are normalized; add that file, "
        "or say it: --option mean=[0.5,0.5,0.5] --option std=[0.5,0.5,0.5]"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        models.load(f"hf:{tmp_path}")
    network = models.load(f"hf:{tmp_path}", options={"mean": [0, 0, 0], "std": [1, 1, 1]})
    x = torch.rand(1, 3, 96, 96)
    torch.testing.assert_close(network(x), original(x).logits)
    assert intake(network).shape == (3, 96, 96)
    with pytest.raises(ConfigError, match=r"has no option 'means' \(did you mean 'mean'\?\)$"):
        models.load(f"hf:{tmp_path}", options={"means": [0]})


@pytest.mark.parametrize("scale", [{"do_rescale": False}, {"rescale_factor": 1 / 127.5}, {"do_normalize": False}])
def test_pixels_of_other_scales(scale: dict[str, Any], tmp_path: Path) -> None:
    original = saved(tmp_path)
    processor = processed(
        tmp_path, size={"height": 96, "width": 96}, image_mean=[0.1] * 3, image_std=[0.4] * 3, **scale
    )
    Image.linear_gradient("L").convert("RGB").resize((96, 96)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        theirs = processor(image, return_tensors="pt")["pixel_values"].float()
    pixels = ImageFiles(tmp_path, ("a.png",), (3, 96, 96)).decode(0)[None] / 255
    found = models.load(f"hf:{tmp_path}")(pixels)
    torch.testing.assert_close(found, original(theirs).logits, atol=1e-3, rtol=1e-3)


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / "config.json").read_text())
    change(content)
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"num_labels": 10**9}, RunError, "asks for 1000000000 classes; there may be 65536"),
        ({"id2label": {str(n): "x" for n in range(70_000)}}, RunError, "names more than 65536 classes"),
        ({"num_hidden_layers": 10**9}, RunError, "asks for more than 1000 layers in num_hidden_layers; mend it"),
        ({"hidden_size": 10**6}, Exception, "more than the 8 GiB that it may; give a smaller network"),
        ({"use_pretrained_backbone": True}, NotTrusted, "which may fetch something or run code"),
        ({"a": {"backbone": "owner/net"}}, NotTrusted, "which may fetch something or run code"),
        ({"_attn_implementation": "owner/kernel"}, NotTrusted, "which may fetch something or run code"),
        ({"quantization_config": {"quant_method": "x"}}, NotTrusted, "which may fetch something or run code"),
        ({"model_type": "timm_wrapper"}, ConfigError, "is a network of timm; name it timm:local-dir:"),
        ({"model_type": "bert"}, RunError, "is no image classifier that transformers can make"),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "code.C"}}, RunError, "is no image classifier that"),
    ],
)
def test_a_folder_that_asks_for_what_it_may_not(
    change: dict[str, Any], error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path)
    processed(tmp_path)
    (tmp_path / "code.py").write_text("open('ran', 'w')")
    edited(tmp_path, lambda content: content.update(change))
    with pytest.raises(error, match=re.escape(words)) as found:
        models.load(f"hf:{tmp_path}")
    assert "\n" not in str(found.value) and not Path("ran").exists()


def test_an_adapter_of_another_network_is_not_fetched(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/net"}')
    with pytest.raises(NotTrusted, match="adapts another network, which would be fetched"):
        models.load(f"hf:{tmp_path}")


def test_pickled_weights_need_somebodys_word(tmp_path: Path) -> None:
    original = saved(tmp_path)
    processed(tmp_path, size={"height": 96, "width": 96})
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(RunError, match=r"has no model\.safetensors; save the network with safe_serialization=True$"):
        models.load(f"hf:{tmp_path}")
    pickled = tmp_path / "pytorch_model.bin"
    torch.save(original.state_dict(), pickled)
    with pytest.raises(NotTrusted, match=rf"add --trust {re.escape(str(pickled))} "):
        models.load(f"hf:{tmp_path}")
    network = models.load(f"hf:{tmp_path}", trust=[pickled])
    assert torch.equal(network.get_submodule("network").classifier.weight, original.classifier.weight)  # pyright: ignore


def test_weights_that_are_not_all_there(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    saved(tmp_path)
    processed(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunError, match=r"have no classifier\.weight that fits; give those of this network$"):
        models.load(f"hf:{tmp_path}")


def test_weights_elsewhere_are_not_read(tmp_path: Path) -> None:
    saved(tmp_path)
    processed(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../b.safetensors"}}')
    with pytest.raises(RunError, match=r"names weights that do not lie beside it; give the folder as it was saved$"):
        models.load(f"hf:{tmp_path}")


def test_weights_of_ones_own_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(ConfigError, match=r"has its weights; leave --weights out$"):
        models.load(f"hf:{tmp_path}", weights="w.pt")


def test_commands_take_such_a_network_without_any_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "net", names={0: "tabby, tabby cat", 1: "dog", 2: "ox"})
    processed(tmp_path / "net", size={"height": 96, "width": 96})
    for number, name in enumerate(("Tabby_Cat", "2")):
        Path("photos", name).mkdir(parents=True)
        Image.new("RGB", (60 + 30 * number, 50), "red").save(f"photos/{name}/a.jpg")
    words = ("--explainer", "gradient,attention-rollout", "--device", "cpu", "--json")
    found = json.loads(call("explain", "hf:./net", "photos/2/a.jpg", *words))
    assert {entry["of"] for entry in found["explanations"]} <= {"tabby", "dog", "ox"}
    measured = call(
        "measure", "hf:./net", "--data", "photos", "--attack", "gaussian-noise", "--no-verdicts", "--device", "cpu"
    )
    assert "2 images" in measured
