"""The line of a timeline is a protocol: what is written is read back, and a change of wording fails here at once."""

import re

from hypothesis import given
from hypothesis import strategies as st

from wherefore.cohort.line import Line, evidence_id, lines, parse

AGES = st.integers(0, 1200).map(lambda tenths: tenths / 10)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1)
FINDINGS = st.from_regex(r"[a-zA-Z0-9<>.-][a-zA-Z0-9<>.() -]{0,20}[a-zA-Z0-9)]", fullmatch=True).filter(
    lambda w: not re.search(r"\b(at|last)\b", w)
)
FOUND = st.lists(st.tuples(FINDINGS, AGES), max_size=2)
PLAIN = WORDS.filter(lambda w: " times" not in w and not w.startswith("age "))


def test_the_wording() -> None:
    written = [
        Line("E001", "Sex: female"),
        Line("E002", "Stroke", 66.4, 3.6),
        Line("E003", "Hypertension", 66.4, 3.6, 3, (), "", 69.8, 0.2),
        Line("E004", "MMSE 30", 63.0, 7.0, 5, (("28", 65.1),), "19 (low)", 69.8, 0.2),
        Line("E005", "Ethnicity: white", times=2),
    ]
    assert "\n".join(map(str, written)) == (
        "[E001] Sex: female\n"
        "[E002] age 66.4 (3.6 y before): Stroke\n"
        "[E003] age 66.4 (3.6 y before): Hypertension; 3 times, last at 69.8 (0.2 y before)\n"
        "[E004] age 63.0 (7.0 y before): MMSE 30; 5 times, 28 at 65.1, last 19 (low) at 69.8 (0.2 y before)\n"
        "[E005] Ethnicity: white; 2 times"
    )
    assert lines("Person:\n" + "\n".join(map(str, written))) == written


@given(st.integers(1, 5000), PLAIN, AGES, AGES, st.integers(1, 99), FOUND, FINDINGS | st.just(""))
def test_what_is_written_is_read_back(
    number: int, what: str, age: float, since: float, times: int, between: list[tuple[str, float]], last: str
) -> None:
    more = (times, tuple(between), last, age, since) if times > 1 else ()
    dated = Line(evidence_id(number), what, age, since, *more)
    assert parse(str(dated)) == dated
    undated = Line(evidence_id(number), what)
    assert parse(str(undated)) == undated
