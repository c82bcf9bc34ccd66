"""Which class an explanation is about, from the words that a person types."""

from collections.abc import Sequence

from pellucid.errors import ConfigError, count_of, suggestion

_DIGITS = 10  # of a class that is named by its number


def classes_asked(of: Sequence[str], classes: Sequence[str]) -> tuple[str | int, ...]:
    """What words ask about: a class by name or number, "predicted", "runner-up", both as "pair", or "all" classes."""
    suggested = ("predicted", "runner-up", "pair", "all")
    if not of:
        *some, last = suggested
        raise ConfigError(f"no class is asked about; give a class, {', '.join(some)} or {last}")
    return tuple(dict.fromkeys(one for word in of for one in _classes(word, classes, suggested)))


def one_class_asked(of: str, classes: Sequence[str]) -> str | int:
    """What a word asks about that stands for one class in each image: as before, or an image's own "label"."""
    if of.strip() == "label":
        return "label"
    words = [word.strip() for word in of.split(",") if word.strip()]
    suggested = ("label", "predicted", "runner-up")
    found = dict.fromkeys(one for word in words for one in _classes(word, classes, suggested))
    if len(found) != 1:
        raise ConfigError(
            f"--of {of} asks about {count_of(len(found), 'class')}; ask about one, label, predicted or runner-up"
        )
    return next(iter(found))


def _classes(word: str, classes: Sequence[str], suggested: Sequence[str]) -> list[str | int]:
    if word == "all":
        return list(range(len(classes)))
    if word == "pair":
        return ["predicted", "runner-up"]
    if word in ("predicted", "runner-up"):
        return [word]
    if word in classes:
        return [list(classes).index(word)]
    if word.isascii() and word.isdigit() and len(word) < _DIGITS and int(word) < len(classes):
        return [int(word)]
    raise ConfigError(f"'{word}' is no class of this network{suggestion(word, (*suggested, *classes))}")
