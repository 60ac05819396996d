"""The flow table and table 1."""

import pandas as pd

from .task import STEPS

TEXT = dict(STEPS) | {"not_sampled": "not drawn for the case-control sample"}


def flow(frame: pd.DataFrame, total: int) -> pd.DataFrame:
    """Who was there and who was left out, step by step (STROBE).

    Args:
        frame: one row a person or prediction, with `reason` (None: a case).
        total: rows of the source population.
    Returns:
        Columns step, reason, people (left out here), left (after this step).
    """
    rows, left = [("source", "people in the records", 0, total)], total
    for name, text in TEXT.items():
        n = int((frame["reason"] == name).sum())
        left -= n
        rows.append((name, text, n, left))
    return pd.DataFrame(rows, columns=["step", "reason", "people", "left"])


def table1(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases against non-cases. Columns characteristic, level, cases, non_cases: means (sd), or n (%)."""
    groups = {"cases": cases[cases["label"] == 1], "non_cases": cases[cases["label"] == 0]}
    rows = [("people", "n", *(str(len(g)) for g in groups.values()))]
    for name, unit in (
        ("age", "years, mean (sd)"),
        ("followup_years", "mean (sd)"),
        ("n_total", "evidence lines, mean (sd)"),
    ):
        rows.append(
            (
                name,
                unit,
                *(f"{g[name].mean():.1f} ({g[name].std():.1f})" if len(g) else "" for g in groups.values()),
            )
        )
    for name in ("sex", "split", "outcome"):
        for level in sorted(cases[name].dropna().unique()):
            rows.append((name, level, *(_share(g[name] == level) for g in groups.values())))
    return pd.DataFrame(rows, columns=["characteristic", "level", "cases", "non_cases"])


def _share(is_it: "pd.Series[bool]") -> str:
    return f"{int(is_it.sum())} ({100 * is_it.mean():.1f} %)" if len(is_it) else ""
