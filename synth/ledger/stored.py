"""The answer to a question that counts, out of those that are stored."""

from typing import NamedTuple

from ..teaching import Body, Request, again
from .ledger import Ledger


class StoredAnswer(NamedTuple):
    """What the ledger holds about one question."""

    key: str
    """Of the request that was answered, or of the last that was not."""
    body: Body | None
    """The raw answer; None where there is none."""
    fault: str = ""
    """Why there is none: the kind of the last fault."""
    detail: str = ""
    """The same in a line."""


def stored(request: Request, ledger: Ledger, reask: int) -> StoredAnswer:
    """The first answer that could be read when it came, or else the last.

    Args:
        request: as it was asked first.
        ledger: open.
        reask: how often an answer that could not be read was asked for again.
    """
    key = request.key
    for repeat in range(1, reask + 1):
        later = again(request, repeat).key
        if key not in ledger.unreadable or later not in ledger:
            break
        key = later
    body = ledger.body(key)
    if body is not None:
        return StoredAnswer(key, body)
    fault, detail = ledger.faults.get(key, ("not_asked", "no answer is stored"))
    return StoredAnswer(key, None, fault, detail)
