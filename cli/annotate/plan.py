"""`wherefore annotate plan` and `judge`: how many people it takes, and what a model says."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _common
from . import grading

if TYPE_CHECKING:
    from ...analysis.agreement.judged import JudgeRow


@click.command()
@_common.with_study
@_common.as_json
@click.option("--dimension", default=None, help="Default: the first about the whole rationale.")
@click.option("--alpha", default=0.6, show_default=True, help="Expected agreement.")
@click.option(
    "--width", default=0.2, show_default=True, help="Wanted width of the 95 % interval, limit to limit."
)
@click.option("--minutes", default=3.0, show_default=True, help="Minutes per item.")
def plan(
    study: Path, runs: Path, json_out: bool, dimension: str | None, alpha: float, width: float, minutes: float
) -> None:
    """Show how many items and raters give an interval this narrow, and the clinician hours they cost."""
    from ...analysis.agreement.planning import from_assumptions
    from ...annotate import rubric
    from ...annotate.run import resolve
    from ...study.errors import StudyError, not_one_of

    s = _common.opened(study)
    r = rubric.load(s, resolve(s).rubric)
    d = r.dimension(dimension) if dimension else next(d for d in r.dimensions if not d.per_claim)
    if d is None:
        raise StudyError(
            f"--dimension: {not_one_of('dimension', str(dimension), [x.name for x in r.dimensions])}"
        )
    k = len(d.categories)
    plans = from_assumptions(alpha, width / 2, [1 / k] * k, level=d.level, minutes=minutes)
    lines = [
        f"{d.name}: an interval of width {width:g} about alpha {alpha:g}, answers even over {k} categories"
    ]
    lines += [f"  {p.raters} raters: {p.items} items, {p.hours:.0f} hours in all" for p in plans]
    _common.say("\n".join(lines), {"dimension": d.name, "plans": [p.model_dump() for p in plans]}, json_out)


@click.command()
@_common.with_study
def judge(study: Path, runs: Path) -> None:
    """Have a language model grade by the same rubric, and measure how far it agrees with people."""
    from ...analysis.agreement.judged import with_judge
    from ...annotate import judge as judge_
    from ...annotate import progress, rounds
    from ...annotate.judging import ask
    from ...study.errors import StudyError
    from ...study.runs import locked

    s, settings, run_folder = grading.people(study, runs, finished_too=True)
    if settings.judge is None:
        raise StudyError(f"{study}: annotate.judge: not given. Name its base_url and model.")
    folder = run_folder / "annotate"
    with locked(folder):
        state = rounds.people(s, settings, run_folder)
        judged = ask(s, state.plan, settings.judge, folder)
        given = judge_.answers(folder)
        progress.save_judge(state, folder)
    click.echo(f"judge: {len(given)} of {len(state.plan.items)} items graded: {folder / judge_.FILE}")
    for line in judged.lines:
        click.echo(f"  {line}")
    rows = with_judge(state.plan.rubric, judge_.ratings(state.plan, given), state.ratings(), s.seed)
    for row in rows:
        click.echo(f"  {_judge_line(row)}")
    for a in judge_.anchoring(state, given):
        if a.difference is not None:
            click.echo(
                f"  anchoring, {a.dimension}: {a.assisted:.2f} like the judge when seen, {a.blind:.2f} blind"
            )


def _judge_line(row: "JudgeRow") -> str:
    """Judge and people on one question of one round."""
    number, alpha = grading.number, row.alpha
    interval = "no interval" if alpha.low is None else f"{alpha.low:.2f} to {number(alpha.high, 2)}"
    value = "not defined" if alpha.value is None else f"{alpha.value:.2f}"
    shift = "" if row.shift is None else f", judge minus people {row.shift:+.2f} categories"
    return (
        f"{row.round}, {row.dimension}: alpha of judge and people {value} ({interval}, {alpha.n_items} units), "
        f"equal {number(row.same.value, 2)}{shift}"
    )
