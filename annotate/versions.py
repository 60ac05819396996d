"""What was handed out under which rubric, and what a change of it would void."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..study.errors import StaleError
from ..study.files import rows
from ..study.records import Record, write_jsonl
from .decisions import Decisions, now
from .label_studio import pull
from .plan import GradingPlan
from .records import Rubric

FILE = "versions.jsonl"


class Version(Record):
    """A rubric and what else the page asked or told, as it was handed out."""

    version: str
    rubric: Rubric
    question: str
    show_label: bool


class Change(Record):
    """From what was handed out last to what the study file says now."""

    before: str
    what: tuple[str, ...]
    """The keys that changed."""
    void: dict[str, int]
    """Forms by round that would no longer count."""
    words_only: bool
    """Questions, answers and conditions are the same; titles, anchors or the guideline are not."""

    def __str__(self) -> str:
        forms = ", ".join(f"{n} of the {round} round" for round, n in self.void.items())
        return (
            f"annotate.rubric changed since it was handed out ({', '.join(self.what)}): "
            + (
                f"{sum(self.void.values())} forms graded by the earlier one do not count ({forms})"
                if forms
                else "no form has been graded yet"
            )
            + ". Put it back, or hand everything out again with `--new-round`"
            + (
                ", or keep the forms with `--reworded` (the answers are the same, only words changed)."
                if self.words_only
                else "."
            )
        )


def record(plan: GradingPlan, folder: Path) -> None:
    """Note that this version is handed out now."""
    known = rows(folder / FILE, Version)
    if not known or known[-1].version != plan.version:
        write_jsonl(folder / FILE, [*known, _of(plan)])


def _of(plan: GradingPlan) -> Version:
    s = plan.settings
    return Version(version=plan.version, rubric=plan.rubric, question=s.question, show_label=s.show_label)


def change(plan: GradingPlan, folder: Path) -> Change | None:
    """What changed since the last hand-out; None where nothing did, or nothing was handed out."""
    known = rows(folder / FILE, Version)
    if not known or known[-1].version == plan.version:
        return None
    before, after = known[-1], _of(plan)
    counted = Decisions.read(folder).same_as(before.version)
    void: Counter[str] = Counter()
    for (round, _), forms in pull.of_run(folder).items():
        void[round] += len({f.item for f in forms if f.version in counted and not f.unreadable})
    return Change(
        before=before.version,
        what=tuple(_changed(before, after)),
        void={round: n for round, n in void.items() if n},
        words_only=_answers(before) == _answers(after),
    )


def refuse(rubric_change: Change) -> None:
    """Stop where a change was not decided about.

    Raises:
        StaleError: always; what would be void and what can be done.
    """
    raise StaleError(str(rubric_change))


def decide(rubric_change: Change, plan: GradingPlan, folder: Path, *, reworded: bool) -> None:
    """Write down that the change is meant: a new round, or other words for the same questions.

    Raises:
        StaleError: it is more than words.
    """
    if reworded and not rubric_change.words_only:
        raise StaleError(
            f"--reworded: {', '.join(rubric_change.what)} changed, which is more than words. {rubric_change}"
        )
    decision = now("reworded" if reworded else "new_round", before=rubric_change.before, after=plan.version)
    Decisions.read(folder).add(folder, decision)


def _answers(v: Version) -> Any:
    """What a form is made of, without the words for it."""
    r = v.rubric
    questions = [(d.name, d.level, d.categories, d.per_claim, d.when) for d in r.dimensions]
    return questions, r.note_when, r.edit_when, v.show_label


def _changed(before: Version, after: Version) -> Iterator[str]:
    old, new = before.rubric.model_dump(), after.rubric.model_dump()
    for key in old:
        if key != "dimensions" and old[key] != new[key]:
            yield key
    earlier = {d.pop("name"): d for d in old["dimensions"]}
    dimensions = {d.pop("name"): d for d in new["dimensions"]}
    for name in dict.fromkeys((*earlier, *dimensions)):
        if name not in dimensions:
            yield f"{name} is gone"
        elif name not in earlier:
            yield f"{name} is new"
        else:
            yield from (
                f"{name}.{key}" for key, value in earlier[name].items() if dimensions[name][key] != value
            )
    if list(earlier) != list(dimensions) and earlier.keys() == dimensions.keys():
        yield "order of the questions"
    for key in ("question", "show_label"):
        if getattr(before, key) != getattr(after, key):
            yield f"annotate.{key}"
