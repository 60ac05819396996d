"""Which column of a file is what: by the names that people use, or as the user says."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...study.errors import DataError

ROLES: dict[str, tuple[str, ...]] = {
    "case": ("case", "case_id", "id", "row_id", "sample_id", "admission_id", "hadm_id", "stay_id"),
    "person": ("person", "person_id", "subject", "subject_id", "patient", "patient_id", "eid", "mrn"),
    "time": ("prediction_time", "index_time", "index_date", "time"),
    "label": ("label", "boolean_value", "y", "y_true", "outcome", "event", "target", "ground_truth"),
    "risk": (
        "risk",
        "predicted_boolean_probability",
        "y_score",
        "y_prob",
        "y_pred_proba",
        "y_pred",
        "score",
        "probability",
        "prob",
        "proba",
        "prediction",
        "predicted_risk",
        "predicted_probability",
        "pred",
        "p",
        "p_hat",
    ),
    "why_missing": ("why_missing", "reason_missing"),
    "weight": ("weight", "sample_weight", "sampling_weight", "weights", "ipw", "ipcw"),
    "model": ("model", "model_name", "algorithm", "classifier"),
    "seed": ("seed", "run", "random_seed", "training_run"),
}
"""What a column can be, and the names by which it is found, the usual one first."""
DECISIONS = ("predicted_boolean_value",)
"""Columns of MEDS-Evaluation that are not read: a decision is no risk."""


class PredictionRoles(NamedTuple):
    """The columns of one file by what they are."""

    column: dict[str, str]
    """Role to column."""
    risks: tuple[str, ...]
    """One column of risks, or several, each a model."""
    others: tuple[str, ...]
    """What is left: subgroups, where they have few values."""


def roles(
    header: Sequence[str],
    named: Mapping[str, Sequence[str]],
    where: str,
    needed: Sequence[str],
    ignored: Sequence[str] = (),
) -> PredictionRoles:
    """Find the columns of a file.

    Args:
        header: its columns.
        named: role to columns that are there, as the user says.
        where: the file, for messages.
        needed: roles that it must have.
        ignored: roles that are not looked for in it.
    Raises:
        DataError: two columns that would do, or none for a needed role.
    """
    taken = {c for columns in named.values() for c in columns}
    by_role = {role: columns[0] for role, columns in named.items() if role != "risk"}
    risks = tuple(named.get("risk", ()))
    for role in ROLES:
        if role in named or role in ignored:
            continue
        column = _by_name(role, [c for c in header if c not in taken], where)
        if column is not None:
            taken.add(column)
            if role == "risk":
                risks = (column,)
            else:
                by_role[role] = column
    for role in needed:
        if role not in by_role and not (role == "risk" and risks):
            raise DataError(
                f"{where}: no column for {role!r} among {', '.join(header)}. Say which: --column {role}=NAME."
            )
    return PredictionRoles(by_role, risks, tuple(c for c in header if c not in taken and c not in DECISIONS))


def _by_name(role: str, header: Sequence[str], where: str) -> str | None:
    """The column that has one of the names of a role; the usual name comes before the others, but for weights.

    Of several others nobody can know which is meant.
    """
    plain = {_plain(c): c for c in reversed(header)}
    names = [n for n in ROLES[role] if n in plain]
    if len(names) > 1 and (names[0] != ROLES[role][0] or role == "weight"):
        some = ", ".join(plain[n] for n in names)
        raise DataError(f"{where}: {some}: each could be the {role}. Say which: --column {role}=NAME.")
    return plain[names[0]] if names else None


def _plain(column: str) -> str:
    """A heading without case, blanks and points.

    >>> _plain("Sample weight")
    'sample_weight'
    """
    return column.strip().lower().replace(" ", "_").replace(".", "_").replace("-", "_")
