"""Tokenizers of well-known models, rebuilt small: their own pre-tokenisation, special tokens and chat template.

The vocabularies are trained on a few lines, so the ids mean nothing; where a text is parted, which tokens are control
tokens, and what the template writes are as in the real ones. Templates come from TRL where it has them.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

_TEXT = [
    "[E001] age 66.4 (3.6 y before): Stroke\nAge now: 70.0\nWill dementia be diagnosed within five years?\n",
    "Reasons: There was a stroke. [E001] Risk is high.\nAnswer: yes",
    "Reasons: There is no stroke. [E002, E003] Risk is low.\nAnswer: no",
    "user\nmodel\nassistant\nsystem\nYes No yes no\n\nToday Date: 01 Jan 2026\n\n",
] * 30
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
_O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


_UNK = ("<unk>", "<s>", "</s>")


class Family(NamedTuple):
    """How a tokenizer is built, and what stands around a case in its conversation."""

    build: Callable[[], Tokenizer]
    specials: tuple[str, ...]
    bos: str | None
    eos: str
    template: str | None = None
    """Name of a template of TRL, or the template; None: a base without conversation."""
    before: str = ""
    after: str = ""
    end: str = ""
    """The token that ends an answer."""
    added: tuple[str, ...] = ()
    """Tokens that are not special, such as `<think>`."""
    rstrip: bool = False
    """Special tokens swallow the blanks behind them."""
    blank: bool = False
    """A blank is written behind each of them."""
    open: str | None = None
    """What stands between `before`, the case and the native thought."""


def _byte_level(pattern: str) -> Callable[[], Tokenizer]:
    def build() -> Tokenizer:
        t = Tokenizer(models.BPE())
        t.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        t.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
        t.train_from_iterator(_TEXT, trainer)
        return t

    return build


def _digits() -> Tokenizer:
    """SmolLM2: every digit alone, then GPT-2."""
    t = _byte_level(_GPT2)()
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return t


def _sentencepiece(prefix: str) -> Callable[[], Tokenizer]:
    """Llama 2, Mistral, Phi-3: `first` writes a blank before a text, `legacy` before each stretch, `never` none."""

    def build() -> Tokenizer:
        t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
        bytes_ = [f"<0x{i:02X}>" for i in range(256)]
        t.train_from_iterator(
            [line for text in _TEXT for line in text.split("\n")],
            trainers.BpeTrainer(
                vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False
            ),
        )
        spec = json.loads(t.to_str())
        spec["added_tokens"] = []  # the bytes are no added tokens in the real ones
        t = Tokenizer.from_str(json.dumps(spec))
        if prefix == "first":
            t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        else:
            t.pre_tokenizer = None
            replace = normalizers.Replace(" ", "▁")
            t.normalizer = (
                normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prefix == "legacy" else replace
            )
        strip = [] if prefix == "never" else [decoders.Strip(content=" ", left=1)]
        t.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
        )
        return t

    return build


def _unigram() -> Tokenizer:
    """XGLM, T5's kin: a unigram sentencepiece with a blank before the text."""
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    t.decoder = decoders.Metaspace(prepend_scheme="always", split=True)
    trainer = trainers.UnigramTrainer(
        initial_alphabet=[*map(chr, range(33, 127)), "｜"],
        vocab_size=250,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    t.train_from_iterator(_TEXT, trainer)
    return t


_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_QWEN_SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
_SMOL_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
_MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + '[/INST]' }}{% elif m['role'] == 'assistant' %}"
    "{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
_LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + m['content'].strip() + ' [/INST]' }}"
    "{% elif m['role'] == 'assistant' %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
_SMOL = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    + _SMOL_SYSTEM
    + "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_HARMONY = (
    "<|startoftext|>",
    "<|return|>",
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|channel|>",
    "<|endoftext|>",
)
_R1 = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
_LLAMA3_TOKENS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)
_GLM = ("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>")
_COHERE = (
    "<BOS_TOKEN>",
    "<|END_OF_TURN_TOKEN|>",
    "<|START_OF_TURN_TOKEN|>",
    "<|USER_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
)

FAMILIES: dict[str, Family] = {
    "gpt2": Family(
        _byte_level(_GPT2), ("<|endoftext|>",), "<|endoftext|>", "<|endoftext|>", end="<|endoftext|>"
    ),
    "qwen2.5": Family(
        _byte_level(_QWEN),
        _CHATML,
        None,
        "<|im_end|>",
        "qwen2_5",
        f"<|im_start|>system\n{_QWEN_SYSTEM}<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>",
    ),
    "qwen3": Family(
        _byte_level(_QWEN),
        _CHATML,
        None,
        "<|im_end|>",
        "qwen3",
        "<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "<|im_end|>",
        ("<think>", "</think>"),
        open="<|im_end|>\n<|im_start|>assistant\n",
    ),
    "deepseek-r1-distill": Family(
        _byte_level(_QWEN),
        _R1,
        _R1[0],
        _R1[1],
        "deepseek_r1_distill",
        "<｜begin▁of▁sentence｜><｜User｜>",
        "<｜Assistant｜><think>\n\n</think>\n\n",
        _R1[1],
        ("<think>", "</think>"),
        open="<｜Assistant｜>",
    ),
    "llama3.2": Family(
        _byte_level(_LLAMA3),
        _LLAMA3_TOKENS,
        "<|begin_of_text|>",
        "<|eot_id|>",
        "llama3_2",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 01 Jan 2026\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
    ),
    "mistral-v0.3": Family(
        _sentencepiece("first"),
        ("<unk>", "<s>", "</s>", "[INST]", "[/INST]"),
        "<s>",
        "</s>",
        _MISTRAL,
        "<s>[INST] ",
        "[/INST] ",
        "</s>",
    ),
    "llama2": Family(
        _sentencepiece("legacy"),
        ("<unk>", "<s>", "</s>"),
        "<s>",
        "</s>",
        _LLAMA2,
        "<s>[INST] ",
        " [/INST] ",
        "</s>",
        blank=True,
    ),
    "gemma3": Family(
        _sentencepiece("never"),
        ("<unk>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
        "<bos>",
        "<eos>",
        "gemma3",
        "<bos><start_of_turn>user\n",
        "<end_of_turn>\n<start_of_turn>model\n",
        "<end_of_turn>",
        ("\n\n",),
    ),
    "phi3": Family(
        _sentencepiece("first"),
        ("<unk>", "<s>", "</s>", "<|user|>", "<|end|>", "<|assistant|>"),
        "<s>",
        "</s>",
        "phi3",
        "<|user|>\n",
        "<|end|>\n<|assistant|>\n",
        "<|end|>",
        rstrip=True,
    ),
    "smollm2": Family(
        _digits,
        _CHATML,
        "<|im_start|>",
        "<|im_end|>",
        _SMOL,
        f"<|im_start|>system\n{_SMOL_SYSTEM}<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>",
    ),
    "gpt-oss": Family(
        _byte_level(_O200K),
        _HARMONY,
        "<|startoftext|>",
        "<|return|>",
        "gptoss",
        "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
        "Knowledge cutoff: 2024-06\nCurrent date: 2026-01-01\n\nReasoning: medium\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>"
        "<|start|>user<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|return|>",
        open="<|end|><|start|>assistant",
    ),
    "glm4": Family(
        _byte_level(_LLAMA3),
        _GLM,
        None,
        "<|endoftext|>",
        "glm4moe",
        "[gMASK]<sop><|user|>\n",
        "/nothink<|assistant|>\n<think></think>\n",
        "<|endoftext|>",
        ("<think>", "</think>"),
        open="<|assistant|>",
    ),
    "cohere": Family(
        _byte_level(_GPT2),
        _COHERE,
        "<BOS_TOKEN>",
        "<|END_OF_TURN_TOKEN|>",
        "cohere",
        "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
        "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        "<|END_OF_TURN_TOKEN|>",
    ),
    "unigram": Family(_unigram, ("<s>", "<pad>", "</s>", "<unk>"), "<s>", "</s>", end="</s>"),
}


@cache
def tokenizer(name: str) -> Any:
    """The tokenizer of a family."""
    family = FAMILIES[name]
    backend = family.build()
    backend.add_special_tokens(
        [AddedToken(t, special=True, normalized=False, rstrip=family.rstrip) for t in family.specials]
    )
    backend.add_tokens([AddedToken(t, special=False, normalized=False) for t in family.added])
    out = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=family.bos,
        eos_token=family.eos,
        unk_token="<unk>" if "<unk>" in family.specials else None,
        padding_side="left",
    )
    out.name_or_path = name
    if family.template:
        out.chat_template = template(family.template)
    return out


def template(name: str) -> str:
    """The text of a template: itself, or that of TRL by its name."""
    if "{" in name:
        return name
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()
