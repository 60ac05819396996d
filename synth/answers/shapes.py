"""Members of objects as models name and arrange them."""

import re
from collections.abc import Iterable
from typing import Any

EVIDENCE = re.compile(
    r"(\w+_)?evidence(_ids?|_lines?)?|cit(es|ed|ations?)|ids|ref(erence)?s?|sources?|lines?"
)
"""Keys of what a claim cites."""

Item = tuple[str, Any]
"""The section that is said outside of a claim, and the claim as it was given."""

_NUMBERED = re.compile(r"(?:claim|statement|sentence|reason|finding)_?\d+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ID = re.compile(r"\W*[Ee]\d{1,5}\W*")


def get(item: dict[str, Any], keys: Iterable[str]) -> Any:
    """The value under the first of the keys that there is; capitals and signs around it do not matter."""
    for key in keys:
        if (value := item.get(key)) is not None:
            return value
    tidied = {plain_key(k): v for k, v in item.items()}
    return next((tidied[k] for k in keys if tidied.get(k) is not None), None)


def plain_key(key: Any) -> str:
    """A key in lower case, words joined by `_`, without quotes and signs around it."""
    return re.sub(r"[\s\-]+", "_", str(key).strip(" *_:`'\"").lower())


def word(value: Any) -> str:
    """A text, trimmed, halves of characters replaced, without control characters; empty where it is none."""
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub(" ", value).strip().encode("utf-8", "replace").decode()


def beside_evidence(held: Any, value: dict[str, Any]) -> Any:
    """Claims that are plain sentences, with the evidence that stands in a list of the same length beside them.

    >>> beside_evidence(["One.", "Two."], {"evidence": [["E001"], ["E002", "E003"]]})[1]
    {'text': 'Two.', 'evidence': ['E002', 'E003']}
    """
    if not isinstance(held, list) or not all(isinstance(item, str) for item in held):
        return held
    lists = [v for k, v in value.items() if EVIDENCE.fullmatch(plain_key(k)) and isinstance(v, list)]
    if len(lists) != 1 or len(lists[0]) != len(held):
        return held
    return [{"text": text, "evidence": cites} for text, cites in zip(held, lists[0], strict=True)]


def numbered(value: dict[str, Any]) -> list[Item]:
    """Claims under keys of their own: `claim_1`, `claim_2`."""
    claims = {k: v for k, v in value.items() if _NUMBERED.fullmatch(plain_key(k))}
    return [("", v) for v in claims.values() if isinstance(v, str | dict)]


def under_other_keys(value: dict[str, Any]) -> tuple[list[Item], Any] | None:
    """Claims and verdict under keys in another language: the one list of sentences with a list of ids each.

    >>> under_other_keys({"Aussagen": [{"Satz": "Schlaganfall mit 69,5.", "Belege": ["E006"]}], "Urteil": 1})
    ([('', {'text': 'Schlaganfall mit 69,5.', 'evidence': ['E006']})], 1)
    """
    lists = [
        claims
        for v in value.values()
        if isinstance(v, list) and v and None not in (claims := [_other_claim(item) for item in v])
    ]
    if len(lists) != 1 or not any(claim["evidence"] for claim in lists[0] if claim):
        return None
    verdicts = [v for v in value.values() if isinstance(v, bool | int) and v in (0, 1)]
    return [("", claim) for claim in lists[0]], verdicts[0] if len(verdicts) == 1 else None


def _other_claim(item: Any) -> dict[str, Any] | None:
    """A sentence and a list of ids, whatever their keys are; None where an object is anything else."""
    if not isinstance(item, dict):
        return None
    texts = [v for v in item.values() if isinstance(v, str) and " " in v.strip()]
    lists = [v for v in item.values() if isinstance(v, list)]
    if len(texts) != 1 or len(lists) != 1:
        return None
    ids = [v for v in lists[0] if isinstance(v, str) and _ID.fullmatch(v)]
    return {"text": texts[0], "evidence": ids} if len(ids) == len(lists[0]) else None
