"""One case in the terminal: who, the history line by line, the label and why, and what was written about it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout

if TYPE_CHECKING:
    import pandas as pd

    from ..study.config import Study

_WHY = {
    "onset": "onset {followup:.1f} years after the prediction time",
    "death": "died {followup:.1f} years after it without the disease: counts as negative",
    "event_free": "followed for the whole horizon ({followup:.1f} years) without onset",
    "censored": "lost to follow-up after {followup:.1f} years: label unknown",
    "labelled": "from the label file",
}


def show(study: "Study", home: Path, case: str | None, json_out: bool) -> None:
    """Print one case; the first ids where none is named; the reason where the person was left out.

    Raises:
        StudyError: nobody of that id, or more than one.
    """
    cases = _table(home, "cases")
    if case is None:
        _list(cases)
        return
    row = _found(cases, case)
    if row is None:
        _left_out(home, case, cases)
        return
    evidence = _table(home, "evidence")
    lines = evidence[evidence["case"] == row["id"]]
    rationales = _rationales(home, str(row["id"]))
    if json_out:
        click.echo(json.dumps(_plain(row, lines, rationales)))
        return
    _case(study, row)
    _history(lines, row)
    for rationale, checks, verdict in rationales:
        _rationale(rationale, checks, verdict, lines)


def _table(home: Path, name: str) -> "pd.DataFrame":
    from ..cohort.records import Case, Evidence, Exclusion
    from ..study.records import Record, read_table

    kinds: dict[str, type[Record]] = {"cases": Case, "evidence": Evidence, "exclusions": Exclusion}
    return read_table(home / "cohort" / f"{name}.parquet", kinds[name])


def _list(cases: "pd.DataFrame") -> None:
    for row in cases.head(20).itertuples():
        click.echo(
            f"{row.id}  {row.split:8}  {row.age:5.1f} y  label {row.label}  {row.n_shown} of {row.n_total} lines"
        )
    if len(cases) > 20:
        click.echo(f"... {len(cases) - 20} more; give an id to see one")


def _found(cases: "pd.DataFrame", case: str) -> dict[str, Any] | None:
    """The case of that id, or the only one whose id begins so."""
    from ..study.errors import StudyError

    hits = cases[cases["id"].str.startswith(case)]
    if (exact := hits[(hits["id"] == case) | (hits["subject"] == case)]).shape[0] == 1:
        hits = exact
    if len(hits) > 1:
        raise StudyError(
            f"{case!r} matches {len(hits)} ids: {', '.join(hits['id'].head(4))}, ... Give more characters."
        )
    return {str(k): v for k, v in hits.iloc[0].items()} if len(hits) else None


def _left_out(home: Path, case: str, cases: "pd.DataFrame") -> None:
    from ..cohort.flow import TEXT
    from ..study.errors import StudyError, not_one_of

    gone = _table(home, "exclusions")
    exclusions = gone[gone["subject"] == case.split("@")[0]]
    if exclusions.empty:
        raise StudyError(not_one_of("case", case, cases["id"].head(5)))
    for reason in exclusions["reason"]:
        click.echo(f"{case} was left out: {reason}: {TEXT.get(reason, reason)}")


def _case(study: "Study", case: dict[str, Any]) -> None:
    label = {0: "no", 1: "yes"}.get(case["label"], "not known")
    horizon = study.cohort.get("horizon_years", 5)
    click.secho(
        f"{case['id']}  {case['sex'] or 'sex not known'}, {case['age']:.1f} years, {case['split']}",
        bold=True,
    )
    why = _WHY[case["outcome"]].format(followup=case["followup_years"])
    click.echo(f"label within {horizon:g} years: {label}: {why}")
    risk = case["true_risk"]
    known = f"; true risk {risk:.3f}" if risk is not None and risk == risk else ""
    click.echo(f"weight {case['weight']:.3f} (censoring) x {case['sampling_weight']:.3f} (sampling){known}")


def _history(lines: "pd.DataFrame", case: dict[str, Any]) -> None:
    click.echo(f"\n{case['n_shown']} of {case['n_total']} lines are within the budget (the others in grey)")
    for row in lines.itertuples():
        click.echo(
            click.style(f"  {row.line}", dim=not row.shown)
            + click.style(f"   {row.kind} {row.system} {row.code} {row.source}", dim=True)
        )


def _rationales(home: Path, case: str) -> list[tuple[Any, dict[int, Any], Any]]:
    """Rationales of the case, the check of each claim, and the verdict where people have given one."""
    from ..annotate.records import Verdict
    from ..study.files import rows
    from ..synth.records import Grounding, Rationale

    rationales = [r for r in rows(layout.RATIONALES.at(home), Rationale) if r.case == case]
    ids = {r.id for r in rationales}
    checks = {
        g.rationale: {c.claim: c for c in g.checks}
        for g in rows(layout.GROUNDINGS.at(home), Grounding)
        if g.rationale in ids
    }
    verdicts = {v.rationale: v for v in rows(layout.VERDICTS.at(home), Verdict) if v.rationale in ids}
    return [(r, checks.get(r.id, {}), verdicts.get(r.id)) for r in rationales]


def _rationale(rationale: Any, checks: dict[int, Any], verdict: Any, lines: "pd.DataFrame") -> None:
    """Each claim, whether it holds, and the evidence it cites."""
    text = dict(zip(lines["id"], lines["line"], strict=True))
    argues = {0: "no", 1: "yes"}.get(rationale.verdict, "nothing")
    click.secho(
        f"\n{rationale.style} by {rationale.teacher}, argues for: {argues}"
        + (f"; {verdict.state}" if verdict else ""),
        bold=True,
    )
    for i, claim in enumerate(rationale.claims):
        check = checks.get(i)
        mark = " " if check is None else {"supported": "+", "fault": "-", "undecided": "?"}[check.verdict]
        why = ""
        if check is not None and check.verdict != "supported":
            colour = "red" if check.fault else "yellow"
            why = click.style(f"  [{check.fault or check.doubt}: {check.why}]", fg=colour)
        click.echo(f"  {mark} {claim.text}{why}")
        for id in claim.cites:
            click.secho(f"      {text.get(id, f'[{id}] no such evidence')}", dim=True)


def _plain(
    case: dict[str, Any], lines: "pd.DataFrame", rationales: list[tuple[Any, dict[int, Any], Any]]
) -> dict[str, Any]:
    """All of it for a script."""
    import pandas as pd

    from ..cohort.records import Case, Evidence
    from ..study.records import from_frame

    return {
        "case": from_frame(pd.DataFrame([case]), Case)[0].model_dump(mode="json"),
        "evidence": [e.model_dump() for e in from_frame(lines, Evidence)],
        "rationales": [
            {
                "rationale": r.model_dump(),
                "checks": [c.model_dump() for c in checks.values()],
                "verdict": v.model_dump() if v else None,
            }
            for r, checks, v in rationales
        ],
    }
