"""Which cases are trained on, with which rationales: the same cases for every target of a study."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from ..annotate.records import Verdict
from ..cohort.records import Case, Split
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError
from ..study.files import rows
from ..study.reads import exists
from ..study.records import Record, from_frame, read_jsonl, read_table
from ..study.seeds import derive
from ..synth.records import Grounding, Rationale
from .settings import Settings

TEACHER = "teacher"
"""The study's own corpus; another name is one of `[synth.corpora]`, or a control made from this one."""

OWN = "own"
"""The style of rationales that a base writes itself, asked as it will be asked when it is read."""

R = TypeVar("R", bound=Record)

Corpus = dict[tuple[str, str], Rationale]
"""Rationales by (case, style)."""


def cases(home: Path) -> list[Case]:
    """All cases of the study."""
    return from_frame(read_table(layout.CASES.at(home), Case), Case)


def corpus_path(home: Path, name: str) -> Path:
    """Where a corpus stands."""
    folder = told(home, name)
    return folder / layout.RATIONALES.name if folder else home / "synth" / "controls" / f"{name}.jsonl"


def told(home: Path, name: str) -> Path | None:
    """Folder of a corpus that a teacher wrote, with its own groundings; None where it is a control."""
    if name == TEACHER:
        return home / "synth"
    folder = home / "synth" / layout.corpus(name)
    return folder if exists(folder / layout.RATIONALES.name) else None


def source(home: Path, name: str) -> str:
    """The teacher's corpus that belongs to a corpus: itself, or what a control was made from."""
    return name if told(home, name) else TEACHER


def read(home: Path, name: str, settings: Settings) -> Corpus:
    """The rationales of a corpus; of a teacher's, those that may be taught; one per case and style.

    Raises:
        DataError: the corpus is not there.
    """
    path = corpus_path(home, name)
    if not path.exists():
        raise DataError(f"{path}: not found. Run the synth stage, or take corpus {name!r} out of the grid.")
    rationales = list(read_jsonl(path, Rationale))
    if folder := told(home, name):
        groundings = rows(folder / layout.GROUNDINGS.name, Grounding)
        verdicts = rows(layout.VERDICTS.at(home), Verdict)
        rationales = usable(_right(rationales, home), groundings, verdicts, settings)
    out: Corpus = {}
    for r in sorted(rationales, key=lambda r: (r.sample, r.id)):
        out.setdefault((r.case, r.style), r)
    return out


def _right(rationales: Sequence[Rationale], home: Path) -> list[Rationale]:
    """Without those that a base wrote itself and that came to another answer than the truth (STaR)."""
    if not any(r.style == OWN for r in rationales):
        return list(rationales)
    truth = {c.id: c.label for c in cases(home)}
    return [r for r in rationales if r.style != OWN or r.verdict == truth.get(r.case)]


def all_of(home: Path, name: str) -> list[Rationale]:
    """Every rationale of a corpus, usable or not."""
    return list(read_jsonl(corpus_path(home, name), Rationale))


def usable(
    rationales: Sequence[Rationale],
    groundings: Iterable[Grounding],
    verdicts: Iterable[Verdict],
    settings: Settings,
) -> list[Rationale]:
    """Those that may be taught, as they are taught, by `[train] rationales`, `faulty`, `min_support` and `min_facts`.

    One that was accepted with a correction is taught as corrected: what was checked is not what it says now, and
    whoever corrected it answers for it. What was not checked is not usable.
    """
    if settings.rationales == "all":
        return list(rationales)
    checked = {g.rationale: g for g in groundings}
    judged = {v.rationale: v for v in verdicts}
    refused = (
        {"rejected"}
        if settings.rationales == "usable"
        else {None, "rejected", "needs_more_ratings", "needs_adjudication"}
    )
    out = []
    for r in rationales:
        verdict = judged.get(r.id)
        accepted = verdict is not None and verdict.state == "accepted"
        if (verdict.state if verdict else None) in refused:
            continue
        if verdict and accepted and verdict.claims:
            out.append(corrected(r, verdict))
        elif r.id in checked and (taught := grounded(r, checked[r.id], settings, accepted)) is not None:
            out.append(taught)
    return out


def grounded(r: Rationale, grounding: Grounding, settings: Settings, accepted: bool) -> Rationale | None:
    """The rationale as it may be taught after the grounding check; None where it may not.

    Args:
        r: as the teacher wrote it.
        grounding: its check.
        settings: `faulty`, `min_support`, `min_facts`.
        accepted: whether a verdict of clinicians accepts it.
    """
    if not accepted and any(c.left_to_clinicians for c in grounding.checks):
        return None
    faulty = {c.claim for c in grounding.checks if c.verdict == "fault"}
    support = grounding.support
    if grounding.facts < settings.min_facts or (support is not None and support < settings.min_support):
        return None
    if not faulty or settings.faulty == "keep":
        return r
    if settings.faulty == "reject" or len(r.claims) - 1 in faulty:
        return None
    return r.model_copy(update={"claims": tuple(c for i, c in enumerate(r.claims) if i not in faulty)})


def corrected(r: Rationale, verdict: Verdict) -> Rationale:
    """The rationale as a rater corrected it, under its own id; `teacher` says who did."""
    return r.model_copy(
        update={"claims": verdict.claims, "teacher": f"{r.teacher}, edited by {verdict.edited_by}"}
    )


def training_order(
    all_cases: Iterable[Case], corpora: Iterable[Corpus], styles: Iterable[str], seed: int
) -> list[Case]:
    """Labelled cases of the training split with a rationale in every style and corpus, in one seeded order.

    The order hangs on each case's id alone, so a smaller training set is the beginning of a larger one, and a case
    more or less moves no other.
    """
    corpora, styles = list(corpora), list(styles)
    fit = [
        c
        for c in all_cases
        if c.split == "train"
        and c.label is not None
        and all((c.id, style) in corpus for corpus in corpora for style in styles)
    ]
    return sorted(fit, key=lambda c: derive(seed, "train", "order", c.id))


def first(order: Sequence[Case], n: int) -> list[Case]:
    """The first `n` training cases.

    Raises:
        DataError: there are fewer.
    """
    if len(order) < n:
        raise DataError(
            f"grid.n: {n} training cases are asked for, {len(order)} are labelled and have a usable rationale in "
            "every style and corpus of synth/. Ask for fewer, enlarge the cohort, or lower train.min_support."
        )
    return list(order[:n])


def corpora(home: Path) -> list[str]:
    """What the synth stage wrote: the teacher's own corpus, then every other; empty where it wrote none."""
    if not corpus_path(home, TEACHER).exists():
        return []
    synth = home / "synth"
    others = [p.stem for p in (synth / "controls").glob("*.jsonl")]
    others += [p.parent.name for p in synth.glob(f"{layout.corpus('*')}/{layout.RATIONALES.name}")]
    return [TEACHER, *sorted(others)]


def files(home: Path) -> list[Path]:
    """Everything that decides which cases are trained on and read, and with which rationales."""
    names = corpora(home)
    folders = [folder for n in names if (folder := told(home, n))]
    checks = [*(folder / layout.GROUNDINGS.name for folder in folders), layout.VERDICTS.at(home)]
    return [
        layout.CASES.at(home),
        *(corpus_path(home, n) for n in names),
        *(p for p in checks if names and p.exists()),
    ]


def order_for(study: Study, home: Path, settings: Settings) -> list[Case]:
    """`training_order` over every style and corpus that there is, used by the grid or not.

    So a target or a corpus that is added to the grid finds the same training cases as the fits that are done.
    """
    names = corpora(home)
    styles = sorted({style for _, style in read(home, TEACHER, Settings(rationales="all"))}) if names else []
    return training_order(cases(home), [read(home, n, settings) for n in names], styles, study.seed)


def held_out(all_cases: Iterable[Case]) -> list[Case]:
    """The cases that every cell and baseline is judged on, in the order of their ids."""
    return of_split(all_cases, "held_out")


def of_split(all_cases: Iterable[Case], split: Split) -> list[Case]:
    """The cases of one split, in the order of their ids."""
    return sorted((c for c in all_cases if c.split == split), key=lambda c: c.id)


def teacher_rationales(home: Path, style: str | None, name: str = TEACHER) -> dict[str, Rationale]:
    """The teacher's rationales of one style by case, usable or not: what is read is not what is taught.

    Of the corpus `name`, or of that which a control was made from.
    """
    if style is None:
        return {}
    rationales = read(home, source(home, name), Settings(rationales="all"))
    return {case: r for (case, s), r in rationales.items() if s == style}


def demonstrations(
    home: Path, style: str | None, settings: Settings, name: str = TEACHER
) -> dict[str, Rationale]:
    """Rationales that may be shown as demonstrations, by case: usable ones of one style.

    A target without rationales is shown those of the first style that the study made.
    """
    if not corpora(home):
        return {}
    rationales = read(home, source(home, name), settings)
    styles = [s for _, s in rationales]
    wanted = style or next((s for s in ("free", *styles) if s in styles), None)
    return {case: r for (case, s), r in rationales.items() if s == wanted}


def training_words(home: Path, all_cases: Iterable[Case]) -> list[str]:
    """The teacher's texts on the training split: how its words are spelled, for a tokenizer; nothing else."""
    path = corpus_path(home, TEACHER)
    training = {c.id for c in all_cases if c.split == "train"}
    return [r.text for r in rows(path, Rationale) if r.case in training]
