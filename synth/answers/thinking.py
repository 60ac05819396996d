"""Where a model's thinking ends and its answer begins.

Each family has its own marks: `<think>`, `[THINK]`, `<seed:think>`, `<|begin_of_thought|>`, channels, a heading.
What stands in a closed block is a draft and never an answer. A block that is never closed is looked at again by the
reader: a server may have taken the closing mark away.
"""

import re
from typing import NamedTuple


class Parts(NamedTuple):
    """An answer, and the thinking that no mark closes."""

    pieces: tuple[str, ...]
    """The answer, parted where thinking stood: nothing runs on across it."""
    unclosed: str = ""


_NAME = (
    r"(?:[a-z]+[:_]?)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion)?|scratch_?pad|analysis|deliberation|"
    r"monologue|cot|inner_prefix)"
)
_OPEN = rf"(?:[<◁]\|?\s*(?:begin_of_|start_of_|start_)?{_NAME}(?:_(?:start|begin))?(?:\s[^<>\[\]]{{0,40}})?\|?[>▷]"
_CLOSE = rf"(?:[<◁]\|?\s*(?:/\s*|end_of_|end_){_NAME}\s*\|?[>▷]|<\|?{_NAME}_end\|?>|<\|inner_suffix\|>"
_PAIRS = (
    (rf"{_OPEN})", rf"{_CLOSE})"),
    (r"\[(?:think|thinking|thoughts?)\]", r"\[/(?:think|thinking|thoughts?)\]"),
    (r"<details[^<>]*reasoning[^<>]*>", r"</details>"),
    (r"<\|channel>\s*(?:thought|analysis)", r"<channel\|>"),
    (r"<unused94>(?:thought)?", r"<unused95>"),
    (r"\[unused16\]", r"\[unused17\]"),
    (r"\A\s*Thinking\.\.\.\s*\n", r"\.\.\.done thinking\."),
    (r"\A\s*Here is my thought process:", r"Here is my response:"),
)
_BLOCKS = tuple((re.compile(a, re.IGNORECASE), re.compile(b, re.IGNORECASE)) for a, b in _PAIRS)
_TURN_ENDS = re.compile(
    r"(?<=\S)\s*(?:<\|(?:im_end|im_start|eot_id|eom_id|endoftext|end_of_text|end_of_turn|user)\|>|<end_of_turn>|"
    r"</s>(?=\s*(?:<s>|\[INST\]|\Z))|\n\s*(?:#{1,4}\s*)?(?:User|Human|Instruction)\s*:)"
)
"""Where the turn of the model is over; some servers let it run on into a conversation with itself."""
_FINAL = re.compile(
    r"<\|channel\|>\s*final\b.{0,60}?<\|message\|>|(?<=assistant)final(?=\W|[A-Z])", re.DOTALL
)
"""Opens the last of the channels of the harmony format; servers that drop its marks leave the names."""
_CHANNEL = re.compile(r"<\|channel\|>|\A\s*(?:analysis|commentary)(?=[\w{\[\"*<])")


def split(text: str) -> Parts:
    """The answer without thinking, and thinking that never ends.

    >>> split("<think>hm</think> yes"), split("hm, the block began in the prompt</think> yes"), split("<think>hm")
    (Parts(pieces=('yes',), unclosed=''), Parts(pieces=('yes',), unclosed=''), Parts(pieces=(), unclosed='hm'))
    """
    if turn := _TURN_ENDS.search(text):
        text = text[: turn.start()]
    finals = list(_FINAL.finditer(text))
    if _CHANNEL.search(text) or finals:
        if not finals:
            return Parts((), text)
        text = text[finals[-1].end() :]
    pieces, unclosed = [text], ""
    for opening, closing in _BLOCKS:
        parted = [_without(piece, opening, closing) for piece in pieces]
        pieces = [piece for kept, _ in parted for piece in kept]
        unclosed = next((rest for _, rest in reversed(parted) if rest), unclosed)
    return Parts(tuple(p for p in map(str.strip, pieces) if p), unclosed.strip())


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> tuple[list[str], str]:
    """What stands around the blocks between two marks; what follows a mark that is never closed comes apart."""
    kept: list[str] = []
    at = 0
    first_open, first_close = opening.search(text), closing.search(text)
    if first_close and (first_open is None or first_close.start() < first_open.start()):
        at = first_close.end()  # the block was opened in the prompt
    while m := opening.search(text, at):
        kept.append(text[at : m.start()])
        end = closing.search(text, m.end())
        if end is None:
            return kept, text[m.end() :]
        at = end.end()
    return [*kept, text[at:]], ""
