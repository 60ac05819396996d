"""The timeline of a case: its lines by number, or under headings."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
RECENT = 2.0
"""Years."""
HEADINGS = (
    "Person",
    "Conditions first recorded more than 24 months ago",
    "Drugs",
    "Measurements",
    "Other entries first recorded more than 24 months ago",
    "First recorded in the last 24 months, newest first",
)


def note(n: int) -> str:
    """The last line of a timeline of which the budget left out n lines.

    >>> note(1), note(12)
    ('(1 more line is not shown)', '(12 more lines are not shown)')
    """
    return f"({n} more line{'s are' if n > 1 else ' is'} not shown)"


def section_of(frame: pd.DataFrame, since: NDArray[np.float64]) -> Ints:
    """(lines,) place in `HEADINGS`.

    Args:
        frame: rows of `Evidence`.
        since: (lines,) years from the first event to the prediction time; 0 where it has no date.
    """
    kind, early = frame["kind"].to_numpy(), since > RECENT
    tests = [
        kind == "demographic",
        (kind == "condition") & early,
        kind == "drug",
        kind == "measurement",
        early,
    ]
    return np.select(tests, list(range(5)), 5)


def texts(
    frame: pd.DataFrame, case: Ints, since: NDArray[np.float64], cases: int, sections: bool
) -> list[str]:
    """(cases,) the timelines: the lines shown, by number or under headings, and how many are not shown."""
    show = frame["shown"].to_numpy(bool)
    keep = np.flatnonzero(show)
    of, lines = case[keep], frame["line"].to_numpy(object)[keep]
    if sections:
        section = section_of(frame.iloc[keep], since[keep])
        newest = np.where(section == 5, since[keep], 0.0)
        order = np.lexsort((keep, newest, section, of))
        of, lines, section = of[order], lines[order], section[order]
        new = (
            np.append(True, (np.diff(of) != 0) | (np.diff(section) != 0))
            if len(of)
            else np.zeros(0, dtype=bool)
        )
        headed = zip(lines, section, new, strict=True)
        lines = np.array([f"{HEADINGS[s]}:\n{t}" if n else t for t, s, n in headed], dtype=object)
    edges = np.searchsorted(of, np.arange(cases + 1))
    hidden = np.bincount(case[~show], minlength=cases)
    return [
        "\n".join([*lines[a:b], *([note(n)] if n else [])])
        for (a, b), n in zip(pairwise(edges), hidden.tolist(), strict=True)
    ]
