"""Base models from a folder: loaded with their encoder, and named by their content."""

import hashlib
from pathlib import Path
from typing import Any

from ...study.errors import StudyError
from ..encoding.encoder import Encoder
from ..encoding.template import PLAIN, Turn, turn
from ..settings import Base, Made, Settings
from .libraries import libraries, peft_quiet

_SAMPLE = 1 << 20
_DEFAULT_CONTEXT = 2048
_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
)


def load(
    base: Base,
    folder: Path,
    settings: Settings,
    adapter: Path | None = None,
    name: str = "bases",
    merge: bool = True,
) -> tuple[Any, Encoder]:
    """A model and its encoder from a folder, on the GPU where there is one.

    Args:
        base: as the study file has it.
        folder: with the weights.
        settings: of the stage.
        adapter: folder of a LoRA adapter, merged into the weights, or of a base that was trained whole; None: the
            base alone.
        name: of the base, for errors.
        merge: false: the adapter stays beside the weights.
    Raises:
        StudyError: the folder holds no causal language model, or its tokenizer or template cannot be used.
        MissingPartError: torch or transformers is not installed.
    """
    torch, _ = libraries()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = tokenizer_of(folder, name)
    whole = adapter is not None and not (adapter / "adapter_config.json").exists()
    model = _model(base, adapter if adapter and whole else folder, settings, device, name)
    encoder = encoder_of(base, tokenizer, model.config, settings, name)
    if adapter is not None and not whole:
        from peft import PeftModel

        with peft_quiet():
            model = PeftModel.from_pretrained(model, adapter)
        model = merged(model) if merge else model
    if isinstance(base, Made) or base.quantise == "none":
        model.to(device)
    return model.eval(), encoder


def merged(model: Any) -> Any:
    """A model with its adapter merged into the weights; one without an adapter as it is."""
    if getattr(model, "is_loaded_in_4bit", False):  # merging into 4 bits would change the fit
        return model
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def encoder(base: Base, folder: Path, settings: Settings, name: str = "bases") -> Encoder:
    """The encoder of a base alone, without its weights.

    Raises:
        StudyError: as `load`.
    """
    return encoder_of(base, tokenizer_of(folder, name), config_of(folder, name), settings, name)


def config_of(folder: Path, name: str) -> Any:
    """The configuration of a folder.

    Raises:
        StudyError: there is none, or of a kind that transformers does not know.
    """
    _, transformers = libraries()
    try:
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as e:
        raise StudyError(
            f"{name}: {folder}: its config.json cannot be read: {first_line(e)} Give a causal language model."
        ) from e


def tokenizer_of(folder: Path, name: str) -> Any:
    """The tokenizer of a folder.

    Raises:
        StudyError: there is none, or it cannot be loaded.
    """
    _, transformers = libraries()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as e:  # libraries of tokenizers raise whatever they like
        raise StudyError(
            f"{name}: {folder}: its tokenizer cannot be loaded: {first_line(e)} Give a folder with a tokenizer.json."
        ) from e
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def encoder_of(base: Base, tokenizer: Any, config: Any, settings: Settings, name: str) -> Encoder:
    """The encoder of a base: its conversation, its classes, and its length."""
    limit = context(config, tokenizer)
    wanted = settings.max_length or limit
    if wanted > limit:
        raise StudyError(f"train.max_length: {wanted} is more than the context of {name}, {limit}. Lower it.")
    return Encoder(tokenizer, wanted, turn_of(base, tokenizer, name), name=name)


def turn_of(base: Base, tokenizer: Any, name: str) -> Turn:
    """The conversation in which a base is asked; none for a made one, or where the study file says so."""
    if isinstance(base, Made):
        return PLAIN
    if base.chat is False or (base.chat is None and not getattr(tokenizer, "chat_template", None)):
        if base.thinking == "native":
            raise StudyError(
                f"{name}.thinking: 'native' needs a chat template, and none is in use. Set it to \"off\"."
            )
        return PLAIN
    return turn(tokenizer, name, base.thinking, base.day)


def context(config: Any, tokenizer: Any) -> int:
    """Tokens that a base can see at once: its positions, or the tokenizer's own limit where that is less."""
    text = config.get_text_config(decoder=True)
    lengths = [n for key in _LENGTHS if isinstance(n := getattr(text, key, None), int) and n > 0]
    limit = getattr(tokenizer, "model_max_length", None)
    if isinstance(limit, int) and 0 < limit < 1e9:
        lengths.append(limit)
    return min(lengths, default=_DEFAULT_CONTEXT)


def _model(base: Base, folder: Path, settings: Settings, device: str, name: str) -> Any:
    torch, transformers = libraries()
    dtype = torch.bfloat16 if device == "cuda" and bfloat16(settings.precision, device) else torch.float32
    first = attention(settings.attention, device, bfloat16(settings.precision, device))
    choices = [first, "eager"] if settings.attention == "auto" and first != "eager" else [first]
    error: Exception | None = None
    in_bits = quantised(base, name)
    for choice in choices:
        try:
            return transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                attn_implementation=choice,
                dtype=dtype,
                **in_bits,
            )
        except Exception as e:
            error = e
    raise StudyError(
        f"{name}: {folder}: cannot be loaded: {first_line(error)} Give a causal language model."
    ) from error


def quantised(base: Base, name: str) -> dict[str, Any]:
    """How a base is loaded in 4 bits, where that is asked for. Not tested: no GPU was at hand.

    Raises:
        StudyError: there is no GPU.
    """
    if isinstance(base, Made) or base.quantise == "none":
        return {}
    torch, transformers = libraries()
    if not torch.cuda.is_available():
        raise StudyError(
            f'{name}.quantise: 4bit needs a GPU and the package bitsandbytes. Set quantise = "none".'
        )
    config = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": config, "device_map": {"": torch.cuda.current_device()}}


def first_line(e: BaseException | None) -> str:
    """The first line of an error as a sentence."""
    line = (str(e).strip().splitlines() or [type(e).__name__])[0]
    return line if line.endswith(".") else f"{line}."


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


def attention(wanted: str, device: str, bfloat16: bool = False) -> str:
    """The attention implementation by the name that transformers knows; auto: what was quicker where it was tried."""
    if wanted != "auto":
        return wanted
    return "eager" if device == "cpu" and bfloat16 else "sdpa"
