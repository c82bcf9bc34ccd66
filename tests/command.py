"""The command line called within the test's own process."""

import pytest
from click.testing import CliRunner

from pellucid import cli
from pellucid.errors import PellucidError


def call(*arguments: str) -> str:
    """What a command that succeeds prints."""
    result = CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    """The one line that a command is refused with."""
    with pytest.raises(PellucidError) as caught:
        CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)
