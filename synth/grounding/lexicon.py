"""What histories and rationales call the same thing: findings with their words, codes and part in dementia.

The weights are log hazard ratios of published models (UKBDRS, Walters DRS, Lancet commissions), 0 where unknown.
They guide what the reference teacher finds worth telling; the grounding check uses words, codes and `means` alone.
"""

import re
from functools import lru_cache

from ...study.records import Record


class Finding(Record):
    """A finding that doctors call by several names."""

    name: str
    words: str
    """Its names, small, with commas between; `*` stands for any ending, a plural s need not be told."""
    codes: str = "$^"
    """Regular expression of ICD-10 codes."""
    weight: float = 0.0
    """Log hazard ratio for dementia."""
    through: str = "a general burden of illness"
    """How it is thought to act, for a sentence."""
    means: tuple[str, ...] = ()
    """Other findings by whose names a line of this one may be told: an HbA1c shows diabetes."""


FINDINGS = (
    Finding(
        name="stroke",
        codes="I6[0-46]|G4[56]",
        weight=0.72,
        through="injury to the vessels of the brain",
        words="stroke, cerebral infarct*, brain infarct*, intracerebral, transient isch*, tia,"
        "transient cerebral isch*, cva, cerebrovascular accident, cerebrovascular event, "
        "cerebrovascular disease",
    ),
    Finding(
        name="diabetes",
        codes="E1[0-4]",
        weight=0.6,
        through="metabolic and small-vessel injury",
        words="diabet*, dm, t2dm, t1dm, high blood sugar, raised blood sugar, high glucose, hyperglyc*",
        means=("glucose", "HbA1c"),
    ),
    Finding(
        name="head injury",
        words="head injur*, head trauma, brain injur*, concussion, intracranial injur*, tbi",
        codes="S06|T905",
        weight=0.59,
        through="lasting loss of reserve",
    ),
    Finding(
        name="depression",
        words="depress*, low mood, mdd",
        codes="F3[23]",
        weight=0.57,
        through="an early sign of decline",
    ),
    Finding(
        name="alcohol problem",
        words="alcohol*, heavy drink*",
        codes="F10|K70",
        weight=0.44,
        through="toxic loss of neurons",
    ),
    Finding(
        name="hearing loss",
        words="hearing, deaf*, presbyacus*, hard of hearing",
        codes="H9[01]",
        weight=0.32,
        through="reduced stimulation",
    ),
    Finding(
        name="smoking",
        words="smok*, tobacco, nicotine, cigarette",
        codes="F17|Z720|Z716",
        weight=0.22,
        through="chronic vessel injury",
    ),
    Finding(
        name="atrial fibrillation",
        words="atrial fib*, atrial flutter, af, afib",
        codes="I48",
        weight=0.22,
        through="small emboli and low flow",
    ),
    Finding(
        name="hypertension",
        codes="I1[0-35]",
        weight=0.18,
        through="long strain on small vessels",
        words="hypertens*, htn, high blood pressure, raised blood pressure, elevated blood pressure",
        means=("blood pressure",),
    ),
    Finding(
        name="high cholesterol",
        codes="E78",
        weight=0.1,
        through="early vessel disease",
        words="cholesterol*, hypercholesterol*, hyperlipid*, dyslipid*, lipid*, lipoprotein*",
        means=("LDL", "HDL"),
    ),
    Finding(
        name="memory problem",
        codes="R41|F067|G3184",
        weight=1.5,
        through="decline that is under way",
        words="memory, forgetful*, cognitive impair*, cognitive complaint*, cognitive problem*, "
        "cognitive difficult*, cognitive deficit*, cognitive symptom*, cognitive disorder*, "
        "neurocognitive disorder, amnes*, mci",
    ),
    Finding(
        name="delirium",
        words="delirium, delirious, acute confusion*",
        codes="F05",
        weight=0.9,
        through="a brain with little reserve",
    ),
    Finding(
        name="falls",
        words="fall, falling, fell, tumbl*",
        codes=r"W[01]\d|R296",
        weight=0.3,
        through="frailty",
    ),
    Finding(
        name="weight loss",
        words="weight loss, loss of weight, lost weight",
        codes="R634",
        weight=0.3,
        through="frailty",
    ),
    Finding(
        name="urinary infection",
        words="urinary infect*, urinary tract infect*, uti, urinary system",
        codes="N39",
        weight=0.15,
        through="frailty",
    ),
    Finding(
        name="family history",
        codes="Z81|Z82",
        weight=0.42,
        through="inherited risk",
        words="family history, parental dementia, parent with dementia, mother, father, parents, brother, sister,"
        "sibling, relatives",
    ),
    Finding(name="living alone", words="liv* alone", codes="Z602", weight=0.17, through="isolation"),
    Finding(name="deprivation", words="depriv*", weight=0.26, through="fewer resources over life"),
    Finding(
        name="heart failure",
        words="heart failure, cardiac failure, hf, chf",
        codes="I50",
        weight=0.15,
        through="low flow",
    ),
    Finding(
        name="ischaemic heart disease",
        codes="I2[0-5]",
        weight=0.1,
        through="shared vessel disease",
        words="angina, myocardial, isch* heart, coronary, heart attack, ihd, chd, cad",
    ),
    Finding(
        name="obesity",
        words="obes*, overweight, excess weight",
        codes="E66",
        weight=0.1,
        through="metabolic strain",
        means=("BMI", "weight"),
    ),
    Finding(
        name="Parkinson's disease",
        words="parkinson*",
        codes="G20",
        weight=0.8,
        through="degeneration that is under way",
    ),
    Finding(
        name="epilepsy", words="epilep*, seizure", codes="G4[01]", weight=0.4, through="injury to the cortex"
    ),
    Finding(
        name="sleep disorder",
        words="insomnia, sleep*",
        codes="G47",
        weight=0.1,
        through="poor clearance at night",
    ),
    Finding(
        name="kidney disease",
        words="kidney, renal, ckd, nephropath*",
        codes="N1[789]",
        weight=0.1,
        through="small-vessel disease",
        means=("kidney function",),
    ),
    Finding(
        name="COPD",
        words="copd, chronic obstructive*, emphysema",
        codes="J4[34]",
        weight=0.1,
        through="low oxygen",
    ),
    Finding(name="anxiety", words="anxi*", codes="F4[01]", weight=0.1, through="an early sign of decline"),
    # measurements, with what they may be said to show
    Finding(
        name="blood pressure",
        words="blood pressure, bp, sbp, dbp, systolic, diastolic",
        means=("hypertension",),
    ),
    Finding(
        name="HbA1c",
        means=("diabetes", "glucose"),
        words="hba1c, a1c, hemoglobin a1c, haemoglobin a1c, glycated h*, glycosylated h*, glyc* control",
    ),
    Finding(name="glucose", words="glucose, blood sugar*, sugar level", means=("diabetes", "HbA1c")),
    Finding(name="BMI", words="bmi, body mass index, body mass", means=("obesity", "weight")),
    Finding(name="weight", words="body weight", means=("obesity", "BMI")),
    Finding(name="LDL", words="ldl*, low density lipo*", means=("high cholesterol",)),
    Finding(name="HDL", words="hdl*, high density lipo*", means=("high cholesterol",)),
    Finding(
        name="kidney function", words="egfr, gfr, glomerular filt*, creatinine", means=("kidney disease",)
    ),
    Finding(name="haemoglobin", words="hemoglobin, haemoglobin", means=("anaemia",)),
    Finding(name="TSH", words="tsh, thyrotropin, thyroid stim*", means=("thyroid disease",)),
    Finding(name="vitamin B12", words="b12, vitamin b12, cobalamin*"),
    Finding(name="pulse", words="pulse rate, heart rate"),
    # findings that a sentence must not borrow from nowhere
    Finding(
        name="cancer",
        words="cancer, carcinoma*, lymphoma*, leukaemia, leukemia, melanoma, malignan*, chemotherap*",
    ),
    Finding(name="arthritis", words="arthrit*, osteoarthr*"),
    Finding(name="fracture", words="fracture*"),
    Finding(name="osteoporosis", words="osteopor*"),
    Finding(name="cataract", words="cataract*"),
    Finding(name="glaucoma", words="glaucoma*"),
    Finding(name="asthma", words="asthma*"),
    Finding(name="pneumonia", words="pneumonia*"),
    Finding(name="anaemia", words="anaemi*, anemi*", means=("haemoglobin",)),
    Finding(name="thyroid disease", words="hypothyroid*, hyperthyroid*, thyroid disease", means=("TSH",)),
    Finding(name="multiple sclerosis", words="multiple sclerosis"),
    Finding(name="psychosis", words="schizophren*, bipolar*, psychosis, psychotic"),
    Finding(name="migraine", words="migraine*"),
    Finding(name="APOE", words="apoe*, apolipoprotein e"),
    Finding(name="brain imaging", words="mri, ct scan, pet scan, hippocampal atrophy, white matter lesion"),
    Finding(
        name="dementia drug",
        words="donepezil, rivastigmine, galantamine, memantine, aricept",
        means=("memory problem",),
    ),
    Finding(
        name="glucose-lowering drug",
        means=("diabetes",),
        words="metformin, insulin, gliclazide, glipizide, glimepiride, empagliflozin",
    ),
    Finding(
        name="antihypertensive drug",
        means=("hypertension",),
        words="antihypertens*, amlodipine, lisinopril, ramipril, enalapril,"
        " losartan, candesartan, valsartan, hydrochlorothiazide, atenolol, bisoprolol, metoprolol",
    ),
    Finding(
        name="statin",
        words="statin, simvastatin, atorvastatin, pravastatin, rosuvastatin",
        means=("high cholesterol",),
    ),
    Finding(
        name="antidepressant",
        means=("depression",),
        words="antidepress*, sertraline, citalopram, escitalopram, fluoxetine, mirtazapine",
    ),
)
BY_NAME = {f.name: f for f in FINDINGS}


def _compiled() -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """The names of all findings under the first three letters of their first word, the longest first."""
    named = [(w.strip(), f.name) for f in FINDINGS for w in f.words.split(",")]
    out: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for words, name in sorted(named, key=lambda w: -len(w[0])):
        pattern = re.escape(words).replace(r"\ ", "[ -]").replace(r"\*", "[a-z]*") + "(?:s|es)?(?![a-z0-9])"
        out.setdefault(words.split(" ")[0].rstrip("*")[:3], []).append((re.compile(pattern), name))
    return out


_HEADS = _compiled()
_TOKEN = re.compile(r"[a-z0-9]+")
_CODES = [(re.compile(f"(?:{f.codes})"), f.name) for f in FINDINGS]
_DENIED = re.compile(r"\b(?:no|not|never|without|non(?!-insulin))\b", re.IGNORECASE)
_ICD10 = re.compile(r"[A-Z]\d[\dA-Z](?:\.?[\dA-Z]{1,4})?$")


@lru_cache(maxsize=65536)
def findings_in(text: str) -> tuple[tuple[str, int, int], ...]:
    """Findings that a text names, each with where the name begins and ends, in order.

    >>> findings_in("No CVA, but high blood pressure.")
    (('stroke', 3, 6), ('hypertension', 12, 31))
    """
    text, done, out = text.lower(), 0, []
    for token in _TOKEN.finditer(text):
        start = token.start()
        heads = _HEADS.get(text[start : min(start + 3, token.end())])
        if heads is None or start < done:
            continue
        for pattern, name in heads:
            m = pattern.match(text, start)
            if m is not None:
                done = m.end()
                out.append((name, start, done))
                break
    return tuple(out)


@lru_cache(maxsize=65536)
def finding_of(name: str, code: str) -> str | None:
    """The finding that a line of a history is, by its name or else by its ICD-10 code; `does not smoke` is none.

    >>> finding_of("Other anxiety disorders", "F41"), finding_of("Does not smoke", "smoking:0")
    ('anxiety', None)
    """
    denied = _DENIED.search(name)
    named = findings_in(name)
    if named and (denied is None or named[0][1] < denied.start()):
        return named[0][0]
    if denied is not None:
        return None
    bare = code.rsplit("/", 1)[-1]
    if _ICD10.match(bare):
        bare = bare.replace(".", "")
        return next((name for pattern, name in _CODES if pattern.match(bare)), None)
    return None


_STOP = frozenset(
    re.findall(
        r"\S+",
        "the and for with without other unspecified disease diseases disorder disorders syndrome type specified "
        "elsewhere classified acute chronic due not from into history condition conditions essential primary major "
        "mild moderate severe recurrent repeated related age age-related stage level total finding situation "
        "complications problem balance does has had oral",
    )
)


@lru_cache(maxsize=65536)
def stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning: five letters are enough to recognise a word in another form.

    >>> sorted(stems("Senile cataracts"))
    ['catar', 'senil']
    """
    return frozenset(w[:5] for w in re.findall(r"[a-zà-ÿ][a-zà-ÿ0-9-]{2,}", text.lower()) if w not in _STOP)
