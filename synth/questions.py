"""Questions whose answer is one JSON object, for stages that ask a model about something else than a rationale.

What is stored in the ledger is not asked again. A reply that whoever asks cannot use goes back to the model with the
reason, as a conversation would.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..cohort.records import Case
from ..study import permission
from ..study.config import Study
from ..study.parts import Part
from ..study.records import Record
from .answers.message import message
from .answers.parse import RE_ASK, ParsedAnswer, read_object
from .ledger.ledger import Ledger
from .plan import StudyTeacher
from .records import Message, Prompt
from .settings import Asking, JobSettings
from .shards import ask_all
from .styles import Style
from .teaching import Body, History, Request, key

STYLE = Style(name="object", form="object")
AGAIN = RE_ASK | {"unfit"}
"""Reasons for which a reply goes back. A refusal, a filter or a fault of the endpoint is final."""
LONGEST = 6000
"""Characters of a reply that are sent back with what was wrong."""

Check = Callable[[str, Mapping[str, Any]], str | None]
"""Why the object that answers a question, given by its name, cannot be used; None: it can."""


@dataclass(frozen=True)
class ObjectQuestion:
    """A question to a model, in words."""

    name: str
    case: Case
    """Whose record it shows."""
    prompt: Prompt


class RefusedReply(Record):
    """A reply that was not used."""

    name: str
    """Of the question."""
    attempt: int
    """From 1."""
    reason: str
    """A short name, to count by; `unfit`: an object that whoever asked cannot use."""
    detail: str
    final: bool = False
    """Nothing more was asked: the question has no answer."""


@dataclass
class ObjectAnswers:
    """What came of the questions."""

    objects: dict[str, dict[str, Any]]
    """By the name of the question."""
    refused: list[RefusedReply]


@dataclass(frozen=True)
class ModelSettings:
    """Which model is asked, and how.

    Attributes:
        part: a teacher and its options.
        key: of the study file, for messages.
        parallel: requests in flight.
        reask: how often a reply that cannot be used goes back.
    """

    part: Part
    key: str
    parallel: int
    reask: int


def ask_objects(
    study: Study, model: ModelSettings, questions: Sequence[ObjectQuestion], folder: Path, check: Check
) -> ObjectAnswers:
    """Ask every question until its answer can be used, `reask` times more at most.

    Args:
        study: whose seed and permission it is.
        model: who is asked.
        questions: each name once.
        folder: of the ledger.
        check: of an object.
    Raises:
        StudyError: the records may not be sent there.
        ServiceError: no request can succeed.
        PendingError: stopped before the end.
    """
    teacher = StudyTeacher(study, model.part, model.key)
    permission.check(study, teacher.urls, model.key)
    job = JobSettings(
        in_flight=model.parallel, unreadable=0
    )  # a reply that cannot be read is asked for again here
    asking = Asking(teacher=model.part, reask=0, job=job)
    out = ObjectAnswers({}, [])
    open_ = list(questions)
    with Ledger(folder, expected=len(open_)) as ledger:
        for attempt in range(1, model.reask + 2):
            pairs = [(q, _request(teacher, q, study.seed)) for q in open_]
            requests = iter([request for _, request in pairs])
            ask_all(teacher, asking, ledger, requests, len(pairs), model.key.rpartition(".")[2])
            open_ = []
            for question, request in pairs:
                body = ledger.body(request.key)
                reply = _read(question, request, body, ledger, check)
                if not isinstance(reply, ParsedAnswer):
                    out.objects[question.name] = reply
                    continue
                final = attempt > model.reask or reply.reason not in AGAIN
                out.refused.append(_refused(question, attempt, reply, final))
                if not final and body is not None:
                    open_.append(_sent_back(question, body, f"{reply.reason}: {reply.detail}"))
    return out


def _request(teacher: StudyTeacher, question: ObjectQuestion, seed: int) -> Request:
    body = teacher.body(question.prompt, seed)
    return Request(key(body), body, History(question.case, ()), STYLE, 0, None)


def _read(
    question: ObjectQuestion, request: Request, body: Body | None, ledger: Ledger, check: Check
) -> dict[str, Any] | ParsedAnswer:
    """The object of a reply, or why it cannot be used."""
    if body is None:
        reason, detail = ledger.faults.get(request.key, ("not_asked", "no answer is stored"))
        return ParsedAnswer(reason=reason, detail=detail)
    reply = read_object(body)
    if isinstance(reply, ParsedAnswer):
        return reply
    unfit = check(question.name, reply)
    return reply if unfit is None else ParsedAnswer(reason="unfit", detail=unfit)


def _refused(question: ObjectQuestion, attempt: int, answer: ParsedAnswer, final: bool) -> RefusedReply:
    reason = answer.reason or "unknown"
    return RefusedReply(name=question.name, attempt=attempt, reason=reason, detail=answer.detail, final=final)


def _sent_back(question: ObjectQuestion, body: Body, why: str) -> ObjectQuestion:
    """The question with the reply and what is wrong with it."""
    reply = message(body).text[:LONGEST] or "(empty)"
    turns = (
        *question.prompt.messages,
        Message(role="assistant", content=reply),
        Message(
            role="user", content=f"This cannot be used: {why}. Send the whole JSON object again, corrected."
        ),
    )
    return replace(question, prompt=question.prompt.model_copy(update={"messages": turns}))
