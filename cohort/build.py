"""From an opened source to cases, evidence, exclusions: two passes, a shard in memory at a time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.errors import DataError
from ..study.progress import Progress
from .cleaning.clean import cleaned
from .cleaning.findings import spoken
from .cleaning.naming import named
from .cleaning.units import harmonised, mixed
from .codes import SYSTEMS
from .events import STATIC, UNDATED, YEAR, Records, RiskOf, Shard
from .output import Output
from .phenotype import CodeSet, Section, first_day, matches, without_day
from .reading.bad_rows import BadRows
from .records import Case, Exclusion
from .sampling import sample
from .settings import Settings
from .split import split
from .task import Rows, asked, has_visits
from .timeline.budget import Count, shown
from .timeline.evidence import evidence
from .timeline.lines import collapsed, rows_before
from .timeline.text import texts
from .weights import ipcw

MARKS = 4_000_000
"""Bytes."""
Reading = Callable[[], Iterator[Shard]]
"""Goes through the cleaned shards from the start."""


@dataclass
class Counts:
    """What the records hold, whoever is left out of the cohort later."""

    people: int = 0
    example: str = ""
    """The first id."""
    events: int = 0
    deaths: int = 0
    with_code: int = 0
    """People with an onset code of the phenotype, ever."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Kind -> events."""
    holders: Counter[str] = field(default_factory=Counter)
    """Code -> people."""
    systems: Counter[str] = field(default_factory=Counter)
    """Coding system -> different codes (the most in one shard)."""
    units: dict[str, set[str]] = field(default_factory=dict)
    """Codes in more than one unit that could not be made one."""
    clinical: int = 0
    """Events of the kinds `CLINICAL`."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Codes of those that belong to no known vocabulary -> events."""

    def add(self, shard: Shard, codes: CodeSet) -> None:
        """Count a shard."""
        self.people += len(shard.people)
        self.example = self.example or str(shard.people["subject"].iat[0])
        self.events += len(shard.day)
        self.deaths += int(shard.people["dead"].sum())
        onset = matches(shard.codes, codes, "onset")
        self.with_code += int((~np.isnan(first_day(shard, onset)) | without_day(shard, onset)).sum())
        per_code = np.bincount(shard.code, minlength=len(shard.codes))
        kinds = pd.Series(per_code).groupby(shard.codes["kind"].to_numpy()).sum()
        self.kinds.update({str(k): int(n) for k, n in kinds.items() if n})
        self._vocabularies(shard, per_code)
        for name, n in shard.codes["system"].value_counts().items():
            self.systems[str(name)] = max(self.systems[str(name)], int(n))
        self.holders.update(dict(zip(shard.codes["code"], holders(shard).tolist(), strict=True)))
        for code, units in mixed(shard).items():
            self.units.setdefault(code, set()).update(units)

    def _vocabularies(self, shard: Shard, per_code: NDArray[np.int64]) -> None:
        clinical = shard.codes["kind"].isin(CLINICAL).to_numpy()
        also = np.array([any(s in SYSTEMS for s, _ in pairs) for pairs in shard.codes["also"]], dtype=bool)
        known = shard.codes["system"].isin(SYSTEMS).to_numpy() | also
        self.clinical += int(per_code[clinical].sum())
        for row in np.flatnonzero(clinical & ~known & (per_code > 0)):
            self.unknown[str(shard.codes["name"].iat[row])] += int(per_code[row])


CLINICAL = ("condition", "drug", "measurement", "procedure", "observation")
"""Kinds of facts that have a code of a vocabulary; one without a system is an observation."""


def holders(shard: Shard) -> NDArray[np.int64]:
    """(codes,) how many people have each code: a mark for each person and code, some people at a time."""
    width = len(shard.codes)
    out = np.zeros(width, dtype=np.int64)
    step = max(1, MARKS // max(width, 1))
    for start in range(0, len(shard.people), step):
        stop = min(start + step, len(shard.people))
        some = slice(shard.bounds[start], shard.bounds[stop])
        marks = np.zeros((stop - start, width), dtype=np.uint8)
        marks[shard.person[some] - start, shard.code[some]] = 1
        out += marks.sum(0, dtype=np.int64)
    return out


@dataclass(frozen=True)
class Cohort:
    """What the stage found out, beside the cases and the evidence that it wrote."""

    cases: pd.DataFrame
    """Rows of `Case` without their timelines."""
    exclusions: pd.DataFrame
    """Rows of `Exclusion`."""
    population: pd.DataFrame
    """One row a person or prediction with its `reason`, for the flow table."""
    counts: Counts


def build(
    records: Records,
    settings: Settings,
    codes: CodeSet,
    seed: int,
    count: Count,
    bad: BadRows,
    folder: Path,
    risk_of: RiskOf | None = None,
    rows: Rows | None = None,
) -> Cohort:
    """The cohort; its cases and their evidence are written as they are made, so that none of them is held.

    Args:
        records: an opened source.
        settings: of the section.
        codes: of the disease.
        seed: of the study.
        count: tokens of texts.
        bad: where bad rows are counted.
        folder: gets `cases.parquet` and `evidence.parquet`.
        risk_of: the source's own knowledge of the true risk, where it has one.
        rows: prediction times, and labels where they come from elsewhere, for the rule `per_row`.
    Raises:
        DataError: the records break a rule, or nobody is left.
    """

    read = reading(records, settings, bad)
    population, counts = first_pass(read, settings, codes, seed, rows)
    bad.check()
    bad.open = False
    _check(population, counts, settings, codes)
    population = _chosen(population, settings, seed)
    kept = population[population["reason"].isna()].copy()
    if kept.empty:
        raise DataError(_nobody(population))
    kept["true_risk"] = None
    if risk_of is not None:
        kept["true_risk"] = risk_of(
            kept["subject"].tolist(), kept["day"].to_numpy(np.int64), settings.horizon_years
        )
    rarity = {code: float(np.log(counts.people / n)) for code, n in counts.holders.items() if n}
    with Output(folder) as output:
        _rendered(read, kept, settings, codes, count, rarity, output)
    cases, twins = output.without_twins(settings.near_duplicates)
    population.loc[population["subject"].isin(twins) & population["reason"].isna(), "reason"] = (
        "near_duplicate"
    )
    left = population[population["reason"].notna()].reset_index(drop=True)
    exclusions = left.assign(detail="")[list(Exclusion.model_fields)]
    return Cohort(cases, exclusions, population, counts)


def reading(records: Records, settings: Settings, bad: BadRows) -> Reading:
    """The records without what cannot be true, with one unit a measurement, and with texts as they may be shown."""

    def shards() -> Iterator[Shard]:
        for shard in records:
            legible = spoken(named(shard), settings.timeline.free_text, bad)
            yield harmonised(cleaned(legible, settings.followup, bad), bad)

    return shards


def first_pass(
    read: Reading, settings: Settings, codes: CodeSet, seed: int, rows: Rows | None
) -> tuple[pd.DataFrame, Counts]:
    """First pass: who, when, what came after; and what the records hold."""
    frames, counts = _Frames(settings.predict.rule == "random_visit"), Counts()
    with Progress("cohort: people read") as bar:
        for number, shard in enumerate(read()):
            counts.add(shard, codes)
            frames.add(shard, partial(_asked, settings, codes, seed, rows, number))
            bar.step(len(shard.people))
    if not counts.people:
        raise DataError("cohort: the records contain no people. Check cohort.source.")
    frame = pd.concat([*frames.all(), *_absent(rows, frames.all())], ignore_index=True)
    if rows is None and len(twice := frame.loc[frame["subject"].duplicated(), "subject"]):
        raise DataError(
            f"cohort: subject {twice.iloc[0]} appears in the records twice ({len(twice)} such). Ids must be unique."
        )
    if (
        rows is not None
        and not rows["subject"].isin(frame.loc[frame["reason"] != "not_in_records", "subject"]).any()
    ):
        raise DataError(
            f"cohort.predict.file: none of its {rows['subject'].nunique()} people is in the records. Its ids are "
            f"like {rows['subject'].iloc[0]!r}, the records' like {counts.example!r}. Write them the same way."
        )
    frame["turn"] = frame.groupby(["subject", "day"], dropna=False, sort=False).cumcount() + 1
    return frame, counts


def _asked(
    settings: Settings, codes: CodeSet, seed: int, rows: Rows | None, number: int, shard: Shard, visits: bool
) -> pd.DataFrame:
    return asked(shard, settings, codes, seed, rows, visits).assign(shard=number)


class _Frames:
    """A frame of people a shard. Whether the records have visits is a matter of all shards, and nobody knows before
    the last one: until a visit is seen, each shard is asked both ways."""

    def __init__(self, by_visit: bool) -> None:
        self._by_visit, self._visits = by_visit, False
        self._with: list[pd.DataFrame] = []
        self._without: list[pd.DataFrame] = []

    def add(self, shard: Shard, ask: Callable[[Shard, bool], pd.DataFrame]) -> None:
        """Ask about the people of a shard; `ask` is told whether the records have visits."""
        self._with.append(ask(shard, True))
        if self._by_visit and not self._visits:
            self._visits = has_visits(shard)
            self._without = [] if self._visits else [*self._without, ask(shard, False)]

    def all(self) -> list[pd.DataFrame]:
        """The frames, once all shards are in."""
        return self._with if self._visits or not self._by_visit else self._without


def _absent(rows: Rows | None, frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Predictions asked for people who are not in the records: left out with that reason."""
    if rows is None:
        return []
    known = pd.concat([f["subject"] for f in frames])
    return [
        pd.DataFrame(
            {"subject": rows.loc[~rows["subject"].isin(known), "subject"], "reason": "not_in_records"}
        )
    ]


def _check(population: pd.DataFrame, counts: Counts, settings: Settings, codes: CodeSet) -> None:
    """Refuse a code set that finds nobody and a horizon that nobody was watched for.

    Raises:
        DataError: with what there is instead.
    """
    if settings.predict.labelled:
        return
    if not counts.with_code:
        have = ", ".join(f"{n} {name or 'without a system'}" for name, n in counts.systems.most_common(6))
        raise DataError(
            f"cohort.phenotype.codes: {settings.phenotype.codes!r} ({', '.join(codes.onset)}) matches no code of the "
            f"{counts.people} people. The records have: {have}. Choose another set, or map the systems."
        )
    watched = population.loc[population["reason"].isna(), ["outcome", "followup"]]
    outcomes = set(watched["outcome"])
    if "censored" in outcomes and "event_free" not in outcomes:
        raise DataError(
            f"cohort.horizon_years: {settings.horizon_years:g} is longer than anybody was followed after "
            f"the prediction time (at most {watched['followup'].max():.1f} years). Choose a shorter horizon."
        )


def _nobody(population: pd.DataFrame) -> str:
    reasons = ", ".join(f"{n} {r}" for r, n in population["reason"].value_counts().items())
    return (
        f"cohort: no case is left ({reasons}). "
        "Widen cohort.predict, or inspect the records with `wherefore cohort --count`."
    )


def _chosen(population: pd.DataFrame, settings: Settings, seed: int) -> pd.DataFrame:
    """Censoring, weights, splits and sampling over the whole population."""
    out = population.assign(weight=1.0, sampling_weight=1.0, split=None)
    known = out["reason"].isna().to_numpy()
    lost = (out["outcome"] == "censored").to_numpy()
    if settings.censored == "weight" and known.any():
        out.loc[known, "weight"] = ipcw(out.loc[known, "followup"].to_numpy(float), lost[known])
    out.loc[known & lost, "reason"] = "lost_to_followup"
    out.loc[known & lost & (out["died_unobserved"] == True), "reason"] = "died_unobserved"  # noqa: E712
    kept = out[out["reason"].isna()].copy()
    if kept.empty:
        return out
    kept["label"] = kept["label"].astype(int)
    kept["split"] = split(kept, settings.split, seed)
    kept = sample(kept, settings.sampling, seed)
    out.loc[kept.index, ["split", "sampling_weight"]] = kept[["split", "sampling_weight"]]
    out.loc[kept.index[~kept["sampled"]], "reason"] = "not_sampled"
    return out


def _rendered(
    read: Reading,
    kept: pd.DataFrame,
    settings: Settings,
    codes: CodeSet,
    count: Count,
    rarity: dict[str, float],
    output: Output,
) -> None:
    """Second pass: timelines of the cases."""
    wanted = kept.groupby("shard").indices
    with Progress("cohort: timelines", len(kept)) as bar:
        for number, shard in enumerate(read()):
            if number in wanted:
                for some in _few(kept.iloc[wanted[number]], shard):
                    output.append(*rendered(shard, some, settings, codes, count, rarity))
                    bar.step(len(some))


FEW = 100_000
"""Events of the cases that are rendered at once; their lines are what the memory holds."""


def _few(cases: pd.DataFrame, shard: Shard) -> Iterator[pd.DataFrame]:
    """The cases of a shard, as many at a time as have so many events together."""
    events = np.diff(shard.bounds)[cases["person"].to_numpy(np.int64)]
    turn = (np.cumsum(events) - events) // FEW
    edges = np.flatnonzero(np.diff(turn)) + 1
    for start, stop in pairwise([0, *edges.tolist(), len(cases)]):
        yield cases.iloc[start:stop]


def rendered(
    shard: Shard,
    predictions: pd.DataFrame,
    settings: Settings,
    codes: CodeSet,
    count: Count,
    rarity: dict[str, float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `Case` and of `Evidence` for some cases of one shard."""
    person, day = predictions["person"].to_numpy(np.int64), predictions["day"].to_numpy(np.int64)
    turns = zip(predictions["subject"], day, predictions["turn"], strict=True)
    names = [f"{s}@{d}" + (f".{turn}" if turn > 1 else "") for s, d, turn in turns]
    case, rows = rows_before(shard, person, day - settings.gap_days)
    keep = ~_hidden(shard, settings, codes)[shard.code[rows]] & (shard.day[rows] != UNDATED)
    lines = collapsed(shard, case[keep], rows[keep], settings.timeline.values)
    first = shard.day[lines.first]
    since = np.where(first == STATIC, 0.0, (day[lines.case] - first.astype(np.int64)) / YEAR)
    frame = evidence(shard, names, day, lines)
    rare = np.array([rarity.get(c, 0.0) for c in shard.codes["code"].to_numpy(object)])[
        shard.code[lines.first]
    ]
    risk = matches(shard.codes, codes, "risk_factors")[shard.code[lines.first]]
    frame["shown"] = shown(frame, lines.case, settings.timeline, count, rare, risk)
    totals = np.bincount(lines.case, minlength=len(predictions))
    out = predictions.assign(
        id=names,
        age=np.round(day / YEAR, 2),
        day=day,
        label=predictions["label"].astype(int),
        followup_years=predictions["followup"],
        timeline=texts(frame, lines.case, since, len(predictions), settings.timeline.sections),
        n_shown=np.bincount(lines.case[frame["shown"].to_numpy(bool)], minlength=len(predictions)),
        n_total=totals,
    )
    return out[list(Case.model_fields)], frame


def _hidden(shard: Shard, settings: Settings, codes: CodeSet) -> NDArray[np.bool_]:
    """Codes that the leakage policy masks."""
    out = np.zeros(len(shard.codes), dtype=bool)
    sections: tuple[Section, ...] = ("mci", "cognitive_tests", "drugs")
    for section in sections:
        if getattr(settings.leakage, section) == "mask":
            out |= matches(shard.codes, codes, section)
    return out
