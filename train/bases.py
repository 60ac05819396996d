"""Base models: one made on the spot from the cohort's unlabelled texts, or any local Hugging Face folder."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..cohort.records import Case
from ..study.errors import StudyError, not_installed
from ..study.seeds import derive
from .encoding import Encoder
from .made import pretraining
from .made.tokenizer import make_tokenizer
from .settings import Base, Kept, Made, Settings

_SAMPLE = 1 << 20
_CONTEXT = 4096


def make(
    made: Made, cases: Sequence[Case], prose: Sequence[str], question: str, seed: int, folder: Path
) -> None:
    """Make a base model: a tokenizer of its own, a model from a configuration, a little pre-training.

    Args:
        made: its shape.
        cases: of the training split; their labels are not read.
        prose: what the teacher wrote on the training split; its sentences are read out of their place.
        question: of the study.
        seed: of the study.
        folder: gets `model/` and `metrics.jsonl`.
    """
    import torch

    from .losses import token_mean
    from .optimise import Schedule, train

    torch.manual_seed(derive(seed, "train", "base") % 2**31)
    tokenizer = make_tokenizer(made.vocabulary, pretraining.texts(cases, question), prose)
    model = _model(made, tokenizer)
    rng = np.random.default_rng(derive(seed, "train", "base", "texts"))
    rows = pretraining.rows(cases, Encoder(tokenizer, _CONTEXT), question, made.passes, rng, prose)
    plan = Schedule(
        epochs=1, batch=made.batch, learning_rate=made.learning_rate,
        seed=derive(seed, "train", "base", "order"), bfloat16=bfloat16("auto", "cpu"),
    )  # fmt: skip
    with (folder / "metrics.jsonl").open("w") as f:
        for line in train(model, rows, token_mean, plan, "train: base model"):
            f.write(json.dumps(line) + "\n")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def load(base: Base, folder: Path, settings: Settings, adapter: Path | None = None) -> tuple[Any, Encoder]:
    """A model and its encoder from a folder, on the GPU where there is one.

    Args:
        base: as the study file has it.
        folder: with the weights.
        settings: of the stage.
        adapter: folder of a LoRA adapter, merged into the weights; None: the base alone.
    Raises:
        StudyError: the folder holds no causal language model, or its tokenizer no labels of one token.
        MissingPartError: torch or transformers is not installed.
    """
    torch, transformers = _libraries()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, attn_implementation=attention(settings.attention, device),
            dtype=torch.bfloat16 if device == "cuda" and bfloat16(settings.precision, device) else torch.float32,
        )  # fmt: skip
    except (OSError, ValueError) as e:
        raise StudyError(
            f"bases: {folder}: cannot be loaded: {str(e).splitlines()[0]} Give a causal language model."
        ) from e
    if adapter is not None:
        from peft import PeftModel

        with peft_quiet():
            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model.to(device).eval()
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, Encoder(tokenizer, settings.max_length, chat=isinstance(base, Kept) and base.chat)


def fingerprint(folder: Path) -> dict[str, str]:
    """Content hash of each file of a model folder; of a large one its size, first and last MiB."""
    out = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        size = path.stat().st_size
        h = hashlib.sha256(str(size).encode())
        with path.open("rb") as f:
            h.update(f.read(_SAMPLE))
            if size > _SAMPLE:
                f.seek(max(_SAMPLE, size - _SAMPLE))
                h.update(f.read())
        out[path.name] = h.hexdigest()[:16]
    return out


def bfloat16(precision: str, device: str) -> bool:
    """Whether to compute in bfloat16: as asked, or where the hardware does so natively."""
    torch, _ = _libraries()
    if precision != "auto":
        return precision == "bfloat16"
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def attention(wanted: str, device: str) -> str:
    """The attention implementation by the name that transformers knows."""
    return wanted if wanted != "auto" else ("sdpa" if device == "cuda" else "eager")


@contextmanager
def peft_quiet() -> Iterator[None]:
    """Without the warning that peft causes by asking transformers for a property that is being renamed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        yield


def _libraries() -> tuple[Any, Any]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers
    except ImportError as e:
        raise not_installed("train", str(e.name), "train") from e
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return torch, transformers


def _model(made: Made, tokenizer: Any) -> Any:
    _, transformers = _libraries()
    kind = {"llama": "Llama", "qwen3": "Qwen3"}[made.architecture]
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer), hidden_size=made.hidden, intermediate_size=made.hidden * 8 // 3,
        num_hidden_layers=made.layers, num_attention_heads=made.heads, num_key_value_heads=made.heads,
        head_dim=made.hidden // made.heads, max_position_embeddings=_CONTEXT, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, attn_implementation="eager",
    )  # fmt: skip
    return getattr(transformers, f"{kind}ForCausalLM")(config)
