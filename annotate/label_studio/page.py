"""Label Studio's own page: rubric to labeling config, item to task data.

Hot-keys inside a Repeater can be made of its index only, and every digit of a two-digit index fires. So each
sentence has a Repeater of its own, on a list `s1`, `s2`, ... that holds the sentence or nothing, and names and keys
are written out.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ...cohort.line import evidence_ids, parse
from ...cohort.records import Case
from ...study.records import digest
from ..design.items import Item, claim_text
from ..records import Dimension, Rubric
from ..verdicts.disagreement import Disagreement

NO_KEY = "ctrl+alt+shift+f19"
"""A key that no keyboard has."""
SENTENCE_KEYS = ("{}", "shift+{}", "alt+shift+{}", "ctrl+shift+{}", "ctrl+alt+{}")
"""What is pressed with a sentence's digit, answer by answer."""
FURTHER_KEYS = ("ctrl+alt+shift+{}",)
"""The same for sentences 11 to 20, with their last digit."""
ROWS = ("qwert", "asdfg", "zxcvb", "yuiop", "hjkl", "nm")
"""Keys of the questions about the whole rationale, a row of the keyboard each."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wherefore", "templates/grading"),
        autoescape=select_autoescape(("xml.j2", "html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def config(rubric: Rubric, *, show_label: bool, sentences: int) -> str:
    """The labeling config of a project.

    Args:
        rubric: what is asked.
        show_label: whether the recorded outcome is shown.
        sentences: of the longest rationale that the project may hold.
    """
    rows = iter(ROWS)
    overall = [_question(d, _padded(d, next(rows, ""))) for d in rubric.dimensions if not d.per_claim]
    about_sentences = [d for d in rubric.dimensions if d.per_claim]
    conditions = [d.when for d in about_sentences if d.when] + [c for c in (rubric.note_when,) if c]
    return (
        _environment()
        .get_template("page.xml.j2")
        .render(
            style=" ".join(source("page.css").split()),
            guide=guide(rubric),
            legend=legend(rubric),
            show_label=show_label,
            sentences=[_sentence(n, about_sentences) for n in range(1, sentences + 1)],
            overall=overall,
            conditions=list(dict.fromkeys(conditions)),
            note_when=rubric.note_when,
            edit_when=rubric.edit_when,
            comment=rubric.comment,
        )
    )


def _sentence(n: int, dimensions: Sequence[Dimension]) -> dict[str, Any]:
    first = next((d.name for d in dimensions if d.when is None), None)
    keyed = [_padded(d, sentence_keys(n) if d.name == first else ()) for d in dimensions]
    questions = [(_question(d, keys), keys) for d, keys in zip(dimensions, keyed, strict=True)]
    return {"n": n, "questions": questions, "own": "" if n <= 10 else f" {n}"}


def sentence_keys(n: int) -> list[str]:
    """The keys of a sentence, answer by answer: the digit is its number, 0 is the tenth.

    >>> sentence_keys(3)[:2], sentence_keys(12), sentence_keys(21)
    (['3', 'shift+3'], ['ctrl+alt+shift+2'], [])
    """
    keys = SENTENCE_KEYS if n <= 10 else FURTHER_KEYS if n <= 20 else ()
    return [k.format(n % 10) for k in keys]


def _question(d: Dimension, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "name": d.name,
        "title": d.heading,
        "question": d.question,
        "options": list(zip(d.categories, d.labels, strict=True)),
        "hotkeys": keys,
        "when": d.when,
    }


def _padded(d: Dimension, keys: Sequence[str]) -> list[str]:
    """A key for each answer: the last ones may have none."""
    return ([*keys] + [NO_KEY] * len(d.categories))[: len(d.categories)]


def legend(rubric: Rubric) -> str:
    """The keys for sentences in a line; empty where nothing is asked of sentences."""
    d = next((d for d in rubric.dimensions if d.per_claim and d.when is None), None)
    if d is None:
        return ""
    pressed = [k.format("digit") for k in SENTENCE_KEYS]
    return " · ".join(f"{k} {label}" for k, label in zip(pressed, d.labels, strict=False))


def guide(rubric: Rubric) -> str:
    """The guideline page in Markdown, the keys included."""
    lines = [rubric.guideline.strip(), ""]
    if keys := legend(rubric):
        lines.append(
            f"Sentences: {keys}. The digit stands before the sentence; 0 is the tenth. From the eleventh on, "
            "**ctrl+alt+shift** and its last digit are the first answer, and **tab** reaches the others."
        )
        lines.append("")
    rows = zip([d for d in rubric.dimensions if not d.per_claim], ROWS, strict=False)
    whole = "; ".join(f"**{' '.join(row[: len(d.categories)])}** {d.heading}" for d, row in rows)
    ends = "**enter** ends a note or comment, **shift+enter** a correction, **ctrl+enter** submits"
    lines += [f"The whole: {whole}. {ends}. To skip an item, say why in the comment first."]
    return "\n".join(lines).strip()


def instruction(rubric: Rubric) -> str:
    """The guideline page as HTML, for the server's own place for instructions."""
    return as_html(guide(rubric))


def as_html(markdown: str) -> str:
    """The little Markdown that a guideline uses: paragraphs, bold, italics."""
    text = html.escape(markdown.strip())
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
    return "".join(f"<p>{part}</p>" for part in re.split(r"\n\s*\n", text))


def data(
    item: Item,
    case: Case,
    kinds: Mapping[str, str],
    *,
    question: str,
    show_label: bool,
    version: str = "",
    place: str = "",
    sentences: int = 0,
    disagreement: Disagreement | None = None,
) -> dict[str, Any]:
    """What Label Studio stores for one task; nothing in it says who wrote the rationale or in which style.

    Args:
        item: what is graded.
        case: whose timeline is shown beside it.
        kinds: kind of each evidence id, for its colour.
        question: the line at the top.
        show_label: whether the recorded outcome is told.
        version: of rubric and page.
        place: of the task among the rater's, in words.
        sentences: that the project has room for; lists for those that the item lacks are empty.
        disagreement: in adjudication, what the raters said.
    """
    cited = sorted({e for c in item.claims for e in c.cites})
    out: dict[str, Any] = {
        "item": item.id,
        "version": version,
        "question": question,
        "person": f"Age {case.age:.1f} at the prediction",
        "place": place,
        "timeline": _timeline(case.timeline, tuple(kinds.items()), tuple(cited), disagreement),
        "rationale": item.text,
    }
    for n in range(1, max(sentences, len(item.claims)) + 1):
        out[f"s{n}"] = [{"html": _marked(claim_text(item.claims[n - 1]))}] if n <= len(item.claims) else []
    if show_label:
        out["outcome"] = outcome(case)
    if disagreement is not None:
        out["disagreement"] = disagreement.model_dump(mode="json")
    return out


def outcome(case: Case) -> str:
    """The recorded outcome in words."""
    words = {1: "yes", 0: "no", None: "not known (lost to follow-up)"}[case.label]
    return f"Recorded outcome: {words}"


def _marked(text: str) -> str:
    """A sentence in HTML, with its citations marked so that the page can light them up."""
    out = html.escape(text)
    for id in dict.fromkeys(evidence_ids(text)):
        out = re.sub(rf"\b{id}\b", f'<span class="ev ev-{id}">{id}</span>', out)
    return out


@lru_cache(maxsize=4096)
def _timeline(
    timeline: str,
    kinds: tuple[tuple[str, str], ...],
    cited: tuple[str, ...],
    disagreement: Disagreement | None,
) -> str:
    """The left pane; kept, because a case is shown to several raters."""
    return text(
        "timeline.html.j2", rows=list(rows(timeline, dict(kinds))), cited=cited, disagreement=disagreement
    )


def text(template: str, **values: Any) -> str:
    """A text template of `templates/grading`, filled in."""
    return _environment().get_template(template).render(**values)


def source(template: str) -> str:
    """A file of `templates/grading` as it is."""
    text, *_ = _environment().loader.get_source(_environment(), template)  # type: ignore[union-attr]
    return str(text)


def template_hash(template: str) -> str:
    """Content hash of a template."""
    return digest(source(template))


def rows(timeline: str, kinds: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """A timeline as the left pane shows it: a heading, or a line with its id, time, name, kind and new decade."""
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
