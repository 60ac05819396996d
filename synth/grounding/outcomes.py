"""What the check may say of a claim: the faults that it names, and why it leaves a claim undecided."""

FAULTS: dict[str, str] = {
    "unknown_id": "cites a line that does not exist",
    "not_shown": "cites a line that the teacher was not shown",
    "future": "tells what came after the prediction time",
    "contradiction": "denies what the evidence says",
    "wrong_name": "names what the evidence does not hold",
    "wrong_sex": "speaks of a person of the other sex",
    "wrong_age": "another age than the evidence",
    "wrong_time": "another time or length of time than the evidence",
    "wrong_count": "another number of times than the evidence",
    "wrong_unit": "a value in another unit",
    "wrong_value": "another value than the evidence",
    "wrong_order": "another order than the evidence",
    "verify": "the verifier model found no support",
}
"""Hard: the evidence says otherwise. In this order a fault of the citation is found before one of the content."""

DOUBTS: dict[str, str] = {
    "uncited": "states something of the person and cites nothing",
    "unnamed_line": "cites a line that it does not name",
    "unsupported_number": "holds a number that stands nowhere in the evidence",
    "unknown_unit": "gives a unit to a value that has none",
    "no_fact": "states no fact of the record",
    "unread": "holds words that no rule reads",
}
"""What rules cannot decide. The first four are suspicions, which a verifier model may clear or confirm."""

SOFT = frozenset({"uncited", "unnamed_line", "unsupported_number", "unknown_unit"})
"""Suspicions among the doubts."""
