"""What no rule has read: qualifiers of what is named, what became of a drug, words of no table."""

from ..findings import Findings
from ..language.tokens import wordset
from ..language.vocabulary import BIT
from ..reading.reading import ClaimReading
from ..reading.scan import INSIDE, Mention

DEGREE = BIT["degree"]
_LINK = BIT["degree"] | BIT["judge"] | BIT["function"]
_BE = wordset("is was are were has been be remains remained being became")
_VERDICT = wordset(
    "risk burden event factor effect impact consequence contribution contributor concern weight role sign "
    "strain exposure damage injury"
)


def qualifiers(r: ClaimReading, findings: Findings) -> None:
    """`severe`, `resolved`, `bilateral`, said of a finding: its line says so, or nobody can tell."""
    if not r.seen & DEGREE:
        return
    for i, f in enumerate(r.flags):
        if not f & DEGREE or f & INSIDE or i in r.consumed or any(m.start <= i < m.end for m in r.mentions):
            continue
        if any(a <= i < b for a, b, _ in r.scan.vague):
            continue
        m = _qualified(r, i)
        if m is None:
            if not f & ~DEGREE and not r.in_tail(i) and r.own:
                findings.doubt("unread", f"{r.words[i]!r}")
                findings.unread = True
            continue
        word = r.words[i]
        if any(word in x.known.words for x in m.lines):
            continue
        findings.doubt("unread", f"says {r.scan.phrase(i, r.end(i))!r} of {m.text}")


def _qualified(r: ClaimReading, place: int) -> Mention | None:
    """What of this person a qualifier is about."""
    end = r.end(place)
    for m in r.own:
        ahead = m.start >= end and m.start - end <= 3 and m.category is None
        if ahead and all(r.flags[k] & _LINK or r.words[k] == "," for k in range(end, m.start)):
            return m
        if m.end <= place <= m.end + 4 and m.category is None:
            between = r.words[m.end : place]
            behind = r.words[end : end + 3]
            if between and between[0] in _BE and not _VERDICT & set(behind) and not _noun_follows(r, end):
                return m
    return None


def _noun_follows(r: ClaimReading, end: int) -> bool:
    """`a mild form of risk`: the qualifier belongs to a noun behind it."""
    return end < len(r.words) and bool(r.flags[end] & BIT["judge"]) and r.words[end] not in ("on", "at", "in")


def supposed(r: ClaimReading, findings: Findings) -> None:
    """A number that is supposed and not so proves nothing: `had it been found before 40`."""
    begin, end = r.scan.supposed
    if any(begin <= q.start < end for q in r.quantities):
        findings.doubt("unread", f"supposes {r.scan.phrase(begin, end)!r}")


def treated(r: ClaimReading, findings: Findings) -> None:
    """`treated with ramipril`, `treated hypertension`: a drug for it was given."""
    for i, w in enumerate(r.words):
        if w != "treated" or any(m.start <= i < m.end for m in r.mentions):
            continue
        end = i + 2 if r.words[i + 1 : i + 2] and r.words[i + 1] in ("with", "by", "using") else i + 1
        drugs = [m for m in r.own if any(n.kind in ("drug", "drug class") for n in m.nodes)]
        conditions = [
            m for m in r.linked if m.lines and not any(n.kind in ("drug", "drug class") for n in m.nodes)
        ]
        given = [
            x
            for x in r.facts.shown
            if x.known.kind == "drug"
            for m in conditions
            for n in m.nodes
            if x.known.relation(n) == "shows"
        ]
        if drugs or given:
            r.consumed.update(range(i, end))
        elif conditions:
            findings.doubt("unread", f"says 'treated' of {conditions[0].text}; no drug for it is listed")
            r.consumed.update(range(i, end))


def stopped(r: ClaimReading, findings: Findings) -> None:
    """What became of a treatment is not in the history."""
    for i in r.starts("stopped"):
        if any(m.start <= i < m.end for m in r.mentions) or not r.own:
            continue
        findings.doubt("unread", f"{r.scan.phrase(i, r.end(i))!r}")
        return


def denials(r: ClaimReading, findings: Findings) -> None:
    """A denial that denies nothing that was read may deny what was taken for told: `stroke: none recorded`."""
    for p in r.starts("denial opens"):
        if (
            p in r.scan.denials
            or r.flags[p] & BIT["no denial"]
            or any(m.start <= p < m.end for m in r.mentions)
        ):
            continue
        end = r.end(p)
        weighs = any(
            r.flags[i] & (BIT["judge"] | DEGREE | BIT["modal"])
            for i in range(end, min(end + 3, len(r.words)))
        )
        if r.own and not weighs:
            findings.doubt("unread", f"{r.scan.phrase(p, end)!r} denies something")
            findings.unread = True
            return


def unread(r: ClaimReading, findings: Findings) -> None:
    """Words that stand in no table, where they do not merely weigh what was said."""
    for i in r.scan.unread:
        if i in r.consumed or r.in_tail(i) or any(q.start <= i < q.end for q in r.quantities):
            continue
        findings.doubt("unread", f"{r.words[i]!r}")
        findings.unread = True
        return
