"""Evaluated cases and every risk predicted for them, lined up: one row a (cell, read-out), one column a case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...study.errors import DataError
from ...study.records import read_table
from ...train.records import Prediction
from ..measures.arrays import Floats, Labels, Places
from ..measures.variance import SamplingDesign
from ..records import Population

if TYPE_CHECKING:
    import pandas as pd


class PredictionKey(NamedTuple):
    """One set of predictions."""

    cell: str
    readout: str


@dataclass(frozen=True)
class HeldOut:
    """Cases of one split with a known label, in one order for everything that follows; n of them."""

    case: tuple[str, ...]
    person: Places
    """(n,) number of the person; a person may have several cases and is drawn as a whole."""
    y: Labels
    """(n,) 0 or 1."""
    observed: Floats
    """(n,) inverse probability of being observed to the end (IPCW)."""
    sampling: Floats
    """(n,) people of the source population that the case stands for."""
    shift: float
    """Log odds of the label in the source minus in the sample, from the training cases."""
    attributes: Mapping[str, tuple[str | None, ...]]
    """Of each case by name, for subgroups; None where it is not known."""
    censored: int
    """Cases of the split left out because follow-up was lost; the others carry their weight."""
    by_outcome: bool = False
    """People with and without the outcome were drawn apart."""
    subject: tuple[str, ...] = ()
    """The person of each case, as the records call them; empty where they have no name."""

    def weights(self, population: Population) -> Floats:
        """(n,) what each case counts."""
        return self.observed if population == "sample" else self.observed * self.sampling

    @property
    def populations(self) -> tuple[Population, ...]:
        """Both, or only the sample where it is the population."""
        return ("sample", "source") if weighted(self.sampling) else ("sample",)

    @property
    def population(self) -> Population:
        """Whom the report is about: the source population where the sample is not one of it."""
        return self.populations[-1]

    @cached_property
    def design(self) -> SamplingDesign:
        """How the persons were drawn."""
        return SamplingDesign.of(self.person, self.y, self.by_outcome)

    def prevalence(self, population: Population) -> float:
        """Weighted share of cases with the label."""
        return float(np.average(self.y, weights=self.weights(population)))


def weighted(sampling: Floats) -> bool:
    """Whether cases stand for different numbers of people."""
    return bool(np.ptp(sampling) > 1e-6 * sampling.max())


def held_out(
    cases: "pd.DataFrame",
    split: str = "held_out",
    by_outcome: bool = False,
    age_bands: Sequence[float] = (70.0, 80.0),
) -> HeldOut:
    """Line up the cases of one split of a `Case` table.

    Args:
        cases: `Case` table.
        split: which.
        by_outcome: the study drew people with and without the outcome apart; also where sampling weights differ.
        age_bands: years where a new band starts.
    Raises:
        DataError: no case of the split has a label.
    """
    held = cases[cases["split"] == split].sort_values("id", kind="stable")
    known = held[held["label"].notna() & (held["weight"] > 0)]
    if known.empty:
        raise DataError(
            f"cohort/cases.parquet: no case of the split {split!r} has a label; nothing to evaluate."
        )
    sampling = known["sampling_weight"].to_numpy(dtype=float)
    return HeldOut(
        case=tuple(known["id"]),
        person=np.unique(known["subject"].astype(str), return_inverse=True)[1].astype(np.int64),
        y=known["label"].to_numpy(dtype=np.int64),
        observed=known["weight"].to_numpy(dtype=float),
        sampling=sampling,
        shift=sampling_shift(cases[cases["split"] == "train"]),
        attributes=_attributes(known, age_bands),
        censored=len(held) - len(known),
        by_outcome=by_outcome or weighted(sampling),
        subject=tuple(known["subject"].astype(str)),
    )


def _attributes(cases: "pd.DataFrame", age_bands: Sequence[float]) -> dict[str, tuple[str | None, ...]]:
    """Sex, age band and site, where more than one of them occurs."""
    sex, site = (
        tuple(None if v is None or v != v else str(v) for v in cases[name]) for name in ("sex", "site")
    )
    levels_of = {"sex": sex, "age": tuple(age_band(a, age_bands) for a in cases["age"]), "site": site}
    return {name: levels for name, levels in levels_of.items() if len(set(levels) - {None}) > 1}


def age_band(age: float, bands: Sequence[float]) -> str:
    """The name of the band of an age.

    >>> [age_band(a, (70.0, 80.0)) for a in (65.0, 70.0, 92.5)]
    ['<70', '70-80', '80+']
    """
    low = max((b for b in bands if b <= age), default=None)
    high = min((b for b in bands if b > age), default=None)
    if low is None and high is None:
        return "all"
    return f"<{high:g}" if low is None else f"{low:g}+" if high is None else f"{low:g}-{high:g}"


def sampling_shift(train: "pd.DataFrame") -> float:
    """How far sampling by the label moved the log odds: what an intercept learned from the sample must be moved by.

    King and Zeng (2001): logit of the share of cases in the source, minus that in the sample. Read from the
    training cases alone, so that the held-out labels play no part. 0 where one class is missing.
    """
    known = train[train["label"].notna()]
    y = known["label"].to_numpy(dtype=float)
    seen = known["weight"].to_numpy(dtype=float)
    stands = seen * known["sampling_weight"].to_numpy(dtype=float)
    sums = np.array([(w * part).sum() for w in (stands, seen) for part in (y, 1 - y)])
    if not (sums > 0).all():
        return 0.0
    return float(np.log(sums[0] / sums[1]) - np.log(sums[2] / sums[3]))


@dataclass(frozen=True)
class Scores:
    """Risks as read, NaN where there is none, and why."""

    risk: Mapping[PredictionKey, Floats]
    """(n,) for each set of predictions, in the order of the cases."""
    missing: Mapping[PredictionKey, Mapping[str, int]]
    """Reasons for missing risks and how many cases each has."""
    shift: float
    on_source: frozenset[str] = frozenset()
    """Cells whose risk is about the source population; every other learned from the cases as sampled."""

    def on(self, key: PredictionKey, population: Population) -> Floats:
        """(n,) the risk as it reads in that population."""
        move = self.shift * (population == "source") - self.shift * (key.cell in self.on_source)
        return shifted(self.risk[key], move)


def shifted(risk: Floats, by: float) -> Floats:
    """Move risks by a difference in log odds; 0 and 1 stay.

    >>> shifted(np.array([0.2, 0.5]), float(np.log(4))).round(3).tolist()    # odds 1/4 -> 1, 1 -> 4
    [0.5, 0.8]
    """
    if by == 0:
        return risk
    odds = np.exp(by)
    return np.asarray(risk * odds / (1 - risk + risk * odds))


def read_scores(files: Iterable[Path], held: HeldOut, on_source: frozenset[str] = frozenset()) -> Scores:
    """Read prediction files and line them up with the cases.

    Args:
        files: `Prediction` tables.
        held: the cases.
        on_source: cells whose risk is about the source population.
    Raises:
        DataError: a risk outside [0, 1], no risk and no reason, or two risks for one case; with the row.
    """
    place = {case: i for i, case in enumerate(held.case)}
    risk: dict[PredictionKey, Floats] = {}
    missing: dict[PredictionKey, dict[str, int]] = {}
    for path in files:
        table = read_table(path, Prediction, ("cell", "readout", "case", "risk", "why_missing"))
        _check(path, table)
        for (cell, readout), rows in table.groupby(["cell", "readout"], sort=False):
            key = PredictionKey(str(cell), str(readout))
            if key in risk:
                raise DataError(
                    f"{path}: {key.cell} {key.readout}: predicted in another file too. Remove one."
                )
            places = np.array([place.get(c, -1) for c in rows["case"].tolist()], dtype=np.int64)
            here = rows[places >= 0]
            values = np.full(len(place), np.nan)
            values[places[places >= 0]] = here["risk"].to_numpy(dtype=float)
            reasons = here.loc[here["risk"].isna(), "why_missing"].value_counts().to_dict()
            absent = len(place) - len(here)
            risk[key] = values
            missing[key] = {str(k): int(v) for k, v in reasons.items()} | (
                {"no row": absent} if absent else {}
            )
    return Scores(risk, missing, held.shift, on_source)


def _check(path: Path, table: "pd.DataFrame") -> None:
    """Refuse what cannot be a prediction, by its row."""
    risk = table["risk"].to_numpy(dtype=float)
    outside = np.flatnonzero((risk < 0) | (risk > 1) | np.isinf(risk))
    if len(outside):
        raise DataError(
            f"{path}: row {outside[0]}: risk {risk[outside[0]]:g}; risks are in [0, 1]{_others(outside)}"
        )
    silent = np.flatnonzero(np.isnan(risk) & table["why_missing"].isna().to_numpy())
    if len(silent):
        raise DataError(f"{path}: row {silent[0]}: neither a risk nor why it is missing{_others(silent)}")
    twice = np.flatnonzero(table.duplicated(["cell", "readout", "case"]).to_numpy())
    if len(twice):
        row = table.iloc[twice[0]]
        which = f"{row['cell']} {row['readout']}: case {row['case']}"
        raise DataError(
            f"{path}: row {twice[0]}: {which} is predicted twice; once is allowed{_others(twice)}"
        )


def _others(rows: Places) -> str:
    """How many more rows have the same fault."""
    return "." if len(rows) == 1 else f"; {len(rows) - 1} more such rows, to row {rows[-1]}."
