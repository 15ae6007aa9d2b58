"""The statements of a collector's tables. Names are the profile's, plain identifiers; values are always parameters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.national_push.translate import Words


@dataclass(frozen=True, slots=True)
class Statements:
    """``mark``: the n-th value of a statement, from 1, as this database writes it."""

    words: Words
    mark: Callable[[int], str]

    def insert(self, table: str, names: Sequence[str]) -> str:
        """(a value for each name)."""
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({self._marks(len(names))})"

    def standing(self, table: str, names: Sequence[str], keys: int) -> str:
        """(keys …) -> the named columns."""
        return f"SELECT {', '.join(names)} FROM {table} WHERE {self.words.key} IN ({self._marks(keys)})"

    def of_days(self, table: str, names: Sequence[str]) -> str:
        """(first moment, last moment, the words that tell our rows …) -> the named columns, in order of the keys."""
        ours = " AND ".join(f"{name} = {self.mark(n)}" for n, name in enumerate(self.words.ours, 3))
        time = self.words.time
        return (
            f"SELECT {', '.join(names)} FROM {table} WHERE {time} >= {self.mark(1)} AND {time} <= {self.mark(2)} AND {ours} "
            f"ORDER BY {self.words.key}"
        )

    def _marks(self, count: int) -> str:
        return ", ".join(self.mark(n) for n in range(1, count + 1))
