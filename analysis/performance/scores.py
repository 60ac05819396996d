"""Held-out cases and every risk predicted for them, lined up: one row a (cell, read-out), one column a case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...study.errors import DataError
from ...study.records import read_table
from ...train.records import Prediction
from ..records import Population

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
SOURCE_SCALE = frozenset({"bayes"})
"""Predictors whose risk is about the source population; every other learned from the cases as sampled."""


class Key(NamedTuple):
    """One set of predictions."""

    cell: str
    readout: str


@dataclass(frozen=True)
class HeldOut:
    """The held-out cases with a known label, in one order for everything that follows; n of them."""

    case: tuple[str, ...]
    person: NDArray[np.int64]
    """(n,) number of the person; a person may have several cases and is drawn as a whole."""
    y: NDArray[np.int64]
    """(n,) 0 or 1."""
    observed: Floats
    """(n,) inverse probability of being observed to the end (IPCW)."""
    sampling: Floats
    """(n,) people of the source population that the case stands for."""
    shift: float
    """Log odds of the label in the source minus in the sample, from the training cases."""
    age: Floats
    sex: tuple[str | None, ...]
    censored: int
    """Held-out cases left out because follow-up was lost; the others carry their weight."""

    def weights(self, population: Population) -> Floats:
        """(n,) what each case counts."""
        return self.observed if population == "sample" else self.observed * self.sampling

    @property
    def populations(self) -> tuple[Population, ...]:
        """Both, or only the sample where it is the population."""
        return ("sample", "source") if np.ptp(self.sampling) > 0 else ("sample",)

    def prevalence(self, population: Population) -> float:
        """Weighted share of cases with the label."""
        return float(np.average(self.y, weights=self.weights(population)))


def held_out(cases: "pd.DataFrame") -> HeldOut:
    """Line up the held-out cases of a `Case` table.

    Raises:
        DataError: no held-out case has a label.
    """
    held = cases[cases["split"] == "held_out"].sort_values("id", kind="stable")
    known = held[held["label"].notna() & (held["weight"] > 0)]
    if known.empty:
        raise DataError("cohort/cases.parquet: no held-out case with a label; nothing can be evaluated.")
    return HeldOut(
        case=tuple(known["id"]),
        person=np.unique(known["subject"].astype(str), return_inverse=True)[1].astype(np.int64),
        y=known["label"].to_numpy(dtype=np.int64),
        observed=known["weight"].to_numpy(dtype=float),
        sampling=known["sampling_weight"].to_numpy(dtype=float),
        shift=sampling_shift(cases[cases["split"] == "train"]),
        age=known["age"].to_numpy(dtype=float),
        sex=tuple(None if s != s else s for s in known["sex"]),
        censored=len(held) - len(known),
    )


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

    risk: Mapping[Key, Floats]
    """(n,) for each set of predictions, in the order of the held-out cases."""
    missing: Mapping[Key, Mapping[str, int]]
    """Reasons for missing risks and how many cases each has."""
    shift: float

    def on(self, key: Key, population: Population) -> Floats:
        """(n,) the risk as it reads in that population."""
        move = self.shift * (population == "source") - self.shift * (key.cell in SOURCE_SCALE)
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


def read_scores(files: Iterable[Path], held: HeldOut) -> Scores:
    """Read prediction files and line them up with the held-out cases.

    Raises:
        DataError: two risks for one case, or a file without any held-out case.
    """
    place = {case: i for i, case in enumerate(held.case)}
    risk: dict[Key, Floats] = {}
    missing: dict[Key, dict[str, int]] = {}
    for path in files:
        table = read_table(path, Prediction)
        for (cell, readout), rows in table.groupby(["cell", "readout"], sort=False):
            key = Key(str(cell), str(readout))
            if rows["case"].duplicated().any() or key in risk:
                twice = rows.loc[rows["case"].duplicated(), "case"]
                what = f"case {twice.iloc[0]}" if len(twice) else "the whole set"
                raise DataError(
                    f"{path}: {key.cell} {key.readout}: {what} is predicted twice; once is allowed."
                )
            mine = rows[rows["case"].isin(place)]
            values = np.full(len(place), np.nan)
            values[[place[c] for c in mine["case"]]] = mine["risk"].to_numpy(dtype=float)
            if key.cell in SOURCE_SCALE and not np.isfinite(values).any():
                continue  # nobody's true risk is known: there is no optimum to show
            reasons = mine.loc[mine["risk"].isna(), "why_missing"].value_counts().to_dict()
            absent = len(place) - len(mine)
            risk[key] = values
            missing[key] = {str(k): int(v) for k, v in reasons.items()} | (
                {"no row": absent} if absent else {}
            )
    return Scores(risk, missing, held.shift)
