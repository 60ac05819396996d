"""Rows that cannot be read: counted, listed, and refused when they are too many."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..study.errors import DataError

LISTED = 100
"""Rows of each file and reason that are listed one by one; all are counted."""


@dataclass
class BadRows:
    """What was wrong with the records, row by row."""

    limit: float = 0.01
    """Share of a file's rows that may be bad before the source is refused."""
    rows: list[dict[str, object]] = field(default_factory=list)
    """file, row (from 0), reason, found."""
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(file, reason) -> rows that were left out because they are wrong."""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(file, reason) -> rows that were left out because they say so themselves (entered in error, cancelled)."""
    total: Counter[str] = field(default_factory=Counter)
    """File -> rows read."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was read otherwise than it stands there -> how often; none of it is a fault."""
    open: bool = True
    """Closed after the first pass, so that a second one over the same rows counts nothing twice."""

    def read(self, file: str, rows: int) -> None:
        """So many rows were read of a file."""
        if self.open:
            self.total[file] += rows

    def add(self, file: str, reason: str, rows: Sequence[int], found: Sequence[object]) -> None:
        """These rows of a file are bad for this reason."""
        if not self.open or not len(rows):
            return
        listed = self.bad[file, reason]
        self.bad[file, reason] += len(rows)
        for row, value in list(zip(rows, found, strict=True))[: max(0, LISTED - listed)]:
            self.rows.append({"file": file, "row": int(row), "reason": reason, "found": str(value)[:80]})

    def skip(self, file: str, reason: str, n: int = 1) -> None:
        """Rows that say of themselves that they do not count."""
        if self.open:
            self.skipped[file, reason] += n

    def note(self, what: str, n: int) -> None:
        """Something that a reader of the cohort should know of, and how often it occurred."""
        if self.open and n:
            self.notes[what] += n

    def check(self) -> None:
        """Refuse the source when more than the allowed share of a file's rows is bad.

        Raises:
            DataError: with the commonest reason and the first row that shows it.
        """
        for file, total in self.total.items():
            reasons = {reason: n for (f, reason), n in self.bad.items() if f == file}
            bad = sum(reasons.values())
            if bad > self.limit * total:
                reason = max(reasons, key=lambda r: reasons[r])
                first = next(r for r in self.rows if r["file"] == file and r["reason"] == reason)
                raise DataError(
                    f"{file}: {bad} of {total} rows are bad, and cohort.bad_rows allows {self.limit:.1%}. "
                    f"Commonest: {reason} ({reasons[reason]}), first in row {first['row']}: {first['found']!r}. "
                    "Correct the records or the mapping, or raise the limit."
                )
