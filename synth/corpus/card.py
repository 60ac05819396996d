"""The corpus card: what is in the corpus, what it cost, what it gives away, and what may be done with it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...study import layout
from ...study.records import read_jsonl, write_text
from ..histories import histories
from ..plan import RequestPlan
from ..records import Rationale
from ..teaching import History
from .hedging import Hedges
from .leakage import MOST, LeakageCounts, Readability, readability, without_conclusion

Pair = tuple[History, Rationale]


def write_card(plan: RequestPlan, cohort: Path, folder: Path) -> None:
    """Write `card.json` and, for people, `README.md` with the front matter of a Hugging Face data set."""
    from ..prompts import environment

    card = {**json.loads((folder / layout.SYNTH_SUMMARY.name).read_text()), **measured(plan, cohort, folder)}
    use = plan.study.data_use
    card |= {"study": plan.study.name, "title": plan.study.title, "seed": plan.study.seed}
    card["data_use"] = use.model_dump() if use else None
    write_text(folder / layout.CARD.name, json.dumps(card, indent=1))
    write_text(
        folder / layout.CARD_PAGE.name, environment().get_template("corpus_card.md.jinja").render(card=card)
    )


def measured(plan: RequestPlan, cohort: Path, folder: Path) -> dict[str, Any]:
    """Readability of the outcome by style, odds ratios of the evidence, and how much doubt is voiced."""
    evidence, hedges = LeakageCounts(), Hedges()
    texts: dict[str, list[Pair]] = {style.name: [] for style in plan.styles}
    total = json.loads((folder / layout.SYNTH_SUMMARY.name).read_text())["rationales"]
    share = min(1.0, MOST / max(1, total))
    rows = read_jsonl(folder / layout.RATIONALES.name, Rationale)
    for history, rationales in _together(histories(cohort, plan.settings.splits), rows):
        evidence.add_case(history)
        for rationale in rationales:
            evidence.add_rationale(rationale, history)
            hedges.add(rationale, history.case.label or 0)
            if _sampled(rationale, share):
                texts[rationale.style].append((history, rationale))
    return {
        "readability": [r.model_dump() for style, pairs in texts.items() for r in _readable(style, pairs)],
        "readability_sampled": share < 1,
        "hedging": [h.model_dump() for h in hedges.rows(texts)],
        "evidence": evidence.summary(),
        "findings": [r.model_dump() for r in evidence.odds_ratios() if r.cited][:25],
    }


def _sampled(rationale: Rationale, share: float) -> bool:
    """Whether a rationale is in a sample; ids are hashes, so that it needs no seed."""
    return int(rationale.id, 16) < share * float(16 ** len(rationale.id))


def _together(
    all_histories: Iterator[History], rows: Iterator[Rationale]
) -> Iterator[tuple[History, list[Rationale]]]:
    """Each case with its rationales; both come in the order of the cases."""
    head = next(rows, None)
    for history in all_histories:
        rationales = []
        while head is not None and head.case == history.case.id:
            rationales.append(head)
            head = next(rows, None)
        yield history, rationales


def _readable(style: str, pairs: list[Pair]) -> Iterator[Readability]:
    """From the whole rationale, without its conclusion, and from the history; where some teachers were told the
    outcome and others were not, from the rationales of each."""
    if not pairs:
        return
    yield _reading("rationale", style, pairs, lambda h, r: r.text)
    yield _reading("rationale without its last claim", style, pairs, lambda h, r: without_conclusion(r))
    informed = [pair for pair in pairs if pair[1].label_shown]
    if 0 < len(informed) < len(pairs):
        blind = [pair for pair in pairs if not pair[1].label_shown]
        yield _reading("rationale, outcome told", style, informed, lambda h, r: r.text)
        yield _reading("rationale, outcome hidden", style, blind, lambda h, r: r.text)
    yield _reading("history", style, pairs, lambda h, r: h.case.timeline)


def _reading(
    name: str, style: str, pairs: list[Pair], text: Callable[[History, Rationale], str]
) -> Readability:
    labels = [h.case.label or 0 for h, _ in pairs]
    return readability(
        name, style, [text(*pair) for pair in pairs], labels, [h.case.subject for h, _ in pairs]
    )
