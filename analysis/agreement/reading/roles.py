"""Which column of a long table is item, rater, rating, dimension, cluster, group, order; asked where two would do."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from ....study.errors import DataError, StudyError, did_you_mean
from .header import Columns
from .kinds import kind, plain, stem
from .words import listed

ROLES: dict[str, tuple[tuple[str, ...], ...]] = {
    role: tuple(listed(rank) for rank in ranks)
    for role, ranks in {
        "item": (
            "item",
            """unit, task, instance, example, record, hit, stimulus, sample, document, doc, question_item, case,
            target, segment, sentence, claim, rationale, slide, scan, image, study""",
            "id, subject, patient, participant",
            "text, note, summary",
        ),
        "rater": (
            "rater",
            """annotator, coder, reader, grader, reviewer, judge, evaluator, assessor, observer, examiner, scorer,
            marker, labeler, labeller, user, username, worker, respondent, expert, physician, clinician, doctor,
            radiologist, pathologist, nurse, completed_by, created_by, prolific_pid, prolific, who, email,
            email_address""",
            "participant, response_id",
        ),
        "value": (
            """value, rating, grade, score, label, answer, response, judgement, judgment, choice, verdict, annotation,
            code, decision, diagnosis, mark""",
        ),
        "dimension": ("dimension, question, criterion, criteria, aspect, attribute, metric, construct",),
        "cluster": ("cluster, patient, rationale, subject, dialogue, conversation, document, encounter",),
        "group": ("group, arm, system, model, condition",),
        "order": (
            "order, sequence, position, trial",
            """timestamp, created_at, submitted_at, submit_time, completed_at, recorded_date, end_date, time, date,
            datetime, completion_time, zeitstempel, horodateur""",
        ),
        "replicate": ("replicate, occasion, repeat, repetition, reading, attempt, wave, session, round",),
        "reference": (
            """reference, gold, gold_standard, gold_label, truth, ground_truth, reference_standard, consensus,
            adjudicated, true_label, correct_answer""",
        ),
        "count": ("count, freq, frequency, n, times",),
    }.items()
}
"""What a column is for, and the names under which it is looked for: the surest first."""


class RatingRoles(NamedTuple):
    """Who is what."""

    of: dict[str, tuple[str, ...]]
    """Role -> columns; several only for `value` (each a dimension) and for `item` (joined)."""
    notes: tuple[str, ...] = ()

    def one(self, role: str) -> str | None:
        """The column of a role that has one at most."""
        columns = self.of.get(role, ())
        return columns[0] if columns else None


def roles(c: Columns, by_role: Mapping[str, Sequence[str]], name: str) -> RatingRoles:
    """Find the roles of the columns by their names and cells.

    Args:
        c: the columns.
        by_role: role -> columns, as the user says.
        name: of the file, for messages.
    Raises:
        DataError: two columns would do, a column asked for is not there, or two columns have one name.
        StudyError: a role that there is not.
    """
    check_columns(c, by_role, name)
    of: dict[str, tuple[str, ...]] = {role: tuple(columns) for role, columns in by_role.items()}
    notes: list[str] = []
    for role in (
        "rater",
        "item",
        "value",
        "dimension",
        "group",
        "reference",
        "cluster",
        "order",
        "replicate",
    ):
        if role in of:
            continue
        taken = {column for columns in of.values() for column in columns}
        free = [column for column in c.table.columns if column not in taken]
        columns = _role(role, c, free, of, name, notes)
        if columns is not None:
            of[role] = (columns,)
    _check_twice(c, of, name)
    return RatingRoles(of, tuple(notes))


def check_columns(c: Columns, by_role: Mapping[str, Sequence[str]], name: str) -> None:
    """Every role and column that the user names is there.

    Raises:
        DataError, StudyError: one is not.
    """
    for role, columns in by_role.items():
        if role not in ROLES:
            raise StudyError(f"column: {role!r} is not a role; {did_you_mean(role, ROLES)}")
        for column in columns:
            if column not in c.table.columns:
                known = did_you_mean(column, map(str, c.table.columns))
                raise DataError(f"{name}: no column {column!r} for {role}; {known}")
        if len(columns) > 1 and role not in ("value", "item", "rater"):
            raise StudyError(
                f"column: {role} is given {len(columns)} columns ({', '.join(columns)}); name one."
            )
    _check_twice(c, by_role, name)


def _check_twice(c: Columns, of: Mapping[str, Sequence[str]], name: str) -> None:
    for role, columns in of.items():
        for column in columns:
            if column in c.twice:
                at = " and ".join(map(str, c.twice[column]))
                raise DataError(
                    f"{name}: {len(c.twice[column])} columns are called {column!r} (columns {at}); one of them would "
                    f"be the {role}. Rename or remove the others."
                )


def _role(
    role: str, c: Columns, free: Sequence[str], of: Mapping[str, Sequence[str]], name: str, notes: list[str]
) -> str | None:
    """The one column of the surest rank that has any; None where no rank has."""
    for rank in ROLES[role]:
        columns = [
            column
            for column in free
            if _named(column, rank) and _may_be(role, c.table[column], column, of, c)
        ]
        if role == "value" and len(columns) > 1:
            columns = _without_synonyms(c, columns, notes)
        if role == "cluster" and len(columns) > 1:
            columns = _coarsest(c, columns, notes)
        if role == "order" and len(columns) > 1:
            columns = columns[:1]
        if len(columns) > 1:
            ask(role, columns, name)
        if columns:
            return columns[0]
    return None


def ask(role: str, columns: Sequence[str], name: str) -> None:
    """Two columns would do.

    Raises:
        DataError: always; says how to choose.
    """
    several = {"value": " (repeat it to measure several)", "item": " (repeat it to join several)"}.get(
        role, ""
    )
    names = " and ".join(map(repr, columns[:6])) + (" and others" if len(columns) > 6 else "")
    raise DataError(
        f"{name}: {names} could each hold the "
        f"{ {'value': 'ratings'}.get(role, role + 's') }. Say which: --column {role}={columns[0]}{several}."
    )


def _named(column: str, names: Sequence[str]) -> bool:
    return plain(column) in names or stem(column) in names


def _may_be(
    role: str, cells: "pd.Series[str]", column: str, of: Mapping[str, Sequence[str]], c: Columns
) -> bool:
    """The cells do not speak against the role."""
    what = kind(column, cells.tolist())
    if what == "empty":
        return plain(column) == role
    if role == "value":
        return what in ("rating", "text") and not (what == "text" and not _plain_value(column))
    if role == "item":
        return what not in ("confidence", "duration") and _comes_again(cells, c)
    if role == "reference":
        return what == "rating"
    if role == "cluster":
        return kind("", cells.tolist()) == "rating" and _holds_items(cells, c, of)
    if role in ("group", "dimension", "replicate"):
        return kind("", cells.tolist()) == "rating" and cells.nunique() <= max(50, len(cells) / 4)
    return True


def _plain_value(column: str) -> bool:
    return plain(column) in ("value", "rating")


def _comes_again(cells: "pd.Series[str]", c: Columns) -> bool:
    """An item has several ratings; a number that each row has to itself is the row's own."""
    return bool(cells.dropna().duplicated().any()) or len(c.table) < 4


def _holds_items(cells: "pd.Series[str]", c: Columns, of: Mapping[str, Sequence[str]]) -> bool:
    """A cluster holds several ratings; fractions are none."""
    filled = cells[cells.fillna("").str.strip() != ""]
    fractions = filled.str.fullmatch(r"\s*-?\d*[.,]\d+\s*").all()
    return not fractions


def _without_synonyms(c: Columns, columns: Sequence[str], notes: list[str]) -> list[str]:
    """One of several columns that say the same in other words (3 and "neutral"): the first."""
    first = columns[0]
    apart = []
    for other in columns[1:]:
        pairs = c.table[[first, other]].drop_duplicates()
        if pairs[first].is_unique and pairs[other].is_unique:
            notes.append(f"{other!r} says the same as {first!r} and is not used")
        else:
            apart.append(other)
    return [first, *apart]


def _coarsest(c: Columns, columns: Sequence[str], notes: list[str]) -> list[str]:
    """Of clusters inside clusters (rationales of patients) the outermost: only those are independent."""
    order = sorted(columns, key=lambda column: c.table[column].nunique())
    for inner in order[1:]:
        pairs = c.table[[inner, order[0]]].drop_duplicates()
        if not pairs[inner].is_unique:
            return list(columns)
    notes.append(f"{order[0]!r} is the outermost of the clusters {', '.join(map(repr, columns))}")
    return order[:1]
