"""Rows that cannot be read: counted, listed, and refused when they are too many. And keys that nothing answers to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...study.errors import DataError, StudyError, did_you_mean

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
    """(file, reason) -> rows that are wrong."""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(file, reason) -> rows that were left out because they say so themselves (entered in error, cancelled)."""
    total: Counter[str] = field(default_factory=Counter)
    """File -> rows read."""
    groups: dict[str, str] = field(default_factory=dict)
    """File -> the name of many small files that it belongs to, which are judged together."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was read otherwise than it stands there, or was not found -> how often; none of it is a fault."""
    dates: dict[tuple[str, str, str], list[int | str]] = field(default_factory=dict)
    """(file, column, key of the study file for their form or what to correct) -> dates read, cells that are no date,
    and the first."""
    keys: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """(key of the study file, name in it) -> what answered to it, or None."""
    known: dict[str, set[str]] = field(default_factory=dict)
    """Key of the study file -> names that would have answered."""
    absent: list[str] = field(default_factory=list)
    """Tables that a source may have and these records do not."""
    open: bool = True
    """Closed after the first pass, so that a second one over the same rows counts nothing twice."""

    def read(self, file: str, rows: int, group: str | None = None) -> None:
        """So many rows were read of a file; of many small ones that are judged together, `group` is the name."""
        if self.open:
            self.total[file] += rows
            self.groups[file] = group or file

    def add(self, file: str, reason: str, rows: Sequence[int], values: Sequence[object]) -> None:
        """These rows of a file are bad for this reason."""
        if not self.open or not len(rows):
            return
        listed = self.bad[file, reason]
        self.bad[file, reason] += len(rows)
        for row, value in list(zip(rows, values, strict=True))[: max(0, LISTED - listed)]:
            self.rows.append({"file": file, "row": int(row), "reason": reason, "found": str(value)[:80]})

    def skip(self, file: str, reason: str, n: int = 1) -> None:
        """Rows that say of themselves that they do not count."""
        if self.open:
            self.skipped[file, reason] += n

    def note(self, what: str, n: int = 1) -> None:
        """Something that a reader of the cohort should know of, and how often it occurred."""
        if self.open and n:
            self.notes[what] += n

    def say(self, what: str) -> None:
        """The same for something that is so or not so."""
        if self.open:
            self.notes[what] = 0

    def lacks(self, table: str) -> None:
        """The records have no such table."""
        if self.open and table not in self.absent:
            self.absent.append(table)

    def dated(self, file: str, column: str, key: str, read: int, wrong: Sequence[object]) -> None:
        """So many dates of a column were read, and these cells are none; `key` is where their form is named."""
        if self.open and (read or len(wrong)):
            known = self.dates.setdefault((file, column, key), [0, 0, ""])
            known[0] = int(known[0]) + read
            known[1] = int(known[1]) + len(wrong)
            known[2] = known[2] or (str(wrong[0]) if len(wrong) else "")

    def expect(self, key: str, names: Iterable[str]) -> None:
        """A mapping of the study file has these names, and each is to be used."""
        for name in names:
            self.keys.setdefault((key, name), None)

    def use(self, key: str, name: str, by: str = "") -> None:
        """Something answered to a name of a mapping."""
        self.keys[key, name] = by or name

    def check(self) -> None:
        """Refuse records of which too much is wrong, and a study file of which a key means nothing.

        Raises:
            StudyError: a mapping names what does not occur.
            DataError: no date of a column can be read, or more than the allowed share of a file's rows is bad; with
                the commonest reason and the first row that shows it.
        """
        self._check_keys()
        self._check_dates()
        totals, reasons = Counter[str](), dict[str, Counter[str]]()
        for file, total in self.total.items():
            totals[self.groups[file]] += total
        for (file, reason), n in self.bad.items():
            reasons.setdefault(self.groups.get(file, file), Counter())[reason] += n
        for group, counts in reasons.items():
            if group in totals and counts.total() > self.limit * totals[group]:
                raise DataError(self._too_many(group, counts, totals[group]))

    def _too_many(self, group: str, counts: Counter[str], total: int) -> str:
        reason, n = counts.most_common(1)[0]
        own = (r for r in self.rows if self.groups.get(str(r["file"])) == group and r["reason"] == reason)
        first = next(own)
        where = f"row {first['row']}" if first["file"] == group else f"{first['file']}, row {first['row']}"
        return (
            f"{group}: {counts.total()} of {total} rows are bad, and cohort.bad_rows allows {self.limit:.1%}. "
            f"Commonest: {reason} ({n}), first in {where}: {first['found']!r}. "
            "Correct the records or the mapping, or raise the limit."
        )

    def _check_keys(self) -> None:
        for (key, name), user in self.keys.items():
            if user is None:
                known = self.known.get(key)
                hint = did_you_mean(name, known) if known else "Correct it, or remove it."
                raise StudyError(f"{key}: {name!r} is not used by anything in the records. {hint}")

    def _check_dates(self) -> None:
        for (file, column, key), (read, wrong, first) in self.dates.items():
            if wrong and not read:
                do = f"Say how they are written in {key}, for instance '%d/%m/%Y'."
                if not key.startswith("cohort."):
                    do = f"Correct {key}: a date is written 2010-05-17."
                none = f"none of the {wrong} dates in column {column!r} can be read"
                raise DataError(f"{file}: {none}, the first is {first!r}. {do}")
