"""From cells to the values of a scale: what is no value is asked about or named, never quietly a category."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ....study.errors import DataError
from ....study.records import Level
from ..coefficients.table import Ints
from .labels import label_sets
from .numbers import missing_codes, numbers, ordinal_numbers, outliers
from .words import SOFT, STRONG, as_number, close, folded, known_order, labelled_number, tidy

ONCE = 20
"""Ratings from which a category that occurs once is named."""

Categories = Sequence[Hashable]


class Cells:
    """The cells of one dimension: every kind of cell once, and where it stands."""

    def __init__(self, ratings: pd.DataFrame, place: Callable[[object], str], dimension: str) -> None:
        self.dimension, self.place = dimension, place
        self.where = ratings["where"].to_numpy()
        codes, kinds = pd.factorize(ratings["value"], use_na_sentinel=False)
        self.codes: Ints = np.asarray(codes, dtype=np.int64)
        self.kinds: list[Any] = [None if _nothing(k) else k for k in kinds]
        self.counts: Ints = np.bincount(self.codes, minlength=len(self.kinds)).astype(np.int64)

    def at(self, some: Collection[int]) -> str:
        """The first places of some kinds, with what stands there, and how many there are."""
        rows = np.flatnonzero(np.isin(self.codes, list(some)))
        first = "; ".join(f"{self.place(self.where[i])} ({self.kinds[self.codes[i]]!r})" for i in rows[:3])
        return f"{first}{f'; {len(rows) - 3:,} more' if len(rows) > 3 else ''}"

    def error(self, some: Collection[int], says: str) -> DataError:
        """An error that begins with the first cell of some kinds."""
        return DataError(f"{self.at(some)}: {self.dimension}: {says}")


class Measured(NamedTuple):
    """What the cells of one dimension turned out to be."""

    values: list[Hashable]
    """(ratings,) None where none was given."""
    level: Level
    categories: tuple[Hashable, ...] | None
    """All that raters could give, in order; None: those that occur."""
    declared: bool
    """The categories are what raters were offered; otherwise what happens to occur, in an order that was found."""
    assumed: bool
    """The level is a guess."""
    notes: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """The single labels, where a rating is a set of them."""


def measure(
    cells: Cells,
    level: Level | None,
    categories: Categories | None,
    missing: Collection[str] = (),
    separator: str | None = None,
    closed: bool = False,
) -> Measured:
    """The values of one dimension.

    Args:
        cells: of the dimension.
        level: None guesses it, and says so.
        categories: all that raters could give, lowest first; None takes those that occur.
        missing: cells that stand for a rating that was not given; an empty one does.
        separator: between the labels of a multi-label cell; None finds it, "" means there are none.
        closed: the cells were chosen from a form, so that a word for nothing was offered there.
    Raises:
        DataError: cells that are no value of the scale, with their places and what to do.
    """
    notes: list[str] = []
    absent = {folded(m) for m in missing}
    given = [
        i
        for i, k in enumerate(cells.kinds)
        if k is not None and not (isinstance(k, str) and (not tidy(k) or folded(k) in absent))
    ]
    if categories is not None:
        to, level_found = _declared(cells, given, categories), None
        kept: tuple[Hashable, ...] | None = tuple(dict.fromkeys(_typed(categories)))
    else:
        to, kept, level_found = _in_cells(cells, given, level, notes, separator, closed)
    values = [to.get(i) for i in range(len(cells.kinds))]
    kinds = [v for v in dict.fromkeys(values) if v is not None]
    sets = any(isinstance(v, frozenset) for v in kinds)
    assumed = level is None
    level = level or level_found or guess(kinds, int(cells.counts[given].sum()))
    if sets and level != "nominal":
        raise DataError(f"{cells.dimension}: ratings that are sets of labels are nominal, not {level}.")
    if categories is None and not closed:
        notes += _once(cells, given, values, level)
    return Measured(
        [values[c] for c in cells.codes],
        level,
        kept,
        categories is not None,
        assumed and not sets,
        tuple(notes),
        tuple(sorted({str(x) for v in kinds if isinstance(v, frozenset) for x in v})) if sets else (),
    )


def guess(kinds: Collection[Hashable], n: int) -> Level:
    """The level of a scale by its values: words and two values nominal, few steps ordinal, a slider interval."""
    numbers_ = [k for k in kinds if isinstance(k, int | float) and not isinstance(k, bool)]
    if len(kinds) <= 2 or len(numbers_) < len(kinds):
        return "nominal"
    return "ordinal" if ordinal_numbers(numbers_) else "interval"


def _nothing(kind: object) -> bool:
    return kind is None or (isinstance(kind, float) and kind != kind)


def _typed(categories: Categories) -> list[Hashable]:
    """The declared categories as numbers, where all of them are."""
    parsed = [as_number(c) if isinstance(c, str) else c for c in categories]
    return list(categories) if None in parsed else [p for p in parsed if p is not None]


def _declared(cells: Cells, given: Sequence[int], categories: Categories) -> dict[int, Hashable]:
    """Kind -> declared category: as written, else in another spelling, else the same number.

    Raises:
        DataError: kinds that are none of them.
    """
    typed = _typed(categories)
    by_text: dict[str, Hashable] = {str(c): t for c, t in zip(categories, typed, strict=True)}
    by_fold: dict[str, Hashable] = {folded(text): t for text, t in reversed(by_text.items())}
    by_number = {float(t): t for t in typed if isinstance(t, int | float)}
    to: dict[int, Hashable] = {}
    for i in given:
        text = cells.kinds[i] if isinstance(cells.kinds[i], str) else str(cells.kinds[i])
        number = as_number(text, comma=True)
        category = by_text.get(text, by_fold.get(folded(text)))
        if category is None and number is not None:
            category = by_number.get(float(number))
        if category is None and (number := labelled_number(text)) is not None:
            category = by_number.get(number)
        if category is not None:
            to[i] = category
    wrong = [i for i in given if i not in to]
    if wrong:
        known = ", ".join(str(c) for c in categories[:12]) + (", ..." if len(categories) > 12 else "")
        raise cells.error(
            wrong,
            f"outside the scale. Allowed: {known}. Mend the cells, or name them: --missing {cells.kinds[wrong[0]]}.",
        )
    return to


def _in_cells(
    cells: Cells,
    given: Sequence[int],
    level: Level | None,
    notes: list[str],
    separator: str | None,
    closed: bool,
) -> tuple[dict[int, Hashable], tuple[Hashable, ...] | None, Level | None]:
    """Kind -> value, the categories where their order was found, and the level where the cells tell it."""
    texts = {i: cells.kinds[i] for i in given if isinstance(cells.kinds[i], str)}
    sets = label_sets(cells.kinds, given, separator, cells.dimension, notes)
    if sets is not None:
        return dict(sets.items()), None, "nominal"
    in_cells = numbers(list(texts.values()), cells.dimension)
    by_number = {i: in_cells.of[t] for i, t in texts.items() if t in in_cells.of}
    words = [i for i in texts if i not in by_number]
    _check_words(cells, words, by_number, level, notes, closed)
    if by_number and not words:
        notes += [in_cells.note] if in_cells.note else []
        _check_codes(cells, by_number, notes)
        return dict(by_number), None, None
    labelled = _labelled(cells, texts)
    if labelled is not None:
        to, order = labelled
        notes.append(
            f"the categories are ordered by the numbers in their labels: {', '.join(map(str, order))}"
        )
        return dict(to), order, "ordinal" if len(order) > 2 else None
    to_word = _folded(cells, texts, notes)
    known = known_order(set(to_word.values())) if level in (None, "ordinal") else None
    if known is not None:
        notes.append(f"the categories are taken in this order: {', '.join(known)}")
        return dict(to_word), known, "ordinal"
    return dict(to_word), None, None


def _check_words(
    cells: Cells,
    words: Sequence[int],
    by_number: Mapping[int, object],
    level: Level | None,
    notes: list[str],
    closed: bool,
) -> None:
    """Words for nothing, and words among numbers, are asked about.

    Raises:
        DataError: there are some, and nobody declared them.
    """
    strong = [i for i in words if folded(cells.kinds[i]) in STRONG]
    known = ",".join(_in_order(cells))
    remedy = f"--categories '{cells.dimension}={known}'" if len(known) < 80 else "--categories"
    if strong and (not closed or by_number):
        raise cells.error(
            strong,
            f"is {tidy(cells.kinds[strong[0]])!r} a rating that was not given? Say so: "
            f"{' '.join(_missing(cells, strong))}. Where it is a category, declare all of them, lowest "
            f"first: {remedy}.",
        )
    if strong:
        notes.append(
            f"{cells.kinds[strong[0]]!r} counts as a category, as the form offers it; --missing "
            f"'{cells.kinds[strong[0]]}' "
            "leaves it out"
        )
    if by_number and words and len(by_number) >= 1:
        share = sum(int(cells.counts[i]) for i in words) / int(cells.counts[[*words, *by_number]].sum())
        codes = level == "nominal" or (
            level is None and share > 0.2 and len(words) > 1 and _like_codes(cells, words)
        )
        if not codes:
            raise cells.error(
                words,
                f"a word among numbers. A rating that was not given is said so: {' '.join(_missing(cells, words))}; "
                f"categories are declared, lowest first: {remedy}; codes are --level nominal.",
            )
        notes.append(f"numbers and words mixed, taken as codes: {cells.at(words)}")
    soft = [i for i in words if folded(cells.kinds[i]) in SOFT]
    if soft:
        n = int(cells.counts[soft].sum())
        notes.append(f"{cells.kinds[soft[0]]!r} counts as a category ({n} ratings); --missing leaves it out")


def _in_order(cells: Cells) -> list[str]:
    """The kinds of cell, numbers by size, words behind them."""
    kinds = {tidy(str(k)) for k in cells.kinds if k is not None and tidy(str(k))}
    return sorted(kinds, key=lambda k: (as_number(k) is None, as_number(k) or 0, k))


def _missing(cells: Cells, some: Sequence[int]) -> list[str]:
    kinds = dict.fromkeys(tidy(cells.kinds[i]) for i in some[:4])
    return [f"--missing {k}" if k.isalnum() else f"--missing '{k}'" for k in kinds]


def _like_codes(cells: Cells, words: Sequence[int]) -> bool:
    """Short, without blanks, with a digit: 3a, V10.1, 2E65."""
    return all(
        len(k := tidy(cells.kinds[i])) <= 10 and " " not in k and any(c.isdigit() for c in k) for i in words
    )


def _check_codes(cells: Cells, by_number: Mapping[int, int | float], notes: list[str]) -> None:
    """Numbers that statistics programs write for a missing value, far from the others, are asked about."""
    ask, say = missing_codes(list(by_number.values()))
    wrong = [i for i, n in by_number.items() if n in ask]
    if wrong:
        code = cells.kinds[wrong[0]]
        rest = sorted(n for n in set(by_number.values()) if n not in ask)
        known = ",".join(map(str, rest if len(rest) < 12 else [f"{rest[0]}..{rest[-1]}"]))
        raise cells.error(
            wrong,
            f"does {code} stand for a rating that was not given? It is far from the others ({rest[0]} to "
            f"{rest[-1]}). Say so: "
            f"--missing {code}; or declare the scale: --categories '{cells.dimension}={known},{code}'.",
        )
    kinds: dict[int | float, list[int]] = {}
    for i, n in by_number.items():
        kinds.setdefault(n, []).append(i)
    far = outliers(list(kinds), [int(cells.counts[same].sum()) for same in kinds.values()])
    for n, same in kinds.items():
        if n in say or n in far:
            cell = cells.kinds[same[0]]
            notes.append(
                f"{cell} is far from the other values: {cells.at(same)}; --missing {cell} leaves it out"
            )


def _labelled(
    cells: Cells, texts: Mapping[int, str]
) -> tuple[dict[int, Hashable], tuple[Hashable, ...]] | None:
    """Categories written with their number (3 - neutral), in its order; None where not all are, or two share one."""
    by_number: dict[float, dict[str, int]] = {}
    to: dict[int, float] = {}
    for i, text in texts.items():
        number = labelled_number(text)
        if number is None and (plain := as_number(text)) is not None:
            number = float(plain)
        if number is None:
            return None
        to[i] = number
        labels = by_number.setdefault(number, {})
        if labelled_number(text) is not None:
            labels[folded(text)] = i
    if len(by_number) < 2 or any(len(labels) > 1 for labels in by_number.values()):
        return None
    if not any(by_number.values()):
        return None
    shown = {
        n: tidy(texts[next(iter(labels.values()))]) if labels else str(n) for n, labels in by_number.items()
    }
    order = tuple(shown[n] for n in sorted(shown))
    return {i: shown[n] for i, n in to.items()}, order


def _folded(cells: Cells, texts: Mapping[int, str], notes: list[str]) -> dict[int, str]:
    """Spellings of one category, each as it is written most often."""
    by_key: dict[str, list[int]] = {}
    for i, text in texts.items():
        by_key.setdefault(folded(text), []).append(i)
    to: dict[int, str] = {}
    joined = []
    for same in by_key.values():
        best = tidy(texts[max(same, key=lambda i: (cells.counts[i], -i))])
        to |= dict.fromkeys(same, best)
        if len(same) > 1:
            others = ", ".join(repr(texts[i]) for i in same if texts[i] != best)
            joined.append(f"{others} as {best!r}")
    if joined:
        notes.append(
            f"spellings of one category joined: {'; '.join(joined[:4])}{' ...' if len(joined) > 4 else ''}"
        )
    return to


def _once(cells: Cells, given: Sequence[int], values: Sequence[Hashable], level: Level) -> list[str]:
    """Categories that occur once among others that come again: a slip, perhaps."""
    times: dict[Hashable, int] = {}
    for i in given:
        times[values[i]] = times.get(values[i], 0) + int(cells.counts[i])
    once = [v for v, n in times.items() if n == 1]
    if (
        level in ("interval", "ratio")
        or sum(times.values()) < ONCE
        or not once
        or len(once) > max(2, 0.2 * len(times))
    ):
        return []
    out = []
    for v in once:
        here = [i for i in given if values[i] == v]
        near = close(str(v), [str(o) for o in times if o != v]) if isinstance(v, str) else None
        meant = f"; meant as {near!r}?" if near else ""
        out.append(f"{v!r} occurs once: {cells.at(here)}{meant}")
    return out
