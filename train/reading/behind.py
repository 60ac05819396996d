"""Read-outs of a model in its own format: what differs is what stands before the label."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...cohort.records import Case
from ...study.seeds import derive
from ...synth.answers.prose import SENTENCE
from ...synth.records import Rationale
from ..records import Prediction
from ..teaching import texts, wording
from .reader import Reader

if TYPE_CHECKING:
    from .writing import WrittenText


def direct(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label at once: behind an empty rationale, or in its place at the front."""
    rows = [reader.before_label(c, None) for c in cases]
    labels = _labels(reader, rows, cases)
    risks = reader.risks(rows)
    return [
        reader.prediction("direct", c, p, decoded=d) for c, p, d in zip(cases, risks, labels, strict=True)
    ]


def own_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the rationale that the model writes, greedily unless a decoding says otherwise.

    Where it does not come to its answer within `max_new_tokens`, or only repeats itself, the answer's frame is set
    behind what it wrote and the risk is read all the same; `unfinished` says so.
    """
    before, written = own_texts(reader, cases)
    rows = [[*b, *w.ids] if w.finished else None for b, w in zip(before, written, strict=True)]
    labels = _labels(reader, rows, cases)
    return [
        reader.prediction("own_rationale", c, w.risk, written=w.text, unfinished=not w.finished, decoded=d)
        for c, w, d in zip(cases, written, labels, strict=True)
    ]


def own_texts(reader: Reader, cases: Sequence[Case]) -> "tuple[list[list[int]], list[WrittenText]]":
    """What stands before a model's reasons, and what it writes."""
    before = [reader.before_reasons(c) for c in cases]
    return before, reader.write(before, cases)


def generated_label(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label that the model writes in its own format, as a risk of 0 or 1.

    A text without a label is a failure: it stays among the cases with a risk of 0.5, and `decoded` is empty. This is
    how papers read a language model that gives no probabilities; it loses the ranking.
    """
    if reader.target.format == "reasons_first":
        before, written = own_texts(reader, cases)
        rows = [[*b, *w.ids] if w.finished else None for b, w in zip(before, written, strict=True)]
        texts: list[str | None] = [w.text for w in written]
    else:
        rows, texts = [reader.before_label(c, None) for c in cases], [None] * len(cases)
    labels = reader.decoded(rows, cases)
    return [
        reader.prediction(
            "generated_label",
            c,
            0.5 if d is None else float(d == len(reader.encoder.labels.words) - 1),
            written=w,
            unfinished=d is None,
            decoded=d,
        )
        for c, d, w in zip(cases, labels, texts, strict=True)
    ]


def sampled(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The mean risk behind k rationales that the model writes by chance (temperature 1 unless a decoding says)."""
    return [
        reader.prediction(
            "sampled_k",
            c,
            float(np.mean([w.risk for w in some])),
            unfinished=any(not w.finished for w in some),
        )
        for c, some in zip(cases, _samples(reader, cases), strict=True)
    ]


def vote(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The share of k sampled rationales behind which the outcome is the likelier class (self-consistency).

    Wang et al. 2023 (arXiv 2203.11171).
    """
    return [
        reader.prediction(
            "vote_k",
            c,
            float(np.mean([w.risk > 0.5 for w in some])),
            unfinished=any(not w.finished for w in some),
        )
        for c, some in zip(cases, _samples(reader, cases), strict=True)
    ]


def order_swap(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The mean risk behind two rationales of the model, one that begins with either side (arXiv 2606.09030)."""
    texts = []
    for side in wording.SIDES:
        before = [_before_side(reader, c, side) for c in cases]
        texts.append(reader.write(before, cases))
    return [
        reader.prediction(
            "order_swap",
            c,
            float(np.mean([w.risk for w in both])),
            written="\n\n".join(f"{s}{w.text}" for s, w in zip(wording.SIDES, both, strict=True)),
            unfinished=any(not w.finished for w in both),
        )
        for c, both in zip(cases, zip(*texts, strict=True), strict=True)
    ]


def early_answer(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the first k sentences of the rationale that the model writes; 0: behind none.

    Where the risk hardly moves as sentences are added, the rationale is not what decides (Lanham et al. 2023, arXiv
    2307.13702).
    """
    _, written = own_texts(reader, cases)
    cut = [first_sentences(w.text, reader.ask.k) for w in written]
    risks = reader.risks([reader.before_text(c, text) for c, text in zip(cases, cut, strict=True)])
    return [
        reader.prediction("early_answer_k", c, p, written=text)
        for c, p, text in zip(cases, risks, cut, strict=True)
    ]


def teacher_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the teacher's rationale, which was written by someone who knew it."""
    return _given(reader, "teacher_rationale", cases, {c.id: _text(reader, c.id) for c in cases})


def other_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the teacher's rationale about another person, drawn for each case.

    Where the risk follows it, the model believes what it reads and not the history.
    """
    return _given(reader, "other_rationale", cases, {c.id: _text(reader, _donor(reader, c)) for c in cases})


def shuffled_rationale(reader: Reader, cases: Sequence[Case]) -> list[Prediction]:
    """The label behind the words of the teacher's rationale in a random order."""
    texts = {c.id: _text(reader, c.id) for c in cases}
    mixed = {i: None if text is None else wording.shuffled(text, i) for i, text in texts.items()}
    return _given(reader, "shuffled_rationale", cases, mixed)


def first_sentences(text: str, k: int) -> str:
    """The first k sentences of a text, each with the citation behind it.

    >>> first_sentences("There was a stroke. [E001] Age 66.4 is high. So it is likely.", 2)
    'There was a stroke. [E001] Age 66.4 is high.'
    """
    edges = [m.start() for m in SENTENCE.finditer(text)]
    return text if k > len(edges) else text[: edges[k - 1]] if k else ""


def sentences(text: str) -> int:
    """How many sentences a text has.

    >>> sentences("There was a stroke. [E001] Age 66.4 is high. So it is likely.")
    3
    """
    return len(SENTENCE.findall(text)) + 1 if text.strip() else 0


def _given(
    reader: Reader, name: str, cases: Sequence[Case], given: "dict[str, str | None]"
) -> list[Prediction]:
    """The label behind given reasons; a case without any is missing with the reason."""
    some = [(c, text) for c in cases if (text := given[c.id]) is not None]
    risks = reader.risks([reader.before_text(c, text) for c, text in some])
    risk = {c.id: p for (c, _), p in zip(some, risks, strict=True)}
    return [reader.prediction(name, c, risk.get(c.id)) for c in cases]


def _text(reader: Reader, case: str | None) -> str | None:
    """The teacher's rationale of a case as it stands in the order of the target."""
    rationale: Rationale | None = reader.rationales.get(case or "")
    return None if rationale is None else rationale.text


def _donor(reader: Reader, case: Case) -> str | None:
    """A case of another person that the teacher explained; the same whatever is asked beside it."""
    subject = {c.id: c.subject for c in reader.people}
    ids = sorted(i for i in reader.rationales if i != case.id and subject.get(i, i) != case.subject)
    return ids[derive(0, "train", "donor", case.id) % len(ids)] if ids else None


def _samples(reader: Reader, cases: Sequence[Case]) -> "list[Sequence[WrittenText]]":
    """k sampled rationales of each case."""
    from .writing import TokenSampling

    k = reader.ask.k or 1
    rows = [reader.before_reasons(c) for c in cases]
    written = reader.write(rows, cases, k, TokenSampling(1.0))
    return [written[i * k : (i + 1) * k] for i in range(len(cases))]


def _before_side(reader: Reader, case: Case, side: str) -> list[int]:
    """Token ids up to the colon behind the name of one side, which many tokenizers join with what follows."""
    shown = texts.prompt(reader.histories(case).case, reader.settings.question)
    segments = (shown, texts.shown(texts.REASONS), texts.shown(f" {side}"), texts.taught(texts.ANSWER))
    return reader.encoder.before(segments, 3)


def _labels(reader: Reader, rows: "Sequence[list[int] | None]", cases: Sequence[Case]) -> list[int | None]:
    """The decoded labels, where a decoding is asked for."""
    return [None] * len(cases) if reader.ask.decoding is None else reader.decoded(rows, cases)
