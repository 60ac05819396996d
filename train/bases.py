"""Base models: one made on the spot from the cohort's unlabelled texts, or any local Hugging Face folder."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..cohort.records import Case
from ..study.errors import MissingPartError, StudyError
from ..study.seeds import derive
from .encoding import PROMPT, RATIONALE, Encoder, Row
from .settings import Base, Kept, Made, Settings
from .targets import ANSWER, LABELS, REASONS

START, END, PAD = "<s>", "</s>", "<pad>"
_SAMPLE = 1 << 20


def make(
    made: Made, texts: Sequence[str], words: Sequence[str], seed: int, folder: Path, threads: int
) -> None:
    """Make a base model: a tokenizer of its own, a model from a configuration, a little pre-training.

    Args:
        made: its shape.
        texts: what it reads; unlabelled, of the training split.
        words: what its tokenizer must spell well besides.
        seed: of the study.
        folder: gets `model/` and `metrics.jsonl`.
        threads: for the pre-training.
    """
    import torch

    from .optimise import Schedule, train

    torch.set_num_threads(threads)
    torch.manual_seed(derive(seed, "train", "base") % 2**31)
    tokenizer = make_tokenizer(made, [*texts, *words])
    model = _model(made, tokenizer)
    rows = [_row(tokenizer, t, i) for i, t in enumerate(texts)]
    plan = Schedule(
        epochs=made.epochs, batch=made.batch, learning_rate=made.learning_rate,
        seed=derive(seed, "train", "base", "order"), bfloat16=bfloat16("auto", "cpu"),
    )  # fmt: skip
    from .losses import token_mean

    with (folder / "metrics.jsonl").open("w") as f:
        for line in train(model, rows, token_mean, plan):
            f.write(json.dumps(line) + "\n")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def make_tokenizer(made: Made, texts: Iterable[str]) -> Any:
    """A byte-level BPE tokenizer with one token a digit, so that 66.4 and 66.5 share what they share."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=made.vocabulary, special_tokens=[PAD, START, END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    # The frames and the label words many times over: their merges are certain whatever the cohort says.
    sure = [f"{REASONS}{ANSWER}{label}" for label in LABELS] * 1000
    tokenizer.train_from_iterator([*texts, *sure], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PAD, padding_side="left"
    )


def pretraining_texts(cases: Iterable[Case]) -> list[str]:
    """The timelines of the training split; no label, no held-out case."""
    return [c.timeline for c in cases if c.split == "train"]


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


def _libraries() -> tuple[Any, Any]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers
    except ImportError as e:
        raise MissingPartError(
            "train: torch and transformers are not installed. Run: pip install 'wherefore[train]'"
        ) from e
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return torch, transformers


def _model(made: Made, tokenizer: Any) -> Any:
    _, transformers = _libraries()
    kind = {"llama": "Llama", "qwen3": "Qwen3"}[made.architecture]
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer), hidden_size=made.hidden, intermediate_size=made.hidden * 8 // 3,
        num_hidden_layers=made.layers, num_attention_heads=made.heads, num_key_value_heads=made.heads,
        head_dim=made.hidden // made.heads, max_position_embeddings=4096, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, attn_implementation="eager",
    )  # fmt: skip
    return getattr(transformers, f"{kind}ForCausalLM")(config)


def _row(tokenizer: Any, text: str, number: int) -> Row:
    ids = [tokenizer.bos_token_id, *tokenizer(text)["input_ids"], tokenizer.eos_token_id]
    return Row(str(number), tuple(ids), (PROMPT,) + (RATIONALE,) * (len(ids) - 1))
