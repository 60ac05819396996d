"""Read-outs by prompting alone, with instructions or demonstrations: for an untrained base and for any fit."""

from collections.abc import Sequence

from ...cohort.line import lines
from ...cohort.records import Case
from ...study.errors import DataError
from ...study.seeds import derive
from ..records import Prediction, Segment
from ..teaching import texts
from .reader import Reader

INSTRUCTION = "Answer with yes or no."
STEPS = "Think step by step about the history, then answer with yes or no."
_YEARS = 20.0
"""Two ages so far apart weigh as much as two histories that have nothing in common."""


def zero_shot(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the question and an instruction."""
    rows = [_direct(reader, c, f"{reader.settings.question} {INSTRUCTION}") for c in cases]
    return _read(reader, "zero_shot", cases, rows)


def zero_shot_cot(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the reasons that the model writes when it is told to think first (arXiv 2205.11916)."""
    rows = [_reasons(reader, c, f"{reader.settings.question} {STEPS}") for c in cases]
    return _write(reader, "zero_shot_cot", cases, rows)


def few_shot(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind k demonstrations from the training split.

    Options: `rationales`: each demonstration has its rationale, and the model writes its own first; who demonstrates
    is the same without. `balanced`: as many with the outcome as without; `nearest`: those most like the case, the
    most alike last; else at random. Random ones are drawn once for all cases, by the seed of the decoding.
    """
    pool = demonstrations(reader)
    with_reasons = "rationales" in reader.ask.options
    rows = []
    for case in cases:
        before = "".join(_shown(reader, d, with_reasons) for d in chosen(reader, case, pool))
        begin = _reasons if with_reasons else _direct
        rows.append(begin(reader, case, reader.settings.question, before))
    return (_write if with_reasons else _read)(reader, "few_shot_k", cases, rows)


def demonstrations(reader: Reader) -> list[Case]:
    """Labelled training cases with a rationale that may be shown, in the order of their ids."""
    pool = [c for c in reader.people if c.split == "train" and c.label is not None and c.id in reader.usable]
    return sorted(pool, key=lambda c: c.id)


def chosen(reader: Reader, case: Case, pool: Sequence[Case]) -> list[Case]:
    """The demonstrations of a case, never of the person who is asked about.

    Raises:
        DataError: there are too few training cases with a rationale.
    """
    k, options = reader.ask.k, reader.ask.options
    others = [c for c in pool if c.subject != case.subject]
    if "nearest" in options:
        picked = sorted(others, key=lambda c: (_distance(c, case), c.id))[:k][::-1]
    else:
        seed = reader.ask.decoding.seed if reader.ask.decoding else 0
        order = sorted(others, key=lambda c: derive(seed, "train", "demonstrations", c.id))
        picked = order[:k]
        if "balanced" in options:
            positive, negative = ([c for c in order if c.label == y] for y in (1, 0))
            picked = [*positive[: k // 2], *negative[: k - k // 2]]
            picked = sorted(picked, key=lambda c: derive(seed, "train", "demonstrations", "order", c.id))
    if len(picked) < k:
        raise DataError(
            f"train.readouts: {reader.ask.name} needs {k} demonstrations, and the training split has {len(picked)} "
            "that fit (labelled, with a usable rationale). Ask for fewer."
        )
    return picked


def _distance(a: Case, b: Case) -> float:
    """One less the share of findings that two histories have in common, and their distance in age."""
    one, two = ({line.what for line in lines(c.timeline)} for c in (a, b))
    common = len(one & two) / len(one | two) if one | two else 1.0
    return 1 - common + abs(a.age - b.age) / _YEARS


def _shown(reader: Reader, case: Case, with_reasons: bool) -> str:
    """A demonstration as text."""
    prompt = texts.prompt(reader.histories(case).case, reader.settings.question).text
    reasons = f"{texts.REASONS} {reader.usable[case.id].text}\n" if with_reasons else ""
    return f"{prompt}{reasons}{texts.ANSWER.strip()}{reader.encoder.labels.words[case.label or 0]}\n\n"


def _prompt(reader: Reader, case: Case, question: str, before: str) -> Segment:
    shown = texts.prompt(reader.histories(case).case, question)
    return shown.model_copy(update={"text": before + shown.text})


def _direct(reader: Reader, case: Case, question: str, before: str = "") -> list[int]:
    segments = (
        _prompt(reader, case, question, before),
        texts.shown(texts.ANSWER.lstrip()),
        texts.label(case),
    )
    return reader.encoder.before(segments, 2)


def _reasons(reader: Reader, case: Case, question: str, before: str = "") -> list[int]:
    segments = (
        _prompt(reader, case, question, before),
        texts.shown(texts.REASONS),
        texts.taught(texts.ANSWER),
    )
    return reader.encoder.before(segments, 2)


def _read(reader: Reader, name: str, cases: Sequence[Case], rows: Sequence[list[int]]) -> list[Prediction]:
    risks = reader.risks(rows)
    labels = [None] * len(cases) if reader.ask.decoding is None else reader.decoded(rows, cases)
    return [reader.prediction(name, c, p, decoded=d) for c, p, d in zip(cases, risks, labels, strict=True)]


def _write(reader: Reader, name: str, cases: Sequence[Case], rows: Sequence[list[int]]) -> list[Prediction]:
    written = reader.write(rows, cases)
    labels: list[int | None] = [None] * len(cases)
    if reader.ask.decoding is not None:
        ends = [[*b, *w.ids] if w.finished else None for b, w in zip(rows, written, strict=True)]
        labels = reader.decoded(ends, cases)
    return [
        reader.prediction(name, c, w.risk, written=w.text, unfinished=not w.finished, decoded=d)
        for c, w, d in zip(cases, written, labels, strict=True)
    ]
