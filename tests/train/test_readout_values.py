"""Worked values of every read-out on a model whose probabilities are known: it counts strokes, and has a script."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig

from wherefore.cohort.records import Case
from wherefore.study.errors import DataError, StudyError
from wherefore.synth.records import Claim, Rationale
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.reading import behind, prompting
from wherefore.train.reading.reader import Reader
from wherefore.train.reading.readouts import READOUTS, asked, expanded, label, predictions
from wherefore.train.records import Prediction
from wherefore.train.settings import Decoding, Settings
from wherefore.train.targets import TARGETS

OWN = " One stroke. [E001] Then a stroke and a stroke. Risk is high."
OTHER = " Nothing was found. Risk is low."
SIDES = {" For": ": A stroke. A stroke.", " Against": ": Little."}
NEVER = " and so on and so on, with no end to it"
SETTINGS = Settings(question="Dementia?", max_new_tokens=60, read_batch=4)


def risk(text: str) -> float:
    """What the model says behind a text."""
    return 1 / (1 + math.exp(3 - text.lower().count("stroke")))


class Known(torch.nn.Module):
    """P(yes) by `risk`; writes one of the scripts behind `Reasons:`, and a label by `answers` behind `Answer:`."""

    def __init__(
        self, encoder: Encoder, scripts: list[str], answers: Callable[[str], dict[str, float]]
    ) -> None:
        super().__init__()
        self.encoder, self.scripts, self.answers = encoder, scripts, answers
        vocabulary = len(encoder.tokenizer)
        self.head = torch.nn.Linear(1, vocabulary, bias=False)
        self.config = LlamaConfig(vocab_size=vocabulary, eos_token_id=encoder.end)
        self.generation_config = self.config

    def get_output_embeddings(self) -> torch.nn.Module:
        return self.head

    def forward(
        self,
        input_ids: Any,
        attention_mask: Any = None,
        past_key_values: Any = None,
        logits_to_keep: int = 0,
        use_cache: bool = True,
    ) -> Any:
        if past_key_values is None:  # the classes behind whole rows, padded behind with zeros
            rows = [ids[: max(i for i, t in enumerate(ids) if t) + 1] for ids in input_ids.tolist()]
            p = torch.tensor([[risk(self.encoder.decode(ids)) for ids in rows]], dtype=torch.float64)
            return SimpleNamespace(logits=torch.stack([(1 - p).log(), p.log()], dim=-1))
        layers = past_key_values.layers
        seen = layers[0].keys[:, 0, :, 0].tolist() if layers else [[]] * len(input_ids)
        past_key_values.update(*[input_ids[:, None, :, None].float()] * 2, 0)
        logits = torch.full((len(input_ids), 1, self.head.out_features), -40.0)
        for i, (old, new, mask) in enumerate(
            zip(seen, input_ids.tolist(), attention_mask.tolist(), strict=True)
        ):
            ids = [t for t, m in zip([*map(int, old), *new], mask, strict=True) if m]
            for token, p in self.following(ids).items():
                logits[i, 0, token] = math.log(p)
        if "forward" in self.head.__dict__:  # only the classes are asked for
            for i, (old, new, mask) in enumerate(
                zip(seen, input_ids.tolist(), attention_mask.tolist(), strict=True)
            ):
                ids = [t for t, m in zip([*map(int, old), *new], mask, strict=True) if m]
                p = risk(self.encoder.decode(ids))
                logits[i, 0, :2] = torch.tensor([math.log(1 - p), math.log(p)])
            logits = logits[:, :, :2]
        return SimpleNamespace(logits=logits, past_key_values=past_key_values)

    def following(self, ids: list[int]) -> dict[int, float]:
        """Next tokens and their probabilities."""
        text = self.encoder.decode(ids)
        if text.endswith("Answer:"):
            return {self.encoder.text_ids(w)[0]: p for w, p in self.answers(text).items()}
        written = text.rpartition("Reasons:")[2]
        scripts = [h + s for h, s in SIDES.items()] if written.startswith(tuple(SIDES)) else self.scripts
        out: dict[int, float] = {}
        for script in scripts:
            tokens = self.encoder.answer_ids(script)
            for n in range(len(tokens)):
                if self.encoder.decode(tokens[:n]) == written:
                    out[tokens[n]] = out.get(tokens[n], 0.0) + 1 / len(scripts)
        total = sum(out.values())
        return {t: p / total for t, p in out.items()} or {self.encoder.end or 0: 1.0}


def always(text: str) -> dict[str, float]:
    return {" yes": 1.0}


@pytest.fixture
def people(cases: list[Case]) -> list[Case]:
    """Thirty to learn from and ten held out, some of whom have a stroke in their history."""
    return [c.model_copy(update={"split": "train" if i < 30 else "held_out"}) for i, c in enumerate(cases)]


@pytest.fixture
def told(people: list[Case]) -> dict[str, Rationale]:
    """A rationale for everybody, with another number of strokes for each of the held out."""
    return {
        c.id: Rationale(
            id=c.id,
            case=c.id,
            style="free",
            teacher="t",
            label_shown=True,
            key="k",
            claims=(Claim(text="It was said:" + " stroke" * (i % 10) + "."), Claim(text="So it is.")),
        )
        for i, c in enumerate(people)
    }


Make = Callable[..., tuple[Reader, list[Case]]]


@pytest.fixture
def make(loaded: tuple[Any, Encoder], people: list[Case], told: dict[str, Rationale]) -> Make:
    def build(
        target: str = "free_rationale",
        scripts: tuple[str, ...] = (OWN,),
        answers: Any = always,
        **settings: Any,
    ) -> tuple[Reader, list[Case]]:
        encoder = loaded[1]
        held_out = {c.id: told[c.id] for c in people if c.split == "held_out"}
        reader = Reader(
            Known(encoder, list(scripts), answers),
            encoder,
            SETTINGS.model_copy(update=settings),
            "cell",
            TARGETS[target],
            held_out,
            people=people,
            usable=told,
        )
        return reader, [c for c in people if c.split == "held_out"]

    return build


def read(reader: Reader, name: str, cases: list[Case]) -> list[Prediction]:
    return predictions(reader, [name], cases)


def shown(c: Case, question: str = "Dementia?") -> str:
    return f"{c.timeline}\nAge now: {c.age:.1f}\n{question}\n"


EXPECTED: dict[str, Callable[[Case], float]] = {
    "direct": lambda c: risk(shown(c)),
    "own_rationale": lambda c: risk(shown(c) + OWN),
    "early_answer_0": lambda c: risk(shown(c)),
    "early_answer_1": lambda c: risk(shown(c) + " One stroke. [E001]"),
    "early_answer_2": lambda c: risk(shown(c) + " One stroke. [E001] Then a stroke and a stroke."),
    "early_answer_9": lambda c: risk(shown(c) + OWN),
    "zero_shot": lambda c: risk(shown(c)),
    "zero_shot_cot": lambda c: risk(shown(c) + OWN),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_value_of_a_read_out(name: str, make: Make) -> None:
    reader, cases = make()
    for case, p in zip(cases, read(reader, name, cases), strict=True):
        assert (p.readout, p.case) == (name, case.id)
        assert p.risk == pytest.approx(EXPECTED[name](case), abs=1e-6)
    assert len({p.risk for p in read(reader, name, cases)}) > 1


def test_given_reasons(make: Make, told: dict[str, Rationale]) -> None:
    reader, cases = make()
    mine = [p.risk for p in read(reader, "teacher_rationale", cases)]
    assert mine == pytest.approx([risk(shown(c) + told[c.id].text) for c in cases], abs=1e-6)
    assert [p.risk for p in read(reader, "shuffled_rationale", cases)] == pytest.approx(mine, abs=1e-6)
    other = [p.risk for p in read(reader, "other_rationale", cases)]
    for case, p in zip(cases, other, strict=True):
        possible = {c.id: risk(shown(case) + told[c.id].text) for c in cases}
        donors = [i for i, value in possible.items() if value == pytest.approx(p, abs=1e-6)]
        assert donors
        assert case.id not in donors
    assert behind.first_sentences(told[cases[0].id].text, 1) != told[cases[0].id].text


def test_samples_are_averaged_and_vote(make: Make) -> None:
    """Two texts come as often, one above and one below the middle, for whoever has no stroke in the history."""
    reader, cases = make(scripts=(OWN + " Stroke.", OTHER))
    cases = [c for c in cases if "Stroke" not in c.timeline]
    means, votes = (read(reader, name, cases) for name in ("sampled_40", "vote_40"))
    for case, mean, vote in zip(cases, means, votes, strict=True):
        high, low = risk(shown(case) + OWN + " Stroke."), risk(shown(case) + OTHER)
        assert low < 0.5 < high
        assert vote.risk is not None
        assert mean.risk == pytest.approx(vote.risk * high + (1 - vote.risk) * low, abs=1e-6)
        assert 0.25 < vote.risk < 0.75
    assert len({v.risk for v in votes}) > 1


def test_both_orders_are_averaged(make: Make) -> None:
    reader, cases = make("dialectical")
    for case, p in zip(cases, read(reader, "order_swap", cases), strict=True):
        both = [risk(shown(case) + side + text) for side, text in SIDES.items()]
        assert p.written == "For: A stroke. A stroke.\n\nAgainst: Little."
        assert p.risk == pytest.approx(float(np.mean(both)), abs=1e-6)


def answers(text: str) -> dict[str, float]:
    """Yes where there is a stroke, nonsense where there is asthma, else no."""
    return {" maybe" if "Asthma" in text else " yes" if "Stroke" in text else " no": 1.0}


@pytest.mark.parametrize("target", ["free_rationale", "label_only"])
def test_a_label_that_cannot_be_read_stays_among_the_cases(target: str, make: Make) -> None:
    reader, cases = make(target, answers=answers)
    for case, p in zip(cases, read(reader, "generated_label", cases), strict=True):
        want = None if "Asthma" in case.timeline else int("Stroke" in case.timeline)
        assert (p.decoded, p.risk) == (want, 0.5 if want is None else float(want))
        assert p.unfinished is (want is None)
    never, cases = make("free_rationale", scripts=(NEVER * 9,))
    assert {p.decoded for p in read(never, "generated_label", cases)} == {None}


def test_a_decoding_draws_the_label_and_leaves_the_risk(make: Make) -> None:
    ways = {
        "cold": Decoding(),
        **{f"s{i}": Decoding(temperature=1.0, seed=i) for i in range(30)},
        "nucleus": Decoding(temperature=1.0, top_p=0.6),
    }
    reader, cases = make("label_only", answers=lambda _: {" yes": 0.7, " no": 0.3}, decodings=ways)
    names = [f"direct@{w}" for w in ways]
    rows = predictions(reader, names, cases)
    by = {w: [p for p in rows if p.readout == f"direct@{w}"] for w in ways}
    assert all([p.risk for p in some] == [p.risk for p in by["cold"]] for some in by.values())
    assert {p.decoded for p in by["cold"]} == {p.decoded for p in by["nucleus"]} == {1}
    drawn = [p.decoded for i in range(30) for p in by[f"s{i}"]]
    assert 0.6 < np.mean([d for d in drawn if d is not None]) < 0.8
    assert {p.decoded for p in read(reader, "direct", cases)} == {None}


@pytest.mark.parametrize("options", ["", "_balanced", "_nearest"])
def test_demonstrations_are_training_cases_and_the_same_with_reasons(
    options: str, make: Make, told: dict[str, Rationale]
) -> None:
    reader, cases = make("label_only", scripts=(OWN,))
    plain, reasons = f"few_shot_4{options}", f"few_shot_4{options}_rationales"
    pool = prompting.demonstrations(reader)
    assert {c.split for c in pool} == {"train"}
    for case, a, b in zip(cases, read(reader, plain, cases), read(reader, reasons, cases), strict=True):
        picked = prompting.chosen(reader.asked(asked(plain)[1]), case, pool)
        assert picked == prompting.chosen(reader.asked(asked(reasons)[1]), case, pool)
        assert len({c.subject for c in picked} - {case.subject}) == 4
        word = {0: " no", 1: " yes"}
        without = "".join(f"{shown(d)}Answer:{word[d.label or 0]}\n\n" for d in picked)
        with_ = "".join(
            f"{shown(d)}Reasons: {told[d.id].text}\nAnswer:{word[d.label or 0]}\n\n" for d in picked
        )
        assert a.risk == pytest.approx(risk(without + shown(case) + "Answer:"), abs=1e-6)
        assert b.risk == pytest.approx(risk(with_ + shown(case) + "Reasons:" + OWN), abs=1e-6)
        if options == "_balanced":
            assert sorted(c.label or 0 for c in picked) == [0, 0, 1, 1]
        if options == "_nearest":
            alike = [(c.timeline.splitlines()[1:], c) for c in picked]
            assert any(x[0].split(": ")[1] in case.timeline for x, _ in alike)


def test_the_seed_of_a_decoding_draws_other_demonstrations(make: Make) -> None:
    reader, cases = make(decodings={f"s{i}": Decoding(seed=i) for i in range(5)})
    pool = prompting.demonstrations(reader)
    drawn = set()
    for i in range(5):
        ask = asked(f"few_shot_4@s{i}", reader.settings.decodings)[1]
        drawn |= {tuple(c.id for c in prompting.chosen(reader.asked(ask), case, pool)) for case in cases}
    assert len(drawn) == 5  # for all cases the same


def test_too_few_demonstrations_are_refused(make: Make) -> None:
    reader, cases = make()
    with pytest.raises(DataError, match="few_shot_50 needs 50 demonstrations, and the training split has 30"):
        read(reader, "few_shot_50", cases)


ALL = [
    "direct",
    "own_rationale",
    "sampled_3",
    "vote_3",
    "early_answer_1",
    "generated_label",
    "teacher_rationale",
    "other_rationale",
    "shuffled_rationale",
    "without_cited",
    "without_uncited",
    "flipped_conclusion",
    "misleading_line",
    "zero_shot",
    "zero_shot_cot",
    "few_shot_2",
    "few_shot_2_nearest",
    "few_shot_2_balanced_rationales",
    "own_rationale@warm",
    "generated_label@warm",
    "order_swap",
]
"""`embedding`: test_train_readouts.py."""


def test_every_read_out_is_here() -> None:
    assert {id(asked(n)[0]) for n in ALL} == {id(e) for n, e in READOUTS.own.items() if n != "embedding"}


@pytest.mark.parametrize(
    "target", [n for n, t in TARGETS.items() if t.style in (None, "free", "for_and_against")]
)
def test_batch_and_order_change_nothing(target: str, make: Make) -> None:
    """Every read-out of every target that it fits, together and alone, forwards and backwards."""
    ways = {"warm": Decoding(temperature=1.0, seed=3)}
    names = [n for n in ALL if asked(n)[0].fits(TARGETS[target])]
    more = {"scripts": (OWN, OTHER), "answers": lambda _: {" yes": 0.5, " no": 0.5}, "decodings": ways}
    together, cases = make(target, read_batch=2, **more)
    alone, _ = make(target, read_batch=1, **more)
    want = predictions(together, names, cases[:3])
    assert want
    assert not any(p.risk is None for p in want)
    backwards = {(p.readout, p.case): p for p in predictions(alone, names[::-1], cases[2::-1])}
    for p in want:
        q = backwards[p.readout, p.case]
        assert (p.decoded, p.written, p.unfinished) == (q.decoded, q.written, q.unfinished)
        assert p.risk == pytest.approx(q.risk, abs=1e-6)


def test_a_name_says_what_is_read() -> None:
    ways = ["a", "b"]
    free, only, both = (TARGETS[n] for n in ("free_rationale", "label_only", "dialectical"))
    assert expanded(["native"], free) == ["own_rationale"]
    assert expanded(["native", "direct"], only) == ["direct"]
    assert expanded(["native", "teacher_rationale"], free, ways) == [
        "own_rationale@a",
        "own_rationale@b",
        "teacher_rationale",
    ]
    assert expanded(["native"], only, ways) == ["direct@a", "direct@b"]
    assert expanded(["direct", "own_rationale@b", "order_swap"], free, ways) == ["direct", "own_rationale@b"]
    assert "order_swap" in expanded(["order_swap"], both)
    assert expanded(["early_answer"], free) == [f"early_answer_{k}" for k in range(7)]
    assert expanded(["native"], TARGETS["internalise"]) == ["direct"]
    assert label("few_shot_4_balanced_rationales@s1") == (
        "behind 4 demonstrations (balanced, rationales), decoded s1"
    )
    assert label("baseline") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sampled", "'sampled' is not a read-out; did you mean 'sampled_k'"),
        ("sampled_k", "'sampled_k' is not a read-out"),
        ("sampled_0", "the number must be at least 1"),
        ("sampled_3_balanced", "'balanced' is not a word of sampled_k"),
        ("few_shot_4_balanced_nearest", "balanced or nearest, not both"),
        ("own_rationale@hot", "'hot' is not a decoding"),
    ],
)
def test_a_name_that_says_nothing_is_refused(name: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        asked(name, {"warm": Decoding()})
