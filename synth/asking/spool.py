"""The questions of a run on disk: read as often as needed, held in memory by their place only."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import orjson

from ..styles import Style
from ..teaching import Request, again


class Spool:
    """Requests in a file, one a line. Use as a context manager: the file goes at the end.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w+b")
        self.size = 0
        """Requests in it."""

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def fill(self, requests: Iterable[Request]) -> None:
        """Write every request, each as it comes."""
        for request in requests:
            line = {"k": request.key, "b": request.body, "s": request.style.model_dump(), "n": request.sample}
            self._file.write(orjson.dumps(line) + b"\n")
            self.size += 1
        self._file.flush()

    def __iter__(self) -> Iterator[tuple[int, Request]]:
        """Every request with its place."""
        with self.path.open("rb") as f:
            place = 0
            for line in f:
                yield place, _request(line)
                place += len(line)

    def at(self, place: int, repeat: int = 0) -> Request:
        """The request at a place, as it is asked for the `repeat`-th time."""
        self._file.seek(place)
        return again(_request(self._file.readline()), repeat)


def _request(line: bytes) -> Request:
    fields: dict[str, Any] = orjson.loads(line)
    style = Style.model_validate(fields["s"])
    return Request(fields["k"], fields["b"], cast(Any, None), style, fields["n"], None)
