"""What commands have in common."""

from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")


def listed(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def print_json(content: Any) -> None:
    """One JSON object, for another program to read."""
    import json

    click.echo(json.dumps(content, indent=2))
