"""From many local explanations to how important each feature is, for all images or for those of one class."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import ConfigError, LabelError, NotFinite, ShapeError, count_of
from pellucid.metrics.student import quantile

Kind = Literal["normlime", "mean-abs", "sp-lime", "mean-square"]
Sign = Literal["both", "positive", "negative"]
By = Literal["class", "global"]
Compat = Literal["none", "interpretdl"]


@dataclass(frozen=True)
class Rule:
    """How explanations are put together.

    `kind` is what is averaged: w²/‖w‖₁ over the explanations that use a feature ("normlime"); |w| or w² over all of
    them; or the root of the sum of |w|. `sign` drops coefficients of the other sign; ‖w‖₁ is of all coefficients in
    any case. With `compat="interpretdl"` superpixels of one word are averaged one by one, as that library has it,
    where otherwise their coefficients are added up in each image.
    """

    kind: Kind = "normlime"
    sign: Sign = "both"
    by: By = "class"
    compat: Compat = "none"

    def __post_init__(self) -> None:
        if self.compat == "interpretdl" and self.kind != "normlime":
            raise ConfigError(f"compat='interpretdl' is for kind 'normlime', not for '{self.kind}'; set one of them")


@dataclass(frozen=True, eq=False)
class Importance:
    """How important each feature is: a row for each class, or one for all images.

    `counts` are the explanations that use a feature, or its occurrences with `compat="interpretdl"`, and
    `standard_errors` those between them: infinite where there are fewer than two. `explanations` counts what a row
    rests on, and `skipped` the explanations that are zero throughout, of which no shares can be taken.
    """

    values: Float[Tensor, "rows d"]
    counts: Int[Tensor, "rows d"]
    standard_errors: Float[Tensor, "rows d"]
    explanations: Int[Tensor, " rows"]
    skipped: int
    rule: Rule

    def interval(self) -> tuple[Float[Tensor, "rows d"], Float[Tensor, "rows d"]]:
        """95 % intervals, by Student's t for as many images; importance is never below 0."""
        number = self.counts if self.rule.kind == "normlime" else self.explanations[:, None].expand_as(self.counts)
        margin = quantile(number.double() - 1) * self.standard_errors
        return (self.values - margin).clamp_min(0), self.values + margin

    def top(self, row: int, n: int) -> Int[Tensor, " n"]:
        """The most important features of a row that some explanation uses; of equal ones the first comes first."""
        order = self.values[row].argsort(descending=True, stable=True)
        return order[self.counts[row][order] > 0][:n]


@dataclass(frozen=True, eq=False)
class Tally:
    """The sums that an importance follows from; those of several parts of the images are added with `+`."""

    rule: Rule
    sums: Float[Tensor, "rows d"]
    squares: Float[Tensor, "rows d"]
    counts: Int[Tensor, "rows d"]
    explanations: Int[Tensor, " rows"]
    skipped: int = 0

    @classmethod
    def empty(cls, rule: Rule, *, classes: int, features: int) -> "Tally":
        """The tally of no explanations."""
        rows = classes if rule.by == "class" else 1
        zeros = torch.zeros(rows, features, dtype=torch.float64)
        whole = torch.zeros(rows, features, dtype=torch.long)
        return cls(rule, zeros, zeros, whole, torch.zeros(rows, dtype=torch.long))

    def add(
        self,
        coefficients: Float[Tensor, "n s"],
        classes: Int[Tensor, " n"],
        *,
        used: Bool[Tensor, "n s"] | None = None,
        words: Int[Tensor, "n s"] | None = None,
    ) -> "Tally":
        """The tally with these explanations too.

        A coefficient belongs to the feature of its place, or to that in `words`; -1 there is none. `used` is by
        default where coefficients are not 0, or where there are words.
        """
        w, y = coefficients.detach().double().cpu(), classes.cpu()
        words = None if words is None else words.cpu()
        self._check(w, y, words)
        there = w != 0 if words is None else words >= 0
        used = there if used is None else used.cpu() if words is None else used.cpu() & there
        w = w * used
        if words is not None and self.rule.compat == "none":
            w, used, words = *_summed(w, used, words, self.sums.shape[1]), None
        norms = w.abs().sum(1)
        kept = norms > 0
        w, used, norms, y = w[kept], used[kept], norms[kept], y[kept]
        words = None if words is None else words[kept]
        rows = y if self.rule.by == "class" else torch.zeros_like(y)
        counted = used & {"both": used, "positive": w > 0, "negative": w < 0}[self.rule.sign]
        shares = _contribution(w, norms, self.rule.kind) * counted
        places = (rows[:, None] * self.sums.shape[1] + _columns(w, words)).flatten()
        return Tally(
            self.rule,
            _added(self.sums, places, shares),
            _added(self.squares, places, shares.square()),
            _added(self.counts, places, counted.long()),
            self.explanations.index_add(0, rows, torch.ones_like(rows)),
            self.skipped + int((~kept).sum()),
        )

    def __add__(self, other: "Tally") -> "Tally":
        if self.rule != other.rule or self.sums.shape != other.sums.shape:
            raise ConfigError(
                f"these tallies are of {_described(self)} and of {_described(other)}; add up such as are alike"
            )
        return Tally(
            self.rule,
            self.sums + other.sums,
            self.squares + other.squares,
            self.counts + other.counts,
            self.explanations + other.explanations,
            self.skipped + other.skipped,
        )

    def importance(self) -> Importance:
        """The importance that the sums so far come to."""
        number = self.counts.double()
        if self.rule.kind != "normlime":  # which average over those that do not use a feature, too
            number = self.explanations[:, None].double().expand_as(number)
        mean = self.sums / number.clamp_min(1)
        # rounding may leave less than nothing of a variance that is none
        variance = (self.squares - number * mean.square()).clamp_min(0) / (number - 1).clamp_min(1)
        error = (variance / number.clamp_min(1)).sqrt().where(number > 1, torch.inf)
        if self.rule.kind == "sp-lime":
            values = self.sums.sqrt()
            # d sqrt(s) = ds / (2 sqrt(s)), and the sum's error is that of the mean times how many there are
            error = (number * error / (2 * values)).where(values > 0, error)
        else:
            values = mean
        return Importance(values, self.counts, error, self.explanations, self.skipped, self.rule)

    def _check(self, w: Tensor, y: Tensor, words: Tensor | None) -> None:
        rows, features = self.sums.shape
        if words is None and w.shape[1] != features:
            raise ShapeError(f"these explanations have {w.shape[1]} features, and the tally {features}; give as many")
        if words is not None and words.numel() and int(words.max()) >= features:
            raise ShapeError(f"there is a word {int(words.max())} among {features}; words count from 0")
        if len(y) and (int(y.min()) < 0 or (self.rule.by == "class" and int(y.max()) >= rows)):
            wrong = int(y.min()) if int(y.min()) < 0 else int(y.max())
            raise LabelError(f"an explanation is of class {wrong}, and there are {count_of(rows, 'class')}")
        if not bool(w.isfinite().all()):
            broken = int((~w.isfinite()).any(1).sum())
            raise NotFinite(f"{broken} of {len(w)} explanations have NaN or infinite coefficients; leave them out")


def aggregate(
    coefficients: Float[Tensor, "n s"],
    classes: Int[Tensor, " n"],
    rule: Rule,
    *,
    used: Bool[Tensor, "n s"] | None = None,
    words: Int[Tensor, "n s"] | None = None,
    features: int = 0,
) -> Importance:
    """How important features are over `n` explanations, each of its class: predicted or true, as you choose.

    Without `words`, which give each coefficient's feature, all explanations have the same features. `features` is how
    many words there are, as far as those that occur do not say so.
    """
    if not len(coefficients):
        raise ShapeError("there are no explanations to put together; give one or more")
    features = coefficients.shape[1] if words is None else max(features, int(words.max()) + 1)
    tally = Tally.empty(rule, classes=int(classes.max()) + 1, features=features)
    return tally.add(coefficients, classes, used=used, words=words).importance()


def _contribution(w: Tensor, norms: Tensor, kind: Kind) -> Tensor:
    if kind == "normlime":
        return w.square() / norms[:, None]
    return w.square() if kind == "mean-square" else w.abs()


def _summed(w: Tensor, used: Tensor, words: Tensor, features: int) -> tuple[Tensor, Tensor]:
    """Each image's coefficients by word, and which words it has."""
    places = words.clamp_min(0)
    present = (used & (words >= 0)).double()
    total = w.new_zeros(len(w), features).scatter_add(1, places, w * present)
    return total, w.new_zeros(len(w), features).scatter_add(1, places, present) > 0


def _columns(w: Tensor, words: Tensor | None) -> Tensor:
    return torch.arange(w.shape[1]).expand_as(w) if words is None else words.clamp_min(0)


def _added(total: Tensor, places: Tensor, values: Tensor) -> Tensor:
    return total.flatten().index_add(0, places, values.flatten()).view_as(total)


def _described(tally: Tally) -> str:
    rows, features = tally.sums.shape
    rule = tally.rule
    return f"{rows} x {features} ({rule.kind}, {rule.sign}, {rule.by}, {rule.compat})"
