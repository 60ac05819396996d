"""The grading page: rubric to labeling config, item to task data, and a submitted form back to an answer.

Label Studio's hot-keys inside a Repeater can only be made of the index, which starts at 0. So the last claim has
index 0 and stands last on the page, where the key 0 is last on the keyboard; claim k (from 1) has index k.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ..cohort.records import Case
from ..study.records import digest
from .answers import Answer, Mark, Text, TextKind
from .items import Item, claim_text
from .records import Dimension, Rubric

NO_KEY = "ctrl+alt+shift+f19"
"""A key that no keyboard has."""
CLAIM_KEYS = ("{}", "shift+{}", "alt+shift+{}", "ctrl+shift+{}", "ctrl+alt+{}")
"""What is pressed with a claim's digit, category by category."""
ROWS = ("qwert", "asdfg", "zxcvb", "yuiop", "hjkl", "nm")
"""Keys of the questions about the whole rationale, a row of the keyboard each."""
MOST_KEYED = 10
"""Claims with a digit of their own. With more, pressing 1 would also set claims 10 to 19."""


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
        most_claims: of any item in the project; above ten, claims have no digits and are reached with Tab.
    """
    idx = "{{idx}}"
    keyed = most_claims <= MOST_KEYED
    per_claim = [_question(d, _claim_keys(d, keyed)) for d in rubric.dimensions if d.per_claim]
    rows = iter(ROWS)
    overall = [_question(d, _row_keys(d, next(rows, ""))) for d in rubric.dimensions if not d.per_claim]
    conditions = list(
        dict.fromkeys([d["when"] for d in per_claim if d["when"]] + [c for c in (rubric.note_when,) if c])
    )
    return (
        _environment()
        .get_template("page.xml.j2")
        .render(
            style=_css(),
            guide=guide(rubric, keyed),
            show_label=show_label,
            idx=idx,
            keyed=keyed,
            per_claim=per_claim,
            overall=overall,
            conditions=conditions,
            note_when=rubric.note_when,
            edit_when=rubric.edit_when,
            comment=rubric.comment,
        )
    )


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


def _claim_keys(d: Dimension, keyed: bool) -> list[str]:
    keys = [k.format("{{idx}}") for k in CLAIM_KEYS] if keyed and d.when is None else []
    return (keys + [NO_KEY] * len(d.categories))[: len(d.categories)]


def _row_keys(d: Dimension, row: str) -> list[str]:
    return (list(row) + [NO_KEY] * len(d.categories))[: len(d.categories)]


def guide(rubric: Rubric, keyed: bool = True) -> str:
    """The guideline page in Markdown, the keys included."""
    lines = [rubric.guideline.strip(), ""]
    for d in rubric.dimensions:
        if d.per_claim and d.when is None and keyed:
            keys = ", ".join(
                f"**{k.format('digit')}** {label}" for k, label in zip(CLAIM_KEYS, d.labels, strict=False)
            )
            lines += [f"Sentences: {keys}. The digit stands before the sentence.", ""]
    rows = zip([d for d in rubric.dimensions if not d.per_claim], ROWS, strict=False)
    whole = "; ".join(f"**{' '.join(row[: len(d.categories)])}** {d.title or d.name}" for d, row in rows)
    lines += [f"The whole: {whole}. **ctrl+enter** submits (leave a text box first with **esc** or a click)."]
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
        "timeline": _timeline(case.timeline, f"{case.age:.1f}", tuple(kinds.items()), tuple(earlier)),
        "claims": claims,
        "rationale": item.text,
    }
    if show_label:
        told = {1: "yes", 0: "no", None: "not known (lost to follow-up)"}[case.label]
        out["outcome"] = f"Recorded outcome: {told}"
    return out


@lru_cache(maxsize=4096)
def _timeline(timeline: str, age: str, kinds: tuple[tuple[str, str], ...], earlier: tuple[str, ...]) -> str:
    """The left pane; kept, because a case is shown to several raters and in several styles."""
    return text("timeline.html.j2", age=age, rows=list(_rows(timeline, dict(kinds))), earlier=earlier)


def text(template: str, **values: Any) -> str:
    """A text template of `templates/grading`, filled in."""
    return _environment().get_template(template).render(**values)


def template_hash(template: str) -> str:
    """Content hash of a template."""
    source, *_ = _environment().loader.get_source(_environment(), template)  # type: ignore[union-attr]
    return digest(source)


_LINE = re.compile(r"^\[(E\d{3,})\] (?:age ([\d.]+) \(([\d.]+) y before\): )?(.*)$")


def _rows(timeline: str, kinds: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    band = None
    for line in timeline.splitlines():
        found = _LINE.match(line)
        if not found:
            if line.strip():
                yield {"text": line}
            continue
        id, age, before, name = found.groups()
        decade = f"{int(float(age)) // 10 * 10}s" if age else None
        yield {
            "id": id,
            "when": f"{age} · −{before} y" if age else "always",
            "name": name,
            "kind": kinds.get(id, "plain"),
            "band": decade if decade != band else None,
        }
        band = decade or band


def claim_at(index: int, n: int) -> int:
    """Which claim (from 0) stands at a Repeater index.

    >>> [claim_at(i, 4) for i in range(4)]
    [3, 0, 1, 2]
    """
    return (index - 1) % n


def index_of(claim: int, n: int) -> int:
    """The Repeater index of a claim.

    >>> [index_of(c, 4) for c in range(4)]
    [1, 2, 3, 0]
    """
    return (claim + 1) % n


def form(answer: Answer, n_claims: int) -> list[dict[str, Any]]:
    """An answer as Label Studio's page would submit it."""
    out = []
    for m in answer.marks:
        name, to = _names(m.dimension, m.claim, n_claims)
        out.append(_control(name, to, "choices", {"choices": [m.value]}))
    for t in answer.texts:
        name, to = _names(t.kind, t.claim, n_claims)
        out.append(_control(name, to, "textarea", {"text": [t.text]}))
    return out


def _names(name: str, claim: int | None, n: int) -> tuple[str, str]:
    if claim is None:
        return name, "timeline"
    i = index_of(claim, n)
    return f"{name}_{i}", f"claim_{i}"


def _control(name: str, to: str, type: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": digest([name, to]), "from_name": name, "to_name": to, "type": type, "value": value}


_NAME = re.compile(r"^([a-z][a-z0-9_]*?)(?:_(\d+))?$")


def read_form(
    result: Iterable[Mapping[str, Any]], rubric: Rubric, n_claims: int
) -> tuple[tuple[Mark, ...], tuple[Text, ...]]:
    """A submitted form as marks and texts; names and values are as found, and checked by `answers.accept`."""
    marks: list[Mark] = []
    texts: list[Text] = []
    for control in result:
        found = _NAME.match(str(control.get("from_name", "")))
        name, index = found.groups() if found else (str(control.get("from_name", "")), None)
        claim = (
            None if index is None else claim_at(int(index), n_claims) if int(index) < n_claims else int(index)
        )
        value = control.get("value") or {}
        if name in get_args(TextKind):
            texts += [
                Text(kind=cast(TextKind, name), claim=claim, text=t)
                for t in value.get("text") or []
                if t.strip()
            ]
        else:
            chosen = value.get("choices") or [""]
            marks += [Mark(dimension=name, claim=claim, value=str(v)) for v in chosen]
    return tuple(marks), tuple(texts)
