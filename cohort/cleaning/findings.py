"""What was found in words: a result is shown as it was said, free text only where the study file says so.

A free text can hold names, addresses and pages of a letter. So a text stands in a line by itself only when it is a
number (`<0.01`, `1:80`, `80 umol/L`) or consists of the words in which results are given (`Not detected`,
`Never smoker`), or when the source says that it comes from a vocabulary.
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..events import Shard
from ..reading.bad_rows import BadRows
from ..words import LONGEST_FINDING, number, one_line, tagless
from .units import is_unit

NOT_SHOWN = "free texts are not shown; cohort.timeline.free_text = true shows them, shortened"
OTHER_MARK = (
    "values such as 0,9 or 1,500 are read as words; name the mark of numbers in cohort.source.decimal"
)
BESIDE = "words beside a number are not shown; the number is"
NOTHING = frozenset({"", "nan", "nat", "null", "\\n", "na", "n/a", "n.a.", "<na>", "#n/a"})
"""What tables write where there is nothing, in lower case."""

_COMPARED = re.compile(
    r"(?P<sign><=|>=|=<|=>|<|>|≤|≥|~)?\s*(?P<number>[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)\s*"
    r"(?P<unit>%|[a-zµμ°\[{/][\wµμ°*^%/.\[\]{}\-]{0,24})?",
    re.I,
)
_MARKED = re.compile(r"[-+]?\d+(?:[.,]\d+)*,\d+(?:\.\d+)?")
_SIGNS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=", "≤": "≤", "≥": "≥", "~": "~"}
_MONTH = re.compile(r"(?:19|20)\d\d\s*[-/]\s*(?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])\s*[-/]\s*(?:19|20)\d\d")
_SHAPED = re.compile(
    r"[-+<>≤≥=~]*\s*\d{1,4}(?:[.,]\d+)?(?:\s*[-:/–]\s*\d{1,4}(?:[.,]\d+)?)?\s*[-+%]*|[-+]{1,4}|\d\+", re.I
)
"""A range, a titre, a ratio, a grade: `1-5`, `1:80`, `120/80`, `2+`, `++`, `5,4`."""
RESULT_WORDS = frozenset(
    """
    a abnormal absent active acute adequate all and any bacteria benign bilateral black blood bloody blue borderline
    brown cells chronic cigarette cigarettes clear cloudy color colour colourless colorless complete current currently
    daily dark day days decreased detected doubtful drinker drinks elevated equivocal ever every ex ex-smoker fair
    false female few finding flora former formerly free good gram green growth have heavy high hour hours in
    inactive inconclusive increased indeterminate insufficient intact invalid isolated large left less light low
    male man many mild mixed moderate more most much neg negative never no non non-reactive non-smoker none
    nonreactive normal not observed occasional occasionally of on only or orange other packs pale partial per pink
    pos positive poor present probable quit rare reactive red right scant seen sensitive several severe slight
    slightly small smoked smoker smokes smoking some sometimes stable strong susceptible tested than the tobacco
    total trace true turbid unable unchanged undetected unilateral unknown unsatisfactory unremarkable used user uses
    very weak weakly week weekly white who with within without woman worse yellow yes resistant intermediate
    reported stopped years year months month
    """.split()  # noqa: SIM905  (a list of words reads best as words)
)
"""Words that results are given in; a text of other words may name somebody."""


class TextFinding(NamedTuple):
    """What a text says."""

    text: str | None
    """As it is shown; None: it is not, or it is a bare number."""
    value: float = float("nan")
    unit: str | None = None


@lru_cache(maxsize=1 << 16)
def result(text: str) -> TextFinding | None:
    """A text that is a result; None where it is free text.

    >>> result("<0.01"), result("80 umol/L")
    (TextFinding(text='<0.01', value=0.01, unit=None), TextFinding(text=None, value=80.0, unit='umol/L'))
    >>> result("Not detected"), result("J. Smith, 12 Elm Street")
    (TextFinding(text='Not detected', value=nan, unit=None), None)
    """
    flat = one_line(tagless(text), LONGEST_FINDING)
    m = _COMPARED.fullmatch(flat)
    if m is not None and (m["unit"] is None or is_unit(m["unit"])):
        shown = f"{m['sign']}{m['number']}" if m["sign"] else None
        return TextFinding(shown, float(m["number"]), m["unit"])
    if flat in _SIGNS or (_SHAPED.fullmatch(flat) and not _MONTH.fullmatch(flat)):
        return TextFinding(flat)
    words = re.findall(r"[^\s,;()/]+", flat.lower())
    return TextFinding(flat) if 0 < len(words) <= 8 and all(w in RESULT_WORDS for w in words) else None


def spoken(shard: Shard, free_text: bool, bad: BadRows) -> Shard:
    """The shard with texts as lines may hold them.

    A number that was written as text is a value. Beside a number a text counts where it compares (`<` beside 5,
    `<5`); other words do not replace the number, and are counted.

    Args:
        shard: `coded` says which texts are words of a vocabulary.
        free_text: whether other texts are shown, shortened.
        bad: counts the texts that are not.
    """
    if shard.text is None:
        return shard
    at, texts = pd.factorize(shard.text)
    rows = np.flatnonzero(at >= 0)
    which = at[rows]
    results = [_result(str(t)) for t in texts]
    is_result = np.array([r is not None for r in results], dtype=bool)[which]
    trusted = np.full(len(rows), free_text) if shard.coded is None else shard.coded[rows] | free_text
    bad.note(NOT_SHOWN, int((~is_result & ~trusted).sum()))
    marked = np.array([_MARKED.fullmatch(str(t).strip()) is not None for t in texts], dtype=bool)[which]
    bad.note(OTHER_MARK, int(marked.sum()))
    parsed = [
        r or TextFinding(one_line(tagless(str(t)), LONGEST_FINDING))
        for r, t in zip(results, texts, strict=True)
    ]
    text, value, unit = (np.array([f[i] for f in parsed], dtype=object)[which] for i in range(3))
    shown = np.full(len(at), None, dtype=object)
    shown[rows] = np.where(is_result | trusted, text, np.array(None, dtype=object))
    values = np.full(len(at), np.nan) if shard.value is None else shard.value.copy()
    units = np.full(len(at), None, dtype=object) if shard.unit is None else shard.unit.copy()
    beside = rows[~np.isnan(values[rows])]
    compared = [_compared(shown[row], values[row]) for row in beside]
    bad.note(BESIDE, sum(s is not None and c is None for s, c in zip(shown[beside], compared, strict=True)))
    shown[beside] = compared
    new = np.isnan(values[rows])
    values[rows[new]] = value[new].astype(float)
    bare = new & (units[rows] == None)  # noqa: E711
    units[rows[bare]] = unit[bare]
    return replace(shard, text=_or_none(shown), value=values, unit=_or_none(units), coded=None)


def _compared(text: str | None, value: float) -> str | None:
    """A text beside a number, where it compares with that number.

    >>> _compared(">", 140.0), _compared("<0.01", 0.01), _compared("High", 7.1), _compared("<5", 10.0)
    ('>140', '<0.01', None, None)
    """
    if text is None:
        return None
    if text in _SIGNS:
        return f"{_SIGNS[text]}{number(value)}"
    parsed = result(text)
    same = (
        parsed is not None and parsed.text is not None and np.isclose(parsed.value, value, rtol=1e-5, atol=0)
    )
    return text if same else None


def _result(text: str) -> TextFinding | None:
    return TextFinding(None) if text.strip().lower() in NOTHING else result(text)


def _or_none(column: NDArray[np.object_]) -> NDArray[np.object_] | None:
    return None if (column == None).all() else column  # noqa: E711
