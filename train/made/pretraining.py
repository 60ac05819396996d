"""What a made base model reads before any fit: the form of the task, and nothing of its answer.

A large language model knows English, can quote what it has just read, and answers in the form it is asked for. A
made one gets the same start from the training split: a timeline, then reasons that are random lines of it and random
sentences that the teacher wrote about other people, then an answer that is the toss of a coin. No label, no
rationale beside the case it belongs to, and no held-out case is in it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ...cohort.line import Line, lines
from ...cohort.records import Case
from ...synth.records import Claim, Rationale
from ..encoding.encoder import PROMPT, RATIONALE, EncodedRow, Encoder
from ..targets import TARGETS

_SENTENCE = re.compile(r"(?<=[.\]:])\s+(?=[A-Z])")


def rows(
    cases: Iterable[Case],
    encoder: Encoder,
    question: str,
    passes: int,
    rng: np.random.Generator,
    words: Iterable[str] = (),
    forms: Sequence[str] = ("label_only", "free_rationale", "label_then_rationale"),
) -> list[EncodedRow]:
    """Each case `passes` times, in one of the forms, with other reasons and another coin; every token counts.

    `words` is what the teacher wrote on the training split; its sentences are dealt out at random.
    """
    prose = [sentence for text in words for sentence in _SENTENCE.split(text)]
    out = []
    for _ in range(passes):
        for case in cases:
            form = TARGETS[forms[int(rng.integers(len(forms)))]]
            coin = case.model_copy(update={"label": int(rng.integers(2))})
            for example in form.build(coin, quoted(case, rng, prose), question):
                row = encoder.row(example)
                out.append(replace(row, groups=(PROMPT,) + (RATIONALE,) * (len(row.ids) - 1)))
    return out


def quoted(case: Case, rng: np.random.Generator, prose: Sequence[str] = (), most: int = 5) -> Rationale:
    """A rationale that says nothing: lines of the timeline with their ids, and sentences about other people.

    A line `[E007] age 66.4 (3.6 y before): Stroke` becomes the claim `Stroke at age 66.4. [E007]`.
    """
    known = lines(case.timeline) or [Line("E001", "Nothing is recorded")]
    some = sorted(rng.choice(len(known), size=min(most, len(known)), replace=False).tolist())
    claims = [
        Claim(text=prose[int(rng.integers(len(prose)))]) if prose and rng.random() < 0.6 else _claim(known[i])
        for i in some
    ]
    return Rationale(
        id=case.id,
        case=case.id,
        style="quoted",
        teacher="none",
        label_shown=False,
        key="none",
        claims=tuple(claims),
    )


def _claim(line: Line) -> Claim:
    when = "" if line.age is None else f" at age {line.age:.1f}"
    return Claim(text=f"{line.what}{when}.", cites=(line.id,))


def texts(cases: Sequence[Case], question: str) -> list[str]:
    """The prompts alone, for the tokenizer."""
    return [TARGETS["label_only"].build(c, None, question)[0].segments[0].text for c in cases]
