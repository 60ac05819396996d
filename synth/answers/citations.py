"""Citations in every form that people and models write, and sentences without them."""

import re
import unicodedata
from typing import Any

from ...cohort.line import evidence_id

LONGEST_RANGE = 200
"""Lines in a range such as `E001-E040`; of a longer one only both ends count."""

_DASH = "-‐‑‒–—―−﹘﹣－~"
_TO = rf"\s?(?:[{_DASH}]|\.{{2,3}}|…|:|→|->|(?:up )?to|through|thru|until|till|bis|à|hasta|até|t/m)\s?"
_END = r"(?![A-Za-z0-9]|\.\d)"
"""Behind an id; `E11.9` is a code of the ICD and no id."""
_HEAD = r"(?<![A-Za-z0-9])[Ee](?:[-‑_#]|\s(?=\d{3}))?"
_SINGLE = re.compile(rf"{_HEAD}(\d{{1,5}}){_END}(?:{_TO}[Ee]?[-‑_#]?(\d{{1,5}}){_END})?")
"""An id as it may be written, or a range: E006, e6, E-006, E001-E003, E101 to 103."""
_MORE = re.compile(rf"\s*[,;&]\s*(0\d{{2,4}}){_END}")
_ICD = re.compile(r"(?:\bICD[-\w ]{0,12}|\bcode[ds]?\b(?: as)?)[\s:=(\[]*$", re.IGNORECASE)
"""Before an id: what follows is a code of the ICD."""
_SHORT = re.compile(r"(?<![A-Za-z0-9])[Ee][1-9](?![A-Za-z0-9.])")
_PADDED = re.compile(r"(?<![A-Za-z0-9])[Ee]0\d")


def short_ids(text: str) -> bool:
    """Whether an answer writes ids without zeros, so that `E11` in it is the eleventh line and no code of the ICD.

    >>> short_ids("Stroke [E6], diabetes [E11]"), short_ids("Stroke [E006], diabetes (E11)"), short_ids("(E11)")
    (True, False, False)
    """
    return bool(_SHORT.search(text)) and not _PADDED.search(text)


def ids(text: str, short: bool = False, bare: bool = False) -> list[str]:
    """Evidence ids in a text, as the history writes them.

    Args:
        text: with ids, lists and ranges of them.
        short: two digits are an id too, see `short_ids`.
        bare: only ids with their zeros count: no bracket says that the others are none of the ICD's.

    >>> ids("E3, e012, E101-E103 and E110 to 112; ICD-10 E11, E11.9")
    ['E003', 'E012', 'E101', 'E102', 'E103', 'E110', 'E111', 'E112']
    """
    out: list[str] = []
    for m in _SINGLE.finditer(text):
        padded = m[1][0] == "0" and len(m[1]) > 2
        if not padded and (bare or (len(m[1]) == 2 and not short) or _ICD.search(text, 0, m.start())):
            continue
        out += _range(m[1], m[2])
        at = m.end()
        while more := _MORE.match(text, at):  # `E001, 003, 005`
            out.append(evidence_id(int(more[1])))
            at = more.end()
    return list(dict.fromkeys(out))


def _range(first: str, last: str | None) -> list[str]:
    low, high = int(first), int(last or first)
    if last and len(last) < len(first) and high < low:  # `E101-3`
        high = int(first[: -len(last)] + last)
    low, high = min(low, high), max(low, high)
    if high - low > LONGEST_RANGE:
        return [evidence_id(low), evidence_id(high)]
    return [evidence_id(i) for i in range(low, high + 1)]


def listed(value: Any, short: bool = False, depth: int = 0) -> list[str]:
    """Ids in what a claim gives as its evidence: strings, numbers, objects with an id, lists of them.

    >>> listed(["E004", 6, {"id": "E007", "quote": "Stroke"}, "8", "line 9", "E001 – E003", None])
    ['E004', 'E006', 'E007', 'E008', 'E009', 'E001', 'E002', 'E003']
    """
    if isinstance(value, bool) or depth > 4:
        return []
    if isinstance(value, int | float):
        return [evidence_id(int(value))] if 0 < value < 1e5 and value == int(value) else []
    if isinstance(value, str):
        plain = " ".join(unicodedata.normalize("NFKC", value).split())
        return _numbers(plain) or ids(plain, short)
    if isinstance(value, dict):
        named = [v for k, v in value.items() if str(k).lower() in _ID_KEYS]
        named = named or [k for k in value if _SINGLE.fullmatch(str(k))]  # {"E006": "Stroke"}
        return listed(named or list(value.values()), short, depth + 1)
    if isinstance(value, list):
        if any(isinstance(v, str) and re.fullmatch(_TO, v) for v in value):  # ["E001", "-", "E003"]
            value = [" ".join(map(str, value))]
        return list(dict.fromkeys(i for v in value for i in listed(v, short, depth + 1)))
    return []


_ID_KEYS = ("id", "evidence_id", "evidence", "line", "line_id", "ref", "source", "citation", "ids")
_LEADS = (
    r"(?:(?:see also|see|cf\.?|cite[sd]?|citations?|evidence|refs?\.?|references?|sources?|lines?|ids?|items?|"
    r"per|from|based on|supported by|according to|nos?\.?)(?![a-z])[\s:=#]*)"
)
_NUMBERS = rf"\d{{1,5}}(?:(?:\s?(?:[,;&]|\band\b)\s?|{_TO})\d{{1,5}}){{0,60}}"


def _numbers(text: str) -> list[str]:
    """Ids of a text of whole numbers and nothing else: `[6]`, `4, 6`, `4-6`, `lines 4 and 6`."""
    plain = re.sub(rf"^{_LEADS}{{0,4}}#?", "", text.strip(" []()【】"), flags=re.IGNORECASE)
    if not re.fullmatch(_NUMBERS, plain):
        return []
    if re.fullmatch(r"(?:19|20)\d\d", plain):
        return []  # a year
    return ids(re.sub(r"\d+", lambda m: f"E{int(m[0]):03d}", plain))


_ONE = r"[Ee][-‑_#]?\d{1,5}"
_GROUP = (
    rf"{_LEADS}{{0,4}}{_ONE}(?:(?:(?:\s?(?:[,;&/+|]|\band\b|\bor\b)){{1,3}}\s?|{_TO}|\s)"
    rf"{_LEADS}{{0,4}}(?:{_ONE}|0\d{{2,4}})){{0,60}}"
)
_NOTE = r"(?:\s?†[^\])】]{0,40}|,\s*(?:lines?|L)\s?\d+)?"
"""Some write where in a source: `【E009†L1-L3】`."""
_RAISED = re.compile(rf"(?:\s?<sup>\s?[\[(]?{_GROUP}[\])]?\s?</sup>|\s?\^{_GROUP}\^?)+", re.IGNORECASE)
_SQUARE = re.compile(rf"(?:\s?[\[【〔⟦{{]{{1,3}}\s?{_GROUP}{_NOTE}\s?[\]】〕⟧}}]{{1,3}})+", re.IGNORECASE)
_ROUND = re.compile(rf"(?:\s?\(\s?[\[(]?\s?{_GROUP}{_NOTE}\s?[\])]?\))+", re.IGNORECASE)
_WITHIN = re.compile(
    rf"(?<=[(\[])\s?{_GROUP}\s?[,;:]\s*(?=[^()\[\]]{{1,200}}[)\]])|\s?[,;]\s?{_GROUP}(?=\s*[)\]])",
    re.IGNORECASE,
)
"""Beside other words in brackets: `(age 69.5, E006)`."""
_LEADING = re.compile(rf"\A\s?{_GROUP}(?:\s*[:：–—-]\s+(?=\S)|\s+(?=(?-i:[A-Z])))", re.IGNORECASE)
_TRAILING = re.compile(
    r"(?:(?<=[.!?])\s|\s?[–—,;:]\s?|\s-\s|\s(?=(?:see|cf|evidence|refs?|references?|sources?|citations?)\b)|"
    r"(?<!\b[a-z])(?<!\b[a-z]{2})(?<!\b(?:per|and|the))(?<!\b(?:from|with|than|line))\s(?=E0\d))"
    rf"{_GROUP}\s?(?=\.?\s*\Z)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(rf"(?:\s?[\[(【]{_LEADS}{{1,4}}{_NUMBERS}\s?[\])】])+", re.IGNORECASE)
_NUMBERS_ONLY = re.compile(
    rf"(?:\s?(?:\[{{1,2}}|【)\s?{_NUMBERS}{_NOTE}\s?(?:\]{{1,2}}|】))+(?=\s*(?:[.,;:!?]|\Z|[A-Z]))"
)
_MARKS = re.compile(r"\[cite_(?:start|end)\]", re.IGNORECASE)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""Letters, digits and signs of East Asian typing as their plain forms."""
_TAG = r"(?:cite|ref|citation|evidence|source|line|id)"
_ALIKE = tuple(
    (re.compile(pattern, re.IGNORECASE), by)
    for pattern, by in (
        (rf"\[({_GROUP})\]\([^()\s]{{1,120}}\)", r"[\1]"),  # a link of Markdown
        (rf"\s?\\(?:cite\w*|ref|footnote)\s?\{{\s?({_GROUP})\s?\}}", r" [\1]"),
        (rf"<{_TAG}\b[^<>]{{0,80}}>\s?[\[(]?({_GROUP})[\])]?\s?</{_TAG}>", r"[\1]"),
        (rf"<(?:{_TAG}|a)?\b[^<>]{{0,40}}?({_ONE})[\"']?\s?/?>", r"[\1]"),
        (r"</?cite\b[^<>]{0,60}>", ""),
        (rf"[\[(]({_ONE})[\])]({_TO})[\[(]({_ONE})[\])]", r"[\1\2\3]"),
        (rf"(?<=\d)[\])](?:\s?(?:[,;&/+]|\band\b|\bor\b)){{1,2}}\s?[\[(](?={_ONE}[\])])", ", "),
    )
)
"""Rare forms, and the common one that means the same. The last two join brackets: `[E003]-[E005]`, `[E3] & [E5]`."""


_BRACKET = re.compile(r"\s?[\[(【][^\[\]()【】]{0,80}[\])】]")
_IDS = re.compile(rf"{_LEADS}|{_SINGLE.pattern}", re.IGNORECASE)


def cited(text: str, short: bool = False, elsewhere: bool = False) -> tuple[str, list[str]]:
    """A sentence without its citations, and the ids in them.

    Args:
        text: of a claim.
        short: see `short_ids`.
        elsewhere: the claim lists its evidence beside the sentence, so that only what is surely a citation is one.

    >>> cited("Stroke at age 69.5 (see E006)."), cited("E006: Stroke."), cited("Diabetes (ICD-10 E11) [cite: E9]")
    (('Stroke at age 69.5.', ['E006']), ('Stroke.', ['E006']), ('Diabetes (ICD-10 E11)', ['E009']))
    """
    cites: list[str] = []
    text = re.sub(r"\s+", " ", _MARKS.sub(_gap, text.translate(_WIDE))).strip()
    for pattern, plain in _ALIKE if _SINGLE.search(text) else ():
        text = pattern.sub(plain, text)
    for pattern, bare in (
        (_RAISED, False),
        (_SQUARE, False),
        (_ROUND, elsewhere),
        (_WITHIN, True),
        (_LEADING, True),
        (_TRAILING, True),
    ):

        def take(m: re.Match[str], bare: bool = bare) -> str:
            inside = ids(m[0], short, bare)
            cites.extend(inside)
            return _gap(m) if inside else m[0]

        text = pattern.sub(take, text)
    cites += ids(text, bare=True)
    for pattern in (_NUMBERED,) if cites or elsewhere else (_NUMBERED, _NUMBERS_ONLY):

        def count(m: re.Match[str]) -> str:
            inside = [
                i for part in re.findall(r"[^\[\]()【】]+", m[0]) for i in _numbers(part.partition("†")[0])
            ]
            cites.extend(inside)
            return _gap(m) if inside else m[0]

        text = pattern.sub(count, text)
    if cites:
        text = _BRACKET.sub(lambda m: m[0] if re.search(r"\w", _IDS.sub("", m[0])) else _gap(m), text)
    text = re.sub(r"\s?[(\[][\s,;&]*[)\]]|\s+(?=[.,;:!?](?:\s|$))", _gap, text)  # what held citations only
    return text.strip(), list(dict.fromkeys(cites))


def _gap(m: re.Match[str]) -> str:
    """What stands in place of a citation: nothing, or the space between two words."""
    before, after = m.string[: m.start()][-1:], m.string[m.end() :][:1]
    return " " if before.isalnum() and after.isalnum() else ""
