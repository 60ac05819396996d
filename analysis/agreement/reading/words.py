"""Cells as people write them: numbers, words for nothing, spellings of one category, words with an order."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?([eE][-+]\d+)?|\.\d+([eE][-+]\d+)?|\d+\.\d*[eE]\d+)")
"""An exponent needs a sign or a decimal point: 2E65 is a code of ICD-11."""
LOOSE = re.compile(r"[-+]?\d+[eE]\d{1,2}")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+")


def listed(text: str) -> tuple[str, ...]:
    """The entries of a list that is written with commas over several lines."""
    return tuple(entry for part in text.split(",") if (entry := " ".join(part.split())))


STRONG = frozenset(
    listed(
        """
        na, n/a, n.a., n.a, n/a., #n/a, #na, <na>, nan, nat, null, #null!, nil, \\n, ., .., …, -, --, ---, –, —, ?,
        ??, *, missing, miss, blank, empty, (blank), (empty), (missing), (null), inf, -inf, +inf, infinity, -infinity,
        undefined, tbd, skip, skipped, nd, n.d., n/d, #div/0!, #ref!, #value!, #name?, #num!, #error!, error,
        k.a., ka, k/a, entfällt, fehlt, leer, s/o, sysmis, unk, und, none, not applicable,
        no answer, no response, not answered, not rated, not assessed, not available, not done, not given, no data,
        no rating, not scored, not recorded, keine angabe, k. a., n. a., n. d., sin respuesta, sans réponse,
        non renseigné, system missing, prefer not to answer, prefer not to say, unable to rate, cannot rate,
        can't rate
        """
    )
)
"""Words for a rating that was not given, in small letters: asked about wherever nobody declared them."""

SOFT = frozenset(
    listed(
        """
        unknown, don't know, do not know, dont know, dk, not sure, unsure, weiß nicht, cannot say, can't say,
        cannot tell, can't tell
        """
    )
)
"""Words that may be an answer or the lack of one: counted as categories, with a note."""

TOTALS = frozenset(
    listed(
        "total, totals, sum, mean, average, median, sd, std, grand total, summe, gesamt, mittelwert, moyenne"
    )
)
"""Names of rows below a table that are no items."""

MISSING_CODES = frozenset(
    int(code)
    for code in listed(
        """
        -1, -2, -7, -8, -9, -77, -88, -97, -98, -99, -777, -888, -999, -9999, 7, 8, 9, 77, 88, 97, 98, 99, 777, 888,
        997, 998, 999, 7777, 8888, 9998, 9999, 99999
        """
    )
)
"""Numbers that statistics programs write for a missing value."""

ORDERS: tuple[tuple[str, ...], ...] = tuple(
    listed(order)
    for order in (
        """completely disagree, totally disagree, strongly disagree, disagree, somewhat disagree, slightly disagree,
        neither agree nor disagree, neither, neutral, undecided, slightly agree, somewhat agree, agree,
        strongly agree, totally agree, completely agree""",
        """never, almost never, very rarely, rarely, seldom, occasionally, sometimes, often, usually, very often,
        almost always, always""",
        """unacceptable, very poor, poor, fair, acceptable, satisfactory, adequate, good, very good, excellent,
        outstanding""",
        "absent, minimal, very mild, mild, moderate, severe, very severe, extreme",
        "very low, low, medium, moderate, high, very high",
        "very unlikely, unlikely, possible, likely, very likely, certain",
        "very dissatisfied, dissatisfied, neutral, satisfied, very satisfied",
        """not at all, a little, slightly, a little bit, somewhat, moderately, quite a bit, very much, extremely,
        completely""",
        "very bad, bad, average, good, very good",
        """much worse, worse, slightly worse, about the same, the same, same, equal, slightly better, better,
        much better""",
        "no, partly, partially, somewhat, mostly, yes",
        "unsupported, partly supported, partially supported, supported",
        "incorrect, partly correct, partially correct, mostly correct, correct",
    )
)
"""Vocabularies whose order everybody knows, lowest first."""

LEADING = re.compile(r"\(?([-+]?\d+(?:\.\d+)?)\)?\s*(?:[-–—:=)]+|\.\s)\s*(\D.*)")
BRACKETED = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*[(\[](\D.*)[)\]]")
TRAILING = re.compile(r"(\D.*?)\s*[(\[]([-+]?\d+(?:\.\d+)?)[)\]]")
GRADED = re.compile(r"(?:grade|level|stage|score|rating|step|degree|point)\s*[-:]?\s*(\d+)", re.IGNORECASE)


def tidy(text: str) -> str:
    """The text without blanks around it, with single ones inside, and without characters that are not seen.

    >>> tidy("  Strongly\\u00a0 agree\\u200b ")
    'Strongly agree'
    """
    return " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())


def folded(text: str) -> str:
    """What two spellings of one category have in common.

    >>> folded("YES ") == folded("yes")
    True
    """
    return unicodedata.normalize("NFKC", tidy(text)).casefold()


def as_number(text: str, comma: bool = False, loose: bool = False) -> int | float | None:
    """The number that a text is; None where it is none.

    Args:
        text: a cell.
        comma: the decimal sign is a comma.
        loose: 2E65 is a number too.

    >>> [as_number(t) for t in ("3", "3.0", "2.5", "1e-08", "nan", "1_0", "2E65", "\u22121")]
    [3, 3, 2.5, 1e-08, None, None, None, -1]
    >>> as_number("2,5"), as_number("2,5", comma=True)
    (None, 2.5)
    """
    text = text.strip()
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c, c)) for c in text).replace("\u2212", "-")
    if comma and DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    elif not NUMBER.fullmatch(text) and not (loose and LOOSE.fullmatch(text)):
        return None
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def labelled_number(text: str) -> float | None:
    """The number of a category that is written with its label: `3 - neutral`, `neutral (3)`, `Grade 3`.

    >>> [labelled_number(t) for t in ("3 - neutral", "3: neutral", "3 (neutral)", "neutral (3)", "Grade 3", "no")]
    [3.0, 3.0, 3.0, 3.0, 3.0, None]
    """
    text = tidy(text)
    if m := LEADING.fullmatch(text) or BRACKETED.fullmatch(text) or GRADED.fullmatch(text):
        return float(m[1])
    return float(m[2]) if (m := TRAILING.fullmatch(text)) else None


def known_order(words: Iterable[str]) -> tuple[str, ...] | None:
    """The words in the order that everybody knows; None where there is none, or where they are only two.

    >>> known_order(["Mild", "severe", "moderate"])
    ('Mild', 'moderate', 'severe')
    """
    by_key = {folded(w): w for w in words}
    if len(by_key) < 3:
        return None
    for order in ORDERS:
        if set(by_key) <= set(order):
            return tuple(by_key[w] for w in order if w in by_key)
    return None


def close(text: str, others: Sequence[str]) -> str | None:
    """The spelling that a rare word is probably meant as."""
    from difflib import get_close_matches

    near = get_close_matches(folded(text), [folded(o) for o in others], n=1, cutoff=0.8)
    return next((o for o in others if folded(o) == near[0]), None) if near else None
