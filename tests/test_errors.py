import inspect
import re
from pathlib import Path

import pytest
import torch

from pellucid import errors
from pellucid.batch import check_labels


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    classes = {
        name: entry
        for name, entry in vars(errors).items()
        if inspect.isclass(entry) and entry.__module__ == errors.__name__
    }
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+)", (errors.__doc__ or "").split("Messages")[0], re.M)
    assert set(classes) == set(drawn) - {"Every"}  # the first word of the docstring
    assert all(issubclass(entry, errors.PellucidError) and entry.__doc__ for entry in classes.values())


def test_suggestion_names_the_near_miss_or_all_there_is() -> None:
    assert errors.suggestion("simple-cn", ["simple-cnn", "lenet"]) == " (did you mean 'simple-cnn'?)"
    assert errors.suggestion("zzz", ["b", "a"]) == " (there are: a, b)"
    assert errors.suggestion("zzz", []) == " (there are none)"


def test_of_a_long_message_both_ends_are_left() -> None:
    error = errors.ConfigError(f"'{'a' * 10**6}' is no budget; give a number")
    assert len(str(error)) < 4100
    assert str(error).startswith("'aaa") and str(error).endswith("' is no budget; give a number")


def test_one_thing_is_told_of_in_the_singular() -> None:
    with pytest.raises(errors.LabelError, match="^this has the label 1 and 1 class; labels run from 0 to 0$"):
        check_labels(torch.tensor([1]), 1, "this")
    with pytest.raises(errors.LabelError, match="^this has the label 2 and 2 classes; labels run from 0 to 1$"):
        check_labels(torch.tensor([2]), 2, "this")


def test_no_message_counts_images_or_classes_by_hand() -> None:
    """A number of them goes through `count_of`, since it may be 1."""
    places = [
        f"{path.name}: {found[0]}"
        for path in sorted((Path(__file__).parents[1] / "src" / "pellucid").rglob("*.py"))
        if not {"reports", "audits", "page"} & set(path.parts)
        for found in re.finditer(r"\{(?!(?:kind|part)\b)[a-z][^{}'\":]*\} (images|classes)\b.*", path.read_text())
        if not found[0].startswith("{images} in ")  # how data show themselves, where it is in words already
    ]
    assert not places
