"""Where the tasks of a run are on the server: `annotate/project.json`, kept beside them and rewritten whole."""

import secrets
from collections.abc import Collection
from pathlib import Path

from ...study.records import Record, read_record, write_text

FILE = "project.json"


class RaterProject(Record):
    """One rater's project of one round, by one version of the rubric and the page."""

    round: str
    rater: str
    version: str
    """Of rubric and page, by which its forms are graded."""
    project: int
    origin: str
    """What tells this project from another one with the same number, on this server or the next."""
    config: str
    """Hash of the labeling interface that it was given; the text of it is in `annotate/pages/`."""
    importing: bool = False
    """An import was begun and not seen to end."""
    pulled: str | None = None
    """Server time up to which everything is here; None: nothing yet."""
    sentences: int = 0
    """Of the longest rationale that its page has room for."""
    tasks: int = 0
    """How many were on the server when it was last looked at."""
    graded: int = 0
    """How many of them had a form."""


class ProjectLedger(Record):
    """Where everything is."""

    run: str = ""
    """Name of this run on the server: another run folder of the same study has another."""
    url: str = ""
    creating: str = ""
    """The mark of a project that was asked for and not seen to be made."""
    places: tuple[RaterProject, ...] = ()

    def at(self, round: str, rater: str, versions: Collection[str] = ()) -> RaterProject | None:
        """The project of one rater in one round; of these versions, or of the last one where none is given."""
        own_places = [p for p in self.places if (p.round, p.rater) == (round, rater)]
        return next((p for p in reversed(own_places) if not versions or p.version in versions), None)

    def with_place(self, place: RaterProject) -> "ProjectLedger":
        """The ledger with this project put in or replaced."""
        own_places = (place.round, place.rater, place.origin)
        rest = [p for p in self.places if (p.round, p.rater, p.origin) != own_places]
        return self.model_copy(update={"places": (*rest, place)})


def read(folder: Path) -> ProjectLedger:
    """What is known of the server side of a run folder."""
    path = folder / FILE
    if not path.exists():
        return ProjectLedger(run=secrets.token_hex(6))
    return read_record(path, ProjectLedger, "Restore it from a copy.")


def save(folder: Path, ledger: ProjectLedger) -> None:
    """Write the ledger."""
    write_text(folder / FILE, ledger.model_dump_json(indent=1) + "\n")
