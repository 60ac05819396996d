"""Risk is the label token's probability as one gets it by hand, however the cases are batched."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig

from wherefore.cohort.records import Case
from wherefore.study.grid import Cell
from wherefore.study.loops import loops
from wherefore.synth.records import Rationale
from wherefore.train.bases.models import load
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.fitting.fit import fit
from wherefore.train.reading.engine import Engine
from wherefore.train.reading.readouts import Reader, asked, predictions
from wherefore.train.reading.writing import Stop, TokenSampling
from wherefore.train.settings import Lora, Made, Settings
from wherefore.train.targets import TARGETS

NAMES = ("direct", "own_rationale", "teacher_rationale")
"""The others: test_readout_values.py."""
SETTINGS = Settings(question="Dementia?", max_new_tokens=12, read_batch=4)


def reader(loaded: tuple[Any, Encoder], target: str, reasons: dict[str, Rationale], **changes: Any) -> Reader:
    model, encoder = loaded
    return Reader(model, encoder, SETTINGS.model_copy(update=changes), "cell", TARGETS[target], reasons)


def by_hand(loaded: tuple[Any, Encoder], ids: list[int]) -> float:
    """P(yes) / (P(no) + P(yes)) behind some tokens, alone and unpadded."""
    model, encoder = loaded
    p = torch.softmax(model(input_ids=torch.tensor([ids])).logits[0, -1].double(), dim=0).detach()
    no, yes = (float(p[t[0]]) for t in encoder.labels.tokens)
    return yes / (no + yes)


def parted(encoder: Encoder, text: str) -> list[int]:
    """Tokens of a text that is parted at each bar, as the frames of a target part it."""
    plain = text.replace("|", "")
    cuts = [i - n for n, i in enumerate(i for i, c in enumerate(text) if c == "|")]
    return encoder.start + [t.id for t in encoder.controls.tokens(plain, cuts)]


def start(c: Case) -> str:
    return f"{c.timeline}\nAge now: {c.age:.1f}\nDementia?\n"


@pytest.mark.parametrize(
    ("target", "readout", "text"),
    [
        ("label_only", "direct", "{start}Reasons:\nAnswer:|"),
        ("free_rationale", "direct", "{start}Reasons:|\nAnswer:|"),
        ("label_then_rationale", "direct", "{start}Answer:|"),
        ("free_rationale", "teacher_rationale", "{start}Reasons:| {why}\nAnswer:|"),
        ("free_rationale", "own_rationale", "own"),
        ("two_tasks", "direct", "{start}Answer:|"),
        ("two_branches", "direct", "{start}Answer:|"),
        ("two_branches", "teacher_rationale", "{start}Reasons:| {why}\nAnswer:|"),
    ],
)
def test_a_risk_is_the_one_by_hand(
    target: str,
    readout: str,
    text: str,
    cases: list[Case],
    reasons: dict[str, Rationale],
    loaded: tuple[Any, Encoder],
) -> None:
    r = reader(loaded, target, reasons)
    found = asked(readout)[0].read(r, cases[:9])
    assert [p.case for p in found] == [c.id for c in cases[:9]]
    for case, p in zip(cases, found, strict=False):
        if readout == "own_rationale":
            (written,) = r.write([r.before_reasons(case)])
            ids = list(written.ids) if written.finished else unfinished(r.encoder, written.ids)
            want = by_hand(loaded, [*r.before_reasons(case), *ids])
            assert p.written == written.text
            assert p.unfinished is not written.finished
        else:
            ids = parted(r.encoder, text.format(start=start(case), why=reasons[case.id].text))
            want = by_hand(loaded, ids)
        assert p.risk == pytest.approx(want, abs=1e-5)


def unfinished(encoder: Encoder, ids: tuple[int, ...]) -> list[int]:
    """What was written, and the frame of the answer encoded together with its last token."""
    kept = list(ids[:-1] if ids[-1] == encoder.end else ids)
    return kept[:-1] + encoder.answer_ids(encoder.decode(kept[-1:]))


@pytest.mark.parametrize("readout", NAMES)
def test_batches_change_nothing(
    readout: str, cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    many = asked(readout)[0].read(reader(loaded, "free_rationale", reasons, read_batch=16), cases)
    single = asked(readout)[0].read(reader(loaded, "free_rationale", reasons, read_batch=1), cases)
    assert [p.risk for p in many] == pytest.approx([p.risk for p in single], abs=1e-5)
    assert [p.written for p in many] == [p.written for p in single]


def test_all_readouts_of_a_case_share_its_prompt_and_change_nothing(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    alone = reader(loaded, "free_rationale", reasons, read_batch=1)
    together = predictions(reader(loaded, "free_rationale", reasons, read_batch=5), NAMES, cases)
    want = [p for name in NAMES for p in asked(name)[0].read(alone, cases)]
    assert [(p.readout, p.case, p.written) for p in together] == [
        (p.readout, p.case, p.written) for p in want
    ]
    assert [p.risk for p in together] == pytest.approx([p.risk for p in want], abs=1e-5)


def test_what_many_rows_begin_with_is_computed_once_and_changes_nothing(
    cases: list[Case], loaded: tuple[Any, Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, encoder = loaded
    demonstrations = encoder.text_ids("A person of whom much is known. " * 12)
    rows = [[*demonstrations, *encoder.text_ids(c.timeline)] for c in cases[:12]]
    columns: list[int] = []
    engine = Engine(model, encoder, 4)
    forward = engine.forward
    monkeypatch.setattr(
        engine, "forward", lambda s, r, keep: columns.append(max(map(len, r))) or forward(s, r, keep)
    )
    found = engine.probabilities(rows)
    assert columns[0] >= len(demonstrations)  # once
    assert max(columns[1:]) <= max(map(len, rows)) - len(demonstrations) + 1
    want = [Engine(model, encoder, 1).probabilities([r])[0] for r in rows]
    assert found == pytest.approx(np.array(want), abs=1e-5)


def test_a_label_of_several_tokens_is_scored_exactly(cases: list[Case], loaded: tuple[Any, Encoder]) -> None:
    """The product of its tokens' probabilities, of each class, made to sum to one; three classes here."""
    model, plain = loaded
    words = (" no dementia", " mild", " dementia within five years")
    encoder = Encoder(plain.tokenizer, 1000, words=words)
    rows = [encoder.start + encoder.text_ids(c.timeline + "\nAnswer:") for c in cases[:6]]
    found = Engine(model, encoder, 4).probabilities(rows)
    for row, p in zip(rows, found, strict=True):
        scores = []
        for tokens in encoder.labels.tokens:
            logits = torch.log_softmax(
                model(input_ids=torch.tensor([[*row, *tokens]])).logits[0].double(), dim=-1
            )
            scores.append(sum(float(logits[len(row) + k - 1, t].detach()) for k, t in enumerate(tokens)))
        want = np.exp(scores) / np.exp(scores).sum()
        assert p == pytest.approx(want, abs=1e-5)


def test_samples_go_on_from_one_prompt_and_do_not_depend_on_the_batch(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    r = reader(loaded, "free_rationale", reasons)
    rows = [r.before_reasons(c) for c in cases[:6]]
    drawn = [
        Engine(*loaded, batch).write(rows, r.stop, samples=3, sampling=TokenSampling(temperature=1.0, seed=7))
        for batch in (6, 2)
    ]
    assert [w.ids for w in drawn[0]] == [w.ids for w in drawn[1]]
    assert len({w.ids for w in drawn[0]}) > 6  # three samples of a case differ
    assert [w.risk for w in drawn[0]] == pytest.approx([w.risk for w in drawn[1]], abs=1e-5)
    greedy = Engine(*loaded, 6).write(rows, r.stop)
    cold = Engine(*loaded, 6).write(rows, r.stop, sampling=TokenSampling(temperature=1e-4))
    assert [w.ids for w in cold] == [w.ids for w in greedy]


def test_a_text_that_only_repeats_itself_is_a_loop() -> None:
    assert loops([1, 2] * 12)
    assert loops([9, 9, 9, *range(40), *(list(range(40)) * 3)])
    assert not loops([1, 2] * 11)  # short of 24 tokens
    assert not loops([1, 2, 3, 4, 5, 6, 7, 8] * 2)


def test_what_a_model_writes_is_what_transformers_would_generate(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    model, _ = loaded
    r = reader(loaded, "free_rationale", reasons)
    prefixes = [r.before_reasons(c) for c in cases[:8]]
    for prefix, w in zip(prefixes, r.write(prefixes), strict=True):
        out = model.generate(
            input_ids=torch.tensor([prefix]),
            attention_mask=torch.ones(1, len(prefix), dtype=torch.int64),
            max_new_tokens=12,
            do_sample=False,
        )[0, len(prefix) :].tolist()
        assert out[: len(w.ids)] == list(w.ids)


def test_writing_ends_at_the_frame_and_drops_it(loaded: tuple[Any, Encoder]) -> None:
    """A model whose every next token is known: the one that follows the last in a fixed text."""
    encoder = loaded[1]
    script = [*encoder.answer_ids(" Stroke."), *encoder.labels.tokens[1]]
    frame_at = next(i for i in range(len(script)) if encoder.decode(script[: i + 1]).endswith("\nAnswer:"))
    model = Scripted({tuple(script[:i]): script[i] for i in range(1, len(script))}, len(encoder.tokenizer))
    stop = Stop("\nAnswer:", frozenset({encoder.end or 0}), 12)
    engine = Engine(model, encoder, 3)
    (w,) = engine.write([script[:1]], stop)
    assert (w.text, w.finished) == (encoder.decode(script[1:frame_at]).split("\n")[0].strip(), True)
    assert w.ids == tuple(script[1 : frame_at + 1])
    (w,) = engine.write([script[:1]], Stop("\nAnswer:", frozenset({script[2]}), 12))
    assert (w.ids, w.finished) == (tuple(script[1:3]), False)  # the end of text came first
    (w,) = engine.write([script[:1]], Stop("\nAnswer:", frozenset(), 2))
    assert (w.ids, w.finished, w.looped) == (tuple(script[1:3]), False, False)  # two tokens at the most


class Scripted(torch.nn.Module):
    """A causal model that goes through a text; what it has read is its cache."""

    def __init__(self, following: dict[tuple[int, ...], int], vocabulary: int) -> None:
        super().__init__()
        self.head = torch.nn.Linear(1, vocabulary, bias=False)
        self.following = following
        self.config = LlamaConfig(vocab_size=vocabulary)
        self.generation_config = self.config

    def get_output_embeddings(self) -> torch.nn.Module:
        return self.head

    def forward(self, input_ids: Any, attention_mask: Any, past_key_values: Any, logits_to_keep: int) -> Any:
        seen = (
            past_key_values.layers[0].keys[:, 0, :, 0].tolist()
            if past_key_values.layers
            else [[]] * len(input_ids)
        )
        past_key_values.update(*[input_ids[:, None, :, None].float()] * 2, 0)
        rows = [[*map(int, a), *b] for a, b in zip(seen, input_ids.tolist(), strict=True)]
        rows = [
            [t for t, m in zip(r, mask, strict=True) if m]
            for r, mask in zip(rows, attention_mask.tolist(), strict=True)
        ]
        logits = torch.zeros(len(rows), 1, self.head.out_features)
        for i, row in enumerate(rows):
            logits[i, 0, self.following.get(tuple(row), 0)] = 9.0
        if "forward" in self.head.__dict__:  # only the labels are asked for
            logits = logits[:, :, :2]
        return SimpleNamespace(logits=logits, past_key_values=past_key_values)


def test_a_case_without_a_rationale_is_missing_with_a_reason(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    some = {k: v for k, v in reasons.items() if k != cases[1].id}
    found = asked("teacher_rationale")[0].read(reader(loaded, "free_rationale", some), cases[:3])
    assert [p.why_missing for p in found] == [None, "no_rationale", None]
    assert found[1].risk is None


def test_an_adapter_read_from_disk_gives_the_same_risks(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder], base: Path, tmp_path: Path
) -> None:
    model, encoder = loaded
    r = reader(loaded, "label_only", {})
    prefixes = [r.before_label(c, None) for c in cases]
    untrained = r.risks(prefixes)
    rows = [encoder.row(TARGETS["label_only"].build(c, None, "Dementia?")[0]) for c in cases]
    settings = Settings(epochs=3, batch=8, lora=Lora(rank=2, alpha=4), precision="float32")
    cell = Cell(base="tiny", target="label_only", n=40, learning_rate=3e-2, seed=0)
    fit(model, rows, cell, settings, tmp_path)
    fitted = r.risks(prefixes)
    again, _ = load(Made(make="tiny"), base, settings, tmp_path / "adapter")
    assert reader((again, encoder), "label_only", {}).risks(prefixes) == pytest.approx(fitted, abs=1e-5)
    assert max(abs(a - b) for a, b in zip(fitted, untrained, strict=True)) > 1e-3


def test_a_regression_on_the_states_is_the_one_by_hand(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    """Fitted on the cell's own training cases alone; no padding and no other case reaches a state."""
    from dataclasses import replace

    from wherefore.study.errors import DataError
    from wherefore.train.baselines import ridge

    model, encoder = loaded
    learned, asked_ = cases[:30], cases[30:]

    def state(c: Case) -> Any:
        ids = torch.tensor([encoder.start + encoder.text_ids(start(c))])
        found = model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0]
        return found.mean(0).double().detach().numpy()

    r = replace(reader(loaded, "free_rationale", reasons), learned=learned)
    want = ridge(np.array([state(c) for c in learned]), np.array([c.label for c in learned]))(
        np.array([state(c) for c in asked_])
    )
    found = asked("embedding")[0].read(r, asked_)
    assert [p.risk for p in found] == pytest.approx(want, abs=1e-3)
    assert asked("embedding")[0].read(r, asked_[:1])[0].risk == pytest.approx(found[0].risk, abs=1e-6)
    with pytest.raises(DataError, match="five training cases of each class"):
        asked("embedding")[0].read(replace(r, learned=[], shared={}), asked_)
