"""Several networks of one kind as one: each parameter has a row for each of them."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from pellucid.contained import contained, name_of
from pellucid.looking import logits_of, look
from pellucid.memory import out_of_memory
from pellucid.randomness import seeded

State = Mapping[str, Tensor]


class _Looked(nn.Module):
    """A network that is looked at in its own way, with whatever weights it bears for that."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "b *shape"]) -> Float[Tensor, "b classes"]:
        return look(self.network, x)


class Stacked:
    """Networks that run side by side, each on images of its own.

    Where an operation cannot be carried out for all at once, they run one after the other (`together` tells): that is
    slower and no different otherwise.
    """

    def __init__(self, networks: Sequence[nn.Module], like: Float[Tensor, "b *shape"]) -> None:
        self.template = networks[0]
        stacked, self.buffers = stack_module_state(list(networks))
        self.parameters = {name: nn.Parameter(rows, rows.requires_grad) for name, rows in stacked.items()}
        self.looked = _Looked(self.template)
        self.together = self._runs_together(like)

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    @property
    def trained(self) -> list[nn.Parameter]:
        """The parameters of all networks that learn."""
        return [parameter for parameter in self.parameters.values() if parameter.requires_grad]

    def __call__(self, x: Float[Tensor, "n b *shape"]) -> Float[Tensor, "n b classes"]:
        """The logits of every network for its own images."""
        if not self.together:
            return torch.stack([self._alone(row, x[row]) for row in range(len(x))])
        with contained(name_of(self.template)):
            return self._at_once(self.buffers, x)

    def train(self, training: bool = True) -> None:
        """Switch them all to training, or to evaluation."""
        self.template.train(training)

    def _alone(self, row: int, x: Tensor) -> Tensor:
        """The logits of one network, which is called as any other is: it may want images in a way of its own."""
        held = (*self.parameters.items(), *self.buffers.items())
        return functional_call(self.looked, {f"network.{name}": rows[row] for name, rows in held}, (x,))

    def _at_once(self, buffers: State, x: Tensor) -> Tensor:
        # "different": dropout draws for each network anew
        return vmap(self._one, randomness="different")(self.parameters, buffers, x)

    def _one(self, parameters: State, buffers: State, x: Tensor) -> Tensor:
        # a copy of the images, which the network may write over
        return logits_of(functional_call(self.template, {**parameters, **buffers}, (x.clone(),)), x)

    def _runs_together(self, like: Tensor) -> bool:
        """Whether a step gets through, tried on copies of what it would change."""
        buffers = {name: buffer.clone() for name, buffer in self.buffers.items()}
        try:
            with torch.no_grad(), seeded(None, like.device):
                self._at_once(buffers, like.expand(len(self), *like.shape))
        except Exception as error:  # a network of somebody else's fails in its own way
            if out_of_memory(error):
                raise
            return False
        return True
