"""The grading page: rubric to labeling config, item to task data.

Label Studio's hot-keys inside a Repeater can only be made of the index, which starts at 0. So the last claim has
index 0 and stands last on the page, where the key 0 is last on the keyboard; claim k (from 1) has index k. From claim
10 on they stand in a second Repeater, whose index is written behind a 1.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ...cohort.line import parse
from ...cohort.records import Case
from ...study.records import digest
from ..design.items import Item, claim_text
from ..records import Dimension, Rubric
from .forms import TEN

NO_KEY = "ctrl+alt+shift+f19"
"""A key that no keyboard has."""
CLAIM_KEYS = ("{}", "shift+{}", "alt+shift+{}", "ctrl+shift+{}", "ctrl+alt+{}")
"""What is pressed with a claim's digit, category by category."""
ROWS = ("qwert", "asdfg", "zxcvb", "yuiop", "hjkl", "nm")
"""Keys of the questions about the whole rationale, a row of the keyboard each."""
FURTHER_KEYS = ("ctrl+alt+shift+{}",)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wherefore", "templates/grading"),
        autoescape=select_autoescape(("xml.j2", "html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def config(rubric: Rubric, *, show_label: bool, most_claims: int) -> str:
    """The labeling config of a project.

    Args:
        rubric: what is asked.
        show_label: whether the recorded outcome is shown.
        most_claims: of any item in the project; above ten, there is a second list of sentences.
    """
    rows = iter(ROWS)
    overall = [_question(d, _keys(d, next(rows, ""))) for d in rubric.dimensions if not d.per_claim]
    claims = [d for d in rubric.dimensions if d.per_claim]
    conditions = [d.when for d in claims if d.when] + [c for c in (rubric.note_when,) if c]
    return (
        _environment()
        .get_template("page.xml.j2")
        .render(
            style=_css(),
            guide=guide(rubric),
            legend=legend(rubric),
            show_label=show_label,
            lists=_lists(claims, most_claims),
            overall=overall,
            conditions=list(dict.fromkeys(conditions)),
            note_when=rubric.note_when,
            edit_when=rubric.edit_when,
            comment=rubric.comment,
        )
    )


def _lists(claims: Sequence[Dimension], most: int) -> list[dict[str, Any]]:
    """The one or two Repeaters of sentences: the data they stand on, their index, their questions."""
    first = [k.format("{{idx}}") for k in CLAIM_KEYS]
    further = [k.format("{{idx}}") for k in FURTHER_KEYS] if most <= 2 * TEN else []
    out = [("claims", "{{idx}}", first, ""), ("more", "1{{idx}}", further, " 1{{idx}}")]
    return [
        {
            "data": data,
            "idx": idx,
            "own": own,
            "questions": [_question(d, _keys(d, () if d.when else keys)) for d in claims],
        }
        for data, idx, keys, own in out[: 1 + (most > TEN)]
    ]


def _css() -> str:
    source, *_ = _environment().loader.get_source(_environment(), "page.css")  # type: ignore[union-attr]
    return " ".join(source.split())


def _question(d: Dimension, keys: Sequence[str]) -> dict[str, Any]:
    title = d.title or d.name.replace("_", " ").capitalize()
    ask = f"Please answer for every sentence: {d.question}" if d.per_claim else f"Please grade: {title}"
    return {
        "name": d.name,
        "title": title,
        "question": d.question,
        "options": list(zip(d.categories, d.labels, strict=True)),
        "hotkeys": keys,
        "when": d.when,
        "ask": ask,
    }


def _keys(d: Dimension, keys: Sequence[str]) -> list[str]:
    return ([*keys] + [NO_KEY] * len(d.categories))[: len(d.categories)]


def legend(rubric: Rubric) -> str:
    """The keys for sentences in a line; empty where nothing is asked of sentences.

    The digit itself stands before each sentence.
    """
    d = next((d for d in rubric.dimensions if d.per_claim and d.when is None), None)
    if d is None:
        return ""
    pressed = [k.format("digit") for k in CLAIM_KEYS]
    return " · ".join(f"{k} {label}" for k, label in zip(pressed, d.labels, strict=False))


def guide(rubric: Rubric) -> str:
    """The guideline page in Markdown, the keys included."""
    lines = [rubric.guideline.strip(), ""]
    if keys := legend(rubric):
        lines += [f"Sentences: {keys}. The digit stands before the sentence. From sentence 10 on, **ctrl+alt+shift** "
                  "and its last digit are the first answer, and **tab** reaches the others.", ""]  # fmt: skip
    rows = zip([d for d in rubric.dimensions if not d.per_claim], ROWS, strict=False)
    whole = "; ".join(f"**{' '.join(row[: len(d.categories)])}** {d.title or d.name}" for d, row in rows)
    ends = "**enter** ends a note or comment, **shift+enter** a correction, **ctrl+enter** submits"
    lines += [f"The whole: {whole}. {ends}."]
    return "\n".join(lines).strip()


def instruction(rubric: Rubric) -> str:
    """The guideline page as HTML, for the server's own place for instructions."""
    text = html.escape(guide(rubric))
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
    return "".join(f"<p>{part}</p>" for part in re.split(r"\n\s*\n", text))


def data(
    item: Item, case: Case, kinds: Mapping[str, str], *, question: str, show_label: bool,
    earlier: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What Label Studio stores for one task; nothing in it says who wrote the rationale or in which style.

    Args:
        item: what is graded.
        case: whose timeline is shown beside it.
        kinds: kind of each evidence id, for its colour.
        question: the line at the top.
        show_label: whether the recorded outcome is told.
        earlier: in adjudication, one line for each earlier rater.
    """
    shown = [*item.claims[-1:], *item.claims[:-1]]
    claims = [{"key": str(i), "text": claim_text(c)} for i, c in enumerate(shown)]
    out = {
        "item": item.id,
        "question": question,
        "person": f"Age {case.age:.1f} at the prediction",
        "timeline": _timeline(case.timeline, tuple(kinds.items()), tuple(earlier)),
        "claims": claims[:TEN],
        "more": claims[TEN:],
        "rationale": item.text,
    }
    if show_label:
        told = {1: "yes", 0: "no", None: "not known (lost to follow-up)"}[case.label]
        out["outcome"] = f"Recorded outcome: {told}"
    return out


@lru_cache(maxsize=4096)
def _timeline(timeline: str, kinds: tuple[tuple[str, str], ...], earlier: tuple[str, ...]) -> str:
    """The left pane; kept, because a case is shown to several raters and in several styles."""
    return text("timeline.html.j2", rows=list(_rows(timeline, dict(kinds))), earlier=earlier)


def text(template: str, **values: Any) -> str:
    """A text template of `templates/grading`, filled in."""
    return _environment().get_template(template).render(**values)


def template_hash(template: str) -> str:
    """Content hash of a template."""
    source, *_ = _environment().loader.get_source(_environment(), template)  # type: ignore[union-attr]
    return digest(source)


def _rows(timeline: str, kinds: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    band = None
    for text in timeline.splitlines():
        line = parse(text)
        if line is None:
            if text.strip():
                yield {"text": text}
            continue
        decade = None if line.age is None else f"{int(line.age) // 10 * 10}s"
        yield {
            "id": line.id,
            "when": "always" if line.age is None else f"{line.age:.1f} · −{line.since:.1f} y",
            "name": line.said,
            "kind": kinds.get(line.id, "plain"),
            "band": decade if decade != band else None,
        }
        band = decade or band
