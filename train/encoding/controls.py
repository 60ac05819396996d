"""A tokenizer whose control tokens can be written by us and by nobody else.

`</s>` or `<|im_start|>` in a patient's record is text. A tokenizer cannot know, so each control token is renamed to a
private character: we write that character where a token is meant, and what stands in a record stays letters. The
model's ids do not change. A text is encoded whole, so no stretch of it gets a prefix of its own, and every token is
mapped back to the characters it came from.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ...study.errors import StudyError

_FIRST = 0xF0000
"""Code points of the first of Unicode's private planes stand for control tokens, `_CUT` for a forced boundary."""
_CUT = chr(0xFFFFD)
_PRIVATE = re.compile(f"[{chr(_FIRST)}-{_CUT}]")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_LOOKS_LIKE_CONTROL = re.compile(
    r"<\|.*\|>|</?\|?[a-z_:]*(think|reason|tool|turn|channel)[a-z_:]*>|\[/?[A-Z_]+\]"
)


class TokenSpan(NamedTuple):
    """A token and the characters it came from."""

    id: int
    start: int
    stop: int


class ControlledTokenizer:
    """Encodes text in which only `control` strings become control tokens.

    Args:
        tokenizer: of transformers, with a `tokenizers` backend.
    Raises:
        StudyError: it has none, so tokens cannot be mapped to characters, or its tokens cannot be renamed.
    """

    def __init__(self, tokenizer: Any) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise StudyError(
                f"bases: {tokenizer.name_or_path!r} has a {type(tokenizer).__name__} without character offsets. "
                "Give a folder with a tokenizer.json."
            )
        template = getattr(tokenizer, "chat_template", None) or ""
        added = tokenizer.added_tokens_decoder.items()
        wanted = [(t.content, i) for i, t in added if _is_control(t, str(template))]
        self._private = {content: chr(_FIRST + n) for n, (content, _) in enumerate(wanted)}
        self.ids = dict(wanted)
        """Of the control tokens, by how they are written."""
        longest_first = sorted(self._private, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) if longest_first else r"(?!)")
        self._backend = _renamed(backend, self._private)
        for content, id_ in wanted:
            if self._backend.token_to_id(self._private[content]) != id_:
                raise StudyError(
                    f"bases: {tokenizer.name_or_path!r}: control token {content!r} cannot be kept apart."
                )

    def control(self, text: str) -> str:
        """Our own text: what is written like a control token is one."""
        return self._pattern.sub(lambda m: self._private[m[0]], text)

    def plain(self, text: str) -> str:
        """Anybody's text: nothing in it is a control token."""
        return _PRIVATE.sub("\N{REPLACEMENT CHARACTER}", text)

    def first_control(self, text: str) -> int | None:
        """Id of the first control token in a text of ours; None where there is none."""
        match = self._pattern.search(text)
        return self.ids[match[0]] if match else None

    def tokens(self, text: str, cuts: Iterable[int] = ()) -> list[TokenSpan]:
        """Encode a text made of `control` and `plain` parts.

        Args:
            text: the whole.
            cuts: places between two characters that no token may span. Where a token would, the text is parted there.
        """
        cuts = sorted(set(cuts))
        tokens = self._encoded(text, [])
        across = [c for c in cuts if any(t.start < c < t.stop for t in tokens)]
        return self._encoded(text, across) if across else tokens

    def _encoded(self, text: str, cuts: Sequence[int]) -> list[TokenSpan]:
        edges = [0, *cuts, len(text)]
        parted = _CUT.join(text[a:b] for a, b in pairwise(edges))
        encoding = self._backend.encode(parted, add_special_tokens=False)
        out = []
        for id_, token, (start, stop) in zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True):
            if token != _CUT:
                shift = sum(start > c + n for n, c in enumerate(cuts))
                out.append(TokenSpan(id_, start - shift, max(start, stop) - shift))
        return out


def _is_control(token: Any, template: str) -> bool:
    """Special, or written by the template, or shaped like a tag; runs of blanks and single bytes are not."""
    content: str = token.content
    if not content.strip() or _BYTE.fullmatch(content):
        return False
    return token.special or content in template or bool(_LOOKS_LIKE_CONTROL.fullmatch(content))


def _renamed(backend: Any, private: dict[str, str]) -> Any:
    """A copy of a backend in which every control token has its private name; nothing is added around a text."""
    from tokenizers import Tokenizer

    spec = json.loads(backend.to_str())
    for token in spec["added_tokens"]:
        token["content"] = private.get(token["content"], token["content"])
    model = spec["model"]
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        model["vocab"] = {private.get(name, name): i for name, i in vocabulary.items()}
    elif vocabulary is not None:
        model["vocab"] = [[private.get(name, name), *rest] for name, *rest in vocabulary]
    if model.get("unk_token") in private:
        model["unk_token"] = private[model["unk_token"]]
    spec["post_processor"] = spec["truncation"] = spec["padding"] = None
    cut = {"id": 1 << 30, "content": _CUT, "special": True, "normalized": False}
    spec["added_tokens"].append({**cut, "single_word": False, "lstrip": False, "rstrip": False})
    return Tokenizer.from_str(json.dumps(spec))
