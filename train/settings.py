"""The study file's `[train]` and `[bases]`: what all fits share, and the models they start from."""

from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationError

from ..cohort.question import question
from ..study.config import Study
from ..study.errors import StudyError
from ..study.records import Record, first_fault


class Made(Record):
    """A base model made on the spot from the cohort: `[bases.tiny] make = "tiny"`."""

    make: Literal["tiny"]
    """A small model, pre-trained on the study's own histories."""
    architecture: Literal["llama", "qwen3"] = "llama"
    """Of which family its layers are."""
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
    forms: tuple[Literal["label_only", "free_rationale", "label_then_rationale"], ...] = Field(
        default=("label_only", "free_rationale", "label_then_rationale"), min_length=1
    )
    """Forms of the task that it reads before any fit, in equal parts; `free_rationale` alone makes a base that gives
    its reasons before every answer."""


class StoredBase(Record):
    """A base model that exists: exactly one of `path`, `hub` and `package` says where.

    ```toml
    [bases.qwen]
    path = "/models/Qwen3-8B"      # a Hugging Face folder, or a .gguf file, which is converted once
    [bases.llama]
    hub = "meta-llama/Llama-3.1-8B-Instruct"
    revision = "0e9e39f"
    [bases.smollm2]
    package = "smollm2"            # see `wherefore base list`
    ```
    """

    path: str | None = None
    """Folder with a causal language model, or a `.gguf` file; relative to the study file."""
    hub: str | None = None
    """`organisation/name` on the Hugging Face hub."""
    revision: str = "main"
    """Of the hub: a commit, a tag or a branch. The commit that it was is recorded."""
    package: str | None = None
    """A model inside a package of the package index."""
    offline: bool = True
    """Take what is on this machine; false: download what is missing."""
    chat: bool | None = None
    """Put the case into the tokenizer's chat template; None: where it has one."""
    thinking: Literal["off", "native"] = "off"
    """off: a thought that the template opens is switched off or closed empty. native: reasons that come first are
    taught and read inside the base's own thought (`<think>`…)."""
    day: date = date(2026, 1, 1)
    """What a template that asks for today's date is told."""
    quantise: Literal["none", "4bit"] = "none"
    """4bit: the frozen base in 4 bits (QLoRA, Dettmers et al. 2023, arXiv 2305.14314); needs a GPU, bitsandbytes."""


class Lora(Record):
    """The adapter (Hu et al. 2021, arXiv 2106.09685)."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    modules: str | tuple[str, ...] = "all-linear"
    """Names of the adapted layers, such as `q_proj`; `all-linear`: every linear layer of the text decoder."""
    last_layers: int | None = Field(default=None, gt=0)
    """Adapt only so many of the last layers: quicker, since the backward pass ends there."""
    rslora: bool = False
    """Scale by alpha / sqrt(rank) (Kalajdzievski 2023, arXiv 2312.03732) instead of alpha / rank."""
    dora: bool = False
    """Weight-decomposed (Liu et al. 2024, arXiv 2402.09353); slower."""


class Served(Record):
    """A server with the OpenAI completions protocol that serves the fits: `[train.served]`."""

    base_url: str
    """Such as `http://127.0.0.1:8000/v1`."""
    model: str = "{cell}"
    """Name of a fit's adapter at the server; `{cell}` stands for the cell's id."""
    token: str = "WHEREFORE_SERVED_TOKEN"
    """Environment variable with the key, where the server asks for one."""
    risks: Literal["server", "process"] = "process"
    """Where risks are read: from the server's log probabilities, or in this process; it writes in either case."""
    concurrency: int = Field(default=16, gt=0)
    timeout: float = Field(default=600, gt=0)
    """Seconds for an answer."""


class Decoding(Record):
    """How a model writes: `[train.decodings.NAME]`."""

    temperature: float = Field(default=0.0, ge=0)
    """0: the likeliest token each time."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Only the likeliest tokens that together have so much of the probability are drawn."""
    max_new_tokens: int | None = Field(default=None, gt=0)
    """None: the section's own."""
    seed: int = Field(default=0, ge=0)
    """Of what is drawn: tokens, and the demonstrations of a few-shot prompt."""


class Settings(Record):
    """What every fit and read-out of the study shares."""

    question: str = ""
    """Asked after the timeline, of every model alike; empty: the cohort's question."""
    epochs: int = Field(default=4, gt=0)
    batch: int = Field(default=16, gt=0)
    """Cases a step."""
    micro_batch: int | None = Field(default=None, gt=0)
    """Examples at a time; the gradient is that of the whole batch. None: as many as hold `tokens_at_once`."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises; then it falls to zero along a cosine."""
    weight_decay: float = Field(default=0.0, ge=0)
    tune: Literal["lora", "full"] = "lora"
    """What is trained: an adapter, or all weights of the base."""
    lora: Lora = Lora()
    early_stopping: int | None = Field(default=None, gt=0)
    """Stop after so many epochs without a lower loss on the tuning split, and keep the best; None: all epochs."""
    activation_checkpointing: bool = False
    """Compute activations again for the backward pass instead of keeping them: less memory, a third more time."""
    compare_every: int = Field(default=50, ge=0)
    """Steps between two comparisons of the gradients of the label and of the rest of the loss; 0: none. The weights
    do not depend on it."""
    checkpoint_seconds: float = Field(default=60, ge=0)
    """A fit is kept on disk so often; what a kill costs at most."""
    max_length: int | None = Field(default=None, gt=16)
    """Tokens of an example; None: the base's context. A longer history loses its oldest dated lines, alike for every
    target and read-out, and is counted."""
    answer_tokens: int | None = Field(default=None, gt=0)
    """Tokens kept free for the answer; None: the longest rationale, or `max_new_tokens` where that is more."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the fit; auto: bfloat16 where the hardware computes with it. Risk is read in float32 on a CPU."""
    attention: Literal["auto", "eager", "sdpa"] = "auto"
    """auto: sdpa; eager on a CPU that computes in bfloat16, and where a model refuses sdpa."""
    workers: int = Field(default=2, gt=0)
    """Processes on this machine, one thread each; a GPU serves one at a time: use 1 and `--shard` there."""
    ray: int | None = Field(default=None, gt=0)
    """So many workers on Ray instead: on the cluster that RAY_ADDRESS names, or else on this machine."""
    gpus: float = Field(default=0, ge=0)
    """GPUs that a Ray worker holds: 1, or 0.25 where four fits share one; 0: it sees none."""
    readouts: tuple[str, ...] = Field(default=("direct", "own_rationale", "teacher_rationale"), min_length=1)
    """Names in `train/reading/readouts.py`; each is made for the targets that it fits. `native`: each target's own
    format; `sampled_8`, `few_shot_4_balanced`: with a number and words; `own_rationale@warm`: with a decoding."""
    decodings: dict[str, Decoding] = Field(default_factory=dict)
    """By name; `[grid] decoding` crosses them with every read-out that writes."""
    read_batch: int = Field(default=32, gt=0)
    """Cases at a time when risk is read."""
    max_new_tokens: int = Field(default=160, gt=0)
    """A rationale that the model writes ends here at the latest; the label is read nevertheless."""
    served: Served | None = None
    """Rationales are written through a server, for bases too large to write with here."""
    parity: float = Field(default=0.01, gt=0)
    """Largest difference of a risk between the ways to run a fit (beside its base, merged, served): the gate."""
    parity_cases: int = Field(default=16, ge=0)
    """Held-out cases that the gate compares; 0: none."""
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

    @property
    def at_once(self) -> int:
        """Cells worked on at a time: by Ray's workers where there are any, else by processes of this machine."""
        return self.ray or self.workers

    def tokens_at_once(self, gpu: bool) -> int:
        """Padded tokens that go through the model together where `micro_batch` does not say."""
        return 16384 if gpu else 1280


def settings_of(study: Study) -> Settings:
    """The section `[train]`, with the cohort's question where it has none of its own.

    Raises:
        StudyError: a wrong key or value.
    """
    settings = study.section("train", Settings)
    text = settings.question or question(study).text
    return settings.model_copy(update={"question": text})


Base = Made | StoredBase

OF_THE_FIT = frozenset(
    {"epochs", "batch", "warmup", "weight_decay", "tune", "lora", "early_stopping", "precision", "attention"}
)
"""Settings that change a fit's weights. With its base and its encoded examples they are all that makes it."""
OF_THE_READING = frozenset({"readouts", "decodings", "max_new_tokens", "served"})
"""Settings that change what is read and not what is fitted."""
OF_NEITHER = frozenset(
    {
        "workers",
        "ray",
        "gpus",
        "read_batch",
        "micro_batch",
        "compare_every",
        "activation_checkpointing",
        "checkpoint_seconds",
        "parity",
        "parity_cases",
        "baselines",
    }
)
"""Settings of memory, speed and other folders: changing them repeats nothing."""


def bases(study: Study) -> dict[str, Base]:
    """The base models of `[bases]`, by name; a made one called `tiny` where the section is absent.

    Raises:
        StudyError: neither `make` nor `path`, or a wrong key or value.
    """
    if not study.bases:
        return {"tiny": Made(make="tiny")}
    return {name: _base(name, options) for name, options in study.bases.items()}


def _base(name: str, options: dict[str, Any]) -> Base:
    kind: type[Base] = Made if "make" in options else StoredBase
    given = [key for key in ("make", "path", "hub", "package") if key in options]
    if len(given) != 1:
        keys = " and ".join(repr(key) for key in given) or "none of 'make', 'path', 'hub' and 'package'"
        raise StudyError(
            f'bases.{name}: found {keys}; one is needed. Write make = "tiny", path = "<folder or .gguf file>", '
            'hub = "<organisation/name>", or package = "smollm2".'
        )
    try:
        base: Base = kind.model_validate(options)
    except ValidationError as e:
        raise StudyError(f"bases.{name}.{first_fault(e, kind)}") from e
    if isinstance(base, Made) and base.hidden % (2 * base.heads):
        raise StudyError(
            f"bases.{name}.hidden: {base.hidden} is not an even multiple of {base.heads} heads. Choose another."
        )
    return base
