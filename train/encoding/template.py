"""What stands around a case in a base's own conversation: found by rendering its template once, with placeholders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from ...study.errors import StudyError

Thinking = Literal["off", "native"]

_CASE, _ANSWER = "Zq8caseZq8", "Zq8answerZq8"
_CLOCK = re.compile(r"strftime_now\s*\(\s*(['\"])(.*?)\1\s*\)")


@dataclass(frozen=True)
class Thought:
    """How a base marks what it thinks before it answers."""

    open: str
    close: str
    """Also leads to the answer."""
    skip: str
    """Leads to the answer without a thought."""


@dataclass(frozen=True)
class Turn:
    """The text around a case and around the answer to it. All of it is ours: control tokens in it are meant."""

    before: str
    after: str
    """Up to where the answer begins, or up to where the thought begins where `thought` is set."""
    end: str
    """What follows the answer; its first control token ends the turn."""
    thought: Thought | None = None
    """Set where reasons are to be written as the base's own thought."""


PLAIN = Turn("", "", "")
"""No conversation: the case, then the answer."""


def turn(tokenizer: Any, name: str, thinking: Thinking, day: date) -> Turn:
    """The conversation in which a case is asked about.

    Args:
        tokenizer: with a chat template.
        name: of the base, for errors.
        thinking: off: the template's thought is switched off, or closed empty; native: reasons go into it.
        day: what the template is told when it asks for today.
    Raises:
        StudyError: no template; one that drops the case's text, cannot be rendered, or has no thought to write into.
    """
    template = frozen(_template(tokenizer, name), day, name)
    before, after = _open(tokenizer, template, name, thinking)
    spoken = _spoken(tokenizer, template, name, thinking)
    if spoken is not None and spoken[0].startswith(after) and not spoken[0][len(after) :].strip():
        after = spoken[0]
    thought = _thought(tokenizer, template, after)
    end = spoken[1] if spoken else ""
    if thinking == "native":
        if thought is None:
            raise StudyError(
                f"{name}.thinking: the template has no thought that reasons could be written into (looked for "
                f'{", ".join(t.open.strip() for t in THOUGHTS)}). Set thinking = "off".'
            )
        return Turn(before, after.removesuffix(_tail(after, thought)), end, thought)
    return Turn(before, after + _closing(after, thought), end)


def frozen(template: str, day: date, name: str) -> str:
    """The template with its clock stopped, so that the same case is the same tokens on any day.

    >>> frozen("Today: {{ strftime_now('%d %b %Y') }}", date(2026, 1, 1), "bases.x")
    "Today: {{ '01 Jan 2026' }}"
    """
    stopped = _CLOCK.sub(lambda m: repr(day.strftime(m[2])), template)
    if "strftime_now(" in stopped.replace(" ", ""):
        raise StudyError(
            f"{name}: the chat template asks for the date in a way that cannot be frozen. "
            "Give the folder a chat_template.jinja without strftime_now."
        )
    return stopped


def _template(tokenizer: Any, name: str) -> str:
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise StudyError(
            f"{name}.chat: the tokenizer has no chat template. Set chat = false, or choose an instruct model."
        )
    return str(template)


def _open(tokenizer: Any, template: str, name: str, thinking: Thinking) -> tuple[str, str]:
    """The text before and behind the case, with the answer begun."""
    reason = "is not in it"
    for content in (_CASE, [{"type": "text", "text": _CASE}]):
        try:
            text = _rendered(tokenizer, template, [{"role": "user", "content": content}], thinking, True)
        except Exception as e:  # jinja2's own errors and whatever a template raises
            reason = f"it fails: {(str(e).splitlines() or [type(e).__name__])[0]}"
            continue
        if text.count(_CASE) == 1:
            before, _, after = text.partition(_CASE)
            return before, after
    raise StudyError(
        f"{name}.chat: the chat template does not show the case's text ({reason}). "
        "Set chat = false, or repair the template."
    )


def _spoken(tokenizer: Any, template: str, name: str, thinking: Thinking) -> tuple[str, str] | None:
    """The text between case and answer, and behind it, in a finished conversation; None where it has none."""
    for form in (lambda text: text, lambda text: [{"type": "text", "text": text}]):
        talk = [{"role": "user", "content": form(_CASE)}, {"role": "assistant", "content": form(_ANSWER)}]
        try:
            text = _rendered(tokenizer, template, talk, thinking, False)
        except Exception:
            continue
        if text.count(_CASE) == text.count(_ANSWER) == 1:
            between, _, end = text.partition(_CASE)[2].partition(_ANSWER)
            return between, end
    return None


def _rendered(tokenizer: Any, template: str, talk: list[Any], thinking: Thinking, ask: bool) -> str:
    on = thinking == "native"
    text: str = tokenizer.apply_chat_template(
        talk,
        chat_template=template,
        add_generation_prompt=ask,
        tokenize=False,
        enable_thinking=on,  # Qwen3, SmolLM3 and others
        thinking=on,  # DeepSeek, Granite
    )
    return text


def _thought(tokenizer: Any, template: str, after: str) -> Thought | None:
    """The first of `THOUGHTS` that the template writes or the vocabulary has as tokens."""
    added = {t.content for t in tokenizer.added_tokens_decoder.values()}
    for thought in THOUGHTS:
        tags = list(_tags(thought.open)) + list(_tags(thought.close))
        if all(tag in template or tag in after or tag in added for tag in tags):
            return thought
    return None


def _tags(text: str) -> Iterator[str]:
    yield from re.findall(r"<\|.*?\|>|<.*?>|\[.*?\]", text)


def _closing(after: str, thought: Thought | None) -> str:
    """What must follow so that the answer does not begin inside a thought."""
    if thought is None:
        return ""
    tail = _tail(after, thought)
    if tail:
        return (
            thought.close if tail.endswith("\n") or not thought.open.endswith("\n") else "\n" + thought.close
        )
    return thought.skip if thought.skip and not after.rstrip().endswith(thought.skip.strip()) else ""


def _tail(after: str, thought: Thought) -> str:
    """The end of the text that opens a thought and does not close it; empty where none is open."""
    begun = after.rfind(thought.open.strip())
    if begun < 0 or after[begun:].strip() != thought.open.strip():
        return ""
    return after[begun:]


THOUGHTS = (
    Thought("<think>\n", "\n</think>\n\n", ""),
    Thought(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
    Thought("[THINK]", "[/THINK]", ""),
    Thought("<seed:think>", "</seed:think>", ""),
    Thought("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>", "<|START_RESPONSE|>"),
)
"""Qwen3, DeepSeek-R1, SmolLM3, Phi-4-reasoning and many others; gpt-oss; Magistral; Seed-OSS; Command A Reasoning."""
