"""The desks of all raters, as things were handed out last."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...study import layout
from ...study.config import Study, load
from ...study.errors import DataError
from ...study.files import rows
from .. import versions
from ..design.items import Item
from ..label_studio import ledger
from ..label_studio.client import Server
from ..plan import GradingPlan, prepare
from ..records import Task
from ..run import resolve
from ..settings import Settings
from .desk import Desk

Sign = Callable[[Settings, str], Server]
"""Label Studio with the account of a rater."""


class Office:
    """Finds the desk of a rater; looks again when something was handed out.

    Args:
        study: the study file.
        run_folder: `runs/<study>`.
        sign: opens Label Studio as a rater.
    """

    def __init__(self, study: Path, run_folder: Path, sign: Sign) -> None:
        self._file, self._run_folder, self._sign = study, run_folder, sign
        self._lock = threading.Lock()
        self._stamp: object = None
        self._plan: GradingPlan | None = None
        self._desks: dict[str, Desk] = {}
        self._servers: dict[str, Server] = {}

    def desk(self, rater: str) -> Desk:
        """The desk of a rater.

        Raises:
            DataError: the rater has left, or nothing was handed out.
        """
        with self._lock:
            if (stamp := self._now()) != self._stamp:
                self._plan, self._desks, self._stamp = self._handed_out(), {}, stamp
            assert self._plan is not None
            if rater not in [p.name for p in self._plan.settings.people]:
                raise DataError(f"{rater} is no longer among the raters of this study.")
            if rater not in self._desks:
                if rater not in self._servers:
                    self._servers[rater] = self._sign(self._plan.settings, rater)
                folder = self._run_folder / "annotate"
                self._desks[rater] = Desk(self._plan, ledger.read(folder), rater, self._servers[rater])
            return self._desks[rater]

    def close(self) -> None:
        """Give the connections back."""
        for server in self._servers.values():
            server.close()

    def _now(self) -> object:
        """What changes when something is handed out, or a rater joins or leaves."""
        folder = self._run_folder / "annotate"
        files = (self._file, layout.TASKS.at(self._run_folder), folder / versions.FILE)
        times = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
        return times, [(p.origin, p.version) for p in ledger.read(folder).places]

    def _handed_out(self) -> GradingPlan:
        """The plan with the items, tasks and questions that are on the server, whatever the study file says now."""
        study: Study = load(self._file)
        settings = resolve(study)
        folder = self._run_folder / "annotate"
        known = rows(folder / versions.FILE, versions.Version)
        tasks = rows(layout.TASKS.at(self._run_folder), Task)
        if not known or not tasks:
            raise DataError(
                "nothing was handed out yet. The investigator does that with `wherefore annotate push`."
            )
        now = known[-1]
        plan = prepare(study, settings, self._run_folder)
        items = {i.id: i for i in rows(layout.ITEMS.at(self._run_folder), Item) if i.case in plan.cases}
        as_pushed = settings.model_copy(update={"question": now.question, "show_label": now.show_label})
        return replace(
            plan,
            rubric=now.rubric,
            version=now.version,
            items=items,
            settings=as_pushed,
            tasks=[t for t in tasks if t.item in items],
        )
