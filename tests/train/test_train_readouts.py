"""Risk is the label token's probability as one gets it by hand, however the cases are batched."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from wherefore.cohort.records import Case
from wherefore.study.grid import Cell
from wherefore.synth.records import Rationale
from wherefore.train.bases.models import load
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.fitting.fit import fit
from wherefore.train.reading.generate import risks, write
from wherefore.train.reading.readouts import READOUTS, Reader
from wherefore.train.settings import Lora, Made, Settings
from wherefore.train.targets import TARGETS

SETTINGS = Settings(question="Dementia?", max_new_tokens=12, read_batch=4)


def reader(loaded: tuple[Any, Encoder], target: str, reasons: dict[str, Rationale], **changes: Any) -> Reader:
    model, encoder = loaded
    return Reader(model, encoder, SETTINGS.model_copy(update=changes), "cell", TARGETS[target], reasons)


def by_hand(loaded: tuple[Any, Encoder], text: str) -> float:
    """P(yes) / (P(no) + P(yes)) behind a text that is tokenised piece by piece as the target lays it out."""
    model, encoder = loaded
    ids = [encoder.tokenizer.bos_token_id]
    for piece in text.split("|"):
        ids += encoder.text_ids(piece)
    p = torch.softmax(model(input_ids=torch.tensor([ids])).logits[0, -1].double(), dim=0).detach()
    no, yes = (float(p[encoder.text_ids(w)[0]]) for w in (" no", " yes"))
    return yes / (no + yes)


def start(c: Case) -> str:
    return f"{c.timeline}\nAge now: {c.age:.1f}\nDementia?\n"


@pytest.mark.parametrize(
    ("target", "readout", "text"),
    [
        ("label_only", "direct", "{start}|Reasons:|\nAnswer:"),
        ("free_rationale", "direct", "{start}|Reasons:|\nAnswer:"),
        ("label_then_rationale", "direct", "{start}|Answer:"),
        ("free_rationale", "teacher_rationale", "{start}|Reasons:| {why}|\nAnswer:"),
        ("free_rationale", "own_rationale", "{start}|Reasons:|{own}|\nAnswer:"),
        ("two_tasks", "direct", "{start}|Answer:"),
        ("two_branches", "direct", "{start}|Answer:"),
        ("two_branches", "teacher_rationale", "{start}|Reasons:| {why}|\nAnswer:"),
    ],
)
def test_a_risk_is_the_one_by_hand(
    target: str, readout: str, text: str, cases: list[Case], reasons: dict[str, Rationale],
    loaded: tuple[Any, Encoder],
) -> None:  # fmt: skip
    r = reader(loaded, target, reasons)
    found = READOUTS[readout].read(r, cases[:9])
    assert [p.case for p in found] == [c.id for c in cases[:9]]
    for case, p in zip(cases, found, strict=False):
        if readout == "own_rationale":
            (written,) = r.write([r.before_reasons(case)])
            prefix = [*r.before_reasons(case), *written.ids, *r.encoder.text_ids("\nAnswer:")]
            logits = loaded[0](input_ids=torch.tensor([prefix])).logits[0, -1].double().detach()
            want = 1 / (1 + math.exp(float(logits[r.encoder.labels[0]] - logits[r.encoder.labels[1]])))
            assert p.written == r.encoder.tokenizer.decode(written.ids).strip()
            assert p.unfinished is not written.finished
        else:
            want = by_hand(loaded, text.format(start=start(case), why=reasons[case.id].text, own=""))
        assert p.risk == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("readout", READOUTS)
def test_batches_change_nothing(
    readout: str, cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    many = READOUTS[readout].read(reader(loaded, "free_rationale", reasons, read_batch=16), cases)
    single = READOUTS[readout].read(reader(loaded, "free_rationale", reasons, read_batch=1), cases)
    assert [p.risk for p in many] == pytest.approx([p.risk for p in single], abs=1e-5)
    assert [p.written for p in many] == [p.written for p in single]


def test_what_a_model_writes_is_what_transformers_would_generate(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    model, encoder = loaded
    r = reader(loaded, "free_rationale", reasons)
    prefixes = [r.before_reasons(c) for c in cases[:8]]
    frame = encoder.text_ids("\nAnswer:")
    for prefix, w in zip(prefixes, write(model, prefixes, frame, 12, 3), strict=True):
        out = model.generate(
            input_ids=torch.tensor([prefix]), attention_mask=torch.ones(1, len(prefix), dtype=torch.int64),
            max_new_tokens=12, do_sample=False,
        )[0, len(prefix) :].tolist()  # fmt: skip
        assert out[: len(w.ids)] == list(w.ids)


def test_writing_ends_at_the_frame_and_drops_it() -> None:
    class Says:
        """Writes 5, 6, 7, 8, ... whatever it reads; row 1 starts one further."""

        config = type("C", (), {"eos_token_id": 99})

        def parameters(self) -> Any:
            return iter([torch.zeros(1)])

        def __call__(self, input_ids: torch.Tensor, **kwargs: Any) -> Any:
            logits = torch.nn.functional.one_hot(input_ids + 1, 200).float()
            return type("Out", (), {"logits": logits, "past_key_values": Cache()})

    class Cache:
        def batch_select_indices(self, kept: torch.Tensor) -> None: ...

    first, second, third = write(Says(), [[4], [1, 2, 97], [50]], [7, 8], 6, 3)
    assert (first.ids, first.finished) == ((5, 6), True)
    assert (second.ids, second.finished) == ((98,), False)  # the end of text came first
    assert (third.ids, third.finished) == (tuple(range(51, 57)), False)  # six tokens, no frame


def test_a_case_without_a_rationale_is_missing_with_a_reason(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    some = {k: v for k, v in reasons.items() if k != cases[1].id}
    found = READOUTS["teacher_rationale"].read(reader(loaded, "free_rationale", some), cases[:3])
    assert [p.why_missing for p in found] == [None, "no_rationale", None]
    assert found[1].risk is None


def test_an_adapter_read_from_disk_gives_the_same_risks(
    cases: list[Case], reasons: dict[str, Rationale], loaded: tuple[Any, Encoder], base: Path, tmp_path: Path
) -> None:
    model, encoder = loaded
    r = reader(loaded, "label_only", {})
    prefixes = [r.before_label(c, None) for c in cases]
    untrained = risks(model, prefixes, encoder.labels, 8)
    rows = [encoder.row(TARGETS["label_only"].build(c, None, "Dementia?")[0]) for c in cases]
    settings = Settings(epochs=3, batch=8, lora=Lora(rank=2, alpha=4), precision="float32")
    cell = Cell(base="tiny", target="label_only", n=40, learning_rate=3e-2, seed=0)
    fit(model, rows, cell, settings, tmp_path)
    fitted = risks(model, prefixes, encoder.labels, 8)
    again, _ = load(Made(make="tiny"), base, settings, tmp_path / "adapter")
    assert risks(again, prefixes, encoder.labels, 8) == pytest.approx(fitted, abs=1e-5)
    assert max(abs(a - b) for a, b in zip(fitted, untrained, strict=True)) > 1e-3
