"""A sentence as a list of tokens in one spelling, so that rules compare words and never characters."""

import re
from functools import lru_cache

_SPELLED = {
    " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000_*\u2022",
    "": "\u200b\u200c\u200d\u2060\ufeff\u00ad",
    "-": "\u2010\u2011\u2012\u2212\ufe63\uff0d",
    " , ": "\u2014\u2015",
    "'": "\u2018\u2019\u201b\u2032\u00b4`",
    '"': "\u201c\u201d\u201e\u00ab\u00bb",
    "~": "\u2248\u2245\u223c",
    " <= ": "\u2264\u2a7d",
    " >= ": "\u2265\u2a7e",
    " -> ": "\u2192\u21d2\u27f6",
    " x ": "\u00d7",
    "u": "\u00b5\u03bc",
    "2": "\u00b2",
    "3": "\u00b3",
    ".5": "\u00bd",
    ".25": "\u00bc",
    "...": "\u2026",
    "/": "\u2044\u2215",
    " up ": "\u2191",
    " down ": "\u2193",
}
_PLAIN = str.maketrans({sign: plain for plain, signs in _SPELLED.items() for sign in signs})
"""Spaces, hyphens, dashes, quotes, signs, arrows and fractions of typography in plain characters."""
_TOKEN = re.compile(
    r"\d+(?:st|nd|rd|th)(?![a-z0-9])|\d0s(?![a-z0-9])|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
    r"|[a-z\u00df-\u00ff]+[a-z\u00df-\u00ff0-9]*(?:\.\d+)?|->|[<>]=|[%/.,;:()\[\]\-~<>=+@&?!]"
)
_JOINED = re.compile(r"(?<=[a-z0-9])-(?=[a-z])|(?<=[a-z])-(?=[0-9])")
_DASH = re.compile(r"\s-\s|(?<=\d)\s*\u2013\s*(?=\d)|\s*\u2013\s*|\s--+\s")
_NOT = re.compile(r"n't\b")
_OWN = re.compile(r"(?<!0)'s\b|'")
_TIMES = re.compile(r"\bx(?=\d)|\bx (?=\d)")
_STAGE = re.compile(r"\bckd ?(?:g)?(?=[1-5]\b|[1-5][ab]\b|i{1,3}\b|iv\b)")
_HALVES = (
    (re.compile(r"\b(?:a )?quarter of a century\b|\b(?:a )?quarter century\b"), "25 years"),
    (re.compile(r"\bhalf a century\b|\b(?:a )?half century\b"), "50 years"),
    (re.compile(r"\bhalf a decade\b"), "5 years"),
    (re.compile(r"\b(?:a|one) decade and a half\b"), "15 years"),
    (re.compile(r"\b(?:a|one) year and a half\b|\bone and a half years\b"), "1.5 years"),
    (re.compile(r"\bhalf a year\b"), "6 months"),
    (re.compile(r"\btwo and a half years\b"), "2.5 years"),
    (re.compile(r"\bthree and a half years\b"), "3.5 years"),
    (re.compile(r"\bfour and a half years\b"), "4.5 years"),
    (re.compile(r"\btwo and a half decades\b"), "25 years"),
    (re.compile(r"\bthree and a half decades\b"), "35 years"),
)
_GRADE = re.compile(r"(?<=[1-5])[ab]\b")


def wordset(text: str) -> frozenset[str]:
    """The words of a text, for tables in code."""
    return frozenset(text.split())


def tokens(text: str) -> list[str]:
    """Words, numbers and punctuation of a text, small and in one spelling.

    >>> tokens("Haemorrhagic strokes (×2), HbA1c\u202f≥\u202f7.5 %")
    ['hemorrhagic', 'stroke', '(', 'x', '2', ')', ',', 'hba1c', '>=', '7.5', '%']
    """
    return [t if t[0] < "a" else canonical(t) for t in _TOKEN.findall(plain(text))]


def plain(text: str) -> str:
    """The text in small letters, with one kind of dash, space, quote and arrow, and words without hyphens."""
    text = text.translate(_PLAIN).lower()
    if "'" in text:
        text = _OWN.sub("", _NOT.sub(" not", text))
    if "\u2013" in text or " -" in text:
        text = _DASH.sub(_dash, text)
    if "-" in text:
        text = _JOINED.sub(" ", text)
    if "ckd" in text:
        text = _GRADE.sub("", _STAGE.sub("ckd stage ", text))
    if "centur" in text or "half" in text:
        for pattern, words in _HALVES:
            text = pattern.sub(words, text)
    return _TIMES.sub("x ", text)


def _dash(m: re.Match[str]) -> str:
    """Between numbers a dash is a range, elsewhere a pause."""
    before, after = m.string[m.start() - 1 : m.start()], m.string[m.end() : m.end() + 1]
    return "-" if before.isdigit() and after.isdigit() else " , "


_BRITISH = re.compile(r"is(?=(?:e|ed|ing|ation|er)$)")
MANY = wordset(
    "patients adults individuals persons subjects participants males females years months weeks days "
    "decades falls others"
)
"""Plurals that say something else than the singular: people at large, and `the last years`."""


@lru_cache(maxsize=65536)
def canonical(word: str) -> str:
    """A word without plural, in American spelling: `haemorrhages` and `hemorrhage` are one.

    >>> [canonical(w) for w in ("infarctions", "diagnosis", "anaemia", "behaviour")]
    ['infarction', 'diagnosis', 'anemia', 'behavior']
    """
    if len(word) >= 4 and word[-1] == "s" and word[-2] not in "suia" and word not in MANY:
        word = word[:-1]
    if len(word) > 4:
        word = word.replace("ae", "e").replace("oe", "e").replace("sulph", "sulf")
        if len(word) > 5:
            word = _BRITISH.sub("iz", word.replace("our", "or"))
        if word.endswith("tre"):
            word = word[:-2] + "er"
    return word
