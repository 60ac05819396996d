"""Why: how diluted the label is, what models write and cite, and whether cited evidence tells people apart."""

from typing import Any

from ....cohort.records import Case
from ....study.records import from_frame
from ...cells import arm
from ...written import WrittenSample, samples, shown_ids
from ..example import why_not
from ..material import Material
from ..section import Section

MOST_CITED = 12


def section(m: Material) -> dict[str, Any] | None:
    """Dilution, written texts, cited evidence; None where there is none of it."""
    dilution, cited = _dilution(m), _cited(m)
    if not (dilution or cited or m.tables.written or m.tables.taught):
        return None
    return {
        "dilution": dilution,
        "cited": cited,
        "written": _written(m),
        "taught": m.tables.taught,
        "sample": _sample(m),
    }


def _sample(m: Material) -> tuple[Case | None, list[WrittenSample]]:
    """One held-out person and what the models wrote about them; nobody where nobody may be shown."""
    if why_not(m.study, m.settings) or not m.tables.written:
        return None, []
    case, texts = samples(m.tables.cells, shown_ids(m.evidence))
    people = from_frame(m.cases[m.cases["id"] == case], Case)
    return (people[0], texts) if people else (None, [])


def _dilution(m: Material) -> list[dict[str, Any]]:
    """The label's part of the loss, a row an arm, mean over its fits."""
    cells = {s.cell.id: arm(s.cell) for s in m.tables.cells}
    out = []
    for name in dict.fromkeys(cells[d.cell] for d in m.tables.dilution):
        of_arm = [d for d in m.tables.dilution if cells[d.cell] == name]
        fits = len({d.cell for d in of_arm})
        label = [d for d in of_arm if d.group == "label"]
        share, weight = sum(d.share for d in label) / fits, sum(d.weight for d in label) / fits
        out.append(
            {
                "target": name,
                "fits": fits,
                "share": share,
                "weight": weight,
                "row": label[0] if label else None,
            }
        )
    return out


def _written(m: Material) -> list[dict[str, Any]]:
    """What the fits of an arm wrote, added up over them."""
    out = []
    for key in dict.fromkeys((w.target, w.readout) for w in m.tables.written):
        rows = [w for w in m.tables.written if (w.target, w.readout) == key]
        total = {f: sum(getattr(w, f) for w in rows) for f in _COUNTS}
        middle = sorted(w.words for w in rows)[len(rows) // 2]
        out.append(
            {"target": key[0], "readout": key[1], "fits": len(rows), "words": middle, "row": rows[0], **total}
        )
    return out


_COUNTS = (
    *("texts", "citations", "existing", "uncited", "unfinished", "loops"),
    *("checked", "supported", "faulty", "undecided"),
)


def _cited(m: Material) -> dict[str, Any]:
    """The most cited evidence of the first style, and how many citations go to what tells nobody apart."""
    rows = [c for c in m.tables.cited if c.style == m.tables.cited[0].style]
    total = sum(c.cited_cases + c.cited_controls for c in rows)
    if not total:
        return {}
    blind = sum(c.cited_cases + c.cited_controls for c in rows if c.low <= 1 <= c.high)
    return {
        "style": rows[0].style,
        "rows": rows[:MOST_CITED],
        "kinds": len(rows),
        "total": total,
        "blind": blind,
        "by_value": any(c.by == "value" for c in rows),
    }


SECTION = Section("Why", section, "mechanism.html.j2")
