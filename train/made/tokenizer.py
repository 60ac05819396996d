"""The tokenizer of a made base model: byte-level BPE whose pieces are what a history is made of.

An evidence id and every digit are tokens of their own, so that an id is copied in one step and 66.4 and 66.5 share
what they share. Between them whole phrases may become one token (`Harmful use of alcohol`, ` y before`), as far as
the timelines repeat them: merges across spaces, as in SuperBPE (Liu et al. 2025, arXiv 2503.13423).
"""

import re
from collections.abc import Iterable
from typing import Any

from ..targets import ANSWER, LABELS, REASONS

START, END, PAD = "<s>", "</s>", "<pad>"
_PIECES = r"E\d{3,}|\d|\n\W*| ?[^\w\s]+ ?"
"""Evidence id; digit; start of a line; punctuation with its spaces. What is between two of them is a phrase."""
_SURE = 1000
"""Frames and label words are read so often that their merges are certain whatever the cohort says."""


def make_tokenizer(vocabulary: int, timelines: Iterable[str], prose: Iterable[str]) -> Any:
    """Train a tokenizer.

    Args:
        vocabulary: entries at most, the 256 bytes included.
        timelines: whose phrases may become tokens.
        prose: of which only single words may.
    Returns:
        A `PreTrainedTokenizerFast` that writes `<s>` before a text and pads on the left.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, START, END],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    words = (word for text in prose for word in re.findall(r"\s?\S+", text))
    sure = [*LABELS, REASONS, ANSWER, ANSWER.strip()] * _SURE
    tokenizer.train_from_iterator([*timelines, *words, *sure], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, tokenizer.token_to_id(START))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PAD, padding_side="left"
    )
