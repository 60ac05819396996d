"""A base model made on the spot: a tokenizer of its own, a model from a configuration, a little pre-training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...cohort.records import Case
from ...study.seeds import derive
from ..bases.libraries import libraries
from ..bases.models import bfloat16
from ..encoding.encoder import Encoder
from ..settings import Made
from . import pretraining
from .tokenizer import make_tokenizer

_CONTEXT = 4096


def make(
    base: Made, cases: Sequence[Case], prose: Sequence[str], question: str, seed: int, folder: Path
) -> None:
    """Make a base model: a tokenizer of its own, a model from a configuration, a little pre-training.

    Args:
        base: its shape.
        cases: of the training split; their labels are not read.
        prose: what the teacher wrote on the training split; its sentences are read out of their place.
        question: of the study.
        seed: of the study.
        folder: gets `model/` and `metrics.jsonl`.
    """
    import torch

    from ..fitting.losses import token_mean
    from ..fitting.optimise import Schedule, train

    torch.manual_seed(derive(seed, "train", "base") % 2**31)
    tokenizer = make_tokenizer(base.vocabulary, pretraining.texts(cases, question), prose)
    model = _model(base, tokenizer)
    rng = np.random.default_rng(derive(seed, "train", "base", "texts"))
    rows = pretraining.rows(
        cases, Encoder(tokenizer, _CONTEXT), question, base.passes, rng, prose, base.forms
    )
    plan = Schedule(
        epochs=1,
        batch=base.batch,
        learning_rate=base.learning_rate,
        seed=derive(seed, "train", "base", "order"),
        bfloat16=bfloat16("auto", "cpu"),
    )
    with (folder / "metrics.jsonl").open("w") as f:
        for line in train(model, rows, token_mean, plan, "train: base model"):
            f.write(json.dumps(line) + "\n")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def _model(base: Made, tokenizer: Any) -> Any:
    _, transformers = libraries()
    kind = {"llama": "Llama", "qwen3": "Qwen3"}[base.architecture]
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer),
        hidden_size=base.hidden,
        intermediate_size=base.hidden * 8 // 3,
        num_hidden_layers=base.layers,
        num_attention_heads=base.heads,
        num_key_value_heads=base.heads,
        head_dim=base.hidden // base.heads,
        max_position_embeddings=_CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="eager",
    )
    return getattr(transformers, f"{kind}ForCausalLM")(config)
