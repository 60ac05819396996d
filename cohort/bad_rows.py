"""Rows that cannot be read: counted, listed, and refused when they are too many."""

from collections import Counter
from dataclasses import dataclass, field

from ..study.errors import DataError


@dataclass
class BadRows:
    """What was wrong, row by row. Every bad row is counted; of each file and reason the first hundred are listed."""

    limit: float = 0.01
    """Share of a file's rows that may be bad before the whole source is refused."""
    rows: list[dict[str, object]] = field(default_factory=list)
    count: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(file, reason) -> rows."""

    def add(self, file: str, reason: str, row: int, found: object, n: int = 1) -> None:
        """`n` rows of `file` are bad for `reason`; `row` (from 0) and `found` tell one of them."""
        self.count[file, reason] += n
        if self.count[file, reason] - n < 100:
            self.rows.append(
                {"file": file, "row": row, "reason": reason, "found": str(found)[:80], "rows": n}
            )

    def check(self, file: str, total: int) -> None:
        """Refuse `file` when more than the allowed share of its `total` rows is bad.

        Raises:
            DataError: with the commonest reason and the first row that shows it.
        """
        bad = sum(n for (f, _), n in self.count.items() if f == file)
        if bad > self.limit * total:
            reason = max((n, r) for (f, r), n in self.count.items() if f == file)[1]
            first = next(r for r in self.rows if r["file"] == file and r["reason"] == reason)
            raise DataError(
                f"{file}: {bad} of {total} rows are bad, the limit is {self.limit:.1%} (cohort.bad_rows). "
                f"Commonest: {reason}, first in row {first['row']}: {first['found']!r}."
            )
