"""How the grading goes: what is in, seconds and pace of every rater, and who noticed the planted controls."""

import itertools
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from statistics import median

from ..study import layout
from ..study.records import write_jsonl
from . import judge
from .label_studio.pull import path_of, read
from .records import ORDINARY, Noticed, RaterProgress, Rating
from .rounds import ROUNDS, GradingState

PAUSE = 30 * 60
"""Seconds between two forms that count as a break and not as work."""


def save(state: GradingState, folder: Path) -> None:
    """Write what is in so far: grades, what is wrong with some, and how it goes. The report reads these files."""
    write_jsonl(folder / layout.RATINGS.name, state.ratings())
    write_jsonl(folder / layout.CONTROL_RATINGS.name, state.ratings(controls=True))
    write_jsonl(folder / layout.NOTES.name, state.got.notes)
    write_jsonl(folder / layout.FAULTS.name, state.got.faults)
    write_jsonl(folder / layout.PROGRESS.name, rows(state, folder))
    write_jsonl(folder / layout.NOTICED.name, noticed(state))
    save_judge(state, folder)


def save_judge(state: GradingState, folder: Path) -> None:
    """Write what a judge graded, where one was asked; apart from people's grades, so also when these are complete."""
    if given := judge.answers(folder):
        write_jsonl(folder / layout.JUDGE_RATINGS.name, judge.ratings(state.plan, given))
        write_jsonl(folder / layout.ANCHORING.name, judge.anchoring(state, given))


def rows(state: GradingState, folder: Path) -> list[RaterProgress]:
    """Every rater of every round, in the order of the rounds."""
    out: list[RaterProgress] = []
    for round in ROUNDS:
        for rater, (done, total) in sorted(state.counts(round).items()):
            seconds = {
                r.item: r.seconds
                for r in state.got.ratings
                if (r.round, r.rater) == (round, rater) and r.seconds is not None
            }
            done_items = {i for rd, who, i in state.got.done if (rd, who) == (round, rater)}
            faults = [f for f in state.got.faults if (f.round, f.rater) == (round, rater)]
            out.append(
                RaterProgress(
                    round=round,
                    rater=rater,
                    done=done,
                    total=total,
                    skipped=sum(f.fault == "skipped" for f in faults),
                    faults=len({f.item for f in faults if not f.counted} - done_items),
                    median_seconds=round_(median(seconds.values()) if seconds else None),
                    per_hour=round_(_pace(path_of(folder, round, rater))),
                )
            )
    return out


def round_(value: float | None) -> float | None:
    """To a tenth; None stays None."""
    return None if value is None else float(f"{value:.1f}")


def _pace(path: Path) -> float | None:
    times = sorted(datetime.fromisoformat(s.at) for s in read(path) if s.at)
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    work = [g for g in gaps if g < PAUSE]
    return 3600 * len(work) / sum(work) if work and sum(work) > 0 else None


def noticed(state: GradingState) -> list[Noticed]:
    """For every rater: in how many planted items of each kind, and in how many others, they found fault."""
    planted = {i.id: i.control or ORDINARY for i in state.plan.items.values()}
    if set(planted.values()) == {ORDINARY}:
        return []
    good = {d.name: d.good for d in state.plan.rubric.dimensions}
    forms: dict[tuple[str, str], list[Rating]] = defaultdict(list)
    for r in state.got.ratings:
        if r.round == "main":
            forms[r.rater, r.item].append(r)
    flagged: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (rater, item), ratings in forms.items():
        bad = any(good[r.dimension] and r.value not in good[r.dimension] for r in ratings)
        flagged[rater, planted[item]].append(bad)
    return [
        Noticed(rater=rater, control=control, n=len(hits), noticed=sum(hits))
        for (rater, control), hits in sorted(flagged.items())
    ]
