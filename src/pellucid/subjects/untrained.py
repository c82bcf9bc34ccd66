"""What is said of networks that have learned nothing."""

from collections.abc import Sequence


def untrained_words(names: Sequence[str]) -> str:
    """What has to be said first where some networks have learned nothing."""
    are, their = ("are", "their") if len(names) > 1 else ("is", "its")
    return (
        f"{', '.join(names)} {are} untrained: {their} weights are random, so nothing here tells of a trained one; "
        "give --weights, or a run of 'pellucid train'"
    )
