"""Progress of long work: a bar on a terminal, a line every few seconds elsewhere, nothing where it is quick."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TextIO, TypeVar

T = TypeVar("T")


class Progress:
    """Counts done work and says how far it is. Use as a context manager.

    Args:
        what: a word or two, shown first.
        total: how many steps; None when not known.
        stream: where to write; standard error by default, so that `--json` on standard output stays clean.
    """

    def __init__(self, what: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self.what, self.total, self.done, self.note = what, total, 0, ""
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._start = self._said = time.monotonic()
        self._wait = 0.25 if self._terminal else 10.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._terminal and self._said > self._start:
            self._say()
            self._stream.write("\n")

    def step(self, n: int = 1, note: str | None = None) -> None:
        """`n` more steps are done; `note` (a rate, a loss, a cost) is shown behind the count."""
        self.done += n
        self.note = self.note if note is None else note
        if time.monotonic() - self._said >= self._wait:
            self._say()

    def line(self) -> str:
        """`synth 120/400 30 % 12/s, 0:23 left, note`."""
        spent = time.monotonic() - self._start
        rate = self.done / spent if spent > 0 else 0.0
        parts = [f"{self.what} {self.done}" + (f"/{self.total}" if self.total else "")]
        if self.total:
            parts[0] += f" {100 * self.done // self.total} %"
        if rate > 0:
            parts.append(f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s")
            if self.total:
                left = int((self.total - self.done) / rate)
                parts.append(f"{left // 60}:{left % 60:02d} left")
        return ", ".join(parts + ([self.note] if self.note else []))

    def _say(self) -> None:
        self._said = time.monotonic()
        text = self.line()
        self._stream.write(f"\r{text[:110]:<110}" if self._terminal else text + "\n")
        self._stream.flush()


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how far it is."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(what, total) as bar:
        for item in items:
            yield item
            bar.step()
