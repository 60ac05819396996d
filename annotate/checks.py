"""What would go wrong later and can be known now: `wherefore check` and every command look here first."""

from collections.abc import Iterator

from ..study.config import Study
from ..study.errors import StudyError, did_you_mean, not_one_of
from ..study.permission import loopback
from .label_studio.database import postgres
from .records import Dimension, Rubric
from .settings import Criterion, Settings

KEYS = 9
"""Answers to a question that a key reaches on either grading page."""


def refuse(study: Study, s: Settings, rubric: Rubric) -> None:
    """Stop at the first thing that cannot work.

    Raises:
        StudyError: which key, what was found, what to do.
    """
    for c in s.verdict.criteria:
        _criterion(c, rubric)
    _raters(s)
    _rounds(s, rubric)
    if s.server.url and not loopback(s.server.url) and study.data_use is None:
        raise StudyError(
            f"annotate.server.url: {s.server.url} is not on this machine, and the study has no [data_use] section "
            "that allows patient text to leave it. Add one, or use `wherefore annotate serve`."
        )
    if (database := postgres(s.server.database, s.server.database_password)) is not None:
        if not loopback(f"http://{database.host}") and study.data_use is None:
            raise StudyError(
                f"annotate.server.database: {database.host} is not on this machine, and the study has no [data_use] "
                "section that allows patient text to leave it. Add one, or use a database here."
            )
        if s.server.url:
            raise StudyError(
                "annotate.server: give url or database, not both; the server at url chooses its own storage."
            )
    if s.by_people:
        _page(rubric)


def notes(s: Settings, rubric: Rubric) -> Iterator[str]:
    """What works and may surprise, one line each."""
    if s.by_people:
        for d in rubric.dimensions:
            if (n := len(d.categories)) > KEYS:
                yield f"{d.name} has {n} answers: keyboard shortcuts reach the first {KEYS}, mouse and Tab all"
    if s.people and not s.by_people:
        who = "nobody grades" if s.raters == "none" else "programs grade"
        yield f"{who}, although people names {', '.join(p.name for p in s.people)}"
    if s.by_people and not s.rounds.adjudicator:
        yield "no rounds.adjudicator: items without a consensus stay undecided"
    if s.rounds.calibration and not s.rounds.gate and s.by_people:
        yield "no rounds.gate: the main round follows calibration whatever the agreement"


def dimension(rubric: Rubric, name: str, where: str) -> Dimension:
    """The dimension of that name.

    Raises:
        StudyError: there is none; `where` is the key that names it.
    """
    d = rubric.dimension(name)
    if d is None:
        raise StudyError(f"{where}: {not_one_of('dimension', name, [x.name for x in rubric.dimensions])}")
    return d


def _criterion(c: Criterion, rubric: Rubric) -> None:
    where = "annotate.verdict.criteria"
    d = dimension(rubric, c.dimension, where)
    if unknown := sorted(set(c.passes) - set(d.categories)):
        raise StudyError(
            f"{where}: {unknown[0]!r} is not a category of {d.name}; {did_you_mean(unknown[0], d.categories)}"
        )
    if c.rule == "dawid_skene" and d.level != "nominal":
        raise StudyError(f"{where}: {d.name} is {d.level}; dawid_skene is for nominal marks.")
    if c.rule == "median" and d.level == "nominal":
        raise StudyError(f"{where}: {d.name} is nominal and has no median; use majority.")


def _raters(s: Settings) -> None:
    if s.people and s.raters == "none" and "raters" not in s.model_fields_set:
        raise StudyError(
            f"annotate.raters: not given, but people names {', '.join(p.name for p in s.people)}. Set "
            "'label_studio' or 'files' to have them grade, or 'none'."
        )
    if s.raters == "none":
        return
    per_item, of = s.raters_an_item, len(s.names)
    if per_item < s.verdict.at_least:
        names = ", ".join(s.names) or "nobody"
        how = f"design.per_item is {per_item}" if per_item < of else f"{of} grade blind ({names})"
        raise StudyError(
            f"annotate.verdict.at_least: {s.verdict.at_least} raters per item, but {how}: no rationale could get a "
            "verdict. Name more raters, or lower at_least."
        )
    for who in s.assisted:
        if who not in (known := [p.name for p in s.people]):
            raise StudyError(f"annotate.judge.assisted: {not_one_of('rater', who, known)}")


def _rounds(s: Settings, rubric: Rubric) -> None:
    r = s.rounds
    everybody = [x.name for x in (s.simulated if s.raters == "simulated" else s.people)]
    if r.adjudicator and s.raters != "none" and r.adjudicator not in everybody:
        raise StudyError(f"annotate.rounds.adjudicator: {not_one_of('rater', r.adjudicator, everybody)}")
    if not r.gate:
        return
    dimension(rubric, r.gate, "annotate.rounds.gate")
    if not r.calibration:
        raise StudyError(
            f"annotate.rounds.gate: {r.gate!r} has no calibration round to be measured on; set rounds.calibration "
            "to the number of items that everybody grades first, or leave out the gate."
        )
    if s.raters != "none" and len(s.names) < 2:
        raise StudyError(
            f"annotate.rounds.gate: agreement needs two raters; found {len(s.names)}. Name more, or leave out "
            "the gate."
        )


def _page(rubric: Rubric) -> None:
    """What Label Studio's labeling interface would misread."""
    for where, text in _texts(rubric):
        if "$" in text:
            raise StudyError(
                f"annotate.rubric: {where}: Label Studio reads '$' as the start of a variable and would drop "
                f"the word after it (found {_short(text)!r}). Write the sign in words."
            )
    conditions = [(d.name, d.when) for d in rubric.dimensions]
    conditions += [("note_when", rubric.note_when), ("edit_when", rubric.edit_when)]
    for where, when in conditions:
        if when is not None and (odd := next((c for c in when.any_of if "," in c), None)):
            raise StudyError(
                f"annotate.rubric: {where}: waits for {odd!r}, and Label Studio reads its comma as 'or'. Take the "
                "comma out of the category; the anchor may keep it."
            )


def _texts(rubric: Rubric) -> Iterator[tuple[str, str]]:
    yield "guideline", rubric.guideline
    for d in rubric.dimensions:
        yield f"{d.name}.title", d.title
        yield f"{d.name}.question", d.question
        yield from ((f"{d.name}.anchors", a) for a in d.anchors)
        yield from ((f"{d.name}.categories", c) for c in d.categories)


def _short(text: str) -> str:
    at = text.index("$")
    return " ".join(text[max(0, at - 20) : at + 20].split())
