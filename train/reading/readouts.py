"""The ways to read risk from a model, by name.

A risk is the probability of the label's tokens, except in `generated_label` and `vote_k`, which are there to show
what a decoded word loses. A name may hold a number and words (`few_shot_4_balanced_rationales`), and behind `@` a
decoding of `[train.decodings]`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...cohort.records import Case
from ...study.errors import StudyError, not_one_of
from ...study.parts import Catalogue
from ..records import Prediction
from ..settings import Decoding
from ..targets import Target
from . import behind, interventions, probing, prompting
from .reader import NO_RATIONALE as NO_RATIONALE
from .reader import Ask
from .reader import Reader as Reader

NATIVE, EARLY = "native", "early_answer"
"""Names in a study file that stand for others: the target's own format; early answers after each sentence."""
_SENTENCES = 6
_NAMED = re.compile(r"(?P<base>[a-z_]+?)_(?P<k>\d+)(?P<options>(?:_[a-z]+)*)")


@dataclass(frozen=True)
class Readout:
    """A way to read risk, and which targets it fits."""

    read: Callable[[Reader, Sequence[Case]], list[Prediction]]
    label: str = ""
    """As it reads in a sentence, behind "read"; `{k}` stands for its number; the name where empty."""
    needs_reasons_first: bool = False
    """It needs a target that writes its reasons before its label."""
    needs_two_sides: bool = False
    """It needs one that argues both sides."""
    native: Literal["reasons_first", "label_first"] | None = None
    """Which targets are taught in this very format; the headline compares every target in its own."""
    hindsight: bool = False
    """It is given what someone wrote who knew an outcome: a measure of leakage, no prediction."""
    writes: bool = False
    """The model writes before its label, so a decoding changes the risk."""
    options: tuple[str, ...] = ()
    """Words that its name may hold."""

    def fits(self, target: Target) -> bool:
        """Whether a model taught this target can be read so."""
        if self.needs_two_sides and target.style != "for_and_against":
            return False
        return target.reasons_first or not self.needs_reasons_first

    def is_native(self, target: Target) -> bool:
        """Whether this is the format that the target is taught in."""
        return self.native == target.format


_READOUTS: dict[str, Readout] = {
    "direct": Readout(behind.direct, "directly", native="label_first"),
    "own_rationale": Readout(
        behind.own_rationale, "after its own rationale", True, native="reasons_first", writes=True
    ),
    "sampled_k": Readout(behind.sampled, "as the mean over {k} sampled rationales", True, writes=True),
    "vote_k": Readout(behind.vote, "as the vote of {k} sampled rationales", True, writes=True),
    "order_swap": Readout(
        behind.order_swap, "as the mean over both orders of its arguments", True, True, writes=True
    ),
    "early_answer_k": Readout(
        behind.early_answer, "after {k} sentences of its own rationale", True, writes=True
    ),
    "generated_label": Readout(behind.generated_label, "as the label it writes", writes=True),
    "teacher_rationale": Readout(
        behind.teacher_rationale, "after the teacher's rationale", True, hindsight=True
    ),
    "other_rationale": Readout(
        behind.other_rationale, "after the teacher's rationale about another person", True, hindsight=True
    ),
    "shuffled_rationale": Readout(
        behind.shuffled_rationale, "after the shuffled words of the teacher's rationale", True, hindsight=True
    ),
    "zero_shot": Readout(prompting.zero_shot, "by instruction alone"),
    "zero_shot_cot": Readout(prompting.zero_shot_cot, "after reasons by instruction alone", writes=True),
    "few_shot_k": Readout(
        prompting.few_shot, "behind {k} demonstrations", options=("balanced", "nearest", "rationales")
    ),
    "without_cited": Readout(
        interventions.without_cited, "without the lines that it cited", True, writes=True
    ),
    "without_uncited": Readout(
        interventions.without_uncited, "without as many lines that it did not cite", True, writes=True
    ),
    "flipped_conclusion": Readout(
        interventions.flipped_conclusion,
        "after its own rationale with the conclusion turned round",
        True,
        writes=True,
    ),
    "misleading_line": Readout(
        interventions.misleading_line, "with a misleading line in the history", True, writes=True
    ),
    "embedding": Readout(probing.embedding, "from its states by logistic regression"),
}

READOUTS = Catalogue("wherefore.readouts", "read-out", Readout, _READOUTS)
"""By the name in `[train] readouts`, where a `k` stands for a number; other packages add to it by entry points."""


def asked(name: str, decodings: Mapping[str, Decoding] | None = None) -> tuple[Readout, Ask]:
    """A read-out by its name in full.

    Args:
        name: such as `sampled_8` or `own_rationale@warm`.
        decodings: by name; None: they are not looked up.
    Raises:
        StudyError: no such read-out, a number or word that it does not take, or no such decoding.

    >>> asked("few_shot_4_balanced_rationales")[1].k
    4
    """
    plain, _, how = name.partition("@")
    decoding = None
    if how and decodings is not None:
        if how not in decodings:
            raise StudyError(f"train.readouts: {name!r}: {not_one_of('decoding', how, decodings)}")
        decoding = decodings[how]
    m = _NAMED.fullmatch(plain)
    key = f"{m['base']}_k" if m else plain
    if key not in READOUTS or (m is None and plain.endswith("_k")):
        raise StudyError(f"train.readouts: {not_one_of('read-out', plain, READOUTS)} k stands for a number.")
    entry, words = READOUTS[key], tuple((m["options"] if m else "").split("_")[1:])
    for word in words:
        if word not in entry.options:
            raise StudyError(f"train.readouts: {name!r}: {not_one_of('word of ' + key, word, entry.options)}")
    if {"balanced", "nearest"} <= set(words):
        raise StudyError(f"train.readouts: {name!r}: demonstrations are balanced or nearest, not both.")
    k = int(m["k"]) if m else 0
    if m and k == 0 and key != "early_answer_k":
        raise StudyError(f"train.readouts: {name!r}: the number must be at least 1.")
    return entry, Ask(name, k, frozenset(words), decoding)


def predictions(reader: Reader, names: Iterable[str], cases: Sequence[Case]) -> list[Prediction]:
    """Every read-out of every case, read-out by read-out; a prompt goes through the model once for all."""
    asks = {name: asked(name, reader.settings.decodings) for name in names}
    size = reader.settings.read_batch
    length = {c.id: len(reader.before_label(c, None)) for c in cases}
    order = sorted(cases, key=lambda c: (-length[c.id], c.id))
    rows: dict[tuple[str, str], Prediction] = {}
    for batch in (order[k : k + size] for k in range(0, len(order), size)):
        reader.shared["written"] = {}
        if len(asks) > 1:
            reader.engine.prime([reader.prompt(c) for c in batch])
        for name, (readout, ask) in asks.items():
            rows |= {(name, p.case): p for p in readout.read(reader.asked(ask), batch)}
    return [rows[name, c.id] for name in asks for c in cases]


def known(name: str) -> Readout | None:
    """The read-out called `name` in a table of predictions; None where it is none of ours."""
    try:
        return asked(name)[0]
    except StudyError:
        return None


def label(name: str) -> str | None:
    """A read-out as it reads in a sentence, behind "read"; None where it is none of ours.

    >>> label("sampled_8"), label("own_rationale@warm")
    ('as the mean over 8 sampled rationales', 'after its own rationale, decoded warm')
    """
    entry = known(name)
    if entry is None:
        return None
    plain, _, how = name.partition("@")
    ask = asked(name)[1]
    words = (entry.label or plain.replace("_", " ")).format(k=ask.k)
    if ask.options:
        words += f" ({', '.join(w for w in plain.split('_') if w in ask.options)})"
    return words + (f", decoded {how}" if how else "")


def expanded(names: Iterable[str], target: Target, decodings: Sequence[str] = ()) -> list[str]:
    """The read-outs of a target, each once: those that fit, in its own format where `native` is asked, and decoded in
    each of several ways.

    Args:
        names: of the study file.
        target: what the model was taught.
        decodings: names of the grid's axis; a read-out that names its own decoding keeps it.
    """
    out: list[str] = []
    for name in names:
        plain, _, how = name.partition("@")
        native = "own_rationale" if target.format == "reasons_first" else "direct"
        each = {NATIVE: [native], EARLY: [f"{EARLY}_{k}" for k in range(_SENTENCES + 1)]}.get(plain, [plain])
        for one in each:
            entry, ask = asked(one)
            if not entry.fits(target):
                continue
            decoded = entry.writes or plain == NATIVE or "rationales" in ask.options
            ways = [how] if how else list(decodings) if decoded else []
            out += [f"{one}@{w}" for w in ways] or [one]
    return list(dict.fromkeys(out))
