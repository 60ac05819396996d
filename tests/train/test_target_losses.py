"""The loss of every target is the one that is worked out slowly, row by row, for two kinds of tokenizers."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from wherefore.cohort.records import Case
from wherefore.synth.records import Claim, Rationale
from wherefore.train.encoding.encoder import LABEL, EncodedRow, Encoder
from wherefore.train.fitting.losses import loss as loss_of
from wherefore.train.fitting.optimise import Schedule, token_losses, train
from wherefore.train.fitting.scores import score as score_of
from wherefore.train.targets import TARGETS, Target
from wherefore.train.teaching.course import Moment

_spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("families.py"))
assert _spec
assert _spec.loader
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)

TAUGHT = [name for name, t in TARGETS.items() if t.fitted]
WORDS = (
    "stroke",
    "risk",
    "high",
    "low",
    "age",
    "was",
    "there",
    "a",
    "history",
    "of",
    "diabetes",
    "argues",
    "it",
)


def random_case(rng: np.random.Generator, i: int) -> tuple[Case, Rationale]:
    """A history of one to six lines and a rationale of two to six claims in three sections."""
    n = int(rng.integers(1, 7))
    lines = [f"[E{k:03d}] age 6{k}.4 ({k}.6 y before): {rng.choice(WORDS)}" for k in range(1, n + 1)]
    case = Case(
        id=f"c{i}",
        subject=f"p{i}",
        split="train",
        age=70.0,
        sex=None,
        day=25568,
        label=int(rng.integers(2)),
        outcome="labelled",
        followup_years=None,
        weight=1.0,
        timeline="\n".join(lines),
        n_shown=n,
        n_total=n,
    )
    claims = tuple(
        Claim(
            text=" ".join(rng.choice(WORDS, int(rng.integers(1, 9)))),
            cites=(f"E{int(rng.integers(1, n + 1)):03d}",),
            section=("For", "Against", "Weighing")[k % 3],
        )
        for k in range(int(rng.integers(2, 7)))
    )
    rationale = Rationale(
        id=f"r{i}", case=case.id, style="free", teacher="t", label_shown=True, key="k", claims=claims
    )
    return case, rationale


@pytest.fixture(scope="module", params=["smollm2", "gemma3"])
def base(request: pytest.FixtureRequest) -> tuple[Any, Encoder]:
    """A model of a few thousand parameters under a tokenizer of bytes, or of words with blanks inside."""
    encoder = Encoder(families.tokenizer(request.param), 2000, name=request.param)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2000,
    )
    return LlamaForCausalLM(config).eval(), encoder


def batch(target: Target, encoder: Encoder, seed: int) -> list[EncodedRow]:
    rng = np.random.default_rng(seed)
    moment = Moment(int(rng.integers(4)), 4, seed)
    out = []
    for i in range(5):
        case, rationale = random_case(rng, i)
        out += [encoder.row(e) for e in target.taught(case, rationale if target.style else None, "?", moment)]
    return out


def slowly(model: Any, rows: list[EncodedRow], classes: list[int], loss: str, weight: float | None) -> float:
    """The same loss from full float64 logits of each row alone."""
    nats: dict[int, list[float]] = {1: [], 2: [], 3: []}
    scores = []
    for row in rows:
        logits = model(input_ids=torch.tensor([row.ids])).logits[0].double().detach()
        for t in range(1, len(row.ids)):
            if row.groups[t]:
                nats[row.groups[t]].append(-float(torch.log_softmax(logits[t - 1], 0)[row.ids[t]]))
            if row.groups[t] == LABEL:
                p = torch.softmax(logits[t - 1, classes], 0)[classes.index(row.ids[t])]
                scores.append(float((1 - p) ** 2) if loss == "brier" else -float(torch.log(p)))
    groups = {g: found for g, found in nats.items() if found}
    if loss in ("brier", "log_score"):
        groups[2] = scores
    means = {g: float(np.mean(found)) for g, found in groups.items()}
    if loss in ("token_mean", "label_weighted"):
        times = {g: (weight or 1.0) if g == 2 else 1.0 for g in groups}
        total = sum(times[g] * len(found) for g, found in groups.items())
        return sum(times[g] * sum(found) for g, found in groups.items()) / total
    if weight is None or len(means) == 1 or 2 not in means:
        return float(np.mean(list(means.values())))
    return weight * means[2] + (1 - weight) * float(np.mean([m for g, m in means.items() if g != 2]))


def losses(target: Target) -> list[tuple[str, float | None]]:
    """Losses and weights that a target is fitted under."""
    if target.loss is not None:
        return [(target.loss, 7.0 if target.loss == "label_weighted" else None)]
    return [
        ("token_mean", None),
        ("group_mean", 0.7),
        ("label_weighted", 3.0),
        ("brier", None),
        ("log_score", 0.4),
    ]


@pytest.mark.parametrize("name", TAUGHT)
def test_the_loss_is_the_slow_one(name: str, base: tuple[Any, Encoder]) -> None:
    (model, encoder), target = base, TARGETS[name]
    classes = [tokens[0] for tokens in encoder.labels.tokens]
    for seed, (loss, weight) in enumerate(losses(target)):
        rows = batch(target, encoder, seed)
        objective = loss_of(loss, weight)
        plan = Schedule(epochs=1, batch=5, learning_rate=0.0, seed=0, micro_batch=2)
        score = score_of(objective.score, encoder.labels.tokens)
        (line,) = train(model, rows, objective, plan, score=score)
        assert line["loss"] == pytest.approx(slowly(model, rows, classes, loss, weight), abs=1e-5)


@pytest.mark.parametrize("name", TAUGHT)
def test_no_token_of_one_example_reaches_another(name: str, base: tuple[Any, Encoder]) -> None:
    """The nats of one case's tokens are the same whoever stands beside it in the batch."""
    (model, encoder), target = base, TARGETS[name]
    rows, others = batch(target, encoder, 1), batch(target, encoder, 2)
    mine = [r for r in rows if r.case == "c0"]
    beside = [r for r in others if r.case != "c0"]
    counted = sum(g > 0 for r in mine for g in r.groups)

    def nats(some: list[EncodedRow]) -> Any:
        n = sum(g > 0 for r in some for g in r.groups)
        return token_losses(model, some, np.ones(n, np.float32), None, "cpu")[1][:counted].numpy()

    alone = nats(mine)
    assert nats([*mine, *beside]) == pytest.approx(alone, abs=1e-6)
    assert nats([*mine, *(r for r in rows if r.case != "c0")]) == pytest.approx(alone, abs=1e-6)


def test_a_score_has_the_gradient_of_its_formula(base: tuple[Any, Encoder]) -> None:
    """Whether the logits are made in chunks or by the model itself."""
    model, encoder = base
    rows = batch(TARGETS["free_rationale"], encoder, 3)
    weights = np.concatenate(
        [np.where(np.array(r.groups)[np.array(r.groups) > 0] == LABEL, 1.0, 0.1) for r in rows]
    )
    from wherefore.train.fitting.loss import Shaping

    found = []
    for shaping in (Shaping(), None):
        for name in ("brier", "log"):
            model.zero_grad()
            score = score_of(name, encoder.labels.tokens)  # type: ignore[arg-type]
            loss, _ = token_losses(model, rows, weights.astype(np.float32), shaping, "cpu", score)
            loss.backward()
            grads = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
            found.append((float(loss.detach()), grads))
    for chunked, whole in zip(found[:2], found[2:], strict=True):
        assert chunked[0] == pytest.approx(whole[0], abs=1e-5)
        assert float((chunked[1] - whole[1]).abs().max()) < 1e-5
    assert float((found[0][1] - found[1][1]).abs().max()) > 1e-4
    model.zero_grad()
