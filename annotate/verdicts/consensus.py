"""What the raters of one thing say together: the median of an ordinal scale, the majority of a nominal one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ..records import Dimension, Rating, Rubric

Unit = tuple[str, int | None, str]
"""Item, sentence (None: the whole), dimension."""


def medians(values: Sequence[str], d: Dimension) -> tuple[str, str]:
    """The lower and the upper median; the same where the count is odd.

    >>> scale = Dimension(name="harm", question="?", level="ordinal", categories=("none", "some", "grave"))
    >>> medians(["none", "grave", "none", "some"], scale)
    ('none', 'some')
    """
    places = sorted(d.categories.index(v) for v in values)
    n = len(places)
    return d.categories[places[(n - 1) // 2]], d.categories[places[n // 2]]


def consensus(values: Sequence[str], d: Dimension) -> str | None:
    """The median, or the majority; None where two medians differ or nothing has more than half."""
    if not values:
        return None
    if d.level != "nominal":
        low, high = medians(values, d)
        return low if low == high else None
    (top, n), *_ = Counter(values).most_common(1)
    return top if 2 * n > len(values) else None


def by_unit(ratings: Iterable[Rating], rubric: Rubric) -> dict[Unit, tuple[str, Rating]]:
    """The consensus on every unit that has one, with a rating of it that says whose rationale it is."""
    units: dict[Unit, list[Rating]] = defaultdict(list)
    for r in ratings:
        units[r.item, r.claim, r.dimension].append(r)
    out = {}
    for unit, some in units.items():
        d = rubric.dimension(unit[2])
        value = consensus([r.value for r in some], d) if d is not None else None
        if value is not None:
            out[unit] = (value, some[0])
    return out
