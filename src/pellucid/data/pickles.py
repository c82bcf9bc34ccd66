"""Reading pickles without running what they ask for, and without growing beyond what they hold."""

import io
import pickle
import pickletools
import re
from collections.abc import Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

from pellucid.errors import DataError

_ARRAYS = 16  # and kinds of numbers, that a pickle sets up; each may hold what the whole file does
_RATIO = 4  # how many times over its length a pickle may turn text into bytes


def read_pickle(content: bytes, place: str) -> Any:
    """A pickle of plain values and numpy arrays; one that names anything else is refused."""
    try:
        _look_through(content)
        found = _Reader(content, place).load()
        if not isinstance(found, dict):
            return found
        return {name: one.values if isinstance(one, _Array) else one for name, one in found.items()}
    except DataError:
        raise
    except Exception as error:  # bytes that are no pickle raise whatever they are mistaken for
        raise DataError(f"{place} is no pickle, or is damaged; fetch it again") from error


def _look_through(content: bytes) -> None:
    """Refuse what asks for memory that its length does not account for; reading it would ask for it at once."""
    set_up = 0
    for code, argument, _ in pickletools.genops(content):  # which refuses content shorter than it says
        set_up += code.name == "BUILD"
        if set_up > _ARRAYS or (code.name in _MEMOS and int(argument or 0) > len(content)):
            raise ValueError(f"{code.name} {argument}")


_MEMOS = ("PUT", "BINPUT", "LONG_BINPUT")


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, place: str) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")  # what numpy needs for arrays from Python 2
        self._place = place
        self._left = _RATIO * len(content)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        wanted = f"{module_name}.{global_name}".replace("numpy._core.", "numpy.core.")
        if wanted == "_codecs.encode":
            return self._bytes
        if wanted not in _ALLOWED:
            raise DataError(
                f"{self._place} wants to run '{module_name}.{global_name}', which no array needs; "
                "it was not run: fetch the file from a source that you trust"
            )
        return _ALLOWED[wanted]

    def _bytes(self, text: str, encoding: str) -> bytes:
        # Python 3 writes bytes for old readers as text and a call to a codec, which may be any codec
        self._left -= len(text)
        if encoding != "latin1" or self._left < 0:
            raise ValueError(encoding)
        return text.encode("latin1")


class _Kind:
    """A kind of numbers. What numpy itself would take for one can break it: it believes all that a pickle says."""

    def __init__(self, kind: str, *_align_and_copy: object) -> None:
        if not re.fullmatch(r"[biuf][1-9]\d?", kind):
            raise ValueError(kind)
        self.dtype = numpy.dtype(kind)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, parts = state[1], state[2:5]
        if order not in ("<", ">", "|", "=") or parts != (None, None, None):
            raise ValueError(order)
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array, which begins empty; its shape, kind and numbers follow as its state."""

    def __init__(self, *_kind_shape_and_code: object) -> None:
        self.values: NDArray[Any] = numpy.ndarray((0,), numpy.int8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, content = state
        raw = content.encode("latin1") if isinstance(content, str) else content
        self.values = _from_buffer(raw, kind, shape, "F" if by_columns else "C")


def _from_buffer(buffer: bytes | bytearray, kind: _Kind, shape: tuple[int, ...], order: Any) -> NDArray[Any]:
    return numpy.frombuffer(buffer, kind.dtype).reshape(shape, order=order)


_ALLOWED: Mapping[str, Any] = {
    "numpy.ndarray": "ndarray",  # which is passed on and not called: it would make an array of any size
    "numpy.dtype": _Kind,
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy.core.numeric._frombuffer": _from_buffer,
}
