"""How many networks are trained at once: as many as memory has room for, and no more than are any faster."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.looking import look
from pellucid.memory import out_of_memory
from pellucid.randomness import seeded

# Beyond these nothing is gained per network; on a CPU it soon is slower, where caches overflow.
_MOST_ON_A_CPU = 16
_MOST_ON_AN_ACCELERATOR = 128
_ROOM_ON_A_CPU = 2**30
_STATES = 4  # a parameter, its gradient, and what an optimizer keeps of it


def fitting(network: nn.Module, x: Float[Tensor, "b *shape"]) -> int:
    """How many networks like this one fit, with minibatches like this one."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def weigh(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        # without its graph: an operation that keeps what it put out would else be kept alive by that for ever
        return tensor.detach()

    try:
        with torch.autograd.graph.saved_tensors_hooks(weigh, lambda tensor: tensor), seeded(None, x.device):
            look(network, x)
    except Exception as error:
        if not out_of_memory(error):
            raise
        return 1
    # images are there as they were, changed, and as both were chosen from
    needed = sum(kept.values()) + 4 * x.nbytes + _STATES * sum(one.nbytes for one in network.parameters())
    on_a_cpu = x.device.type == "cpu"
    room = _ROOM_ON_A_CPU if on_a_cpu else torch.cuda.mem_get_info(x.device)[0] // 2
    return max(1, min(_MOST_ON_A_CPU if on_a_cpu else _MOST_ON_AN_ACCELERATOR, room // max(1, needed)))
