"""Everything that was asked and answered, append-only: nothing is paid for twice and nothing is lost.

A request is written down before it is sent and its raw answer before it counts, each with its own write, so that the
death of the process loses neither; `fdatasync` follows soon after, against the death of the machine. One folder a
writer; whoever opens a ledger reads all of them. Full files are sealed to Parquet.
"""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ...study.errors import DataError
from ...study.runs import locked
from ..teaching import Body, usage
from .keys import Places
from .segment import Entry, LedgerSegment, packed

SEAL_BYTES = 256 * 2**20
"""A file is sealed when it has grown to this."""


@dataclass(slots=True)
class Tokens:
    """Sums over answers; what the endpoint did not count is guessed from the length."""

    answers: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, prompt: int, completion: int) -> None:
        """Count an answer."""
        self.answers += 1
        self.prompt += prompt
        self.completion += completion


class Ledger:
    """The entries of all writers, open for one of them. Use as a context manager.

    Args:
        folder: of the whole ledger.
        writer: the name of the one who writes; each has a folder and a lock of its own.
        expected: about how many answers it will hold.
        also: more ledgers to read, of earlier runs.
    Raises:
        BusyError: another process writes under the same name.
        DataError: a line in the middle of a file is damaged.
    """

    def __init__(
        self, folder: Path, writer: str = "main", expected: int = 0, also: tuple[Path, ...] = ()
    ) -> None:
        self.folder, self.writer, self.also = folder, writer, also
        self.unreadable: set[str] = set()
        """Keys whose answer could not be read when it came."""
        self.unanswered: dict[str, list[int]] = {}
        """Attempts that were sent, and of which nothing came back, by key: possibly paid, not received."""
        self.batches: dict[str, str] = {}
        """Id of every batch that was submitted, by its mark."""
        self.faults: dict[str, tuple[str, str]] = {}
        """The last fault of every request without an answer: its kind, and one line about it."""
        self.tokens, self.own = Tokens(), Tokens()
        """Of the answers of all writers of this folder, and of this writer alone."""
        self._places = Places(expected)
        self._segments: list[LedgerSegment] = []
        self._counted: list[tuple[Tokens, ...]] = []
        """By segment: where its tokens are counted."""
        self._dirty = False
        self._guard = threading.Lock()
        self._sealing = ThreadPoolExecutor(1, thread_name_prefix="seal")
        self._sealed: list[Future[None]] = []

    def __enter__(self) -> "Ledger":
        own = self.folder / self.writer
        self._lock = locked(own)
        self._lock.__enter__()
        for folder in (*self.also, self.folder):
            for path in files(folder):
                segment = LedgerSegment(path)
                totals = (self.tokens, self.own) if path.parent == own else (self.tokens,)
                self._add(segment, totals if folder == self.folder else ())
                for entry in segment.scan():
                    self._note(entry, len(self._segments) - 1, segment.rows - 1)
                if path.parent == own and path.suffix == ".jsonl":
                    segment.mend()
        last = max(
            (s for s in self._segments if s.path.parent == own), key=lambda s: s.path.stem, default=None
        )
        if last is not None and last.path.suffix == ".jsonl":
            self._open(last, self._segments.index(last))
        else:
            self._next(own, 0 if last is None else int(last.path.stem) + 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sync()
        self._sealing.shutdown()
        self._file.close()
        self._lock.__exit__(kind, error, trace)
        for sealed in self._sealed if kind is None else ():
            sealed.result()  # an error of the work itself comes first

    def __contains__(self, key: str) -> bool:
        """Whether an answer to the request is stored."""
        return self._places.get(key) is not None

    def __len__(self) -> int:
        """Stored answers."""
        return len(self._places)

    def last_attempt(self, key: str) -> int:
        """The number of the last attempt that was sent and of which nothing came back; 0 where there is none."""
        return max(self.unanswered.get(key, (0,)))

    def body(self, key: str) -> Body | None:
        """The stored raw answer; None where there is none."""
        place = self._places.get(key)
        if place is None:
            return None
        file, row = place
        segment = self._segments[file]
        entry = segment.entry(row)
        if entry["k"] != key:
            raise DataError(
                f"{segment.path}: two requests share the first half of a key: {key} and {entry['k']}."
            )
        body: Body = entry["b"]
        return body

    def entries(self) -> Iterator[Entry]:
        """All entries of this ledger's writers."""
        for path in files(self.folder):
            yield from LedgerSegment(path).scan()

    def sent(self, key: str, attempt: int, batch: str | None = None) -> None:
        """Say that a request is about to be sent, alone or in a batch with this mark."""
        entry = {"k": key, "e": "sent", "a": attempt, "t": round(time.time(), 3)}
        self._put({**entry, "m": batch} if batch else entry)

    def batch(self, mark: str, number: str) -> None:
        """Say under which id a batch was submitted."""
        self._put({"k": "", "e": "batch", "a": 0, "t": round(time.time(), 3), "m": mark, "d": number})

    def answer(
        self,
        key: str,
        attempt: int,
        seconds: float,
        body: Body,
        unreadable: str | None = None,
        guess: tuple[int, int] | None = None,
    ) -> None:
        """Store a raw answer; `guess`: its tokens, where the endpoint does not count them."""
        entry: Entry = {"k": key, "e": "answer", "a": attempt, "s": round(seconds, 4), "b": body}
        if unreadable:
            entry["u"] = unreadable
        if guess:
            entry["g"] = guess
        self._put(entry)

    def fault(self, key: str, attempt: int, seconds: float, kind: str, detail: str) -> None:
        """Store that a request had no answer, and why."""
        self._put({"k": key, "e": "fault", "a": attempt, "s": round(seconds, 4), "f": kind, "d": detail})

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        with self._guard:
            if self._dirty:
                self._dirty = False
                os.fdatasync(self._file.fileno())

    def _put(self, entry: Entry) -> None:
        line = packed(entry)
        if self._file.write(line) != len(line):
            raise DataError(f"{self._segment.path}: the disk is full. Make room and run the command again.")
        self._dirty = True
        self._segment.grew(len(line))
        self._note(entry, self._number, self._segment.rows - 1)
        if self._segment.bytes >= SEAL_BYTES:
            self._turn()

    def _turn(self) -> None:
        """Go on in a new file, and seal the full one beside the work."""
        self.sync()
        number, full = self._number, self._segment
        with self._guard:
            self._file.close()
            self._next(full.path.parent, int(full.path.stem) + 1)

        def seal() -> None:
            self._segments[number] = full.seal()

        self._sealed.append(self._sealing.submit(seal))

    def _next(self, own: Path, number: int) -> None:
        segment = LedgerSegment(own / f"{number:04d}.jsonl")
        self._add(segment, (self.tokens, self.own))
        self._open(segment, len(self._segments) - 1)

    def _add(self, segment: LedgerSegment, counted: tuple["Tokens", ...]) -> None:
        self._segments.append(segment)
        self._counted.append(counted)

    def _open(self, segment: LedgerSegment, number: int) -> None:
        self._segment, self._number = segment, number
        self._file = segment.path.open("ab", buffering=0)

    def _note(self, entry: Entry, segment: int, row: int) -> None:
        key, attempt = entry["k"], entry["a"]
        if entry["e"] == "batch":
            self.batches[entry["m"]] = entry["d"]
            return
        if entry["e"] == "sent":
            self.unanswered.setdefault(key, []).append(attempt)
            return
        if attempt in (attempts := self.unanswered.get(key, [])):
            attempts.remove(attempt)
            if not attempts:
                del self.unanswered[key]
        if entry["e"] == "fault":
            if key not in self:
                self.faults[key] = (entry["f"], entry["d"])
            return
        self.faults.pop(key, None)
        self._places.put(key, (segment, row))
        prompt, completion = usage(entry["b"])
        guess = entry.get("g") or (0, 0)
        for tokens in self._counted[segment]:
            tokens.add(guess[0] if prompt is None else prompt, guess[1] if completion is None else completion)
        if "u" in entry:
            self.unreadable.add(key)


def files(folder: Path) -> list[Path]:
    """All files of all writers. Lines beside their sealed table are what a kill between the two left."""
    tables = set(folder.glob("*/*.parquet"))
    lines = {path for path in folder.glob("*/*.jsonl") if path.with_suffix(".parquet") not in tables}
    return sorted(tables | lines)


def set_aside(home: Path, name: str = "ledger") -> tuple[Path, ...]:
    """Ledgers of stage folders that were renamed to `synth-<anything>`: their answers are paid and count here too."""
    return tuple(sorted(path for path in home.glob(f"synth-*/{name}") if path.is_dir()))
