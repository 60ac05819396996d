"""The study file's `[train]` and `[bases]`: what all fits share, and the models they start from."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from ..study.config import Study
from ..study.errors import StudyError
from ..study.records import Record, first_fault


class Made(Record):
    """A base model made on the spot from the cohort: `[bases.tiny] make = "tiny"`."""

    make: Literal["tiny"]
    architecture: Literal["llama", "qwen3"] = "llama"
    hidden: int = Field(default=128, gt=0)
    """Width of the residual stream; a multiple of `heads`."""
    layers: int = Field(default=3, gt=0)
    heads: int = Field(default=2, gt=0)
    vocabulary: int = Field(default=1500, ge=300)
    """Entries of the tokenizer, the 256 bytes included."""
    passes: int = Field(default=4, ge=0)
    """Over the training split's histories, before any fit: see `train/made/pretraining.py`."""
    batch: int = Field(default=16, gt=0)
    learning_rate: float = Field(default=3e-3, gt=0)


class Kept(Record):
    """A base model that is there: `[bases.qwen] path = "/models/Qwen3-8B"`, any causal Hugging Face folder."""

    path: str
    chat: bool = False
    """Put the case into the tokenizer's chat template."""


class Lora(Record):
    """The adapter (Hu et al. 2021, arXiv 2106.09685)."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    modules: str | tuple[str, ...] = "all-linear"
    """Names of the adapted layers, or `all-linear`: every linear layer except the output."""


class Settings(Record):
    """What every fit and read-out of the study shares."""

    question: str = "Will dementia be diagnosed within five years?"
    """Asked after the timeline, of every model alike."""
    epochs: int = Field(default=4, gt=0)
    batch: int = Field(default=16, gt=0)
    """Cases a step."""
    micro_batch: int | None = Field(default=None, gt=0)
    """Examples at a time where memory is short; the gradient is that of the whole batch. None: the batch."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises; then it falls to zero along a cosine."""
    weight_decay: float = Field(default=0.0, ge=0)
    lora: Lora = Lora()
    max_length: int = Field(default=1024, gt=16)
    """Tokens of an example. Longer ones lose the oldest part of the history, and are counted."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the fit; auto: bfloat16 where the hardware computes with it. Risk is read in float32 on a CPU."""
    attention: Literal["auto", "eager", "sdpa"] = "auto"
    """auto: eager on a CPU, where it is faster at these lengths, sdpa on a GPU."""
    workers: int = Field(default=2, gt=0)
    """Processes on this machine, one thread each; a GPU serves one at a time: use 1 and `--shard` there."""
    readouts: tuple[str, ...] = Field(default=("direct", "own_rationale", "teacher_rationale"), min_length=1)
    """Names in `train/reading/readouts.py`; each is made for the targets that it fits."""
    read_batch: int = Field(default=32, gt=0)
    """Cases at a time when risk is read."""
    max_new_tokens: int = Field(default=160, gt=0)
    """A rationale that the model writes ends here at the latest; the label is read nevertheless."""
    rationales: Literal["usable", "accepted", "all"] = "usable"
    """usable: grounded well enough and not rejected by a verdict; accepted: also accepted by one."""
    faulty: Literal["drop_claim", "reject", "keep"] = "drop_claim"
    """A rationale with faulty claims is taught without them, unless its last claim, the conclusion, is one of them;
    is not taught; or is taught as it is."""
    min_support: float = Field(default=0.5, ge=0, le=1)
    """Least share of a rationale's decided claims that the evidence supports, for it to be taught."""
    min_facts: int = Field(default=1, ge=0)
    """Least facts of the record that a rationale states and that hold; one that states none proves nothing."""
    baselines: tuple[str, ...] = ("logistic_regression", "gradient_boosting", "age_sex", "bayes")
    """Names in `train/baselines.py`."""


Base = Made | Kept


def bases(study: Study) -> dict[str, Base]:
    """The base models of `[bases]`, by name; a made one called `tiny` where the section is absent.

    Raises:
        StudyError: neither `make` nor `path`, or a wrong key or value.
    """
    if not study.bases:
        return {"tiny": Made(make="tiny")}
    return {name: _base(name, options) for name, options in study.bases.items()}


def _base(name: str, options: dict[str, Any]) -> Base:
    kind: type[Base] = Made if "make" in options else Kept
    if not {"make", "path"} & options.keys():
        raise StudyError(
            f"bases.{name}: found neither 'make' nor 'path'. "
            'Write make = "tiny", or path = "<a folder with a causal language model>".'
        )
    try:
        made: Base = kind.model_validate(options)
    except ValidationError as e:
        raise StudyError(f"bases.{name}.{first_fault(e, kind)}") from e
    if isinstance(made, Made) and made.hidden % (2 * made.heads):
        raise StudyError(
            f"bases.{name}.hidden: {made.hidden} is not an even multiple of {made.heads} heads. Choose another."
        )
    return made
