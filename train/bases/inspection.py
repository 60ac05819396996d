"""Everything about a base that can be known without its weights in memory; what cannot be used is refused here.

The model is built without storage (torch's `meta` device), so its size, its layers and its forward pass are checked
in a second, before a teacher is paid or a worker is started.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...study.errors import DataError, StudyError
from ..encoding.encoder import Encoder
from ..encoding.history import answer_tokens
from ..settings import Settings, StoredBase
from .libraries import libraries
from .models import attention, bfloat16, config_of, context, encoder_of, first_line, quantised, tokenizer_of
from .shape import adapted_layers, decoder_layers

_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention", "dense", "sparse", "moe"}
"""Kinds of layers that can be read from the middle of a text; all others keep a running state."""


@dataclass(frozen=True)
class Inspection:
    """What a base is."""

    name: str
    folder: Path
    encoder: Encoder
    architecture: str
    parameters: int
    layers: int
    width: int
    inner: int
    """Width inside a layer's feed-forward part."""
    vocabulary: int
    context: int
    adapted: int
    """Parameters of the adapter that the settings ask for."""
    answer: int
    """Tokens kept for what a model may write."""

    @property
    def room(self) -> int:
        """Tokens for the history."""
        return self.encoder.max_length - self.answer

    def line(self, settings: Settings) -> str:
        """The base in a line, as `wherefore check` shows it."""
        labels = self.encoder.labels
        how = "one token each" if labels.single else "scored over several tokens"
        chat = "chat template" if self.encoder.turn.after else "no chat template"
        return (
            f"{self.name}: {self.architecture}, {self.parameters / 1e6:,.1f} M parameters, context {self.context:,}, "
            f"{chat}, labels {'/'.join(map(repr, labels.words))} {how}, room for a history of {self.room:,} tokens; "
            f"a fit needs about {self.memory(settings) / 1e9:.1f} GB"
        )

    def memory(self, settings: Settings, tokens: int | None = None) -> float:
        """Bytes that a fit needs at its peak, within about a quarter.

        Args:
            settings: of the stage.
            tokens: of an example; None: as long as the longest there can be, a thousand at most.
        """
        cuda = libraries()[0].cuda.is_available()
        bytes_each = 2 if cuda and bfloat16(settings.precision, "cuda") else 4
        trained = self.parameters if settings.tune == "full" else self.adapted
        kept = (
            16 * self.width + 5 * self.inner
        )  # numbers that a token leaves in a layer for the backward pass
        if settings.activation_checkpointing:
            kept = self.width + kept // self.layers
        longest = min(self.encoder.max_length, 1000) if tokens is None else tokens
        at_once = max(longest, min(settings.tokens_at_once(cuda), longest * settings.batch))
        body = self.parameters * bytes_each + trained * 12 + 0.35e9
        return body + at_once * self.layers * kept * bytes_each


def inspected(base: StoredBase, folder: Path, settings: Settings, name: str) -> Inspection:
    """Look a base over.

    Args:
        base: as the study file has it.
        folder: with its weights.
        settings: of the stage.
        name: for errors, such as `bases.qwen`.
    Raises:
        StudyError: it cannot be loaded, adapted or read, in one line.
    """
    config = config_of(folder, name)
    _causal(config, name)
    quantised(base, name)
    _complete(folder, name)
    tokenizer = tokenizer_of(folder, name)
    encoder = encoder_of(base, tokenizer, config, settings, name)
    model = _empty(config, settings, name)
    _head(model, encoder, name)
    text = config.get_text_config(decoder=True)
    answer = settings.answer_tokens or answer_tokens(encoder, [], settings.max_new_tokens)
    if answer > 0.75 * encoder.max_length:
        raise StudyError(
            f"{name}: its context of {encoder.max_length} tokens is too short: {answer} are kept for what it may "
            "write. Lower train.max_new_tokens, or choose another base."
        )
    rank = settings.lora.rank
    shapes = [model.get_submodule(n).weight.shape for n in adapted_layers(model, settings.lora)]
    return Inspection(
        name=name,
        folder=folder,
        encoder=encoder,
        architecture=type(model).__name__,
        parameters=sum(p.numel() for p in model.parameters()),
        layers=len(decoder_layers(model)[1]),
        width=int(text.hidden_size),
        inner=int(getattr(text, "intermediate_size", None) or 4 * text.hidden_size),
        vocabulary=int(model.get_output_embeddings().weight.shape[0]),
        context=context(config, tokenizer),
        adapted=sum(rank * sum(s) for s in shapes),
        answer=answer,
    )


def _causal(config: Any, name: str) -> None:
    """Only models that predict the next token by attention to all before it."""
    from transformers.models.auto import modeling_auto

    text = config.get_text_config(decoder=True)
    if getattr(config, "is_encoder_decoder", False):
        raise StudyError(
            f"{name}: {config.model_type} is an encoder-decoder. Choose a causal (decoder-only) model."
        )
    running = [kind for kind in getattr(text, "layer_types", None) or [] if kind not in _ATTENTION]
    if running:
        raise StudyError(
            f"{name}: {config.model_type} has layers of kind {running[0]!r} that keep a running state, so a text "
            "cannot be read from its middle. Choose a model with attention alone."
        )
    known = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if config.model_type not in known and text.model_type not in known:
        raise StudyError(f"{name}: {config.model_type} is not a causal language model. Choose one that is.")


def _complete(folder: Path, name: str) -> None:
    """Every file of weights is there and has the length that its header promises."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        files = sorted(p.name for p in (*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")))
    if not files:
        raise StudyError(f"{name}: {folder} holds no weights (*.safetensors). Copy the whole folder.")
    for file in files:
        path = folder / file
        if not path.exists():
            raise StudyError(f"{name}: {path} is missing, its index names it. Copy the whole folder.")
        if path.suffix == ".safetensors" and path.stat().st_size != _promised(path):
            raise StudyError(f"{name}: {path} is truncated or damaged. Copy it again.")


def _promised(path: Path) -> int:
    """Bytes of a safetensors file by its own header; -1 where it has none."""
    with path.open("rb") as f:
        length = int.from_bytes(f.read(8), "little")
        try:
            header = json.loads(f.read(length)) if length < path.stat().st_size else {}
        except ValueError:
            return -1
    ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    return 8 + length + max(ends) if ends else -1


def _empty(config: Any, settings: Settings, name: str) -> Any:
    """The model without storage, after a forward pass over a few tokens and one more behind its cache."""
    torch, transformers = libraries()
    first = attention(settings.attention, "cpu", bfloat16(settings.precision, "cpu"))
    choices = [first, "eager"] if settings.attention == "auto" and first != "eager" else [first]
    error: Exception | None = None
    for choice in choices:
        try:
            with torch.device("meta"):
                model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=choice)
            break
        except Exception as e:
            error = e
    else:
        hint = ' Set train.attention = "auto".' if settings.attention != "auto" else ""
        raise StudyError(
            f"{name}: {config.model_type}: the model cannot be built: {first_line(error)}{hint}"
        ) from error
    if getattr(model, "_is_stateful", False):
        raise StudyError(
            f"{name}: {config.model_type} is a state-space model: it keeps a running state, so a text cannot be read "
            "from its middle. Choose a model with attention alone."
        )
    _forward(model.eval(), config, name)
    return model


def _forward(model: Any, config: Any, name: str) -> None:
    torch, transformers = libraries()
    ids = torch.zeros((1, 4), dtype=torch.int64, device="meta")
    try:
        with torch.no_grad():
            out = model(input_ids=ids, past_key_values=transformers.DynamicCache(), use_cache=True)
            seen = out.past_key_values.get_seq_length()
    except Exception as e:
        raise StudyError(
            f"{name}: {config.model_type}: its forward pass cannot continue from a cache: {first_line(e)} "
            "Choose another base."
        ) from e
    if seen != 4:
        raise StudyError(
            f"{name}: {config.model_type} keeps no cache that can be read from. Choose another base."
        )


def _head(model: Any, encoder: Encoder, name: str) -> None:
    """An output layer with a row for every token that is written or read."""
    head = model.get_output_embeddings()
    if head is None or getattr(head, "weight", None) is None:
        raise StudyError(
            f"{name}: {type(model).__name__} has no output layer to read labels from. Choose another."
        )
    highest = max(i for ids in (*encoder.labels.tokens, encoder.controls.ids.values()) for i in ids or [0])
    rows = head.weight.shape[0]
    if highest >= rows and any(i >= rows for ids in encoder.labels.tokens for i in ids):
        raise StudyError(
            f"{name}: the tokenizer's id {highest} is beyond the model's {rows} tokens: they do not match."
        )


def cut_share(inspection: Inspection, cases: Any, question: str) -> tuple[int, int]:
    """(cases whose history has to be shortened, all cases); counted in tokens, nothing is shortened.

    Raises:
        DataError: as `HistoryShortener`.
    """
    from ..encoding.history import HistoryShortener

    shorten = HistoryShortener(inspection.encoder, question, inspection.answer)
    try:
        return sum(bool(shorten(c).removed) for c in cases), len(cases)
    except DataError as e:
        raise StudyError(str(e)) from e
