"""`wherefore check`: everything resolved, counted and compared with what is there; nothing run."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ..study import layout
from ..study.config import Study
from . import _common


@click.command()
@_common.with_study
@_common.as_json
def command(study: Path, runs: Path, json_out: bool) -> None:
    """Look up every name in STUDY, count the work and price it, without doing any of it.

    The price rests on the cases where the cohort is made already, otherwise on what the source says of itself. What
    cannot work with the cohort or the files that are there is named, and the exit status is 1.
    """
    s = _common.opened(study)
    run_folder = runs / s.name
    counts = counted(s, run_folder)
    plans = [import_module(f"wherefore.{stage}.run").describe(s, run_folder) for stage in layout.STAGES]
    problems = counts["problems"]
    if json_out:
        _common.say("", counts, json_out)
    else:
        said_of_it = f"{len(problems)} to mend" if problems else "nothing is wrong with the study file"
        click.echo(f"{s.name}: {counts['fits']['total']} fits; {said_of_it}.")
        for stage, text in zip(layout.STAGES, plans, strict=True):
            click.echo(f"  {stage:<9}{text}")
        if (left := counts["fits"]["seconds_left"]) is not None:
            click.echo(f"  left     about {left / 3600:.1f} hours of fits, by those that are done")
        if said := _in_words(counts["money"]):
            click.echo(f"  money    {said}")
        for problem in problems:
            click.echo(f"problem: {problem}")
    if problems:
        raise SystemExit(1)


def counted(study: Study, run_folder: Path) -> dict[str, Any]:
    """The study in numbers, for a script: cases, requests, fits, bases, outside files, and what cannot work."""
    from ..analysis.outside.study import lacking
    from ..analysis.run import resolve
    from ..study.runs import state

    people, fits, outside = (
        _cohort(study, run_folder),
        _fits(study, run_folder),
        lacking(study, resolve(study).outside),
    )
    problems = [f"analysis.outside: {path}: not there." for path in outside]
    known = people["training_cases"]
    if known is not None and fits["largest_n"] > known:
        limit = "the cohort has" if people["made"] else "cohort.sampling.train draws at most"
        problems.append(
            f"grid.n: {fits['largest_n']:,} training cases are asked for, and {limit} {known:,}. "
            "Draw more people, or take the size out of the grid."
        )
    return {
        "name": study.name,
        "stages": {stage: state(run_folder / stage) for stage in layout.STAGES if stage != "train"},
        "cohort": people,
        "synth": _synth(study, run_folder),
        "fits": fits,
        "money": _money(study, run_folder),
        "analysis": {
            "outside": [o.path for o in resolve(study).outside],
            "missing": [str(p) for p in outside],
        },
        "problems": problems,
    }


def _cohort(study: Study, run_folder: Path) -> dict[str, Any]:
    """How many cases there are to learn from and to be judged on; what is planned where there is no cohort yet."""
    from ..cohort.records import Case
    from ..cohort.settings import Settings
    from ..study.records import read_table

    settings = study.section("cohort", Settings)
    path = layout.CASES.at(run_folder)
    if not path.exists():
        sampling = settings.sampling
        return {
            "made": False,
            "training_cases": sampling.train if sampling else None,
            "held_out_cases": None,
            "horizon_years": settings.horizon_years,
            "source": settings.source.name,
        }
    cases = read_table(path, Case)
    labelled = cases[cases["label"].notna()]
    return {
        "made": True,
        "training_cases": int((labelled["split"] == "train").sum()),
        "held_out_cases": int((labelled["split"] == "held_out").sum()),
        "held_out_with_the_outcome": int(labelled.loc[labelled["split"] == "held_out", "label"].sum()),
        "horizon_years": settings.horizon_years,
        "source": settings.source.name,
    }


def _synth(study: Study, run_folder: Path) -> dict[str, Any]:
    """Requests a case and, where the cohort is made, in all."""
    from ..study.runs import manifest
    from ..synth.histories import count
    from ..synth.plan import Plan
    from ..synth.run import resolve

    settings = resolve(study)
    plan = Plan(study, settings, run_folder / "cohort")
    has_cohort = manifest(run_folder / "cohort") is not None
    return {
        "teacher": settings.teacher.name,
        "styles": list(settings.styles),
        "requests_a_case": plan.size * plan.rounds,
        "requests": count(run_folder / "cohort", settings.splits) * plan.size * plan.rounds
        if has_cohort
        else None,
    }


def _money(study: Study, run_folder: Path) -> dict[str, Any]:
    """What asking models costs, by who is asked; `asked` has the tokens behind each sum.

    None where the cohort is not made yet, nobody is asked, or the study names no prices; then there is no total.
    """
    from ..annotate import rubric
    from ..annotate.price import judge_price
    from ..annotate.run import resolve as grading
    from ..study.runs import manifest
    from ..synth.plan import Plan
    from ..synth.price import priced
    from ..synth.run import resolve

    graded = grading(study)
    made = manifest(run_folder / "cohort") is not None
    plan = Plan(study, resolve(study), run_folder / "cohort")
    synth = priced(plan, run_folder / "cohort") if made else None
    asked = {
        "teacher": synth.teacher if synth else None,
        "verifier": synth.verifier if synth else None,
        "judge": judge_price(study, graded, rubric.load(study, graded.rubric), run_folder),
    }
    there = {name: p for name, p in asked.items() if p is not None}
    unknown = [name for name, p in there.items() if p.money is None]
    return {
        **{name: p.money if p else None for name, p in asked.items()},
        "thinking": there["teacher"].thinking_money if "teacher" in there else None,
        "total": sum(p.money or 0.0 for p in there.values()) if there and not unknown else None,
        "without_prices": unknown,
        "why_missing": None if made else "the cohort is not made yet",
        "asked": {name: p.model_dump() if p else None for name, p in asked.items()},
    }


def _in_words(money: dict[str, Any]) -> str:
    """The money in a line; empty where none is spent or known."""
    known = {name: money[name] for name in ("teacher", "verifier", "judge") if money[name]}
    parts = [
        f"{name} {cost:.2f}"
        + (f" (thinking {money['thinking']:.2f})" if name == "teacher" and money["thinking"] else "")
        for name, cost in known.items()
    ]
    lacking = " and ".join(f"the {name}" for name in money["without_prices"])
    if not known and not lacking:
        return ""
    total = f"about {sum(known.values()):.2f}: {', '.join(parts)}" if known else ""
    return "; ".join(x for x in (total, f"no prices are set for {lacking}" if lacking else "") if x)


def _fits(study: Study, run_folder: Path) -> dict[str, Any]:
    """How many fits there are and are done, the largest training size, and seconds left by the mean of those done."""
    from ..study.runs import manifest
    from ..train.run import preflight, resolve

    cells = study.grid.cells() if study.grid else []
    seconds = [m.seconds for c in cells if (m := manifest(run_folder / "train" / c.id)) is not None]
    workers = resolve(study).workers
    left = len(cells) - len(seconds)
    return {
        "total": len(cells),
        "done": len(seconds),
        "largest_n": max((c.n for c in cells), default=0),
        "workers": workers,
        "seconds_left": round(sum(seconds) / len(seconds) * left / workers, 1) if seconds and left else None,
        "bases": {
            base.name: {
                "parameters": base.parameters,
                "context": base.context,
                "weights_gib_in_32_bits": round(base.parameters * 4 / 2**30, 2),
            }
            for base in preflight(study, run_folder)
        },
    }
