"""Which layer puts out what a network's last linear layer, or convolution, reads."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.probe import frozen

_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def last_features(network: nn.Module, x: Float[Tensor, "b *shape"]) -> str:
    """The name of the layer whose output the last linear layer or convolution reads, found by one pass over `x`.

    What only hands its input on in evaluation mode, as dropout does, is passed over for the layer before it.
    """
    outputs: list[tuple[str, Tensor]] = []
    reads: list[tuple[str, Tensor]] = []
    names = {module: name for name, module in network.named_modules() if name}

    def note_input(module: nn.Module, inputs: tuple[object, ...]) -> None:
        if isinstance(module, _LINEAR) and inputs and isinstance(inputs[0], Tensor):
            reads.append((names[module], inputs[0]))

    def note_output(module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            outputs.append((names[module], output))

    watching = hooked(names, note_input, before=True), hooked(names, note_output)
    with watching[0], watching[1], frozen(network), torch.no_grad():
        look(network, x)
    if not reads:
        raise ConfigError(f"this network uses no linear layer and no convolution; {_choice(network)}")
    last, features = reads[-1]
    for name, output in outputs:
        # all outputs are alive, so that one address is one tensor, or a view that flattens it
        if output.data_ptr() == features.data_ptr() and output.numel() == features.numel():
            return name
    raise ConfigError(f"no layer of this network puts out just what '{last}' reads; {_choice(network)}")


def _choice(network: nn.Module) -> str:
    known = [name for name, _ in network.named_modules() if name][-8:] or [""]
    return f"name the layer to match, such as layer='{known[-1]}' (the last ones are: {', '.join(known)})"
