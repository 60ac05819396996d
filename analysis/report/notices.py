"""What a reader must not miss, with counts and the rows behind them; and what the study cannot say."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...study.records import Record
from ..measures.arrays import EDGE
from ..measures.inference import FEWEST_SEEDS
from ..performance.contrasts import OWN_FORMAT, family
from ..performance.formats import BASELINE, label
from ..performance.scores import PredictionKey
from ..records import Comparison, Taught, Written
from ..words import number, words
from .material import Material, ReportNumbers

WORTH_SAYING = 0.05
"""Share of texts, risks or people from which something is said on the first page."""
FEW_EVENTS = 100
"""Held-out people with the outcome that are advised at least (Collins 2016)."""


class Notice(NamedTuple):
    """One line of the first page."""

    text: str
    rows: tuple[Record, ...] = ()
    """The rows that it rests on; some of them where there are many."""


def notices(m: Material) -> list[Notice]:
    """Everything of the kind that the study has."""
    return [*_texts(m), *_taught(m), *about_numbers(m), *_unfinished(m)]


def about_numbers(m: ReportNumbers) -> list[Notice]:
    """What must not be missed of the numbers, wherever the predictions came from."""
    return [*_people(m), *_calibration(m), *_ties(m)]


def unsound(comparisons: Sequence[Comparison], written: Sequence[Written]) -> str:
    """What is wrong with the texts that the first sentence rests on; empty where nothing is."""
    own = {(c.a, c.a_readout) for c in comparisons if c.family == family(OWN_FORMAT, "roc_auc")}
    rows = [w for w in written if (w.target, w.readout) in own]
    texts = sum(w.texts for w in rows)
    bad = [
        f"{n:,} {what}"
        for what, n in (
            ("did not come to an answer", sum(w.unfinished for w in rows)),
            ("mostly repeat themselves", sum(w.loops for w in rows)),
        )
        if texts and n > WORTH_SAYING * texts
    ]
    return f"Of the {texts:,} rationales that this rests on, {' and '.join(bad)}." if bad else ""


def _texts(m: Material) -> Iterator[Notice]:
    """Own rationales that were unfinished, uncited, or loops."""
    for name, what in (
        ("unfinished", "did not come to an answer by themselves; the risk was read behind them all the same"),
        ("uncited", "cite nothing"),
        ("loops", "mostly repeat themselves"),
    ):
        rows = [w for w in m.tables.written if getattr(w, name) > 0]
        if sum(getattr(w, name) for w in rows) <= WORTH_SAYING * sum(w.texts for w in m.tables.written):
            continue
        parts = []
        for target in dict.fromkeys(w.target for w in rows):
            of = [w for w in m.tables.written if w.target == target]
            parts.append(
                f"{words(target)} {sum(getattr(w, name) for w in of):,} of {sum(w.texts for w in of):,}"
            )
        yield Notice(f"Rationales of the models that {what}: {'; '.join(parts)}.", tuple(rows[:3]))
    cited, there = (sum(getattr(w, f) for w in m.tables.written) for f in ("citations", "existing"))
    if cited and cited - there > WORTH_SAYING * cited:
        yield Notice(
            f"Of {cited:,} citations by the models, {cited - there:,} are of evidence that they were not shown.",
            tuple(m.tables.written[:3]),
        )
    false, true = (sum(getattr(w, f) for w in m.tables.written) for f in ("faulty", "supported"))
    if false > WORTH_SAYING * (false + true):
        yield Notice(
            f"Of {false + true:,} sentences by the models that could be checked, {false:,} are false or not in the "
            "history.",
            tuple(w for w in m.tables.written if w.faulty)[:3],
        )


def _taught(m: Material) -> Iterator[Notice]:
    """Taught rationales that failed the check or a verdict, and how few people with the outcome there are to learn
    from.
    """
    for name, what in (
        ("faulty", "have a claim that the grounding check found false"),
        ("undecided", "have a claim that the grounding check could not decide"),
        ("rejected", "were rejected by the raters"),
    ):
        rows = [t for t in m.tables.taught if getattr(t, name)]
        if rows:
            parts = [f"{words(t.target)} {getattr(t, name):,} of {t.rationales:,}" for t in _largest(rows)]
            yield Notice(
                f"Rationales that were taught and {what}: {'; '.join(parts)}.", tuple(_largest(rows))
            )
    sizes = {t.n: t for t in m.tables.taught}
    if sizes:
        parts = [f"{t.n_positive:,} of {n:,}" for n, t in sorted(sizes.items())]
        yield Notice(f"Training people with the outcome: {'; '.join(parts)}.", tuple(sizes.values()))


def _largest(rows: Sequence[Taught]) -> list[Taught]:
    """The row of the largest training size of each target."""
    return list({row.target: row for row in sorted(rows, key=lambda t: t.n)}.values())


def _people(m: ReportNumbers) -> Iterator[Notice]:
    """Too few held-out people with the outcome."""
    if m.tables.evaluation is None:
        return
    events = int(m.tables.evaluation.held.y.sum())
    if events < FEW_EVENTS:
        yield Notice(
            f"Only {events} held-out people have the outcome; at least {FEW_EVENTS} are advised, 200 for calibration "
            "curves (Collins 2016; Van Calster 2016)."
        )


def _calibration(m: ReportNumbers) -> Iterator[Notice]:
    """Slopes that mean nothing: none at all, or an interval that includes a flat line."""
    rows = [a for a in m.tables.averages if a.metric == "calibration_slope" and a.population == m.population]
    absent = [a for a in rows if a.value is None and a.cells == 0 and a.why_missing]
    flat = [a for a in rows if a.value is not None and (a.low is None or a.low <= 0)]
    if absent:
        parts = [f"{words(a.target)} {label(a.readout)} ({a.why_missing})" for a in absent]
        yield Notice(f"No calibration slope: {'; '.join(parts)}.", tuple(absent[:3]))
    if flat:
        parts = [f"{words(a.target)} {label(a.readout)} {number(a.value, 2)}" for a in flat]
        text = "Calibration slopes whose intervals include zero, so that risks need not rise with the outcome"
        yield Notice(f"{text}: {'; '.join(parts)}.", tuple(flat[:3]))


def _ties(m: ReportNumbers) -> Iterator[Notice]:
    """Models with few distinct risks, and risks at 0 or 1."""
    shown = {key: name for name, key in m.tables.models.items()}
    rows = {
        r: shown[PredictionKey(r.cell, r.readout)]
        for r in m.tables.risks
        if PredictionKey(r.cell, r.readout) in shown
    }
    tied = {r: name for r, name in rows.items() if r.largest_tie > max(WORTH_SAYING * r.n, 1)}
    if tied:
        parts = [
            f"{words(n)} {r.largest_tie:,} of {r.n:,} people ({r.distinct:,} risks)" for r, n in tied.items()
        ]
        yield Notice(f"Ties, people who share the commonest risk: {'; '.join(parts)}.", tuple(tied))
    edge = {r: name for r, name in rows.items() if r.n_clipped > WORTH_SAYING * r.n}
    if edge:
        parts = [f"{words(n)} {r.n_clipped:,} of {r.n:,}" for r, n in edge.items()]
        yield Notice(
            f"Risks within {EDGE:.6f} of 0 or 1, moved there for log loss, calibration slope and intercept: "
            f"{'; '.join(parts)}.",
            tuple(edge),
        )
    sure = {r: name for r, name in rows.items() if r.below + r.above > 0.5}
    if sure:
        parts = [f"{words(n)} {100 * (r.below + r.above):.0f} %" for r, n in sure.items()]
        text = "Risks below 0.02 or above 0.98 for more than half of the people"
        yield Notice(f"{text}: {'; '.join(parts)}.", tuple(sure))


def _unfinished(m: Material) -> Iterator[Notice]:
    """Fits that are missing from the averages."""
    gone = [s for s in m.tables.cells if s.state != "done"]
    if gone:
        failed = sum(s.state == "failed" for s in gone)
        text = f"{len(gone):,} of {len(m.tables.cells):,} fits are not included in any number"
        yield Notice(f"{text}: {failed:,} failed, the others are not done.")


def limitations(m: Material) -> list[str]:
    """What the study cannot say, each for a reason that stands in its artefacts."""
    return [text for text in _limitations(m) if text]


def _limitations(m: Material) -> Iterator[str]:
    if m.simulated:
        yield "The people are simulated: risks follow published rates and known rules; real records are messier."
        effect = (m.cohort.source.model_extra or {}).get("effect", 1)
        if effect != 1:
            yield f"Risk factors count {effect:g} times as much as published (log hazard ratios)."
    elif m.synthetic:
        yield "The records are synthetic: analyses can find only what was built into them."
    if any(a.simulated for a in m.tables.agreement):
        yield "The raters are programs: their agreement shows that the measurement works, not how clinicians agree."
    if any(r.label_shown for r in m.rationales):
        yield f"The outcome was {m.outcome_was}: rationales written with it in view are explanations after the fact."
    if any(c.unit == "target" and c.about == "fits" for c in m.tables.comparisons):
        yield (
            f"Comparisons with fewer than {FEWEST_SEEDS} training runs of a recipe are about the fits that were "
            "made; their intervals hold for other people, not for other training runs."
        )
    if m.tables.cells:
        yield "All training runs learned from the same people: no interval includes another training sample."
    held = m.tables.evaluation.held if m.tables.evaluation else None
    if held is not None and len(held.populations) > 1:
        yield "People were drawn by outcome; numbers about the source population rest on the sampling weights."
    if m.cohort.sampling is not None and m.cohort.sampling.match is not None:
        yield "Controls were matched: one constant moves all risks to the source, which is an approximation then."
    if m.cohort.split.by == "person":
        yield "One cohort, split by person: internal validation, no other hospital and no later time."
    keys = m.tables.evaluation.scores.risk if m.tables.evaluation else {}
    if any(k.readout == BASELINE for k in keys):
        yield "Baselines see counts, recency and latest values of the evidence shown to the models, nothing else."
