"""The corpus card: what is in the corpus, what it cost, what it gives away, and what may be done with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...study import layout
from ...study.records import read_jsonl, write_text
from ..histories import histories
from ..plan import Plan
from ..records import Rationale
from ..teaching import History
from .leakage import MOST, Evidence, Readability, readability, without_conclusion


def write_card(plan: Plan, cohort: Path, folder: Path) -> None:
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


def measured(plan: Plan, cohort: Path, folder: Path) -> dict[str, Any]:
    """Readability of the outcome by style, and the odds ratios of the evidence."""
    from ..records import Rationale as Row

    evidence = Evidence()
    texts: dict[str, list[tuple[History, Rationale]]] = {style.name: [] for style in plan.styles}
    total = json.loads((folder / layout.SYNTH_SUMMARY.name).read_text())["rationales"]
    share = min(1.0, MOST / max(1, total))
    rows = read_jsonl(folder / layout.RATIONALES.name, Row)
    for history, made in _together(histories(cohort, plan.settings.splits), rows):
        evidence.add_case(history)
        for rationale in made:
            evidence.add_rationale(rationale, history)
            if (
                int(rationale.id, 16) / 16 ** len(rationale.id) < share
            ):  # ids are hashes: a sample without a seed
                texts[rationale.style].append((history, rationale))
    return {
        "readability": [r.model_dump() for style, pairs in texts.items() for r in _readable(style, pairs)],
        "readability_sampled": share < 1,
        "evidence": evidence.summary(),
        "findings": [r.model_dump() for r in evidence.odds_ratios() if r.cited][:25],
    }


def _together(
    all_histories: Iterator[History], rows: Iterator[Rationale]
) -> Iterator[tuple[History, list[Rationale]]]:
    """Each case with its rationales; both come in the order of the cases."""
    head = next(rows, None)
    for history in all_histories:
        made = []
        while head is not None and head.case == history.case.id:
            made.append(head)
            head = next(rows, None)
        yield history, made


def _readable(style: str, pairs: list[tuple[History, Rationale]]) -> Iterator[Readability]:
    labels = [h.case.label or 0 for h, _ in pairs]
    people = [h.case.subject for h, _ in pairs]
    if not pairs:
        return
    yield readability("rationale", style, [r.text for _, r in pairs], labels, people)
    yield readability(
        "rationale without its last claim", style, [without_conclusion(r) for _, r in pairs], labels, people
    )
    yield readability("history", style, [h.case.timeline for h, _ in pairs], labels, people)
