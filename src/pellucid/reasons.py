"""Why some cells of a table have no number: said once, under the table."""


class Reasons:
    """The reasons of a table, in the order in which cells asked for them; cells with one reason share its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cell(self, why: str) -> str:
        """What stands in the number's place.

        >>> reasons = Reasons()
        >>> reasons.cell("the map is zero"), reasons.cell("there is one image"), reasons.cell("the map is zero")
        ('note 1', 'note 2', 'note 1')
        """
        return f"note {self._numbers.setdefault(why, len(self._numbers) + 1)}"

    def lines(self) -> list[str]:
        """What has to stand under the table."""
        return [f"note {number}: {why}" for why, number in self._numbers.items()]
