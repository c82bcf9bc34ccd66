"""What explainers say of pictures, for every class that is asked about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config, data
from pellucid.data import Split
from pellucid.errors import ConfigError, suggestion
from pellucid.explainers import Explainer, Explanation

Words = Sequence[str]
_LEARNED = 100  # images that an explainer learns from, at most


def fitted(explainer: Explainer, model: nn.Module, train: Split | None, *, seed: int = 0) -> Explainer:
    """The explainer, shown training images if it learns from such."""
    if not explainer.learns:
        return explainer
    if train is None:
        raise ConfigError(f"{config.kind_of(type(explainer))} learns from images of its own; give them with --data")
    some = train.take(_LEARNED)
    (batch,) = some.batches(data.sequential(some, len(some)))
    places = [tensor.device for tensor in (*model.parameters(), *model.buffers())]
    return explainer.fit(model, batch.x.to(places[0] if places else batch.x.device), seed=seed)


@dataclass(frozen=True, eq=False)
class Account:
    """What one explainer says of all pictures, about the class that `asked` stands for in each."""

    method: str
    asked: str
    found: Explanation


_DIGITS = 10  # of a class that is named by its number


def asked(
    of: Words, classes: Words, *, suggested: Words = ("predicted", "runner-up", "pair", "all")
) -> tuple[str | int, ...]:
    """What words ask about: a class by name or number, "predicted", "runner-up", both as "pair", or "all" classes.

    Beside classes, `suggested` are the words that fit the place where another one was typed.
    """
    found: list[str | int] = []
    for word in of:
        if word == "all":
            found += range(len(classes))
        elif word == "pair":
            found += ["predicted", "runner-up"]
        elif word in ("predicted", "runner-up"):
            found.append(word)
        elif word in classes:
            found.append(list(classes).index(word))
        elif word.isascii() and word.isdigit() and len(word) < _DIGITS and int(word) < len(classes):
            found.append(int(word))
        else:
            raise ConfigError(f"'{word}' is no class of this network{suggestion(word, (*suggested, *classes))}")
    if not found:
        *some, last = suggested
        raise ConfigError(f"no class is asked about; give a class, {', '.join(some)} or {last}")
    return tuple(dict.fromkeys(found))


def accounts(
    model: nn.Module,
    x: Float[Tensor, "n c h w"],
    of: Sequence[str | int],
    explainers: Mapping[str, Explainer],
    *,
    seed: int = 0,
    watch: Callable[[str], None] = lambda _: None,
) -> Iterator[Account]:
    """Every explainer asked about every class, one after the other; `watch` hears what comes next."""
    for name, explainer in explainers.items():
        for word in of:
            watch(f"{name}, {word}" if isinstance(word, str) else f"{name}, class {word}")
            yield Account(name, str(word), explainer(model, x, word, seed=seed))
