"""Reading pickles without running what they ask for, and without growing beyond what they hold."""

import io
import pickle
import pickletools
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
        return _Reader(content, place).load()
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


def _dtype(kind: str, align: int = False, copy: int = False) -> numpy.dtype[Any]:
    # pickles from Python 2 give 0 and 1, and numpy 2.4.0 to 2.4.4 warn of what is no truth value
    return numpy.dtype(kind, bool(align), bool(copy))


def _empty(_kind: object, _shape: tuple[int, ...], _code: str | bytes) -> NDArray[Any]:
    # an array begins empty; its shape, type and numbers follow as its state
    return numpy.ndarray((0,), numpy.int8)


def _frombuffer(buffer: bytes | bytearray, kind: numpy.dtype[Any], shape: tuple[int, ...], order: Any) -> Any:
    return numpy.frombuffer(buffer, kind).reshape(shape, order=order)


_ALLOWED: Mapping[str, Any] = {
    "numpy.ndarray": "ndarray",  # which is passed on and not called: it would make an array of any size
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _empty,
    "numpy.core.numeric._frombuffer": _frombuffer,
}
