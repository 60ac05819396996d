"""How often: counts of events, of lines, and ordinals."""

from ..findings import Findings
from ..reading.quantities import ORDINALS, Quantity
from ..reading.reading import ClaimReading


def counts(r: ClaimReading, findings: Findings) -> None:
    """Every count is that of a line, or of the lines that the claim lists."""
    for q in r.quantities:
        if q.role == "count":
            _count(r, q, findings)
        elif q.role == "items":
            _items(r, q, findings)
        elif q.role == "ordinal":
            _ordinal(r, q.start, int(q.value), findings)
    for i, w in enumerate(r.words):
        if w in ORDINALS and w != "first":
            _ordinal(r, i, ORDINALS[w], findings)


def _count(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    lines = r.attached(q)
    counted = [float(x.count) for x in lines]
    known = [*counted, sum(counted), *(v for x in lines for v in x.values)]
    if len(lines) > 1:
        known.append(float(len(lines)))  # of one line its count alone says how often
    if len(r.cited) > 1:
        known.append(float(len(r.cited)))
    if any(map(q.matches, known)):
        findings.holds(*lines)
    elif not lines:
        findings.doubt("unsupported_number", f"says {q.text}")
    else:
        findings.fault(
            "wrong_count",
            f"says {q.text} times; the evidence says {', '.join(f'{v:g}' for v in counted)}",
            sure=r.certain(q),
        )


def _items(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    """`three vascular conditions`: as many as the claim names, cites, or the history holds of the kind."""
    if q.value == 1:
        return  # `one burden on top of another`
    kind = next((m for m in r.mentions if m.category is not None and m.start >= q.start), None)
    known = {len(r.lines), len(r.cited), len({x.id for m in r.linked for x in m.lines})}
    if kind is not None:
        known |= {len(kind.lines)}
    known |= {x.count for x in r.lines}
    if any(map(q.matches, map(float, known))):
        findings.holds()
    elif r.linked or r.cited:
        findings.fault("wrong_count", f"says {q.text}; the claim has {len(r.lines) or len(r.cited)}")


def _ordinal(r: ClaimReading, place: int, number: int, findings: Findings) -> None:
    """`a second stroke`: there were so many."""
    m = next((m for m in r.own if m.start > place and m.start - place <= 3), None)
    if m is None or not m.lines:
        return
    total = max(sum(x.count for x in m.lines), len(m.lines))
    if total >= number:
        findings.holds()
    else:
        findings.fault("wrong_count", f"says {r.words[place]} {m.text}; the evidence says {total}")
