"""What a chat completion holds: the answer, thinking beside it, objects in place of text, why it ended."""

import re
from dataclasses import dataclass, field
from typing import Any

from ..teaching import Body
from .thinking import split

LENGTH = frozenset(
    {"length", "max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit", "tokens"}
)
"""Finish reasons, in lower case, that mean the token limit."""
FILTER = frozenset(
    {"content_filter", "content_filtered", "safety", "sensitive", "blocklist", "prohibited_content", "spii"}
    | {"recitation", "guardrail_intervened"}
)
"""The same for a filter of the endpoint."""
ERROR = frozenset(
    {"error", "network_error", "insufficient_system_resource", "internal_error", "server_error"}
)
"""The same for a fault of the endpoint: the answer is broken off or wrong, whatever it holds."""
LOOP = "loop"
"""Of our own local teacher: the text only repeated itself."""

_NOT_TEXT = ("thinking", "reasoning", "thought", "analysis", "redacted")
"""In the type of a content part: it is thinking."""
_THINKING = ("reasoning_content", "reasoning", "thinking", "thought", "reasoning_text")
"""Keys of a message beside its content."""


DEEPEST = 5
"""Parts within parts."""


@dataclass(slots=True)
class ChatReply:
    """The first choice of a chat completion."""

    pieces: tuple[str, ...] = ()
    """Of the text, without the thinking between them."""
    thinking: str = ""
    """That nothing marks as ended; in it an answer may stand whose closing mark was lost."""
    objects: list[Any] = field(default_factory=list)
    """Arguments of tool calls and parsed content, JSON or text of JSON."""
    finish: str = ""
    """In lower case; empty where it says none."""
    refusal: str = ""
    absent: str = ""
    """Why there is nothing to read, in words."""

    @property
    def text(self) -> str:
        """Without thinking."""
        return "\n".join(self.pieces)

    @property
    def cut(self) -> bool:
        """Whether the token limit ended it."""
        return self.finish in LENGTH


def message(body: Body) -> ChatReply:
    """What the first choice says, however it is wrapped."""
    choice = _choice(body)
    if choice is None:
        return ChatReply(absent=_without_choices(body))
    turn = choice.get("message", choice.get("delta"))
    if isinstance(turn, str):
        turn = {"content": turn}
    if not isinstance(turn, dict):
        turn = {"content": choice.get("text")}
    content = turn.get("content")
    parts = split(content_text(content))
    thinking = "\n".join(text for key in _THINKING if (text := content_text(turn.get(key), any_kind=True)))
    finish = choice.get("finish_reason") or choice.get("stop_reason") or ""
    reply = ChatReply(
        pieces=parts.pieces,
        thinking=parts.unclosed or thinking,
        objects=_objects(turn, content),
        finish=str(finish).lower(),
        refusal=_refusal(turn, content),
    )
    if not reply.text and not reply.objects:
        reply.absent = _without_text(content, bool(thinking), reply.finish)
    return reply


def length(body: Body) -> int:
    """Characters of an answer, thinking included."""
    choice = _choice(body) or {}
    turn = choice.get("message")
    turn = turn if isinstance(turn, dict) else {"content": choice.get("text")}
    texts = [content_text(turn.get(key), any_kind=True) for key in ("content", *_THINKING)]
    return sum(map(len, texts)) + sum(len(str(o)) for o in _objects(turn, turn.get("content")))


def _choice(body: Body) -> dict[str, Any] | None:
    choices = body.get("choices")
    choices = [choices] if isinstance(choices, dict) else choices if isinstance(choices, list) else []
    return next((choice for choice in choices if isinstance(choice, dict)), None)


def content_text(content: object, any_kind: bool = False, depth: int = 0) -> str:
    """Text, or the text of parts in their order; those of thinking only where `any_kind`."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and depth < DEEPEST:
        return "".join(content_text(part, any_kind, depth + 1) for part in content)
    if not isinstance(content, dict) or depth >= DEEPEST:
        return ""
    kind = str(content.get("type", "")).lower()
    if not any_kind and any(word in kind for word in _NOT_TEXT):
        return ""
    for key in ("text", "content", "value", "output_text", *(_THINKING if any_kind else ())):
        if content.get(key):
            return content_text(content[key], any_kind, depth + 1)
    return ""


def _objects(turn: dict[str, Any], content: object) -> list[Any]:
    """Parsed content, arguments of functions, and content that is no text but the object itself."""
    out = [turn["parsed"]] if isinstance(turn.get("parsed"), dict | list | str) else []
    parts = content if isinstance(content, list) else [content]
    out += [
        p for p in parts if isinstance(p, dict) and not content_text(p, any_kind=True) and "type" not in p
    ]
    out += [p[k] for p in parts if isinstance(p, dict) for k in ("json", "input", "arguments") if p.get(k)]
    calls = turn.get("tool_calls")
    calls = calls if isinstance(calls, list) else [calls]
    for call in [*calls, {"function": turn.get("function_call")}]:
        call = call if isinstance(call, dict) else {}
        holders = (call.get("function"), call.get("custom"), call)
        out += [
            h[k]
            for h in holders
            if isinstance(h, dict)
            for k in ("arguments", "input", "parameters")
            if h.get(k)
        ]
    return [value for value in out if isinstance(value, dict | list | str)]


_ARGUMENTS = ("arguments", "input", "parameters")


def _refusal(turn: dict[str, Any], content: object) -> str:
    parts = [turn, *(content if isinstance(content, list) else [])]
    words = (p.get("refusal") for p in parts if isinstance(p, dict))
    return next((content_text(w) or "refused" for w in words if w), "")


def _without_choices(body: Body) -> str:
    keys = ", ".join(sorted(k for k in body if re.fullmatch(r"[A-Za-z_]{1,30}", str(k)))[:8])
    return f"no choices in it, which a chat completion has; it holds: {keys or 'nothing'}"


def _without_text(content: object, thinking: bool, finish: str) -> str:
    held = "null" if content is None else "empty"
    beside = "; the text stands in the field for thinking" if thinking else ""
    return f"content is {held}, finish_reason {finish or 'missing'}{beside}"
