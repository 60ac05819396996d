"""The line of a timeline is a protocol: what is written is read back, and a change of wording fails here at once."""

from hypothesis import given
from hypothesis import strategies as st

from wherefore.cohort.line import Line, evidence_id, lines, parse

AGES = st.integers(0, 1200).map(lambda tenths: tenths / 10)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1)
PLAIN = WORDS.filter(lambda w: " times, last " not in w and not w.startswith("age "))


def test_the_wording() -> None:
    written = [
        Line("E001", "Sex: female"),
        Line("E002", "Stroke", 66.4, 3.6),
        Line("E003", "Hypertension", 66.4, 3.6, 3, 0.2),
    ]
    assert "\n".join(map(str, written)) == (
        "[E001] Sex: female\n"
        "[E002] age 66.4 (3.6 y before): Stroke\n"
        "[E003] age 66.4 (3.6 y before): Hypertension; 3 times, last 0.2 y before"
    )
    assert lines("Person:\n" + "\n".join(map(str, written))) == written


@given(st.integers(1, 5000), PLAIN, AGES, AGES, st.integers(1, 99), AGES)
def test_what_is_written_is_read_back(
    number: int, what: str, age: float, since: float, times: int, ago: float
) -> None:
    dated = Line(evidence_id(number), what, age, since, times, ago if times > 1 else None)
    assert parse(str(dated)) == dated
    undated = Line(evidence_id(number), what)
    assert parse(str(undated)) == undated
