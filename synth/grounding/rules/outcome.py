"""Whether a claim tells what came after the prediction time."""

from ..findings import Findings
from ..language.tokens import wordset
from ..language.vocabulary import BIT
from ..reading.reading import ClaimReading
from ..reading.scan import Mention

FORESEEN = wordset(
    "may might could can would will shall should must likely unlikely probable probably possible possibly "
    "possibility plausible risk chance probability likelihood odds expect expected predict predicted "
    "prediction forecast anticipate suggest suggests support supports favour favor favours favors towards "
    "toward against imply implies whether if judge judgement judgment conclude estimate outlook prognosis "
    "surprising question horizon incipient prodrome prodromal precursor preclinical early marker "
    "predictor predicts risky prone liable vulnerable susceptible plausibly conceivable potential "
    "potentially think consider argue argues argued warrant warrants suspicion suspect contribute "
    "contributes lead leads cause causes raise raises increase increases reduce reduces lower lowers "
    "predispose predisposes accelerate accelerates promote promotes factor factors point points indicate "
    "indicates consistent compatible associated linked develop diagnosis make makes render tip tips weigh "
    "weighs evidence concern protect protects protective absence signal signals foreshadow threaten "
    "threatens"
)
BEHIND = wordset(
    "risk related drug medication diagnosis prodrome free prevention screening clinic workup type pathology"
)
RECORDED = wordset(
    "recorded documented record history noted listed mentioned registered coded file chart yet before so"
)
TOLD = wordset(
    "developed followed ensued emerged supervened appeared occurred confirmed established diagnosed later "
    "subsequently eventually ultimately culminated evolved progressed converted turned proved became "
    "remained stayed went did never after following received got ended resulted began begun manifested "
    "materialized unfolded subsequent eventual"
)
STRONG = (
    "hindsight",
    "in retrospect",
    "as we now know",
    "we now know",
    "post mortem",
    "postmortem",
    "autopsy",
    "follow up showed",
    "follow up confirmed",
    "during follow up",
    "at follow up",
    "over follow up",
    "in the follow up",
    "follow up period",
    "outcome confirm",
    "outcome confirms",
    "outcome confirmed",
    "outcome was",
    "as it turned out",
    "as it proved",
    "after the prediction",
    "after the index date",
    "after prediction",
    "post index",
    "following the prediction time",
    "true label",
    "actual outcome",
    "label says",
    "label is",
    "label was",
    "known outcome",
    "as later",
    "eventual diagnosis",
    "given that she developed",
    "given that he developed",
    "within the window she",
)


def outcome(r: ClaimReading, findings: Findings) -> None:
    """Nothing of the outcome is told, whether it came or not; what may come may be said."""
    mentions = [m for m in r.mentions if any(n.name == "dementia" for n in m.nodes) and m.how != "is"]
    text = " ".join(r.words)
    if r.has("hindsight") and not r.has("people"):
        phrase = next((s for s in STRONG if s in text), None)
        if phrase is not None and not ({"would", "could", "may", "might"} & set(r.words)):
            findings.fault("future", f"tells what came after the prediction time: {phrase!r}")
            return
    for m in mentions:
        if m.frame in ("kin", "kin denied") or _adjective(r, m):
            continue
        if m.frame == "general" and not r.has("hindsight"):
            continue
        if m.frame.startswith("denied"):
            _denied(r, m, findings)
        elif _is_told(r, m):
            findings.fault("future", f"tells what came after the prediction time: {m.text!r}")
            return


def _adjective(r: ClaimReading, m: Mention) -> bool:
    """`dementia risk`, `a dementia diagnosis`: the noun behind decides."""
    after = r.words[m.end : m.end + 2]
    return bool(after) and after[0] in BEHIND - {"diagnosis", "free", "pathology", "type"}


MODAL = wordset(
    "may might could can would will likely unlikely possible plausible possibly should if expected probable "
    "possibility risk chance likelihood probability"
)
HAPPENED = wordset("did never remained stayed developed develop followed ensued")


def _is_told(r: ClaimReading, m: Mention) -> bool:
    words = r.words
    clause = _clause(r, m)
    verbs = TOLD & set(clause)
    hindsight = r.has("hindsight")
    modal = MODAL & set(clause)
    owned = m.start > 0 and words[m.start - 1] in ("her", "his", "the", "your") and not _adjective(r, m)
    before = set(words[max(0, m.start - 8) : m.start])
    if modal and not (owned and (verbs or hindsight) and not modal - {"risk"}):
        return False
    if verbs or hindsight:
        firm = verbs - {"after", "following", "did", "never", "diagnosed"}
        return hindsight or bool(firm) or not before & FORESEEN
    if m.frame == "led":
        return (
            owned
            and bool({"prodrome", "sign", "onset", "beginning", "start", "symptom"} & before)
            and bool({"was", "were"} & set(clause))
        )
    return not (
        FORESEEN & set(clause)
        or (r.has("judge") and not {"has", "had", "have", "was", "were", "with"} & set(clause))
    )


def _clause(r: ClaimReading, m: Mention) -> list[str]:
    words = r.words
    start = max((i + 1 for i in range(m.start) if _parts(words, i)), default=0)
    end = next((i for i in range(m.end, len(words)) if _parts(words, i)), len(words))
    return words[start:end]


def _parts(words: list[str], i: int) -> bool:
    """Whether a clause ends here."""
    behind = words[i + 1 : i + 2]
    return words[i] in (".", ";", ":") or (
        words[i] == "," and bool(behind) and behind[0] in ("and", "but", "which", "yet")
    )


def _denied(r: ClaimReading, m: Mention, findings: Findings) -> None:
    """`no dementia is recorded so far` is of the record; `she did not develop dementia` is of the outcome."""
    clause = set(_clause(r, m))
    modal = {"would", "may", "might", "will", "likely", "unlikely", "could", "most"} & clause
    if r.has("hindsight") or (HAPPENED & clause and not modal):
        if not r.has("people"):
            findings.fault("future", f"tells what came after the prediction time: no {m.text}")
    elif RECORDED & clause:
        findings.holds()
    elif not {"likely", "unlikely", "expected", "expect", "would", "will", "may", "predicted"} & clause:
        findings.doubt("no_fact", "denies the outcome")


def told_bits() -> int:
    """Flags that tell an outcome."""
    return BIT["outcome"] | BIT["hindsight"]
