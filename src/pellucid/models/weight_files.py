"""Reading weights without running code, and fitting them to a network tensor by tensor."""

import pickle
import pickletools
import re
import threading
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from pellucid import limits
from pellucid.errors import DataError, PellucidError, WeightsError
from pellucid.models.preact_resnet44 import SAFE, from_published, is_published

_alone = threading.Lock()  # what pickles may name, and the filters of warnings, belong to all threads
_NESTS = ("state_dict", "model_state_dict", "model", "model_params")
_SHOWN = 3
_LETTERS = 200  # of a name in an error
_DEEPEST = 10  # state dicts in checkpoints in checkpoints


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The tensors of a safetensors or `torch.save` file by name, on the CPU.

    A training checkpoint is searched for its state dict, and the prefixes of DataParallel and `torch.compile` are
    taken off. Files that need code to be read are refused: reading them could run anything.
    """
    path = Path(path)
    try:
        with limits.reading(path):
            return _read(path)
    except DataError as error:
        raise WeightsError(str(error)) from error


def _read(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        raise WeightsError(f"there is no weights file {path}; give a .safetensors file or one written by torch.save")
    with limits.opened(path) as file:
        limits.check(limits.size(file), limits.room(file), f"'{path}'", "give one that has its weights on the disk")
    if path.suffix == ".safetensors":
        return _plain_names(_read_safetensors(path), path)
    if is_torchscript(path):
        raise WeightsError(f"{path} is a TorchScript program, not weights; load it as the network itself")
    return _plain_names(_read_pickle(path), path)


def fit_weights(model: nn.Module, weights: Mapping[str, Tensor], where: Path | str) -> None:
    """Copy `weights` into the model if each tensor of both has its counterpart; `where` they are from is for errors.

    The networks published with Adversarial Explanations are recognized by their names, and fit as well.
    """
    if is_published(weights):
        weights = from_published(weights, model, where)
    expected = model.state_dict()
    lacking = [name for name in expected if name not in weights]
    foreign = [name for name in weights if name not in expected]
    reshaped = [
        f"{name} is {tuple(weights[name].shape)} and not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    faults = [
        f"{what}{_capped(names)}"
        for what, names in (("it lacks ", lacking), ("the network has no ", foreign), ("", reshaped))
        if names
    ]
    if faults:
        raise WeightsError(f"the weights of {where} do not fit the network: {'; '.join(faults)}")
    model.load_state_dict(dict(weights))


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript program: like weights a zip file, but with code inside."""
    try:
        with limits.opened(path) as file, zipfile.ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except PellucidError:
        raise
    except Exception:  # what is no archive is none in many ways
        return False


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        if str(path) != str(path).encode(errors="ignore").decode():
            return safetensors.torch.load(path.read_bytes())  # it finds no file whose name is not text
        return safetensors.torch.load_file(path, device="cpu")
    except Exception as error:  # its own errors, and what its header makes Python stumble over
        if limits.ran_out(error):
            raise
        raise _damaged(path, error) from error


def _read_pickle(path: Path) -> Any:
    _look_through(path)
    try:
        with _alone, warnings.catch_warnings(), torch.serialization.safe_globals(SAFE):
            warnings.simplefilter("ignore")  # about old formats, which are read all the same
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        blocked = re.search(r"GLOBAL (\S+)", str(error))
        if not blocked:
            raise _damaged(path, error) from error
        raise WeightsError(
            f"{path} holds '{blocked[1]}', and reading it could run code; if you trust it, convert it where that "
            f"can be imported: model = torch.load('{path}', weights_only=False); "
            f"torch.save(model.state_dict(), '{path.with_suffix('')}-weights.pt')"
        ) from error
    except Exception as error:  # damaged bytes make the decoder fail in every way there is
        raise _damaged(path, error) from error


def _look_through(path: Path) -> None:
    """Refuse an archive whose parts are packed or lie upon each other: `torch.save` does neither, and bombs must."""
    with limits.opened(path) as file:
        archived = file.read(2) == b"PK"
        file.seek(0)
        if not archived:  # an older form, which holds what it says or is cut short
            _check_names(file, path, pickles=5)
            return
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
                if not packed and sum(member.file_size for member in members) <= limits.size(file):
                    for member in members:
                        if member.filename.endswith(".pkl"):
                            with archive.open(member) as content:
                                _check_names(content, path, pickles=1)
                    return
        except WeightsError:
            raise
        except Exception as error:
            raise _damaged(path, error) from error
    raise WeightsError(f"{path} unpacks to more than it holds, which torch.save never writes; save it again")


def _check_names(file: Any, path: Path, *, pickles: int) -> None:
    """Refuse names of endless length, over which torch itself would brood for hours."""
    try:
        for _ in range(pickles):
            for code, argument, _ in pickletools.genops(file):
                if code.name == "GLOBAL" and len(str(argument)) > _LETTERS:
                    raise WeightsError(f"{path} names something of more than {_LETTERS} letters; save it again")
    except ValueError:
        return  # what is no pickle is refused by who reads it


def _plain_names(content: Any, path: Path) -> dict[str, Tensor]:
    content = _unnested(content)
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path} holds no tensors by name but a {type(content).__name__}; save model.state_dict()")
    others = [
        repr(name)[:_LETTERS] if not isinstance(name, str) else name
        for name, value in content.items()
        if not (isinstance(name, str) and isinstance(value, Tensor))
    ]
    if others:
        raise WeightsError(
            f"{path} holds things that are not tensors: {_capped(others)}; save model.state_dict(), "
            f"alone or under one of {', '.join(_NESTS)}"
        )
    names = [name.replace("_orig_mod.", "") for name in content]
    if all(name.startswith("module.") for name in names):
        names = [name.removeprefix("module.") for name in names]
    return dict(zip(names, content.values(), strict=True))


def _unnested(content: Any) -> Any:
    for _ in range(_DEEPEST):
        inner = [content[nest] for nest in _NESTS if isinstance(content, Mapping) and nest in content]
        nested = next((one for one in inner if isinstance(one, Mapping)), None)
        if nested is None:
            return content
        content = nested
    return content


def _damaged(path: Path, error: Exception) -> WeightsError:
    # torch's own words are paragraphs about something else
    telling = isinstance(error, safetensors.SafetensorError | OSError)
    told = f" ({' '.join(str(error).split())})" if telling else ""
    return WeightsError(f"{path} is damaged, cut short or no weights file{told}; fetch or save it again")


def _capped(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:_LETTERS] for name in names[:_SHOWN]) + more
