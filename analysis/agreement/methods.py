"""The paragraph for a paper's methods section: exactly what was computed, as GRRAS asks (Kottner et al. 2011)."""

from collections.abc import Iterable

from ..records import Agreement
from .coefficients import COEFFICIENTS
from .summary import Summary


def paragraph(s: Summary) -> str:
    """Plain text. What only the authors know is asked for in square brackets (GRRAS items 6 to 10)."""
    parts = [_material(s), _coefficients(s), _intervals(s), _comparisons(s), _limits(s)]
    return " ".join(p for p in parts if p)


def _material(s: Summary) -> str:
    who = "simulated raters (programs)" if s.simulated else "raters"
    each = [
        f"{d.name} ({d.level}, {len(d.categories)} {'declared' if d.declared else 'observed'} categories: "
        f"{d.n_ratings:,} ratings of {d.n_items:,} items by {d.n_raters} {who}, {d.n_lone:,} of them the only one "
        f"of their item, {d.n_missing:,} asked for and not given)"
        for d in s.dimensions
    ]
    asked = (
        "[State how items and raters were chosen and how many were planned, the raters' training, and whether they "
        "were blinded and worked independently.]"
    )
    return f"Agreement was measured on {_list(each)}. {asked}"


def _coefficients(s: Summary) -> str:
    names: dict[str, None] = {}
    for d in s.dimensions:
        for row in d.agreement:
            names.setdefault(_said(row))
    return f"We report {_list(names)}. Ratings that were not given were left out pair by pair; nothing was imputed."


def _said(row: Agreement) -> str:
    says = COEFFICIENTS[row.statistic.partition(":")[0]].says
    return f"{says} with {row.weights} weights" if row.weights not in ("", "identity", "within_one") else says


def _intervals(s: Summary) -> str:
    methods = dict.fromkeys(row.method for d in s.dimensions for row in d.agreement if row.method)
    missing = [
        f"{d.name}, {row.statistic} ({row.why_missing})"
        for d in s.dimensions
        for row in d.agreement
        if row.why_missing
    ]
    missing += [f"{name} altogether ({why.rstrip('.')})" for name, why in s.skipped.items()]
    text = f"Intervals: {'; '.join(methods)}." if methods else ""
    return text + (f" Not available: {'; '.join(missing)}." if missing else "")


def _comparisons(s: Summary) -> str:
    if not s.differences:
        return ""
    margin = next((d.margin for d in s.differences if d.margin is not None), None)
    held = (
        f" Non-inferiority was claimed where the lower limit lay above -{margin:g}."
        if margin is not None
        else ""
    )
    method = next((d.method for d in s.differences if d.method), "no interval could be made")
    return (
        f"Differences are of {s.differences[0].statistic} on the same draws of items ({method}), their "
        f"{len(s.differences)} p-values adjusted after Holm.{held}"
    )


def _limits(s: Summary) -> str:
    about = "raters like these" if s.raters == "random" else "these raters only"
    return f"The intervals are about items like these and {about}. Computed with wherefore {_version()}."


def _version() -> str:
    from importlib.metadata import version

    return version("wherefore")


def _list(parts: Iterable[str]) -> str:
    """a, b and c."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
