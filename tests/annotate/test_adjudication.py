"""The adjudicator decides: every combination of what raters and adjudicator can say, and what becomes of it."""

from itertools import combinations_with_replacement, product

import pytest

from wherefore.annotate import rubric
from wherefore.annotate.records import Note, Rating, Rubric, Verdict
from wherefore.annotate.settings import Criterion, Rule
from wherefore.annotate.verdicts.rules import verdicts
from wherefore.study.config import Study

SCALE = rubric.load(Study(name="t", cohort={}), "clinical")
RATERS = ("accept", "edit A", "edit B", "edit", "reject")
"""What one rater can say: `edit A` is "accept with my edit" and text A; `edit`: the box was left as it was."""
DEFAULT = Rule()
ADJUDICATOR = (None, "accept", "edit C", "edit", "reject")


def form(rater: str, said: str, round: str, harm: str = "none") -> tuple[list[Rating], list[Note]]:
    """A rater's two answers, and the corrected text where there is one."""
    answer, _, text = said.partition(" ")
    given = [
        Rating(item="i", rationale="r", case="c", rater=rater, round=round, dimension=d, value=v)
        for d, v in (("accept", answer), ("harm", harm))
    ]
    note = Note(item="i", rationale="r", rater=rater, round=round, kind="edited", text=f"Text {text}.")
    return given, [note] if text else []


def verdict(said: tuple[str, ...], final: str | None, rule: Rule = DEFAULT, harm: str = "none") -> Verdict:
    forms = [form(name, what, "main") for name, what in zip("abcd", said, strict=False)]
    if final is not None:
        forms.append(form("zoe", final, "adjudication", harm))
    ratings = [r for given, _ in forms for r in given]
    notes = [n for _, texts in forms for n in texts]
    (found,) = verdicts(ratings, [("r", "c")], SCALE, rule, notes)
    return found


def expected(said: tuple[str, ...], final: str | None) -> tuple[str, str | None, str | None]:
    """State, text and adjudicator, as the docs put it."""
    if final is not None:
        state = "rejected" if final == "reject" else "accepted"
        return state, "Text C." if final == "edit C" else None, "zoe"
    good = sum(s != "reject" for s in said)
    if 2 * good < len(said):
        return "rejected", None, None
    texts = {s[5:] for s in said if s.startswith("edit ")}
    if 2 * good == len(said) or len(texts) > 1:
        return "needs_adjudication", None, None
    return "accepted", f"Text {texts.pop()}." if texts else None, None


@pytest.mark.parametrize("final", ADJUDICATOR)
@pytest.mark.parametrize("n", [2, 3])
def test_truth_table(n: int, final: str | None) -> None:
    for said in combinations_with_replacement(RATERS, n):
        found = verdict(said, final)
        assert (found.state, found.edited, found.adjudicator) == expected(said, final), (said, final)
        assert found.edited_by == ("zoe" if final == "edit C" else found.edited_by)
        assert found.n_raters == n
        assert (found.edited is None) == (found.edited_by is None)


@pytest.mark.parametrize(("final", "harm"), list(product(ADJUDICATOR[1:], ("none", "minor", "serious"))))
def test_the_decision_holds_against_every_other_criterion(final: str, harm: str) -> None:
    """A sentence that was marked bad is why the text is corrected; the adjudicator says so in the decision."""
    strict = Rule(
        criteria=(
            Criterion(dimension="accept", rule="unanimous", passes=("accept",)),
            Criterion(dimension="harm", rule="veto", passes=("none", "minor")),
        )
    )
    found = verdict(("accept", "reject"), final, strict, harm)
    assert found.state == ("rejected" if final == "reject" else "accepted")
    assert ("despite harm" in found.why) == (harm == "serious" and final != "reject")


def test_one_rater_short_and_the_adjudicator_decides() -> None:
    assert verdict(("accept",), None).state == "needs_more_ratings"
    assert verdict(("accept",), "reject").state == "rejected"


def test_without_a_question_for_the_decision_the_rule_is_applied_to_the_adjudicators_grades() -> None:
    short = rubric.load(Study(name="t", cohort={}), "short")
    for sound, harm, state in (
        ("yes", "none", "accepted"),
        ("no", "none", "rejected"),
        ("yes", "serious", "rejected"),
    ):
        assert _short(short, sound, harm).state == state


def _short(scale: Rubric, sound: str, harm: str) -> Verdict:
    rows = [("a", "main", "yes", "none"), ("b", "main", "no", "none"), ("zoe", "adjudication", sound, harm)]
    ratings = [
        Rating(item="i", rationale="r", case="c", rater=rater, round=round, dimension=d, value=v)
        for rater, round, s, h in rows
        for d, v in (("sound", s), ("harm", h))
    ]
    (found,) = verdicts(ratings, [("r", "c")], scale, Rule())
    return found
