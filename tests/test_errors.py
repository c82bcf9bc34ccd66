import inspect
import re

from pellucid import errors


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
