"""Base models from a folder: loaded with their encoder, and named by their content."""

import hashlib
from pathlib import Path
from typing import Any

from ...study.errors import StudyError
from ..encoding.encoder import Encoder
from ..settings import Base, Kept, Settings
from .libraries import libraries, peft_quiet

_SAMPLE = 1 << 20


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
    torch, transformers = libraries()
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
    torch, _ = libraries()
    if precision != "auto":
        return precision == "bfloat16"
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # oneDNN calls bfloat16 supported wherever it can emulate it, three to four times slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def attention(wanted: str, device: str) -> str:
    """The attention implementation by the name that transformers knows."""
    return wanted if wanted != "auto" else ("sdpa" if device == "cuda" else "eager")
