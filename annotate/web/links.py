"""Personal links: who may open the page as whom. The secret stands behind a `#`, which browsers send to nobody."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from ...study.records import Record, read_record, write_text

FILE = "links.json"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""


class Links(Record):
    """The secrets of a run's grading page."""

    signing: str = Field(default_factory=lambda: secrets.token_urlsafe(32))
    """With which sessions are signed."""
    raters: dict[str, str] = Field(default_factory=dict)
    """Each rater's passphrase."""
    url: str = ""
    """Where the page was served last."""

    def rater(self, passphrase: str) -> str | None:
        """Whose it is; spaces, dashes and capitals do not matter."""
        given = _bare(passphrase)
        owner = None
        for rater, own in self.raters.items():
            if hmac.compare_digest(_bare(own), given):
                owner = rater
        return owner

    def fingerprint(self, rater: str) -> str:
        """What a session holds of the passphrase, so that a renewed one ends it; empty for an unknown rater."""
        own = self.raters.get(rater)
        return "" if own is None else hashlib.sha256(f"{self.signing}{own}".encode()).hexdigest()[:16]

    def link(self, rater: str) -> str:
        """The rater's own address."""
        return f"{self.url}/grade/#{self.raters[rater]}"


def _bare(passphrase: str) -> bytes:
    return "".join(c for c in passphrase.casefold() if c.isalnum()).encode()


def passphrase() -> str:
    """Four groups of four, 79 bits.

    >>> len(passphrase())
    19
    """
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def read(folder: Path) -> Links | None:
    """The links of a run folder's `annotate/`; None where the page was never served."""
    path = folder / FILE
    return read_record(path, Links, "Remove it to make new links.") if path.exists() else None


def issued(folder: Path, raters: Iterable[str], url: str = "", renew: Iterable[str] = ()) -> Links:
    """The links after every rater has one; those who left lose theirs.

    Args:
        folder: `runs/<study>/annotate`.
        raters: who grades now.
        url: where the page is served now; empty: where it was.
        renew: who gets a new passphrase; the old one and its sessions end.
    """
    old = read(folder) or Links()
    again = set(renew)
    held = {r: passphrase() if r in again or r not in old.raters else old.raters[r] for r in raters}
    links = old.model_copy(update={"raters": held, "url": url or old.url})
    write_text(folder / FILE, links.model_dump_json(indent=1))
    return links


class Guard:
    """Counts wrong passphrases, for each caller and in all."""

    MOST, SECONDS = 20, 600.0

    def __init__(self) -> None:
        self._wrong: dict[str, list[float]] = {}

    def shut(self, caller: str) -> bool:
        """Whether this caller has to wait."""
        since = time.monotonic() - self.SECONDS
        recent = {who: [t for t in times if t > since] for who, times in self._wrong.items()}
        self._wrong = {who: times for who, times in recent.items() if times}
        return len(self._wrong.get(caller, [])) >= self.MOST

    def wrong(self, caller: str) -> None:
        """Note a wrong passphrase."""
        self._wrong.setdefault(caller, []).append(time.monotonic())
