"""Table 1: who the people are, by split and by outcome, weighted to the source population."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..measures.arrays import Floats, Mask
from .material import Material

if TYPE_CHECKING:
    import pandas as pd

MOST_CONDITIONS, MOST_VALUES = 12, 6
RARE, MEASURED = 0.03, 0.2
"""A condition of fewer people, and a measurement of fewer, is left out."""


class PeopleGroup(NamedTuple):
    """A group of people."""

    head: str
    n: int
    """People, not weighted."""


class Characteristic(NamedTuple):
    """One characteristic."""

    name: str
    unit: str
    values: tuple[str, ...]
    """A column each."""
    by_outcome: float | None
    """Standardised difference with and without the outcome, held-out people."""
    by_split: float | None
    """Of training and held-out people."""


class TableOne(NamedTuple):
    """The table, and whom it is about."""

    columns: tuple[PeopleGroup, ...]
    lines: tuple[Characteristic, ...]
    weighted: bool


class _Group(NamedTuple):
    head: str
    where: Mask


def table_one(m: Material) -> TableOne | None:
    """Baseline characteristics; None where no case has a label.

    Means and shares are weighted by what each case stands for; counts of people are as sampled. A characteristic
    that is the same for everybody, or that nearly nobody has, is left out.
    """
    known = m.cases[m.cases["label"].notna() & (m.cases["weight"] > 0)].reset_index(drop=True)
    if known.empty:
        return None
    groups = [
        _Group(f"{split}, {group}", ((known["split"] == name) & (known["label"] == label)).to_numpy())
        for name, split in (("train", "training"), ("held_out", "held out"))
        for label, group in ((1, "with the outcome"), (0, "without"))
    ]
    groups = [g for g in groups if g.where.any()]
    weight = (known["weight"] * known["sampling_weight"]).to_numpy(dtype=float)
    sides = _Sides(known, weight)
    lines = [
        Characteristic(
            name,
            unit,
            tuple(_shown(unit, x, weight, g.where) for g in groups),
            sides.outcome(x),
            sides.split(x),
        )
        for name, unit, x in _characteristics(m, known)
    ]
    columns = tuple(PeopleGroup(g.head, int(known.loc[g.where, "subject"].nunique())) for g in groups)
    return TableOne(columns, tuple(lines), bool(np.ptp(weight) > 1e-6 * weight.max()))


def _characteristics(m: Material, cases: "pd.DataFrame") -> Iterator[tuple[str, str, Floats]]:
    """Name, unit and value of each case; NaN where it is not known."""
    yield "age", "years, mean (SD)", cases["age"].to_numpy(dtype=float)
    for name in ("sex", "site"):
        levels = sorted(cases[name].dropna().unique())
        for level in levels if len(levels) > 2 else levels[:1] if len(levels) == 2 else ():
            value = (cases[name] == level).astype(float).where(cases[name].notna())
            yield f"{name}: {level}", "%", value.to_numpy(dtype=float)
    yield "history", "evidence lines, median (IQR)", cases["n_total"].to_numpy(dtype=float)
    evidence = m.evidence[m.evidence["case"].isin(set(cases["id"]))]
    yield from _conditions(m, cases, evidence)
    yield from _values(cases, evidence)


def _conditions(
    m: Material, cases: "pd.DataFrame", evidence: "pd.DataFrame"
) -> Iterator[tuple[str, str, Floats]]:
    """Conditions that matter: known risk factors of the outcome first, then the commonest, drugs left out."""
    findings = evidence[evidence["kind"].isin(["condition", "observation"])]
    holders = {str(name): frozenset(of["case"]) for name, of in findings.groupby("name")}
    known = {p.lstrip("=").replace(".", "") for patterns in m.codes.risk_factors.values() for p in patterns}
    code = dict(zip(findings["name"], findings["code"].str.replace(".", "", regex=False), strict=True))

    def rank(name: str) -> tuple[bool, int]:
        return not any(str(code[name]).startswith(k) for k in known), -len(holders[name])

    common = [n for n in holders if RARE * len(cases) <= len(holders[n]) <= (1 - RARE) * len(cases)]
    for name in sorted(common, key=rank)[:MOST_CONDITIONS]:
        yield name, "%", np.asarray(cases["id"].isin(holders[name]), dtype=np.float64)


def _values(cases: "pd.DataFrame", evidence: "pd.DataFrame") -> Iterator[tuple[str, str, Floats]]:
    """The latest value of the measurements that most people have."""
    measured = evidence[evidence["value"].notna() & evidence["years_before"].notna()]
    latest = measured.sort_values("years_before", kind="stable").drop_duplicates(["case", "name"])
    counts = latest["name"].value_counts()
    for name in [n for n in counts.index if counts[n] >= MEASURED * len(cases)][:MOST_VALUES]:
        rows = latest[latest["name"] == name]
        unit = next((u for u in rows["unit"] if isinstance(u, str)), "")
        value = cases["id"].map(dict(zip(rows["case"], rows["value"], strict=True)))
        yield name, f"{unit + ', ' if unit else ''}latest, mean (SD)", value.to_numpy(dtype=float)


def _shown(unit: str, x: Floats, weight: Floats, where: Mask) -> str:
    """A characteristic in one group, with the share that is not known."""
    there = where & np.isfinite(x)
    if not there.any():
        return "–"
    value, w = x[there], weight[there]
    mean = float(np.average(value, weights=w))
    if unit == "%":
        text = f"{100 * mean:.1f}"
    elif "median" in unit:
        low, middle, high = (_quantile(value, w, q) for q in (0.25, 0.5, 0.75))
        text = f"{middle:.0f} ({low:.0f} to {high:.0f})"
    else:
        text = f"{mean:.1f} ({float(np.sqrt(np.average((value - mean) ** 2, weights=w))):.1f})"
    missing = 1 - there.sum() / where.sum()
    return f"{text}; {100 * missing:.0f} % missing" if missing > 0.005 else text


def _quantile(x: Floats, weight: Floats, q: float) -> float:
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weight[order])
    return float(x[order][np.searchsorted(below, q * below[-1])])


class _Sides:
    """Standardised differences (Austin 2009): over the root of the mean of the two weighted variances."""

    def __init__(self, cases: "pd.DataFrame", weight: Floats) -> None:
        self.weight = weight
        self.held, self.train = ((cases["split"] == s).to_numpy() for s in ("held_out", "train"))
        self.ill = (cases["label"] == 1).to_numpy()

    def outcome(self, x: Floats) -> float | None:
        """With against without the outcome, held out."""
        return self._between(x, self.held & self.ill, self.held & ~self.ill)

    def split(self, x: Floats) -> float | None:
        """Training against held out."""
        return self._between(x, self.train, self.held)

    def _between(self, x: Floats, a: Mask, b: Mask) -> float | None:
        moments = [_moments(x[side & np.isfinite(x)], self.weight[side & np.isfinite(x)]) for side in (a, b)]
        if any(mm is None for mm in moments):
            return None
        (m1, v1), (m2, v2) = (mm for mm in moments if mm is not None)
        spread = np.sqrt((v1 + v2) / 2)
        return float((m1 - m2) / spread) if spread > 0 else None


def _moments(x: Floats, weight: Floats) -> tuple[float, float] | None:
    """Weighted mean and variance; None of nobody."""
    if not len(x):
        return None
    mean = float(np.average(x, weights=weight))
    return mean, float(np.average((x - mean) ** 2, weights=weight))


def as_rows(table: TableOne) -> list[Sequence[str]]:
    """The table as text cells, for a CSV file."""
    head = [
        "characteristic",
        "unit",
        *(f"{c.head} (n = {c.n})" for c in table.columns),
        "SMD outcome",
        "SMD split",
    ]
    return [head, *([x.name, x.unit, *x.values, _two(x.by_outcome), _two(x.by_split)] for x in table.lines)]


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
