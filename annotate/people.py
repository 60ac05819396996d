"""Who is who: a rater is a person in this run, and an account only a way to that person.

Addresses are corrected, accounts deleted, servers replaced. So the run keeps, for every rater, each account by which
that rater was ever known here; whoever is in the study file now comes first.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..study.files import rows
from ..study.records import Record, write_jsonl
from .label_studio import ledger
from .label_studio.exported import Author, SubmittedForm
from .settings import Person

FILE = "people.jsonl"
FILES = "files"
"""The origin of forms that came by a file."""


class RaterAccounts(Record):
    """The accounts of one rater."""

    rater: str
    ids: tuple[tuple[str, int], ...] = ()
    """Numbers of accounts, each with the server that it belongs to."""
    emails: tuple[str, ...] = ()
    """In lower case."""


class RaterRegister:
    """All raters of a run, those who left included."""

    def __init__(self, known: Iterable[RaterAccounts], people: Iterable[Person]) -> None:
        self._known = {k.rater: k for k in known}
        now = {p.account.casefold(): p.name for p in people}
        for p in people:
            self._add(p.name, emails=(p.account.casefold(),))
        # An address that the study file gives to one rater is nobody else's any more.
        for rater, k in self._known.items():
            emails = tuple(e for e in k.emails if now.get(e, rater) == rater)
            self._known[rater] = k.model_copy(update={"emails": emails})

    @classmethod
    def read(cls, folder: Path, people: Iterable[Person]) -> "RaterRegister":
        """Those of a run folder's `annotate/`, each with the account that our page may have made for them."""
        out, pushed = cls(rows(folder / FILE, RaterAccounts), people), ledger.read(folder)
        for rater in list(out._known) if pushed.places else ():
            out._add(rater, emails=(page_account(rater, pushed.run),))
        return out

    def save(self, folder: Path) -> None:
        """Write them all."""
        write_jsonl(folder / FILE, [self._known[r] for r in sorted(self._known)])

    def _add(self, rater: str, *, ids: Iterable[tuple[str, int]] = (), emails: Iterable[str] = ()) -> None:
        k = self._known.get(rater, RaterAccounts(rater=rater))
        self._known[rater] = k.model_copy(
            update={
                "ids": tuple(dict.fromkeys((*k.ids, *ids))),
                "emails": tuple(dict.fromkeys((*k.emails, *emails))),
            }
        )

    def meet(self, server: str, accounts: Mapping[int, str]) -> None:
        """Note the numbers that a server's accounts have now; an address that changes there changes nothing here."""
        for id, email in accounts.items():
            if (rater := self.rater_of(Author(email=email.casefold()), server)) is not None:
                self._add(rater, ids=[(server, id)])

    def bind(self, rater: str, server: str, author: Author) -> None:
        """From now on that account is this rater's."""
        ids = [] if author.id is None else [(server, author.id)]
        self._add(rater, ids=ids, emails=[author.email] if author.email else [])

    def rater_of(self, author: Author, server: str) -> str | None:
        """Whose account it is; the address decides where both are known and differ."""
        for rater, k in self._known.items():
            if author.email and author.email in k.emails:
                return rater
        if author.id is None:
            return None
        return next((r for r, k in self._known.items() if (server, author.id) in k.ids), None)

    def name(self, rater: str) -> str:
        """The rater's accounts in words, the first of them."""
        k = self._known.get(rater, RaterAccounts(rater=rater))
        return " or ".join(k.emails) or ", ".join(f"account {id}" for _, id in k.ids) or "no account"

    def owns(self, rater: str, author: Author, server: str) -> bool:
        """Whether that account is this rater's."""
        return self.rater_of(author, server) == rater


def page_account(rater: str, run: str) -> str:
    """The address of the account by which our page writes for a rater on a server that is not ours."""
    return f"{rater}.{run}@raters.example.com"


def server_of(form: SubmittedForm, rater: str, run: str) -> str:
    """Which server a form's account numbers belong to; those in a file mean nothing outside that rater's files."""
    return f"{FILES} of {rater}" if form.origin == FILES else run


def keep_authors(old: Iterable[SubmittedForm], new: SubmittedForm) -> SubmittedForm:
    """A form whose account was deleted keeps the author that it had when it was read before."""
    if new.by.known and new.changed_by.known:
        return new
    before = next((f for f in old if f.key == new.key), None)
    if before is None:
        return new
    by = new.by if new.by.known else before.by
    changed = new.changed_by if new.changed_by.known else before.changed_by
    return new.model_copy(update={"by": by, "changed_by": changed})
