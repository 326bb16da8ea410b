"""Which columns of a list are shown: those that its address names, or the usual ones."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import QueryDict

NAME = "column"


class ColumnChoice:
    """The columns that one address asks for.

    columns: (name in the address, heading, whether it is usual), in the order of the table. What the address
    names and the list does not have is ignored; with none left the usual ones are shown.
    """

    def __init__(self, columns: Sequence[tuple[str, str, bool]], query: QueryDict) -> None:
        self._columns = columns
        self._usual = [name for name, _, is_usual in columns if is_usual]
        asked = query.getlist(NAME)
        self.shown = [name for name, _, _ in columns if name in asked] or self._usual

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The choice as parts of an address; none for the usual columns."""
        return [] if self.shown == self._usual else [(NAME, name) for name in self.shown]

    @property
    def all(self) -> list[tuple[str, str, bool]]:
        """Every column: name, heading, whether it is shown."""
        return [(name, heading, name in self.shown) for name, heading, _ in self._columns]
