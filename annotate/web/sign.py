"""Label Studio as one of the raters: by the account that our own server made, or by one that is kept for the page."""

from pathlib import Path

from pydantic import Field

from ...study.errors import ServiceError
from ...study.records import Record, read_record, write_text
from ..label_studio import accounts, ledger
from ..label_studio import server as server_
from ..label_studio.client import Server
from ..people import page_account
from ..settings import Settings
from .office import Sign

FILE = "accounts.json"


class PageAccounts(Record):
    """Accounts on somebody else's server that nobody signs in to but the page."""

    passwords: dict[str, str] = Field(default_factory=dict)
    """By e-mail address."""


def by_own_server(folder: Path) -> Sign:
    """With the accounts of the server that `annotate serve` runs in `folder`; new ones are made."""

    def sign(settings: Settings, rater: str) -> Server:
        own = server_.known(folder)
        if own is None:
            raise ServiceError(f"{folder}: no server was started here. Run `wherefore annotate serve`.")
        email = next(p.account for p in settings.people if p.name == rater)
        server_.account(folder, own, email)
        return Server(own.url, server_.token(own, email))

    return sign


def by_other_server(admin: Server, run_folder: Path) -> Sign:
    """With an account a rater that is made for the page, so that the rater needs none; the run knows whose it is."""

    def sign(settings: Settings, rater: str) -> Server:
        folder = run_folder / "annotate"
        email = page_account(rater, ledger.read(folder).run)
        kept = known(folder)
        if email not in kept.passwords:
            kept.passwords[email] = accounts.password()
            write_text(folder / FILE, kept.model_dump_json(indent=1))
        if not accounts.exists(admin, email):
            accounts.sign_up(admin, email, kept.passwords[email])
        return Server(admin.url, accounts.token(admin.url, email, kept.passwords[email]))

    return sign


def known(folder: Path) -> PageAccounts:
    """The accounts that the page has on another's server."""
    path = folder / FILE
    return read_record(path, PageAccounts, "Restore it from a copy.") if path.exists() else PageAccounts()
