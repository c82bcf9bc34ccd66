"""What makes the network that a name stands for."""

import importlib
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from torch import nn

from pellucid import models
from pellucid.errors import ConfigError, UnknownName, suggestion
from pellucid.models.activations import Activation
from pellucid.models.border import Normalise, sequence
from pellucid.models.extras import extra
from pellucid.models.swapping import replace_activations

Factory = Callable[..., nn.Module]


def factory_of(name: str) -> Factory:
    """The maker of a listed network, of `timm:name`, or of whatever `package.module:function` names."""
    module, colon, attribute = name.partition(":")
    if not colon:
        return models.MODELS[name]
    if module == "timm":
        return partial(timm_network, attribute)
    return _imported(module, attribute)


def timm_network(
    name: str, *, pretrained: bool = False, activation: Activation = "relu", **options: object
) -> nn.Module:
    """A network of timm that takes images in [0, 1]: the normalisation that it was trained with is put in front.

    An `activation` takes the place of its ReLUs; where it has others, timm's own option is `act_layer`.
    """
    timm = extra("timm", f"timm:{name}", "timm")
    data = extra("timm.data", f"timm:{name}", "timm")
    network = timm.create_model(name, pretrained=pretrained, **options)
    if activation != "relu" and not replace_activations(network, activation):
        raise ConfigError(f"'timm:{name}' has no torch.nn.ReLU modules to exchange; leave activation out")
    expected = data.resolve_model_data_config(network)
    return sequence({"normalise": Normalise(expected["mean"], expected["std"]), "network": network})


def _imported(name: str, attribute: str) -> Factory:
    source = f"{name}:{attribute}"
    with _current_folder_importable():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise ConfigError(f"importing '{name}' for '{source}' failed: {_told(error)}") from error
            raise UnknownName(
                f"no module '{error.name}' for '{source}'; install it, or start in the folder that holds it"
            ) from error
        except Exception as error:  # whatever the code of others raises
            raise ConfigError(f"importing '{name}' for '{source}' failed: {_told(error)}") from error
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise UnknownName(f"the module '{name}' has no '{attribute}'{suggestion(attribute, public)}")
    factory: Factory = getattr(module, attribute)
    if isinstance(factory, nn.Module) or not callable(factory):
        raise ConfigError(f"'{source}' is a {type(factory).__name__}; name a function or class that makes a network")
    return factory


@contextmanager
def _current_folder_importable() -> Generator[None]:
    # a console script, unlike `python -m`, does not look there
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
