"""What a column holds, by its name and by its cells: ratings, or what must never be taken for ratings."""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from .clock import looks_like_time
from .words import STRONG, as_number, folded, listed, tidy

Kind = Literal["rating", "text", "clock", "duration", "confidence", "id", "administration", "empty"]

CONFIDENCE = frozenset(listed("confidence, conf, certainty, sureness, probability, prob, logprob, certain"))
DURATION = frozenset(
    listed(
        """
        duration, seconds, second, secs, sec, minutes, lead_time, leadtime, time_spent, elapsed, elapsed_time,
        time_taken, rt, response_time, reaction_time, latency, work_time, work_time_in_seconds, worktimeinseconds,
        duration_in_seconds, ms, milliseconds, time_ms, time_sec, time_seconds, time_min, time_minutes
        """
    )
)
TEXT = frozenset(
    listed(
        """
        comment, comments, note, notes, remark, remarks, explanation, reason, reasoning, justification, feedback,
        text, free_text, displayed_text, content, url, image_url, file_name, filename
        """
    )
)
CLOCK = frozenset(
    listed(
        """
        time, timestamp, created_at, updated_at, submitted_at, submit_time, accept_time, creation_time, date,
        datetime, date_time, start_date, end_date, recorded_date, start_time, end_time, started_at, completed_at,
        completion_time, finished_at, inserted_at, day, zeitstempel, horodateur
        """
    )
)
ADMINISTRATION = frozenset(
    listed(
        """
        status, progress, finished, ip, ip_address, ipaddress, response_id, recipient_last_name, recipient_first_name,
        recipient_email, external_reference, location_latitude, location_longitude, distribution_channel,
        user_language, q_recaptcha_score, redcap_repeat_instrument, redcap_data_access_group,
        redcap_survey_identifier, annotation_id, assignment_id, hit_type_id, assignment_status, _task_hash,
        _input_hash, _view_id, _session_id, completion_code, study_id, session_id, consent, age, sex, gender, years,
        experience, years_of_experience, specialty
        """
    )
)
"""What forms and platforms write beside the ratings, and what is asked about the raters themselves."""

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
PUNCTUATION = re.compile(r"[\s\-.:/()?#]+")
TAIL = re.compile(r"_(id|ids|name|no|nr|num|number|code|email|key)$")


def plain(name: str) -> str:
    """A column's name without its dress.

    >>> [plain(n) for n in ("Item ID", "workerId", "Lead Time", "Duration (in seconds)", "_annotator_id")]
    ['item_id', 'worker_id', 'lead_time', 'duration_in_seconds', 'annotator_id']
    """
    return PUNCTUATION.sub("_", CAMEL.sub("_", tidy(name))).strip("_").lower()


def stem(name: str) -> str:
    """`plain`, without what makes an identifier of it.

    >>> [stem(n) for n in ("Item ID", "rater_name", "id", "PatientNo")]
    ['item', 'rater', 'id', 'patient']
    """
    return TAIL.sub("", plain(name))


def kind(name: str, cells: Sequence[str | None]) -> Kind:
    """What a column is, unless its name makes it an item, a rater or the like."""
    some = [c for c in pd.unique(np.array(cells, dtype=object)) if c and c.strip()]
    if not some:
        return "empty"
    for names, what in NAMED.items():
        if plain(name) in names or stem(name) in names:
            return what
    if re.search(r"(^|_)(confidence|certainty)(_|$)", plain(name)):
        return "confidence"
    if re.search(r"(^|_)(comments?|explanation|justification|free_?text|remarks?)(_|$)", plain(name)):
        return "text"
    if looks_like_time(some):
        return "clock"
    return "text" if free_text(some, len(cells)) else "rating"


def free_text(kinds: Sequence[str], n: int) -> bool:
    """Sentences, each nearly its own: not codes, which are short, and not categories, which come again.

    Args:
        kinds: every kind of cell once.
        n: cells.
    """
    some = [tidy(c) for c in kinds[:500]]
    wordy = sum(len(t) > 40 or t.count(" ") >= 5 for t in some)
    return len(kinds) > max(8, 0.4 * n) and wordy > 0.3 * len(some)


def numeric(cells: Sequence[str]) -> bool:
    """All numbers, words for nothing aside."""
    kinds = {c for c in cells if c and c.strip() and folded(c) not in STRONG}
    return bool(kinds) and all(as_number(c, comma=True) is not None for c in kinds)


NAMED: dict[frozenset[str], Kind] = {
    CONFIDENCE: "confidence",
    DURATION: "duration",
    TEXT: "text",
    CLOCK: "clock",
    ADMINISTRATION: "administration",
}
