"""From an opened source to cases, evidence, exclusions: two passes, a shard in memory at a time."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..study.errors import DataError
from ..study.progress import Progress
from .events import YEAR, Records, RiskOf, Shard
from .phenotype import CodeSet, matches
from .records import Case, Evidence, Exclusion
from .sampling import sample
from .settings import Settings
from .split import split
from .task import asked, check_days
from .timeline import Count, choose, evidence, history, render
from .weights import ipcw


@dataclass(frozen=True)
class Cohort:
    """What the stage makes. Frames of `Case`, `Evidence`, `Exclusion` rows, and the population they came from."""

    cases: pd.DataFrame
    evidence: pd.DataFrame
    exclusions: pd.DataFrame
    population: pd.DataFrame
    """One row a person or prediction with its `reason`, for the flow table."""
    events: int


def build(records: Records, settings: Settings, codes: CodeSet, seed: int, count: Count, risk_of: RiskOf | None = None,
          rows: dict[str, list[float]] | None = None) -> Cohort:  # fmt: skip
    """All of the stage but the disk.

    Args:
        records: an opened source.
        settings: of the section.
        codes: of the disease.
        seed: of the study.
        count: tokens of a text.
        risk_of: the source's own knowledge of the true risk, where it has one.
        rows: prediction days for the rule `per_row`.
    Raises:
        DataError: the records break a rule, or nobody is left.
    """
    population, rarity, events = _asked(records, settings, codes, seed, rows)
    population = _chosen(population, settings, seed)
    kept = population[population["reason"].isna()].copy()
    if kept.empty:
        reasons = ", ".join(f"{n} {r}" for r, n in population["reason"].value_counts().items())
        raise DataError(
            f"cohort: nobody is left ({reasons or 'the records are empty'}). Widen [cohort.predict] or check the records."
        )
    kept["true_risk"] = None
    if risk_of is not None:
        kept["true_risk"] = risk_of(
            kept["subject"].tolist(), kept["day"].to_numpy(np.int64), settings.horizon_years
        )
    cases, lines = _rendered(records, kept, settings, codes, count, rarity)
    left = population[population["reason"].notna()]
    exclusions = pd.DataFrame({"subject": left["subject"], "reason": left["reason"], "detail": ""})
    return Cohort(
        cases, lines, exclusions[list(Exclusion.model_fields)].reset_index(drop=True), population, events
    )


def _asked(records: Records, settings: Settings, codes: CodeSet, seed: int,
           rows: dict[str, list[float]] | None) -> tuple[pd.DataFrame, dict[str, float], int]:  # fmt: skip
    """First pass: who, when, what came after; how rare each code is; how many events there are."""
    frames, holders, people, events = [], Counter[str](), 0, 0
    with Progress("cohort: people read") as bar:
        for number, shard in enumerate(records):
            check_days(shard, settings.followup)
            frames.append(asked(shard, settings, codes, seed, rows).assign(shard=number))
            holders.update(_holders(shard))
            people, events = people + len(shard.people), events + len(shard.day)
            bar.step(len(shard.people))
    if not people:
        raise DataError("cohort: the records hold nobody. Check cohort.source.")
    frame = pd.concat(frames, ignore_index=True)
    twice = frame.loc[frame.duplicated(["subject", "day"]) & frame["day"].notna(), "subject"]
    if len(twice):
        raise DataError(
            f"cohort: subject {twice.iloc[0]} stands in the records twice ({len(twice)} such). Ids must be unique."
        )
    return frame, {code: float(np.log(people / n)) for code, n in holders.items() if n}, events


def _holders(shard: Shard) -> dict[str, int]:
    """How many people have each code."""
    pairs = np.sort(shard.code.astype(np.int64) << 32 | shard.person)
    first = pairs[np.append(True, np.diff(pairs) != 0)] if len(pairs) else pairs
    return dict(
        zip(shard.codes["code"], np.bincount(first >> 32, minlength=len(shard.codes)).tolist(), strict=True)
    )


def _chosen(population: pd.DataFrame, settings: Settings, seed: int) -> pd.DataFrame:
    """Censoring, weights, splits and sampling over the whole population."""
    out = population.assign(weight=1.0, sampling_weight=1.0, split=None)
    known = out["reason"].isna().to_numpy()
    lost = (out["outcome"] == "censored").to_numpy()
    if settings.censored == "weight" and known.any():
        out.loc[known, "weight"] = ipcw(out.loc[known, "followup"].to_numpy(float), lost[known])
    out.loc[known & lost, "reason"] = "lost_to_followup"
    kept = out[out["reason"].isna()].copy()
    if kept.empty:
        return out
    kept["label"] = (kept["outcome"] == "onset").astype(int)
    kept["split"] = split(kept, settings.split, seed)
    kept = sample(kept, settings.sampling, seed)
    out.loc[kept.index, ["split", "sampling_weight"]] = kept[["split", "sampling_weight"]]
    out.loc[kept.index[~kept["sampled"]], "reason"] = "not_sampled"
    return out


def _rendered(records: Records, kept: pd.DataFrame, settings: Settings, codes: CodeSet, count: Count,
              rarity: dict[str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Second pass: timelines of the cases."""
    cases: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    wanted = dict(list(kept.groupby("shard")))
    with Progress("cohort: timelines", len(kept)) as bar:
        for number, shard in enumerate(records):
            if number not in wanted:
                continue
            hidden, bounds = _hidden(shard, settings, codes), shard.bounds
            for case in wanted[number].itertuples():
                day = int(case.day)
                name = f"{case.subject}@{day}"
                found = history(
                    shard, bounds[case.person], bounds[case.person + 1], day - settings.gap_days, hidden
                )
                rows = evidence(shard, name, found, day)
                choose(rows, settings.timeline, count, rarity)
                lines += rows
                cases.append(_case(name, case, day, rows))
                bar.step()
    return pd.DataFrame(cases, columns=list(Case.model_fields)), pd.DataFrame(
        lines, columns=list(Evidence.model_fields)
    )


def _hidden(shard: Shard, settings: Settings, codes: CodeSet) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Codes that the leakage policy masks."""
    out = np.zeros(len(shard.codes), dtype=bool)
    for name in ("mci", "cognitive_tests", "drugs"):
        if getattr(settings.leakage, name) == "mask":
            out |= matches(shard.codes, getattr(codes, name))
    return out


def _case(name: str, case: Any, day: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": name, "subject": case.subject, "split": case.split, "age": round(day / YEAR, 2),
        "sex": case.sex, "site": case.site, "day": day, "label": int(case.outcome == "onset"), "outcome": case.outcome,
        "followup_years": case.followup, "weight": case.weight, "sampling_weight": case.sampling_weight,
        "true_risk": case.true_risk, "timeline": render(rows), "n_shown": sum(r["shown"] for r in rows), "n_total": len(rows),
    }  # fmt: skip
