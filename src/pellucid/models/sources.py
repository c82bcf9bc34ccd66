"""What makes the network that a name stands for."""

import importlib
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from pellucid.contained import made
from pellucid.errors import ConfigError, NetworkError, NotTrusted, UnknownName, suggestion
from pellucid.extras import extra
from pellucid.intake import Intake, with_intake
from pellucid.models import MODELS
from pellucid.models.activations import Activation
from pellucid.models.factories import Factory, check_factory, innermost
from pellucid.models.input_layer import Normalize, sequence
from pellucid.models.swapping import exchange_activations
from pellucid.models.timm_intake import timm_intake
from pellucid.trust import Written, origin, trusts_module


def factory_of(name: str) -> Factory:
    """The maker of a listed network, of `timm:name`, or of whatever `package.module:function` names.

    Where a file names it, its module has to be the project's own, or one that somebody said to trust.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return MODELS[name]
    if module == "timm":
        return partial(timm_network, Written.by(name.file, attribute) if isinstance(name, Written) else attribute)
    return _imported(name, module, attribute)


def timm_network(
    name: str, *, pretrained: bool = False, activation: Activation = "relu", **options: object
) -> nn.Module:
    """A network of timm that takes images in [0, 1]: the normalization that it was trained with is put in front.

    Its attribute `intake` says how timm would scale and crop images for it, and what its classes are called.
    An `activation` takes the place of its ReLUs; where it has others, timm's own option is `act_layer`.
    """
    _check_reach(name, options | ({"pretrained": "yes"} if pretrained else {}))
    timm = extra("timm", f"timm:{name}", "timm")
    data = extra("timm.data", f"timm:{name}", "timm")
    network = timm.create_model(name, pretrained=pretrained, **options)
    if activation != "relu":
        exchange_activations(network, activation, f"timm:{name}")
    expected = data.resolve_model_data_config(network)
    intake = timm_intake(name, network, expected, data)
    mean, std = (_for_channels(expected[kind], intake) for kind in ("mean", "std"))
    return with_intake(sequence({"normalize": Normalize(mean, std), "network": network}), intake)


def _for_channels(values: Sequence[float], intake: Intake) -> tuple[float, ...]:
    """Their mean for each channel, where a network was made for others than it was trained on first."""
    assert intake.shape is not None, "timm says a shape of every network"
    channels = intake.shape[0]
    return tuple(values) if len(values) == channels else (sum(values) / len(values),) * channels


def _imported(source: str, name: str, attribute: str) -> Factory:
    if not isinstance(source, Written):
        factory = _attribute(_module(source, name, first=True), source, attribute)
        check_factory(factory, source)
        return factory
    place = _permitted(source, name)
    module = _module(source, name, first=place is not None)
    _check_place(source, module, place)
    factory = _attribute(module, source, attribute)
    check_factory(factory, source)
    # the project's modules hold what they import from elsewhere, too
    home: str = innermost(factory).__module__ or "builtins"
    if home != name:
        _check_place(source, sys.modules.get(home), _permitted(source, home))
    return factory


def _permitted(source: Written, name: str) -> Path | None:
    """Where the project's own module lies, or none for one that is trusted; any other is refused unseen."""
    place = _place_of(name, source.file)
    if place is None and not trusts_module(name):
        raise NotTrusted(
            f"{source.file} names '{source}', and the module '{name}' is not of the project in the current folder, "
            f"so it was not run; if you trust it, add --trust {name} (in Python: trust=['{name}'])"
        )
    return place


def _check_place(source: Written, module: ModuleType | None, place: Path | None) -> None:
    if place is not None and not (module is not None and _lies_at(module, place)):
        raise NotTrusted(
            f"{source.file} names '{source}', and Python knows another module by the name of {place}; "
            "give yours a name that no other module has"
        )


def _check_reach(name: str, options: Mapping[str, object]) -> None:
    """Refuse what fetches or opens something where a file says so: timm takes addresses and paths in many options."""
    file = origin(name) or origin(options)
    plain = re.fullmatch(r"[A-Za-z0-9_.]+", name) and all(map(_is_number, options.values()))
    if file is not None and not plain and not trusts_module("timm"):
        raise NotTrusted(
            f"{file} names 'timm:{name}' with more than numbers, which may fetch or open any file; "
            "if you trust it, add --trust timm (in Python: trust=['timm'])"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, list) and all(map(_is_number, value)))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _module(source: str, name: str, *, first: bool) -> ModuleType:
    with _current_folder_importable(first=first):
        try:
            with made(f"'{source}'"):
                return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise ConfigError(f"importing '{name}' for '{source}' failed: {_told(error)}") from error
            raise UnknownName(
                f"no module '{error.name}' for '{source}'; install it, or start in the folder that holds it"
            ) from error
        except Exception as error:  # whatever the code of others raises
            raise ConfigError(f"importing '{name}' for '{source}' failed: {_told(error)}") from error


def _attribute(module: ModuleType, source: str, attribute: str) -> Any:
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise UnknownName(f"the module '{module.__name__}' has no '{attribute}'{suggestion(attribute, public)}")
    return getattr(module, attribute)


@contextmanager
def _current_folder_importable(*, first: bool) -> Generator[None]:
    """Look there too, which a console script, unlike `python -m`, does not.

    It comes last for what a file names and somebody trusts: not meant is a folder called like an installed package.
    """
    before, folder = list(sys.path), Path.cwd()
    others = [path for path in before if path and Path(path).resolve() != folder]
    sys.path[:] = [str(folder), *before] if first else [*others, str(folder)]
    try:
        yield
    finally:
        sys.path[:] = before


def _told(error: Exception) -> str:
    if isinstance(error, NetworkError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _place_of(module: str, file: Path) -> Path | None:
    """Where the project's own source of a module lies; none where the project has none, or `file` brought it along.

    Nothing is imported to find out. A folder is a package only with an `__init__.py`: somebody else's folder,
    unpacked among one's own data, is no part of the project.
    """
    root = Path.cwd().resolve()
    brought = [entry for path in (file.absolute(), file.resolve()) if (entry := _entry(path, root)) != path]
    importlib.invalidate_caches()
    folders, place, name = [str(root)], None, ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found = PathFinder.find_spec(name, folders) if part.isidentifier() else None
        if found is None or type(found.loader) is not SourceFileLoader or found.origin is None:
            return None
        place = Path(found.origin).resolve()
        entry = _entry(place, root)
        if entry is None or any(one is not None and one.samefile(entry) for one in brought):
            return None
        folders = found.submodule_search_locations or []
    return place


def _lies_at(module: ModuleType, place: Path) -> bool:
    """Whether Python took a module from this place: it may know another one by that name."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == place


def _entry(path: Path, root: Path) -> Path | None:
    """What the current folder itself holds of a path: the file, or the folder that it lies in."""
    return root / path.relative_to(root).parts[0] if path.is_relative_to(root) and path != root else None
