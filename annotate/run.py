"""The stage: rationales are graded, and every one gets a verdict by a declared rule."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cohort.question import question
from ..study import layout
from ..study.config import Study
from ..study.errors import PendingError
from ..study.records import read_jsonl, write_jsonl
from ..study.runs import outcome, run_once
from . import checks, rubric
from .price import judge_price
from .records import Verdict
from .settings import Settings

if TYPE_CHECKING:
    from .rounds import GradingState


def resolve(study: Study) -> Settings:
    """The checked section; every name in it is looked up.

    Raises:
        StudyError: the first thing that is wrong.
    """
    s = study.section("annotate", Settings)
    if not s.question:
        s = s.model_copy(update={"question": question(study).text})
    checks.refuse(study, s, rubric.load(study, s.rubric))
    return s


def describe(study: Study, home: Path) -> str:
    """What the stage would do, in a line; `wherefore check` prints it."""
    s = resolve(study)
    r = rubric.load(study, s.rubric)
    who = "simulated raters" if s.raters == "simulated" else f"people ({s.raters})"
    plan = f"{s.items} rationales, {len(s.names)} {who}, rubric {r.name}"
    lines = ["nobody grades" if s.raters == "none" else plan]
    if (judge := judge_price(study, s, r, home)) is not None:
        lines.append(f"judge {judge.who}: {judge.requests} replies, {judge.words}")
    return "\n            ".join([*lines, *(f"note: {note}" for note in checks.notes(s, r))])


def run(study: Study, home: Path) -> bool:
    """Grade the rationales of `home`, and write tasks, ratings and verdicts; True where work was done now.

    Raises:
        PendingError: people are still grading; what to do stands in the line.
    """
    s, folder = resolve(study), home / "annotate"
    settings = {
        "annotate": s.model_dump(
            mode="json", exclude={"server": True, "judge": {"prices", "thinking_tokens"}}
        ),
        "rubric": rubric.load(study, s.rubric).model_dump(mode="json"),
        "seed": study.seed,
    }
    inputs = [
        layout.CASES.at(home),
        layout.EVIDENCE.at(home),
        layout.RATIONALES.at(home),
        layout.GROUNDINGS.at(home),
    ]
    done = run_once(folder, settings, inputs, lambda f: _grade(study, s, home, f))
    states = [v.state for v in read_jsonl(folder / layout.VERDICTS.name, Verdict)]
    accepted = f"{states.count('accepted')} of {len(states)} rationales accepted"
    summary = accepted if states else "nobody grades, so no rationale has a verdict"
    click.echo(f"annotate: {summary}; {outcome(done, folder)}")
    return done


def _grade(study: Study, s: Settings, home: Path, folder: Path) -> None:
    from . import plan, progress, rounds

    if s.raters in ("simulated", "none"):
        state = rounds.programs(study, s, home)
    else:
        state = rounds.people(study, s, home)
        if (due := state.due) is not None:
            raise PendingError(_what_to_do(s, state, due, folder))
    plan.save(state.plan, folder)
    progress.save(state, folder)
    write_jsonl(folder / layout.VERDICTS.name, state.verdicts())


def _what_to_do(s: Settings, state: "GradingState", due: str, folder: Path) -> str:
    counts = sorted(state.counts(due).items())
    counted = ", ".join(f"{rater} {done}/{total}" for rater, (done, total) in counts) or "not handed out yet"
    commands = (
        "`wherefore annotate push`, then `wherefore annotate pull`"
        if s.raters == "label_studio"
        else "`wherefore annotate export`, then `wherefore annotate import`"
    )
    return f"{folder}: the {due} round is waiting for raters: {counted}. Run {commands}, then run this again."
