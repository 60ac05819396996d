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
    """Resolve every name in STUDY, count the work and price it, without running anything.

    The price is based on the cohort if it is built, otherwise on the source's own estimate. Whatever cannot work with
    the existing cohort or files is named, and the exit status is 1.
    """
    s = _common.opened(study)
    run_folder = runs / s.name
    counts = counted(s, run_folder)
    plans = [import_module(f"wherefore.{stage}.run").describe(s, run_folder) for stage in layout.STAGES]
    problems = counts["problems"]
    if json_out:
        _common.say("", counts, json_out)
    else:
        finding = f"problems found: {len(problems)}" if problems else "no problems found"
        click.echo(f"{s.name}: {counts['fits']['total']} fits; {finding}.")
        for stage, text in zip(layout.STAGES, plans, strict=True):
            click.echo(f"  {stage:<9}{text}")
        if (left := counts["fits"]["seconds_left"]) is not None:
            click.echo(f"  left     about {left / 3600:.1f} hours of fits, judging by those done")
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
    problems = [f"analysis.outside: {path}: not found." for path in outside]
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
    from ..synth.plan import RequestPlan
    from ..synth.run import resolve

    settings = resolve(study)
    plan = RequestPlan(study, settings, run_folder / "cohort")
    has_cohort = manifest(run_folder / "cohort") is not None
    return {
        "teacher": settings.teacher.name,
        "styles": list(settings.styles),
        "requests_a_case": plan.requests,
        "requests": count(run_folder / "cohort", settings.splits) * plan.requests if has_cohort else None,
    }


def _money(study: Study, run_folder: Path) -> dict[str, Any]:
    """What asking models costs, by who is asked; `asked` has the tokens behind each sum, a row a corpus.

    None where the cohort is not made yet, nobody is asked, or the study names no prices; then there is no total.
    """
    from ..annotate import rubric
    from ..annotate.price import judge_price
    from ..annotate.run import resolve as grading
    from ..study.runs import manifest
    from ..synth.plan import RequestPlan
    from ..synth.price import priced_corpora
    from ..synth.run import resolve

    settings, graded = resolve(study), grading(study)
    made = manifest(run_folder / "cohort") is not None
    corpora = (
        priced_corpora(RequestPlan(study, settings, run_folder / "cohort"), run_folder / "cohort")
        if made
        else {}
    )
    asked = [("teacher", name, p.teacher) for name, p in corpora.items() if p]
    asked += [("verifier", name, p.verifier) for name, p in corpora.items() if p and p.verifier]
    if judge := judge_price(study, graded, rubric.load(study, graded.rubric), run_folder):
        asked.append(("judge", "", judge))
    sums = {role: _sum([p.money for r, _, p in asked if r == role]) for role in ASKED}
    unknown = [role for role in ASKED if sums[role] is None and any(r == role for r, _, _ in asked)]
    verifier = settings.verifier.job.budget if settings.verifier else None
    budgets = {"teacher": settings.job.budget, "verifier": verifier, "judge": None}
    return {
        **sums,
        "thinking": _sum([p.thinking_money for role, _, p in asked if role == "teacher"]),
        "total": sum(m for m in sums.values() if m is not None) if asked and not unknown else None,
        "without_prices": unknown,
        "over_budget": {r: b for r, b in budgets.items() if b is not None and (sums[r] or 0.0) > b},
        "why_missing": None if made else "the cohort is not made yet",
        "asked": [{"role": role, "corpus": name or None, **p.model_dump()} for role, name, p in asked],
    }


ASKED = ("teacher", "verifier", "judge")


def _sum(money: list[float | None]) -> float | None:
    """None where a part is not known, or there is none."""
    known = [m for m in money if m is not None]
    return sum(known) if known and len(known) == len(money) else None


def _in_words(money: dict[str, Any]) -> str:
    """The money in a line; empty where none is spent or known."""
    known = {role: money[role] for role in ASKED if money[role]}
    thinking = f" (thinking {money['thinking']:.2f})" if money["thinking"] else ""
    parts = [f"{role} {cost:.2f}{thinking if role == 'teacher' else ''}" for role, cost in known.items()]
    said = [f"about {sum(known.values()):.2f}: {', '.join(parts)}"] if known else []
    said += [f"no prices are set for the {role}" for role in money["without_prices"]]
    said += [f"the {r}'s budget is {b:g}: its job stops there" for r, b in money["over_budget"].items()]
    return "; ".join(said)


def _fits(study: Study, run_folder: Path) -> dict[str, Any]:
    """How many fits there are and are done, the largest training size, and seconds left judging by those done."""
    from ..train.run import preflight, resolve
    from ..train.standing import Standing

    cells = study.grid.cells() if study.grid else []
    standing = Standing(run_folder, cells, resolve(study).at_once)
    return {
        "total": len(cells),
        "done": standing.counts["done"],
        "largest_n": max((c.n for c in cells), default=0),
        "workers": standing.workers,
        "seconds_left": round(standing.left, 1) if standing.left else None,
        "bases": {
            base.name: {
                "parameters": base.parameters,
                "context": base.context,
                "weights_gib_in_32_bits": round(base.parameters * 4 / 2**30, 2),
            }
            for base in preflight(study, run_folder)
        },
    }
