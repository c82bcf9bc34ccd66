"""Inputs near those that are known: the same ones for the same seed, on any machine."""

import random
from collections.abc import Iterator, Sequence

_NUMBERS = (b"0", b"-1", b"255", b"2147483648", b"9223372036854775808", b"1e999", b"nan", b"-0.0", b"1" * 400)
_WORDS = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"[[", b"{{", b"Infinity", b"NaN", b"inf", b"\xff", b"\0", b"\n", b"="),
    *(b".", b"/", b"..", b"../", b"%", b",", b":", b"(", b")", b"'", b'"', b"#", b"\xe2\x88\x9e", b"\xc2\xb2", b"~"),
    *(b"\xd9\xa3", b"\x1b[31m", b"__class__", b"kind", b"all", b"-", b"+", b"<", b">=", b" " * 40, b"(" * 300),
    *(b"[" * 2000, b'{"a":' * 2000, b"a." * 100, b"9" * 5000, b"\x80\x04", b"PK\1\2", b"\x93NUMPY", b"\x1f\x8b"),
)
_BINARY = tuple(
    value.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for value in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("little", "big")
)


def mutations(seeds: Sequence[bytes], count: int, *, seed: int = 0) -> Iterator[bytes]:
    """So many inputs, each made of one or two seeds by a few changes."""
    chance = random.Random(seed)
    for _ in range(count):
        content = bytearray(chance.choice(seeds))
        for _ in range(1 + min(int(chance.expovariate(0.6)), 8)):
            chance.choice(_CHANGES)(content, chance, seeds)
        yield bytes(content)


def _place(content: bytearray, chance: random.Random) -> int:
    # headers decide what becomes of all that follows
    return chance.randrange(min(len(content), 64) if chance.random() < 0.5 else len(content)) if content else 0


def _flip(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if content:
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _set(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if content:
        content[_place(content, chance)] = chance.randrange(256)


def _write(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    value, place = chance.choice(_BINARY), _place(content, chance)
    content[place : place + len(value)] = value


def _insert(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    place = _place(content, chance)
    content[place:place] = chance.choice(_WORDS)


def _number(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """Put another number in the place of one that is written in digits."""
    digits = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    if digits:
        first = last = chance.choice(digits)
        while last < len(content) and content[last] in b"0123456789.eE":
            last += 1
        content[first:last] = chance.choice((*_NUMBERS, *_WORDS))


def _cut(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    first = _place(content, chance)
    del content[first : first + chance.choice((1, 2, 4, 16, 64, len(content)))]


def _repeat(content: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    first = _place(content, chance)
    part = content[first : first + chance.choice((1, 4, 16, 64))]
    content[first:first] = part * chance.choice((1, 2, 10))


def _splice(content: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    first = _place(content, chance)
    content[first:] = other[chance.randrange(len(other) + 1) :]


_CHANGES = (_flip, _set, _write, _insert, _number, _number, _cut, _repeat, _splice)
