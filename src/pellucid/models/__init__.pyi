import collections.abc

import torch.nn

import pellucid.registry

from .activations import Activation as Activation
from .black_box import BlackBox as BlackBox
from .building import build as build
from .building import options_of as options_of
from .curvature import curves as curves
from .half_huber import HalfHuber as HalfHuber
from .input_layer import Normalize as Normalize
from .input_layer import deviation as deviation
from .loading import load as load
from .loading import untrained as untrained
from .subtraction import subtracted as subtracted
from .swapping import rectifiers_left as rectifiers_left
from .swapping import replace_activations as replace_activations
from .swapping import swapped as swapped
from .weight_files import fit_weights as fit_weights
from .weight_files import read_weights as read_weights

MODELS: pellucid.registry.Registry[collections.abc.Callable[..., torch.nn.Module]]

ACTIVATIONS: pellucid.registry.Registry[collections.abc.Callable[..., torch.nn.Module]]
