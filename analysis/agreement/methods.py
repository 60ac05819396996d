"""The paragraph for a paper's methods section: exactly what was computed, as GRRAS asks (Kottner et al. 2011)."""

from collections.abc import Iterable

from ...study.provenance import release
from ...study.records import Level
from ..records import Agreement
from . import further_methods as more
from .coefficients.formulas import COEFFICIENTS
from .records import Summary


def paragraph(s: Summary) -> str:
    """Plain text. What only the authors know is asked for in square brackets (GRRAS items 6 to 10)."""
    parts = [
        _material(s),
        _coefficients(s),
        _intervals(s),
        *more.sentences(s),
        _judge(s),
        _comparisons(s),
        _limits(s),
    ]
    return " ".join(p for p in parts if p)


def _material(s: Summary) -> str:
    who = "simulated raters (programs)" if s.simulated else "raters"
    each = [
        f"{d.name} ({d.level}, {len(d.categories)} {'declared' if d.declared else 'observed'} categories: "
        f"{d.n_ratings:,} ratings of {d.n_items:,} items by {d.n_raters} {who}, {d.n_lone:,} of them the only one "
        f"of their item, {d.n_missing:,} asked for and not given)"
        for d in s.dimensions
    ]
    request = (
        "[State how items and raters were chosen and how many were planned, the raters' training, and whether they "
        "were blinded and worked independently.]"
    )
    return f"Agreement was measured on {_list(each)}. {request}"


def _coefficients(s: Summary) -> str:
    names = dict.fromkeys(_said(row, d.level) for d in s.dimensions for row in d.agreement)
    return f"We report {_list(names)}. Ratings that were not given were left out pair by pair; nothing was imputed."


def _said(row: Agreement, level: Level) -> str:
    name = row.statistic.partition(":")[0]
    says = COEFFICIENTS[name].says
    if name == "krippendorff_alpha" and not row.weights:
        return f"{says} in the {level} metric"
    return f"{says} with {row.weights} weights" if row.weights not in ("", "identity", "within_one") else says


def short(statistic: str, weights: str = "") -> str:
    """A coefficient's name in a list or a figure."""
    name, _, category = statistic.partition(":")
    known = {"krippendorff_alpha": "alpha", "gwet_ac": "AC1" if weights == "identity" else "AC2"}
    return known.get(name, name.replace("_", " ")) + (f": {category}" if category else "")


def _intervals(s: Summary) -> str:
    """The method that most have, then the others with what they are of."""
    used: dict[str, list[str]] = {}
    missing = [f"{name} altogether ({why.rstrip('.')})" for name, why in s.skipped.items()]
    for d in s.dimensions:
        for row in d.agreement:
            name = f"{d.name}, {short(row.statistic, row.weights)}"
            if row.method:
                used.setdefault(row.method, []).append(name)
            if row.why_missing:
                missing.append(f"{name} ({row.why_missing})")
    most, *others = sorted(used, key=lambda method: -len(used[method])) or [""]
    text = "".join(f"; for {_list(used[method])}: {method}" for method in others)
    sentences = [f"Intervals: {most}{text}."] if most else []
    return " ".join([*sentences, *([f"Not available: {'; '.join(missing)}."] if missing else [])])


def _judge(s: Summary) -> str:
    if s.judge is None:
        return ""
    return (
        f"{s.judge}'s ratings are in no coefficient above; {s.judge} took the place of each rater in turn, and the "
        "mean of the coefficients that came about was compared with the raters' own."
    )


def _comparisons(s: Summary) -> str:
    if not s.differences:
        return ""
    margin = next((d.margin for d in s.differences if d.margin is not None), None)
    held = (
        f" Non-inferiority was claimed where the lower limit lay above -{margin:g}."
        if margin is not None
        else ""
    )
    methods = dict.fromkeys(d.method for d in s.differences if d.method)
    intervals = "; ".join(methods) or "no interval could be computed"
    count = "p-value was" if len(s.differences) == 1 else f"{len(s.differences)} p-values were"
    return (
        f"Differences are of {short(s.differences[0].statistic)}, both sides on the same draws ({intervals}); the "
        f"{count} adjusted after Holm.{held}"
    )


def _limits(s: Summary) -> str:
    about = "raters like these" if s.raters == "random" else "these raters only"
    some = any(row.method for d in s.dimensions for row in d.agreement)
    scope = f"The intervals are about items like these and {about}. " if some else ""
    return f"{scope}Computed with wherefore {release()}."


def _list(parts: Iterable[str]) -> str:
    """a, b and c."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
