"""What a study asks, in words: outcome, horizon, who is eligible, what is shown, by which models and prompts."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...cohort.question import question as asked_of
from ...cohort.records import Case
from ...cohort.settings import Settings as CohortSettings
from ...synth import prompts
from ...synth.dial.told import NOTHING, Hint
from ...synth.records import Message
from ...synth.styles import LATE, STYLES
from ...train.settings import Base, Made
from ...train.settings import bases as bases_of
from ...train.settings import settings_of as train_settings
from ..words import words
from .material import Material

MOST_CODES = 12
"""Codes of one system that are written out; of more, the number is said."""


class StudyFact(NamedTuple):
    """One line of the study at a glance."""

    name: str
    text: str


def facts(m: Material) -> list[StudyFact]:
    """The study at a glance, in the order of a methods section."""
    return [StudyFact(name, text) for name, text in every_fact(m) if text]


def every_fact(m: Material) -> Iterator[tuple[str, str]]:
    """Name and text of each fact; the text is empty where the study has nothing of the kind."""
    yield "Question asked", question(m)
    yield "Outcome", outcome(m)
    yield "Codes", codes(m)
    yield "Prediction time", predicted_at(m.cohort)
    yield "Eligible", eligibility(m.cohort)
    yield "Follow-up", followup(m)
    yield "History shown", history(m.cohort)
    yield "Records", records(m)
    yield "Dates", dates(m)
    yield "Held out", held_out(m)
    yield "Models", "; ".join(models(m))
    yield "Teacher", "; ".join(teacher(m))


def question(m: Material) -> str:
    """What every model is asked, word for word."""
    return train_settings(m.study).question if m.study.grid else ""


def outcome(m: Material) -> str:
    """The outcome and its horizon; where labels come from a file, that they do."""
    predict, target = m.cohort.predict, asked_of(m.study)
    if predict.rule == "aces":
        return f"{target.outcome}, as the ACES task {predict.file} labels it"
    if predict.labels is not None:
        return f"{target.outcome}, as labelled in the records' own file (column {predict.labels}), not decided here"
    return (
        f"first record of {target.outcome} within {target.horizon} of the prediction time; "
        "death before onset counts as no onset"
    )


def codes(m: Material) -> str:
    """The code set by system, and what confirms a first code."""
    if m.cohort.predict.labelled:
        return ""
    parts = []
    for system, patterns in m.codes.onset.items():
        plain = [p.lstrip("=") for p in patterns]
        shown = ", ".join(plain) if len(plain) <= MOST_CODES else f"{len(plain)} codes"
        parts.append(f"{system}: {shown}")
    return f"set {m.cohort.phenotype.codes}. {'; '.join(parts)}. {_confirmation(m.cohort)}"


def _confirmation(s: CohortSettings) -> str:
    confirm = s.phenotype.confirm
    rules = [
        f"a second code {confirm.again_after_days} to {confirm.within_days} days later"
        if confirm.again_after_days
        else "",
        "a drug for it" if confirm.drug else "",
        "a hospital stay on the day" if confirm.inpatient else "",
    ]
    known = [r for r in rules if r]
    return f"Confirmed by {' or '.join(known)}." if known else "One code is enough."


def predicted_at(s: CohortSettings) -> str:
    """When the prediction is made."""
    p = s.predict
    when = {
        "fixed_age": f"the {p.age:g}th birthday" if p.age else "",
        "landmark": f"{p.date}",
        "enrolment": f"{p.after_days} days after observation began",
        "random_visit": "the first visit at or after an age drawn at random for each person",
        "per_row": "as given in a file",
        "aces": f"by the ACES task {p.file}",
    }[p.rule]
    return f"{when}; nothing at or after it is shown"


def eligibility(s: CohortSettings) -> str:
    """Who may be in the study."""
    p = s.predict
    if p.labelled:
        return "who is in the file of labels" if p.labels else f"whom the ACES task {p.file} finds"
    drug = {"exclude": ", nor a drug for it", "mask": "", "keep": ""}[s.leakage.drugs]
    parts = [
        f"aged {p.min_age:g} to under {p.max_age:g}",
        f"no record of the outcome{drug} before the prediction time",
        f"observed for at least {s.history_years:g} years before it" if s.history_years else "",
        "at least one dated event before it" if s.min_events else "",
    ]
    return "; ".join(part for part in parts if part)


def followup(m: Material) -> str:
    """What becomes of people who are lost."""
    lost = "left out" if m.cohort.censored == "exclude" else "represented by others like them (weights)"
    return f"to onset, death, loss or {m.cohort.horizon_years:g} years; people lost before the horizon are {lost}"


def history(s: CohortSettings) -> str:
    """What of a history the models see."""
    budget = (
        f"{s.timeline.budget} tokens, {s.timeline.policy} events first" if s.timeline.budget else "all of it"
    )
    gap = f"; it stops {s.gap_days} days before the prediction time" if s.gap_days else ""
    return f"{budget}{gap}"


def records(m: Material) -> str:
    """Where the records come from, and what may be done with them."""
    use = m.study.data_use
    licence = f" — {use.name} ({use.kind}{', ' + use.licence if use.licence else ''})" if use else ""
    return f"source {words(m.source)}{licence}"


def dates(m: Material) -> str:
    """Calendar dates where the study file has some; else that there are none."""
    p, f = m.cohort.predict, m.cohort.followup
    known = [
        f"prediction on {p.date}" if p.date else "",
        f"follow-up until {f.until_date}" if f.until_date else "",
    ]
    text = "; ".join(k for k in known if k)
    return (
        text or "none: times are kept as ages and years before the prediction, so accrual dates must be added"
    )


def held_out(m: Material) -> str:
    """How many people the numbers are about."""
    evaluation = m.tables.evaluation
    if evaluation is None:
        return ""
    held = evaluation.held
    people = f"{len(held.design.group):,} people"
    cases = f", {len(held.y):,} predictions" if len(held.y) != len(held.design.group) else ""
    drawn = "; drawn by outcome, weighted back" if held.by_outcome else ""
    return f"{people}{cases}, {held.y.sum():,} with the outcome; {held.censored:,} lost to follow-up{drawn}"


def models(m: Material) -> list[str]:
    """The base models by name and what they are."""
    if not m.study.grid:
        return []
    out = []
    for name in dict.fromkeys(c.base for c in m.study.grid.cells()):
        base = bases_of(m.study)[name]
        fits = [f for s in m.tables.cells if s.cell.base == name and (f := s.fit()) is not None]
        size = f", {fits[0].parameters / 1e6:,.3g} million parameters" if fits else ""
        out.append(f"{name} ({_weights(base)}{size})")
    return out


def _weights(base: Base) -> str:
    """What a base is and which version of it; of a path the last part only, for a report travels."""
    if isinstance(base, Made):
        return f"{base.architecture} made for this study, {base.layers} layers, width {base.hidden}"
    if base.hub is not None:
        return f"{base.hub}, revision {base.revision}"
    return base.package or (base.path or "").rstrip("/").rpartition("/")[2]


def teacher(m: Material) -> list[str]:
    """Who wrote the rationales, what it was shown, and by which version of which prompt."""
    if not m.rationales:
        return []
    names = ", ".join(sorted({r.teacher for r in m.rationales}))
    styles = dict.fromkeys(r.style for r in m.rationales)
    versions = ", ".join(f"{words(s)} {prompts.template_hash(s)}" for s in styles if s in STYLES)
    return [f"{names}, the outcome {m.outcome_was}", f"prompts by style and version: {versions}"]


class PromptText(NamedTuple):
    """A prompt in full, about an invented person."""

    style: str
    version: str
    turns: tuple[tuple[str, str], ...]


def prompt_texts(m: Material) -> list[PromptText]:
    """Every prompt that the teacher was given, about an invented person and with no history in it."""
    invented = Case(
        id="example",
        subject="example",
        split="train",
        age=71.0,
        sex=None,
        day=25_933,
        label=1,
        outcome="onset",
        followup_years=1.0,
        weight=1.0,
        timeline="(the history, a numbered line for each record)",
        n_shown=1,
        n_total=1,
    )
    position = m.study.synth.get("label", "shown")
    known = {"shown": Hint(label=1), "partial": Hint(label=1), "probability": Hint(risk=0.2)}
    out = []
    for name in dict.fromkeys(r.style for r in m.rationales):
        if name in STYLES:
            prompt = prompts.prompt(
                invented, STYLES[name], 0, known.get(position, NOTHING), asked_of(m.study)
            )
            out.append(PromptText(name, prompt.template, _turns(prompt.messages)))
    if position == "late":
        after, version = prompts.turns(LATE, prose=False, label=1)
        out.append(PromptText("then, after a draft", version, _turns(after)))
    return out


def _turns(messages: Iterable[Message]) -> tuple[tuple[str, str], ...]:
    return tuple((message.role, message.content) for message in messages)
