"""The phrases by which a sentence is read: what denies, supposes, sums up, tells the outcome or an order."""

import re

# --- what is denied -----------------------------------------------------------------------------------------

DENIAL = re.compile(
    r"\b(?:no(?! (?:passing|longer|small|doubt|mere|single|more|less|other|further|second|new|better|worse)\b)"
    r"|without|neither|nor|lack(?:s|ing)?|denie[sd]|denying|free (?:of|from)|absence of|negative for"
    r"|nothing\b[^.;]*"
    r"|(?:but|and) not(?= )|never (?:been diagnosed with|had|has|suffered|experienced)|never(?= (?:smok|drank))"
    r"|(?:did|does|do|ha[sd]|have)(?: not|n't|n’t) (?:have|had|suffer\w*|experienced?|been diagnosed with))\b"
    r"(?:(?: [\w-]+){0,3}? (?:records?|history|evidence|signs?|mention|suggestion|documentation"
    r"|diagnosis|indication"
    r"|trace|reports?|suggests?|shows?|indicates?) (?:of|for|that|suggests?|shows?|indicates?)?)?",
    re.I,
)  # what opens a denial, `no record of` with it
DENIAL_CUES = (
    "no ", "nothing", "not ", "n't", "n’t", "without", "neither", "nor ", "lack", "denie", "denying", "free", "absen",
    "negative", "never", "missing", "ruled out", "excluded", "intact", "normal", "healthy", "unremarkable",
    "preserved",
)  # fmt: skip
"""No sentence without one of these denies anything."""
END = re.compile(
    r"(?P<limit>\b(?:other than|except\w*|besides|apart from|beyond|before|prior to|until|till|after|since|within"
    r"|during|between|outside)\b)"
    r"|[;:.](?:\s|$)|,(?!(?:(?!\b(?:is|are|was|were|has|have|had|but|which|she|he|so|though|although|while)\b)"
    r"[^.;:])*\b(?:or|nor)\b)"
    r"|(?<!disorder )(?<!disorders )(?<!disease )(?<!diseases )(?<!fracture )(?<!loss )(?<!history )\bof\b"
    r"|\b(?:is|are|was|were|has|have|had|can|could|would|may|might|at|but|although|though|which|that"
    r"|who|while|despite"
    r"|however|because|(?<!such )as|and (?:she|he|the|it|they|a|an|her|his))\b",
    re.I,
)  # what ends it; a limit (`no stroke other than`) leaves nothing that can be decided
BEHIND = re.compile(
    r"(?P<mind>\bcognition|\bcognitive function)?(?P<last>,? (?:which|that))?\b ?(?:is|are|was|were"
    r"|has|have|had|remains?|remained|stays|been)(?: been| also)?"
    r"(?:(?: not|n't|n’t| never)(?: been| yet)* (?:recorded|documented|present|noted|diagnosed|found|seen|reported"
    r"|mentioned|listed|observed|identified|available)\b(?! (?:until|till|before|prior|after|as|in|by|with|at))"
    r"| (?:absent|missing|ruled out|excluded)\b| (?:\w+ly )?(?P<fine>intact|normal|healthy"
    r"|unremarkable|preserved)\b)"
    r"|(?P<free>[- ]free\b)",
    re.I,
)  # what denies the words before it
CLAUSE = re.compile(r"[,;:.]\s|\b(?:but|although|though|while|despite|however|because)\b", re.I)
NEGATIVE = re.compile(r"\b(?:does not|no|never|not present)\b", re.I)
"""A line that itself denies: `Does not smoke`."""
HEAD = re.compile(
    r"[ -](?:medication|treatment|therapy|drug|complication|surgery|screening|symptom|relat)", re.I
)
SUPPOSED = re.compile(
    r"\b(?:would|if|had (?:she|he|the|her|his|there|it)|were it not|but for|suppos\w+"
    r"|hypothetical\w*|counterfactual\w*"
    r"|removing|removal|absent (?:her|his|the|this)|could have|should)\b", re.I
)  # fmt: skip

# --- what is told of no one, or of the future ---------------------------------------------------------------

LEADS = re.compile(
    r"\b(?:risks?|predictors?|markers?|signs?|causes?|likelihood|odds|chance|probability|onset"
    r"|complications?|forms?)"
    r" (?:factors? )?(?:of|for)\b"
    r"|\b(?:associated|linked|related|leads?|leading|contribut(?:e|es|ing)|predispos\w+|progress(?:es)?|converts?"
    r"|secondary|due|prone|susceptib\w+|vulnerab\w+|attribut\w+|points?) (?:\w+ )?(?:to|with)\b"
    r"|\b(?:causes?|accelerates?|promotes?|hastens?|triggers?|mimics?|explain(?:s|ed)?|suggest(?:s|ive|ing)?"
    r"|indicat(?:es?|ing|ive)|reflects?|impl(?:y|ies)|fits?|consistent with|compatible with"
    r"|typical of|through|via|may"
    r"|might|could|can|would|likely|possibl[ey]|potential|prevents?|affects?|impairs?|speaks? for|argues? for)\b"
    r"|\b(?:post|pre)-$", re.I
)  # fmt: skip
"""A finding behind one of these is a cause, a danger or a guess, and need not be on record."""
PEOPLE = re.compile(
    r"\b(?:people|patients|adults|individuals|persons|those|women|men|studies|literature|cohorts?"
    r"|population)\b", re.I
)  # fmt: skip
GENERAL = re.compile(
    r"risk|overall|together|balance|pattern|picture|profile|likel|probab|expect|predict|prognos|judg|conclu|diagnos"
    r"|evidence|finding|factor|burden|suggest|vulnerab|reserve|ag(?:e)?ing\b|\bage\b|elderly|older"
    r"|trajector|decline"
    r"|degenerat|protect|outweigh|uncertain|estimate|forecast|outlook|vascular|metabolic|cognit|brain|neuro"
    r"|\b(?:these|this|those|such|it|they|both"
    r"|would|could|may|might|typical|common|generally|answer|available|unknown)\b", re.I
)  # fmt: skip
"""Words of a sentence that sums up or reasons; without one it tells a fact."""
SUM = re.compile(
    r"vascular|cardiometabolic|comorbid|\b(?:risk factors|conditions|events|diagnoses|illnesses"
    r"|findings|problems|rfs)\b"
    r"|^(?:it|this|these|those|they|both|all|such)\b|^the (?:former|latter|same|event|value|reading|measurement)\b",
    re.I,
)
"""Words that stand for several lines, or for one named before."""

ILL = r"(?:dementia|alzheimer\S*|adrd|(?:major )?neurocognitive disorder)"
CUES = (
    "dement", "alzheim", "adrd", "neurocog", "prediction time", "hindsight", "outcome", "label", "answer", "now know",
    "mortem", "autops",
)  # fmt: skip
"""No sentence without one of these can tell the outcome; it spares most of them the long patterns."""
TOLD = re.compile(
    rf"\b(?:did(?: not|n't) (?:go on to )?(?:develop|get|progress to|convert to)|developed|got"
    rf"|progressed (?:in)?to"
    rf"|converted to|evolved into|diagnosed with|went on to (?:\w+ ){{1,3}}|received"
    rf"|was given) ?(?:[\w'’]+ ){{0,3}}?{ILL}"
    rf"|(?<!history of )(?<!risk of )(?<!family )(?<!or of )(?<!or for )(?<!no )(?<!without )\b{ILL}\b(?!-)"
    rf"(?:[^.;]{{0,40}}\b(?:was|were|has been|had been) (?:later |then |subsequently |eventually )?"
    rf"(?:diagnosed|confirmed|recorded|established|made)|,? (?:\w+ )?(?:followed|ensued|emerged|set in)\b"
    rf"|[^.;]{{0,20}}\byears? (?:later|after the prediction))"
    rf"|\b(?:was|were) (?:\w+ )?followed by (?:\w+ ){{0,3}}{ILL}"
    rf"|\bgiven that (?:she|he|they|you|the \w+) (?:\w+ ){{0,3}}{ILL}"
    r"|after the prediction time|hindsight|as we now know|post-?mortem|autopsy"
    r"|outcome (?:confirms?|shows?|was)|\b(?:known|actual|true|given|eventual) (?:outcome|label|answer)", re.I
)  # fmt: skip
KIN = re.compile(r"\b(?:mother|father|parents?|sibling|brother|sister|relatives?|family)\b", re.I)
"""Whose illness is no outcome of the person."""

# --- order --------------------------------------------------------------------------------------------------

BEFORE = re.compile(r"\b(?:preceded(?! by)|before|followed by|led to|and then|prior to)\b", re.I)
AFTER = re.compile(r"\b(?:preceded by|later than|after|followed|following)\b(?! by)", re.I)
LATER = re.compile(
    r"\b(?:came|followed|developed|appeared|arose|occurred|emerged) (?:later|afterwards|next)\b(?! than)"
)
STAYED = re.compile(r"persist|remain|continu|worsen|still|again|control|ongoing", re.I)
"""What lasts may be told after what came later."""
