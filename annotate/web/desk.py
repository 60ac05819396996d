"""One rater at the page: which items are theirs, what they have begun and sent. Label Studio keeps all of it."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from ...study.errors import DataError, ServiceError
from ..graded import GradedForm, Text
from ..label_studio import forms
from ..label_studio.client import Server
from ..label_studio.exported import author
from ..label_studio.ledger import ProjectLedger, RaterProject
from ..plan import GradingPlan
from ..records import Task
from ..rounds import ROUNDS
from . import view
from .view import PageForm

Standing = Literal["open", "begun", "sent", "skipped"]


@dataclass
class Entry:
    """One of the rater's tasks."""

    task: Task
    place: RaterProject
    number: int
    """Of the task on the server."""
    standing: Standing = "open"
    annotation: int | None = None
    draft: int | None = None
    seconds: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Desk:
    """A rater's tasks on the server, in the order of the plan.

    Args:
        plan: what was handed out.
        ledger: where it is.
        rater: whose desk.
        server: Label Studio, with the rater's own account; what is written is this rater's and nobody else's.
    """

    def __init__(self, plan: GradingPlan, ledger: ProjectLedger, rater: str, server: Server) -> None:
        self.plan, self.rater, self._server, self._run = plan, rater, server, ledger.run
        self._me, self._email = server.me()
        self._numbers: dict[str, dict[str, int]] = {}
        places = [p for p in ledger.places if p.rater == rater and p.version == plan.version]
        self._places = sorted(places, key=lambda p: ROUNDS.index(p.round))
        self.entries: dict[int, Entry] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look at what is on the server: another page may have been used meanwhile."""
        entries: dict[int, Entry] = {}
        for place in self._places:
            held = {t["id"]: t for t in self._server.begun(place.project)}
            numbers = self._numbers.get(place.origin, {})
            if set(numbers.values()) != held.keys():
                numbers = {item: some[0].id for item, some in self._server.held(place.project).items()}
                self._numbers[place.origin] = numbers
            for task in self.plan.of_round(place.round):
                number = numbers.get(task.item)
                if task.rater == self.rater and number is not None and number in held:
                    entries[number] = self._entry(task, place, number, held[number])
        self.entries = entries

    def _entry(self, task: Task, place: RaterProject, number: int, held: Mapping[str, Any]) -> Entry:
        e = Entry(task=task, place=place, number=number)
        if (last := self._form(held)) is not None:
            e.standing = "skipped" if last.get("was_cancelled") else "sent"
            e.annotation, e.seconds = last["id"], last.get("lead_time")
        if (draft := self._draft(held, e.annotation)) is not None:
            e.draft = draft["id"]
            e.standing = "begun" if e.annotation is None else e.standing
        return e

    def _form(self, held: Mapping[str, Any]) -> dict[str, Any] | None:
        """This rater's last form of a task."""
        own = [a for a in held.get("annotations") or [] if author(a.get("completed_by"), {}).id == self._me]
        return max(own, key=lambda a: int(a["id"]), default=None)

    def _draft(self, held: Mapping[str, Any], annotation: int | None) -> dict[str, Any] | None:
        """This rater's last draft of a task, or of the form that was sent."""
        own = [
            d
            for d in held.get("drafts") or []
            if str(d.get("user")).casefold() == self._email.casefold()
            and d.get("annotation") in (None, annotation)
        ]
        return max(own, key=lambda d: int(d["id"]), default=None)

    @property
    def round(self) -> str | None:
        """The round that is to be graded: the first with an open item, else the last."""
        for place in self._places:
            if any(e.place is place and e.standing in ("open", "begun") for e in self.entries.values()):
                return place.round
        return self._places[-1].round if self._places else None

    def of_round(self) -> list[Entry]:
        """The tasks of the round that is to be graded, in order."""
        return [e for e in self.entries.values() if e.place.round == self.round]

    def overview(self) -> dict[str, Any]:
        """How far the rater is."""
        own = self.of_round()
        done = [e for e in own if e.standing in ("sent", "skipped")]
        times = [e.seconds for e in self.entries.values() if e.standing == "sent" and e.seconds]
        left = len(own) - len(done)
        return {
            "rater": self.rater,
            "round": self.round,
            "done": len(done),
            "of": len(own),
            "minutes_left": max(1, round(left * median(times) / 60)) if times and left else None,
            "items": [{"task": e.number, "standing": e.standing} for e in own],
            "next": next((e.number for e in own if e.standing in ("open", "begun")), None),
        }

    def entry(self, number: int) -> Entry:
        """One of the rater's tasks.

        Raises:
            DataError: it is not.
        """
        if number not in self.entries:
            raise DataError(f"task {number} is not yours, or is no longer to be graded. Reload the page.")
        return self.entries[number]

    def open(self, number: int) -> dict[str, Any]:
        """An item, with the draft, or the form that was sent, or the answers that stand there already."""
        e = self.entry(number)
        held = self._server.task(number)
        draft, sent = self._draft(held, e.annotation), self._form(held)
        e.draft = None if draft is None else draft["id"]
        filled_in = (held.get("predictions") or [None])[-1]
        form: Mapping[str, Any] = draft or sent or filled_in or {}
        return {
            **view.item(self.plan, self.plan.items[e.task.item]),
            "task": number,
            "place": 1 + [x.number for x in self.entries.values() if x.place is e.place].index(number),
            "standing": e.standing,
            "form": view.to_page(c for c in form.get("result") or [] if isinstance(c, dict)),
            "filled_in": bool(form) and form is filled_in,
            "seconds": form.get("lead_time") or 0.0,
            "disagreement": (held.get("data") or {}).get("disagreement"),
        }

    def draft(self, number: int, form: PageForm) -> None:
        """Keep a form that is not finished, as a draft of Label Studio's."""
        e = self.entry(number)
        body = {"result": forms.write(view.from_page(form, e.task)), "lead_time": round(form.seconds, 1)}
        with e.lock:
            if e.draft is not None:
                try:
                    self._server.call("PATCH", f"/api/drafts/{e.draft}/", json=body)
                    return
                except ServiceError:  # submitted in another tab, or deleted on the server
                    e.draft = None
            at = f"/api/tasks/{number}/" + (f"annotations/{e.annotation}/" if e.annotation else "") + "drafts"
            e.draft = int(self._server.call("POST", at, json=body)["id"])
            if e.standing == "open":
                e.standing = "begun"

    def submit(self, number: int, form: PageForm, sure: bool) -> dict[str, Any]:
        """Send a form; nothing is sent where something is missing, or doubtful and not confirmed.

        Returns:
            `sent`, and what is `wrong` or doubtful (`doubts`).
        """
        e = self.entry(number)
        graded = view.from_page(form, e.task)
        checked = view.check(self.plan, graded)
        if checked.wrong or (checked.doubts and not sure):
            return {"sent": False, **checked.model_dump(mode="json")}
        self._send(e, graded)
        return {"sent": True, **checked.model_dump(mode="json")}

    def skip(self, number: int, reason: str, seconds: float) -> None:
        """Leave an item out, with the reason as its comment."""
        e = self.entry(number)
        texts = (Text(kind="comment", text=reason),)
        form = GradedForm(
            item=e.task.item,
            rater=self.rater,
            round=e.task.round,
            marks=(),
            texts=texts,
            seconds=seconds,
            skipped=True,
        )
        self._send(e, form)

    def _send(self, e: Entry, form: GradedForm) -> None:
        body: dict[str, Any] = {
            "result": forms.write(form),
            "lead_time": round(form.seconds or 0.0, 1),
            "was_cancelled": form.skipped,
        }
        with e.lock:
            if e.annotation is not None:
                self._server.call("PATCH", f"/api/annotations/{e.annotation}/", json=body)
                if e.draft is not None:
                    self._quietly("DELETE", f"/api/drafts/{e.draft}/")
            else:
                body |= {"project": e.place.project, "unique_id": str(self._unique(e))}
                if e.draft is not None:
                    body["draft_id"] = e.draft
                try:
                    annotation = self._server.call("POST", f"/api/tasks/{e.number}/annotations/", json=body)
                except ServiceError as error:
                    if "answered 409" not in str(error):
                        raise
                    raise DataError(
                        "this item was sent before, perhaps in another tab. Reload the page"
                    ) from error
                e.annotation = int(annotation["id"])
            e.draft, e.standing, e.seconds = None, "skipped" if form.skipped else "sent", form.seconds

    def _unique(self, e: Entry) -> uuid.UUID:
        """One form an item and rater, however many tabs are open: the server refuses a second of this name."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self._run}/{e.place.origin}/{e.number}/{self._me}")

    def _quietly(self, method: str, path: str) -> None:
        try:
            self._server.call(method, path)
        except ServiceError:  # it is gone already
            return
