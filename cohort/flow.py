"""Who was left out and why, who is in, and what the records hold: numbers first, then the figure."""

import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .reading.bad_rows import BadRows
from .task import STEPS

if TYPE_CHECKING:
    from .build import Cohort, Counts

TEXT = {
    **dict(STEPS),
    "not_sampled": "not drawn for the sample",
    "near_duplicate": "a history that stands nearly the same in a later part of the split",
}


def flow(population: pd.DataFrame, notes: Sequence[str] = (), asked: bool = False) -> pd.DataFrame:
    """Who was there and who was left out, step by step (STROBE item 13).

    Args:
        population: one row a person or prediction, with `reason` (None: a case).
        notes: what else a reader should know of the records; each is a row `note` after the first.
        asked: the predictions came from a file or a task, so that a row is not a person.
    Returns:
        Columns step, reason, people (left out here), left (after this step).
    """
    left = len(population)
    rows = [("source", "predictions asked for" if asked else "people in the records", 0, left)]
    rows += [("note", text, 0, left) for text in notes]
    counts = population["reason"].value_counts()
    for name, text in TEXT.items():
        n = int(counts.get(name, 0))
        left -= n
        rows.append((name, text, n, left))
    return pd.DataFrame(rows, columns=["step", "reason", "people", "left"])


def said_of(counts: "Counts", bad: BadRows) -> list[str]:
    """What a reader should know of the records, a line each: deaths, unknown vocabularies, what is not there.

    >>> from .build import Counts
    >>> said_of(Counts(people=14, clinical=8, unknown=Counter({"x": 2})), BadRows())
    ['0 deaths among 14 people', '25 % of 8 clinical events have a code of no known vocabulary, most often: x']
    """
    out = [f"{counts.deaths:,} deaths among {counts.people:,} people"]
    if unknown := counts.unknown.total():
        most = ", ".join(name for name, _ in counts.unknown.most_common(3))
        share = 100 * unknown / max(counts.clinical, 1)
        of = f"{share:.2g} % of {counts.clinical:,} clinical events"
        out.append(f"{of} have a code of no known vocabulary, most often: {most}")
    skipped = Counter[str]()
    for (_, why), n in bad.skipped.items():
        skipped[why] += n
    out += [f"{n:,} rows that say so themselves do not count: {why}" for why, n in skipped.most_common()]
    out += [f"not in the records: {', '.join(bad.absent)}"] if bad.absent else []
    return out + [f"{n:,} {what}" if n else what for what, n in bad.notes.items()]


def figure(steps: pd.DataFrame) -> str:
    """The flow table as a picture: a box for who is left, a box beside it for each step that left somebody out."""
    notes = steps.loc[steps["step"] == "note", "reason"].tolist()
    steps = steps[steps["step"] != "note"]
    kept = steps[(steps["people"] > 0) | (steps["step"] == "source")].reset_index(drop=True)
    parts = [_box(20, 20, 300, "People in the records", f"n = {kept['left'].iloc[0]:,}")]
    y = 20
    for row in kept.iloc[1:].itertuples():
        parts += [f'<path d="M170 {y + 44}V{y + 110}M170 {y + 77}H360" class="l"/>']
        parts += [_box(360, y + 55, 440, str(row.reason).capitalize(), f"n = {row.people:,}")]
        y += 110
        title = "In the study" if row.Index == len(kept) - 1 else "Remaining"
        parts += [_box(20, y, 300, title, f"n = {row.left:,}")]
    y += 64
    for text in notes:
        y += 20
        parts.append(f'<text x="20" y="{y}" class="n">{escape(text[:118])}</text>')
    style = (
        "text{font:13px sans-serif;fill:#222}.n{fill:#555}.b{fill:#fff;stroke:#888}.l{fill:none;stroke:#888}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 {y + 10}" role="img" '
        f'aria-label="Flow of people into the study"><style>{style}</style>{"".join(parts)}</svg>\n'
    )


def _box(x: int, y: int, width: int, title: str, number: str) -> str:
    short = title if len(title) <= width // 7 else title[: width // 7 - 1] + "…"
    return (
        f'<g><title>{escape(title)}</title><rect x="{x}" y="{y}" width="{width}" height="44" rx="4" class="b"/>'
        f'<text x="{x + 10}" y="{y + 18}">{escape(short)}</text>'
        f'<text x="{x + 10}" y="{y + 36}" class="n">{number}</text></g>'
    )


def table1(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases against non-cases as sampled, not weighted.

    Returns:
        Columns characteristic, level, cases, non_cases (mean (sd), or n (%)), smd: the standardised mean difference.
    """
    yes, no = cases[cases["label"] == 1], cases[cases["label"] == 0]
    rows: list[tuple[str, str, str, str, float | None]] = [("people", "n", str(len(yes)), str(len(no)), None)]
    numbers = (
        ("age", "years, mean (sd)"),
        ("followup_years", "mean (sd)"),
        ("n_total", "evidence lines, mean (sd)"),
    )
    for name, unit in numbers:
        rows.append((name, unit, _mean(yes[name]), _mean(no[name]), difference(yes[name], no[name])))
    for name in ("sex", "site", "split", "outcome"):
        for level in sorted(cases[name].dropna().unique()):
            a, b = (yes[name] == level).astype(float), (no[name] == level).astype(float)
            rows.append((name, str(level), _share(a), _share(b), difference(a, b)))
        if cases[name].isna().any() and cases[name].notna().any():
            rows.append(
                (
                    name,
                    "missing",
                    _share(yes[name].isna().astype(float)),
                    _share(no[name].isna().astype(float)),
                    None,
                )
            )
    return pd.DataFrame(rows, columns=["characteristic", "level", "cases", "non_cases", "smd"])


def difference(a: "pd.Series[float]", b: "pd.Series[float]") -> float | None:
    """Standardised mean difference, over the root of the mean variance; None where there is none (Austin 2009).

    >>> difference(pd.Series([1.0, 3.0]), pd.Series([0.0, 2.0]))
    0.71
    """
    spread = np.sqrt((a.var() + b.var()) / 2)
    return round(float((a.mean() - b.mean()) / spread), 2) if spread > 0 else None


def _mean(x: "pd.Series[float]") -> str:
    return f"{x.mean():.1f} ({x.std():.1f})" if len(x) > 1 else ""


def _share(x: "pd.Series[float]") -> str:
    return f"{int(x.sum())} ({100 * x.mean():.1f} %)" if len(x) else ""


def holdings(known: "Counts", bad: BadRows) -> dict[str, Any]:
    """What the records hold, whatever the study asks of them."""
    return {
        "people": known.people,
        "events": known.events,
        "deaths": known.deaths,
        "with_onset_code": known.with_code,
        "events_by_kind": dict(known.kinds.most_common()),
        "rows_read": dict(bad.total),
        "bad_rows": sum(bad.bad.values()),
        "bad_rows_by_reason": {f"{f}: {r}": n for (f, r), n in bad.bad.items()},
        "skipped_rows": {f"{f}: {r}": n for (f, r), n in bad.skipped.items()},
        "notes": dict(bad.notes),
        "clinical_events": known.clinical,
        "events_of_no_known_vocabulary": known.unknown.total(),
        "unknown_codes": dict(known.unknown.most_common(20)),
        "mixed_units": {code: sorted(units) for code, units in known.units.items()},
    }


def summary(cohort: "Cohort", bad: BadRows) -> str:
    """What a reader of the report wants to know in a line each, as JSON."""
    cases = cohort.cases
    out = {
        **holdings(cohort.counts, bad),
        "cases": len(cases),
        "with_onset": int(cases["label"].sum()),
        "splits": cases["split"].value_counts().to_dict(),
        "lines_shown": round(float(cases["n_shown"].mean()), 2),
        "lines_total": round(float(cases["n_total"].mean()), 2),
        "weighted_rate": round(
            float(np.average(cases["label"], weights=cases["weight"] * cases["sampling_weight"])), 5
        ),
    }
    if cases["true_risk"].notna().all():
        out["bayes"] = bayes(cases)
    return json.dumps(out, indent=1) + "\n"


def bayes(cases: pd.DataFrame) -> dict[str, float]:
    """What the true risk itself reaches on the held-out cases, as sampled and as in the population."""
    held = cases[cases["split"] == "held_out"]
    label, risk = held["label"].to_numpy(int), held["true_risk"].to_numpy(float)
    weight = (held["weight"] * held["sampling_weight"]).to_numpy(float)
    return {
        "auc_sample": round(auc(label, risk, np.ones(len(held))), 4),
        "auc_population": round(auc(label, risk, weight), 4),
        "mean_true_risk_population": round(float(np.average(risk, weights=weight)), 5),
    }


def auc(label: NDArray[Any], score: NDArray[Any], weight: NDArray[Any]) -> float:
    """Area under the ROC curve with weights; ties count half.

    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]), np.ones(4))
    0.875
    """
    order = np.argsort(score, kind="stable")
    score, yes, no = score[order], (weight * (label == 1))[order], (weight * (label == 0))[order]
    starts = np.flatnonzero(np.append(True, np.diff(score) != 0))
    up, down = np.add.reduceat(yes, starts), np.add.reduceat(no, starts)
    below = np.cumsum(down) - down
    total = up.sum() * down.sum()
    return float((up * (below + down / 2)).sum() / total) if total > 0 else float("nan")
