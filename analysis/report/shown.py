"""Numbers and tables as a page shows them."""

import csv
import io
from collections.abc import Iterable, Sequence


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.1234), percent(0.004, 1), percent(None)
    ('12 %', '0.4 %', '–')
    """
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def count(n: float) -> str:
    """A count with its thousands apart.

    >>> count(1900000)
    '1,900,000'
    """
    return f"{n:,.0f}"


def heading(label: str) -> str:
    """A label that does not break at its hyphens.

    >>> heading("ROC-AUC") == "ROC\\u2011AUC"
    True
    """
    return label.replace("-", "\u2011")


def p_text(p: float | None) -> str:
    """A p value as journals print it.

    >>> p_text(0.0004), p_text(0.0312), p_text(None)
    ('< 0.001', '0.031', '–')
    """
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
