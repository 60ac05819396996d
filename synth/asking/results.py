"""The files that a Batch API gives back: one line a request, and whatever else may stand in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from ..answers.faults import error_in
from ..teaching import Body, Fault
from .status import ServerError, bad_status


class ResultLine(NamedTuple):
    """What became of one request."""

    key: str
    body: Body | None
    fault: Fault | None


def whole(path: Path) -> bool:
    """Whether the last line of a file is whole: a download may have broken off."""
    with path.open("rb") as f:
        f.seek(0, 2)
        f.seek(max(0, f.tell() - 2**20))
        lines = f.read().splitlines()
    return not lines or _object(lines[-1]) is not None or len(lines[-1]) == 2**20


def rows(path: Path, url: str, key_env: str) -> Iterator[ResultLine]:
    """Every line that belongs to a request; blank, cut and nameless ones are passed over.

    Args:
        path: of the file.
        url: of the service, for messages.
        key_env: where the key stands, for messages.
    """
    with path.open("rb") as f:
        for line in f:
            line_object = _object(line)
            key = line_object.get("custom_id") if line_object else None
            if line_object is None or not isinstance(key, str):
                continue
            response = line_object.get("response")
            response = response if isinstance(response, dict) else {}
            body, status = response.get("body"), response.get("status_code")
            error = error_in(body) if isinstance(body, dict) else None
            if status == 200 and isinstance(body, dict) and body and error is None:
                yield ResultLine(key, body, None)
            elif status == 200:
                words = error.words if error else "the answer has no body"
                yield ResultLine(key, None, Fault("error" if error else "broken_body", f"{url}: {words}"))
            else:
                yield ResultLine(key, None, _fault(url, status, body, line_object, key_env))


def _fault(url: str, status: object, body: object, row: dict[str, object], key_env: str) -> Fault:
    code = ServerError(row).code
    if code == "batch_expired":
        return Fault("batch_expired", f"{url}: the batch expired before this request was answered")
    number = status if isinstance(status, int) and status >= 300 else 500
    return bad_status(url, number, {}, body or row, key_env)


def _object(line: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
