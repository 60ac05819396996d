"""The stage: rationales are graded, and every one gets a verdict by a declared rule."""

from pathlib import Path

import click

from ..cohort.records import Case
from ..study.config import Study
from ..study.errors import PendingError, StudyError, did_you_mean, not_one_of
from ..study.records import read_jsonl, read_table, write_jsonl, write_text
from ..study.runs import run_once
from ..synth.records import Grounding, Rationale
from . import design, items, rubric, simulated, verdicts
from .answers import accept
from .records import Rubric, Verdict
from .settings import Settings


def resolve(study: Study) -> Settings:
    """The checked section; every name in it is looked up.

    Raises:
        StudyError: the first thing that is wrong.
    """
    s = study.section("annotate", Settings)
    r = rubric.load(study, s.rubric)
    for c in s.verdict.criteria:
        d = r.dimension(c.dimension)
        if d is None:
            names = [x.name for x in r.dimensions]
            raise StudyError(f"annotate.verdict.criteria: {not_one_of('dimension', c.dimension, names)}")
        if unknown := sorted(set(c.passes) - set(d.categories)):
            raise StudyError(
                f"annotate.verdict.criteria: {unknown[0]!r} is no category of {d.name}; "
                f"{did_you_mean(unknown[0], d.categories)}"
            )
    return s


def describe(study: Study, home: Path) -> str:
    """What the stage would do, in a line."""
    s = resolve(study)
    if s.raters == "none":
        return "nobody grades"
    who = "simulated raters" if s.raters == "simulated" else f"people ({s.raters})"
    return f"{s.items} rationales, {len(s.names)} {who}, rubric {rubric.load(study, s.rubric).name}"


def run(study: Study, home: Path) -> bool:
    """Grade the rationales of `home`, and write tasks, ratings and verdicts; True where work was done now."""
    s, folder = resolve(study), home / "annotate"
    settings = {"annotate": s.model_dump(mode="json"), "seed": study.seed}
    inputs = [home / "cohort" / "cases.parquet", home / "synth" / "rationales.jsonl",
              home / "synth" / "groundings.jsonl"]  # fmt: skip
    made = run_once(folder, settings, inputs, lambda f: _grade(study, s, home, f))
    states = [v.state for v in read_jsonl(folder / "verdicts.jsonl", Verdict)]
    said = f"{states.count('accepted')} of {len(states)} rationales accepted"
    click.echo(f"annotate: {said}: {folder}" + ("" if made else " (was there)"))
    return made


def _grade(study: Study, s: Settings, home: Path, folder: Path) -> None:
    import pandas as pd

    from ..study.records import from_frame

    frame: pd.DataFrame = read_table(home / "cohort" / "cases.parquet", Case)
    r: Rubric = rubric.load(study, s.rubric)
    rationales = list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))
    needed = {x.case for x in rationales}
    cases = {c.id: c for c in from_frame(frame[frame["id"].isin(needed)], Case)}
    n = 0 if s.raters == "none" else s.items
    chosen = items.sample(rationales, cases, s.split, n, study.seed)
    shown = [items.make(study.seed, x, cases[x.case], "main", x.claims) for x in chosen]
    tasks = design.tasks(shown, s.names, study.seed)
    if s.raters not in ("simulated", "none"):
        raise PendingError(f"{folder}: waiting for {len(tasks)} gradings.")
    bad = {g.rationale: frozenset(c.claim for c in g.checks if not c.supported)
           for g in read_jsonl(home / "synth" / "groundings.jsonl", Grounding)}  # fmt: skip
    faulty = {i.id: bad.get(i.rationale, frozenset()) for i in shown}
    by_id = {i.id: i for i in shown}
    given = [
        a for rater in s.simulated
        for a in simulated.answers(rater, tasks, by_id, faulty, r, s.spread, study.seed)
    ]  # fmt: skip
    got = accept(given, tasks, by_id, r)
    write_text(folder / "rubric.json", r.model_dump_json(indent=1))
    write_jsonl(folder / "tasks.jsonl", tasks)
    write_jsonl(folder / "ratings.jsonl", got.ratings)
    pairs = [(i.rationale, i.case) for i in shown if i.control is None]
    write_jsonl(folder / "verdicts.jsonl", verdicts.verdicts(got.ratings, pairs, r, s.verdict, got.notes))
    write_text(folder / "project.json", "{}\n")
