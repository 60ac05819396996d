"""What histories and rationales call the same thing: findings with their words, codes and part in dementia.

The weights are log hazard ratios of published models (UKBDRS, Walters DRS, Lancet commissions), 0 where unknown.
They guide what the reference teacher finds worth telling; the grounding check uses words and codes alone.
"""

import re
from functools import lru_cache

from ..study.records import Record


class Finding(Record):
    """A finding that doctors call by several names."""

    name: str
    words: str
    """Regular expression of its names, lower case."""
    codes: str = "$^"
    """Regular expression of ICD-10 codes."""
    weight: float = 0.0
    """Log hazard ratio for dementia."""
    through: str = "a general burden of illness"
    """How it is thought to act, for a sentence."""


FINDINGS = (
    Finding(name="stroke",
            words=r"stroke|cerebral infarct\w*|intracerebral|transient (?:cerebral )?isch\w+|\btia\b",
            codes="I6[0-46]|G4[56]", weight=0.72, through="injury to the vessels of the brain"),
    Finding(name="diabetes", words=r"diabet\w*", codes="E1[0-4]", weight=0.6,
            through="metabolic and small-vessel injury"),
    Finding(name="head injury", words=r"head injur\w*|brain injur\w*|concussion|intracranial injur\w*|\btbi\b",
            codes="S06|T905", weight=0.59, through="lasting loss of reserve"),
    Finding(name="depression", words=r"depress\w*", codes="F3[23]", weight=0.57,
            through="an early sign of decline"),
    Finding(name="alcohol problem", words=r"alcohol\w*", codes="F10|K70", weight=0.44,
            through="toxic loss of neurons"),
    Finding(name="hearing loss", words=r"hearing|deaf\w*|presbyacus\w*", codes="H9[01]", weight=0.32,
            through="reduced stimulation"),
    Finding(name="smoking", words=r"smok\w*|tobacco|nicotine", codes="F17|Z720|Z716", weight=0.22,
            through="chronic vessel injury"),
    Finding(name="atrial fibrillation", words=r"atrial fib\w*|atrial flutter", codes="I48", weight=0.22,
            through="small emboli and low flow"),
    Finding(name="hypertension", words=r"hypertens\w*|(?:high|raised) blood pressure", codes="I1[0-35]",
            weight=0.18, through="long strain on small vessels"),
    Finding(name="high cholesterol", words=r"cholesterol\w*|lipid\w*|lipoprotein\w*", codes="E78", weight=0.1,
            through="early vessel disease"),
    Finding(name="memory problem", words=r"memory|forgetful\w*|cognitive|amnes\w*|\bmci\b",
            codes="R41|F067|G3184", weight=1.5, through="decline that is under way"),
    Finding(name="delirium", words="delirium|acute confusion", codes="F05", weight=0.9,
            through="a brain with little reserve"),
    Finding(name="falls", words=r"\bfalls?\b|falling", codes=r"W[01]\d|R296", weight=0.3, through="frailty"),
    Finding(name="weight loss", words="weight loss|loss of weight", codes="R634", weight=0.3,
            through="frailty"),
    Finding(name="urinary infection", words=r"urinary (?:tract )?infect\w*|\buti\b|urinary system",
            codes="N39", weight=0.15, through="frailty"),
    Finding(name="family history", words="family history|parental dementia|parent with dementia",
            codes="Z81|Z82", weight=0.42, through="inherited risk"),
    Finding(name="living alone", words=r"liv\w+ alone", codes="Z602", weight=0.17, through="isolation"),
    Finding(name="deprivation", words=r"depriv\w*", weight=0.26, through="fewer resources over life"),
    Finding(name="heart failure", words="heart failure", codes="I50", weight=0.15, through="low flow"),
    Finding(name="ischaemic heart disease", words=r"angina|myocardial|isch\w+ heart|coronary", codes="I2[0-5]",
            weight=0.1, through="shared vessel disease"),
    Finding(name="obesity", words=r"obes\w*", codes="E66", weight=0.1, through="metabolic strain"),
    Finding(name="Parkinson's disease", words=r"parkinson\w*", codes="G20", weight=0.8,
            through="degeneration that is under way"),
    Finding(name="epilepsy", words=r"epilep\w*|seizure\w*", codes="G4[01]", weight=0.4,
            through="injury to the cortex"),
    Finding(name="sleep disorder", words=r"insomnia|sleep\w*", codes="G47", weight=0.1,
            through="poor clearance at night"),
    Finding(name="kidney disease", words="kidney|renal", codes="N1[789]", weight=0.1,
            through="small-vessel disease"),
    Finding(name="COPD", words="copd|chronic obstructive|emphysema", codes="J4[34]", weight=0.1,
            through="low oxygen"),
    Finding(name="anxiety", words=r"anxi\w*", codes="F4[01]", weight=0.1, through="an early sign of decline"),
)  # fmt: skip
BY_NAME = {f.name: f for f in FINDINGS}

_WORDS = re.compile("|".join(f"(?P<f{i}>{f.words})" for i, f in enumerate(FINDINGS)))
_CODES = [(re.compile(f"(?:{f.codes})"), f.name) for f in FINDINGS]
_DENIED = re.compile(r"\b(?:no|not|never|without|non)\b", re.IGNORECASE)
_ICD10 = re.compile(r"[A-Z]\d[\dA-Z](?:\.?[\dA-Z]{1,4})?$")


@lru_cache(maxsize=65536)
def findings_in(text: str) -> tuple[tuple[str, int], ...]:
    """Findings that a text names, each with the place of the name, in order.

    >>> findings_in("No stroke, but high blood pressure.")
    (('stroke', 3), ('hypertension', 15))
    """
    return tuple((FINDINGS[int(str(m.lastgroup)[1:])].name, m.start()) for m in _WORDS.finditer(text.lower()))


@lru_cache(maxsize=65536)
def finding_of(name: str, code: str) -> str | None:
    """The finding that a line of a history is, by its name or else by its ICD-10 code; `does not smoke` is none.

    >>> finding_of("Other anxiety disorders", "F41"), finding_of("Does not smoke", "smoking:0")
    ('anxiety', None)
    """
    if _DENIED.search(name):
        return None
    named = findings_in(name)
    if named:
        return named[0][0]
    bare = code.rsplit("/", 1)[-1]
    if _ICD10.match(bare):
        bare = bare.replace(".", "")
        return next((name for pattern, name in _CODES if pattern.match(bare)), None)
    return None


_STOP = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "without",
        "other",
        "unspecified",
        "disease",
        "diseases",
        "disorder",
        "disorders",
        "syndrome",
        "type",
        "specified",
        "elsewhere",
        "classified",
        "acute",
        "chronic",
        "due",
        "not",
        "other",
        "from",
        "into",
        "history",
        "condition",
        "conditions",
        "essential",
        "primary",
    ]
)


@lru_cache(maxsize=65536)
def stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning: five letters are enough to recognise a word in another form.

    >>> sorted(stems("Senile cataracts"))
    ['catar', 'senil']
    """
    return frozenset(w[:5] for w in re.findall(r"[a-zà-ÿ][a-zà-ÿ0-9-]{2,}", text.lower()) if w not in _STOP)
