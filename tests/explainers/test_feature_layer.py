"""Which layers are maps of places, told by how tensors are made and by where they change, never by their shape."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from families import ConvNext, Functional, Swin, ViT
from networks import Counting, images
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explainers import Explainer, GradCAM, GradCAMPlusPlus, LayerActivation
from pellucid.explainers.feature_layer import map_layers
from pellucid.models import build
from pellucid.probe import Probe, frozen

READERS: list[Callable[..., Explainer]] = [GradCAM, GradCAMPlusPlus, LayerActivation]
INSTEAD = "choose an explainer that reads no layer, such as 'integrated-gradients'"


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return make().eval()


def maps_of(model: nn.Module, *shape: int) -> list[str]:
    x = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)).to(next(model.parameters()).dtype)
    with frozen(model):
        return list(map_layers(Probe(model, Batch(x, torch.zeros(1, dtype=torch.long)))))


def refusal(model: nn.Module, make: Callable[..., Explainer], *shape: int, layer: str = "") -> str:
    with pytest.raises(ConfigError) as refused:
        make(layer=layer)(model, images(2, *shape).float(), 0)
    return str(refused.value)


def features_and_slopes(model: nn.Module, layer: str, x: Tensor, of: int) -> tuple[Tensor, Tensor]:
    """What a layer puts out, and the slopes of the logit for it, from a hook."""
    seen = list[Tensor]()

    def told(_module: nn.Module, _inputs: object, given: Tensor) -> None:
        seen.append(given)

    with frozen(model), model.get_submodule(layer).register_forward_hook(told):
        logits = model(x.clone().requires_grad_())
    (slopes,) = torch.autograd.grad(logits[:, of].sum(), seen[-1])
    return seen[-1].detach(), slopes


def expected(make: Callable[..., Explainer], features: Tensor, slopes: Tensor, x: Tensor) -> Tensor:
    """The map by the formula, of features that have their channels in the second place."""
    weights = slopes.mean((2, 3), keepdim=True) if make is GradCAM else torch.ones(1) / features.shape[1]
    summed = (weights * features).sum(1, keepdim=True)
    summed = summed.relu() if make is GradCAM else summed
    return nn.functional.interpolate(summed, x.shape[2:], mode="bilinear").expand_as(x)


@pytest.mark.parametrize("make", [GradCAM, LayerActivation])
@pytest.mark.parametrize("how", ["module", "scaled", "explicit"])
def test_tokens_are_read_where_they_lie_however_attention_is_written(
    how: str, make: Callable[..., Explainer]
) -> None:
    """The class token is left out; where it is read in the end, the last layer that the logit hangs on is taken."""
    model = seeded(lambda: ViT((3, 16, 8), 4, how=how))  # pyright: ignore[reportArgumentType]
    x = images(2, 3, 16, 8).float()
    layer = "blocks.1.norm1" if make is GradCAM else "norm"
    features, slopes = (one[:, 1:].mT.unflatten(2, (4, 2)) for one in features_and_slopes(model, layer, x, 1))
    torch.testing.assert_close(make()(model, x, 1).map, expected(make, features, slopes, x))
    torch.testing.assert_close(make(layer=layer)(model, x, 1).map, make()(model, x, 1).map)
    assert make(layer="patches")(model, x, 1).map.shape == x.shape


@pytest.mark.parametrize("make", [GradCAM, LayerActivation])
def test_channels_that_come_last_are_read_as_channels(make: Callable[..., Explainer]) -> None:
    model, x = seeded(lambda: Swin(3, 4)), images(2, 3, 16, 16).float()
    features, slopes = (one.movedim(-1, 1) for one in features_and_slopes(model, "norm", x, 1))
    torch.testing.assert_close(make()(model, x, 1).map, expected(make, features, slopes, x))


def test_a_layer_of_which_the_logit_reads_no_place_says_so() -> None:
    model, x = seeded(lambda: ViT((3, 16, 16), 4)), images(2, 3, 16, 16).float()
    found = GradCAM(layer="norm")(model, x, 1)
    assert not found.map.any()
    assert found.notes[0] == ("the map is zero everywhere: the class does not hang on the layer 'norm'",)


class Joined(nn.Module):
    """Tokens of patches that a class token joins late, behind them or before, and that are mixed before that."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.patches, self.mix, self.before = nn.Conv2d(1, 8, 4, 4), nn.Linear(16, 16), before
        self.token, self.norm, self.head = nn.Parameter(torch.randn(1, 1, 8)), nn.LayerNorm(8), nn.Linear(8, 3)
        self.mix.weight.data, self.tokens = torch.eye(16) + 0.02, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.tokens(self.mix(self.patches(x).flatten(2)).mT)
        token = self.token + tokens.mean(1, keepdim=True)
        tokens = self.norm(torch.cat([token, tokens] if self.before else [tokens, token], 1))
        return self.head(tokens.square().mean(1))


@pytest.mark.parametrize("before", [True, False])
def test_a_token_that_joins_late_is_left_out(before: bool) -> None:
    model, x = seeded(lambda: nn.Sequential(Joined(before=before))), images(2, 1, 16, 16).float()
    features, slopes = features_and_slopes(model, "0.norm", x, 1)
    places = slice(1, None) if before else slice(0, -1)
    features, slopes = (one[:, places].mT.unflatten(2, (4, 4)) for one in (features, slopes))
    torch.testing.assert_close(GradCAM()(model, x, 1).map, expected(GradCAM, features, slopes, x))


@pytest.mark.parametrize(
    ("model", "layer", "shape"),
    [
        (lambda: ViT((3, 16, 16), 4, how="explicit"), "blocks.1.attention.weights", "2 x 17 x 17"),
        (lambda: ViT((3, 16, 16), 4, how="scaled"), "blocks.1.attention.headed", "2 x 17 x 8"),
        (lambda: ViT((3, 16, 16), 4, how="scaled", width=34), "blocks.0.attention.headed", "2 x 17 x 17"),
    ],
)
def test_a_named_layer_is_looked_at_as_closely(model: Callable[[], nn.Module], layer: str, shape: str) -> None:
    for seed in range(3):
        message = refusal(seeded(model, seed), GradCAM, 3, 16, 16, layer=layer)
        assert message.startswith(
            f"the layer '{layer}' puts out {shape}, of which no two axes follow the height and the width of the "
            "image in turn; the last layers that put out maps are: "
        )


def test_what_else_is_no_map_is_named_for_what_it_is() -> None:
    model = seeded(lambda: build("lenet", shape=(1, 8, 8), mean=(0.4,), std=(0.3,)))
    choice = (
        "the last layers that put out maps are: conv1 (6 x 8 x 8), activation1 (6 x 8 x 8), pool1 (6 x 4 x 4), "
        "conv2 (16 x 4 x 4), activation2 (16 x 4 x 4), pool2 (16 x 2 x 2)"
    )
    assert refusal(model, GradCAM, 1, 8, 8, layer="fc1") == (
        f"the layer 'fc1' puts out 120, and no channels x height x width; {choice}"
    )
    assert refusal(model, GradCAM, 1, 8, 8, layer="normalize") == (
        f"the layer 'normalize' puts out the pixels, which have met no weight yet; {choice}"
    )

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused, self.both, self.inner = nn.Conv2d(1, 1, 1), _Both(), seeded(lambda: Functional(1, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(self.both(x)[0])

    for layer in ("unused", "both"):
        assert refusal(Two(), GradCAM, 1, 8, 8, layer=layer) == (
            f"the layer '{layer}' puts out no tensor with a row for each image; "
            "the last layers that put out maps are: inner.features (16 x 4 x 4)"
        )


class _Both(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def _channels_last() -> nn.Module:
    """In memory alone, which no axis knows of."""
    model = ConvNext(3, 4)
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model


@pytest.mark.parametrize(
    ("model", "last", "shape"),
    [
        (lambda: ConvNext(3, 4), "stage2", (3, 32, 32)),
        (_channels_last, "stage2", (3, 32, 32)),
        (lambda: ConvNext(3, 4), "stage2", (3, 32, 64)),
        (lambda: Functional(3, 1000), "features", (3, 20, 36)),
        (lambda: Functional(1, 2).double(), "features", (1, 8, 8)),
        (lambda: Functional(1, 2).bfloat16(), "features", (1, 8, 8)),
        (lambda: ViT((3, 32, 32), 4, how="explicit", places=True), "placed", (3, 32, 32)),
        (lambda: ViT((1, 16, 32), 4, places=True), "placed", (1, 16, 32)),
        (lambda: Swin(3, 4, first=True), "turned", (3, 32, 32)),
        (lambda: Swin(1, 4, first=True), "turned", (1, 32, 16)),
        (lambda: build("resnet18", shape=(3, 32, 32), width=4), "stage4", (3, 32, 32)),
        (lambda: build("lenet", shape=(1, 8, 8)), "pool2", (1, 8, 8)),
    ],
)
def test_maps_are_found_in_networks_of_every_kind(
    model: Callable[[], nn.Module], last: str, shape: tuple[int, ...]
) -> None:
    network = seeded(model)
    assert maps_of(network, *shape)[-1] == last
    x = images(2, *shape).to(next(network.parameters()).dtype)
    unnamed = LayerActivation()(network, x, 1).map
    assert torch.equal(unnamed, LayerActivation(layer=last)(network, x, 1).map)


def test_a_map_that_is_turned_or_mirrored_is_none() -> None:
    class Turned(nn.Module):
        def __init__(self, turn: Callable[[Tensor], Tensor]) -> None:
            super().__init__()
            self.inner, self.turn, self.turned = seeded(lambda: Functional(1, 3)), turn, nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(self.turned(self.turn(nn.functional.conv2d(x, x.new_ones(2, 1, 1, 1)))).mean(1, True))

    turns: list[Callable[[Tensor], Tensor]] = [
        lambda x: x.flip(3),
        lambda x: x.mT.contiguous(),
        lambda x: x.rot90(2, (2, 3)),
        lambda x: x.flatten(2)[..., torch.randperm(64, generator=torch.Generator().manual_seed(0))].view(-1, 2, 8, 8),
    ]
    for turn in turns:
        assert "turned" not in maps_of(Turned(turn), 1, 8, 8)


def test_only_networks_that_are_not_plainly_convolutional_cost_a_closer_look() -> None:
    x = images(3, 3, 32, 32).float()
    plain, other = Counting(seeded(lambda: Functional(3, 4))), Counting(seeded(lambda: ConvNext(3, 4)))
    for network, forwards in ((plain, 3), (other, 4)):
        GradCAM()(network, x, 0)
        assert network.forwards == forwards


def test_which_images_are_explained_changes_nothing() -> None:
    model = seeded(lambda: ConvNext(3, 4))
    x = images(3, 3, 32, 32).float()
    x[0] = 0
    together = GradCAM()(model, x, 0).map
    for number in range(3):
        assert torch.allclose(GradCAM()(model, x[[number]], 0).map[0], together[number], atol=1e-6)


def test_a_map_of_nothing_says_why() -> None:
    model = seeded(lambda: Functional(1, 3)).double()
    x = images(2, 1, 8, 8)
    with torch.no_grad():
        last = model.get_parameter("last")
        last[0], last[1], last[2] = 0, -last[1].abs(), last[2].abs()
    for make in (GradCAM, GradCAMPlusPlus):
        none = "the map is zero everywhere: the class does not hang on the layer 'features'"
        assert make()(model, x, 0).notes == ((none,),) * 2
        assert make()(model, x, 2).notes == ((),) * 2
    against = (
        "the map is zero everywhere: nothing at the layer 'features' speaks for the class; "
        "what speaks against it is shown with positive=false"
    )
    assert GradCAM()(model, x, 1).notes == ((against,),) * 2
    assert GradCAM(positive=False)(model, x, 1).notes == ((),) * 2
    assert not GradCAM()(model, x, 1).map.any()


def test_a_map_at_the_scale_of_rounding_says_so() -> None:
    class Canceling(nn.Module):
        """What one half of the channels says, the other takes back."""

        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(1, 6, 3, padding=1)
            with torch.no_grad():
                self.features.weight[3:] = self.features.weight[:3]
                self.features.weight[3] *= 1 + 1e-7
                self.features.bias[3:] = self.features.bias[:3]  # pyright: ignore[reportOptionalSubscript]

        def forward(self, x: Tensor) -> Tensor:
            pooled = self.features(x).mean((2, 3))
            return torch.stack([pooled[:, :3].sum(1) - pooled[:, 3:].sum(1), pooled.sum(1)], 1)

    x = images(2, 1, 8, 8).float()
    text = "the map is no more than rounding: for and against the class, features of 'features' cancel"
    model = seeded(Canceling)
    assert all(text in notes for notes in GradCAM(positive=False)(model, x, 0).notes)
    assert GradCAM(positive=False)(model, x, 1).notes == ((),) * 2
