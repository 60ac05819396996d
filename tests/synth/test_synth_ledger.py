"""The ledger: torn tails, damaged lines, one writer, sealed files, and a killed run that asks nothing twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.errors import BusyError, DataError
from wherefore.study.records import read_jsonl
from wherefore.synth.ledger import ledger as ledgers
from wherefore.synth.ledger.keys import Places
from wherefore.synth.ledger.ledger import Ledger
from wherefore.synth.ledger.segment import LedgerSegment
from wherefore.synth.records import Rationale, Refusal

Write = Callable[..., Path]
Start = Callable[..., Any]


def key(i: int) -> str:
    return f"{random.Random(i).getrandbits(128):032x}"


def body(i: int) -> dict[str, Any]:
    return {
        "choices": [{"message": {"content": f"answer {i}"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }


def fill(ledger: Ledger, start: int, stop: int) -> None:
    for i in range(start, stop):
        ledger.sent(key(i), 1)
        ledger.answer(key(i), 1, 0.5, body(i))


def test_what_was_put_in_comes_out_after_a_restart(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 700)
        ledger.sent(key(800), 1)
        ledger.fault(key(800), 1, 0.1, "server", "status 500")
        ledger.sent(key(900), 1)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 700
        assert [ledger.body(key(i)) for i in (0, 255, 256, 699)] == [body(i) for i in (0, 255, 256, 699)]
        assert ledger.body(key(800)) is None
        assert ledger.faults == {key(800): ("server", "status 500")}
        assert ledger.unanswered == {key(900): [1]}
        assert (ledger.tokens.prompt, ledger.tokens.completion) == (2100, 1400)


@pytest.mark.parametrize("cut", [1, 9, 30, 100])
def test_a_torn_tail_costs_the_last_line_and_no_other(tmp_path: Path, cut: int) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 10)
    path = tmp_path / "main" / "0000.jsonl"
    os.truncate(path, path.stat().st_size - cut)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 9
        assert ledger.unanswered == {key(9): [1]}
        fill(ledger, 9, 12)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 12
        assert ledger.unanswered == {
            key(9): [1]
        }  # it may have been paid: that is said, also after it was asked again


def test_a_damaged_line_in_the_middle_is_an_error_by_file_and_line(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 10)
    path = tmp_path / "main" / "0000.jsonl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"0000\.jsonl:\d+: the line is damaged"), Ledger(tmp_path):
        pass


def test_two_processes_cannot_write_as_one(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        with pytest.raises(BusyError), Ledger(tmp_path):
            pass
        with Ledger(tmp_path, writer="2-of-2") as other:
            fill(other, 0, 5)
        fill(ledger, 5, 9)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 9


def test_full_files_are_sealed_and_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "SEAL_BYTES", 60_000)
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 1000)
    names = sorted(p.name for p in (tmp_path / "main").iterdir() if p.name != ".lock")
    assert names[:2] == ["0000.parquet", "0001.parquet"]
    assert names[-1].endswith(".jsonl")
    with Ledger(tmp_path) as ledger:
        assert [ledger.body(key(i)) for i in range(1000)] == [body(i) for i in range(1000)]
        assert sum(1 for _ in ledger.entries()) == 2000


def test_a_reader_follows_a_file_that_is_sealed_under_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 600)
    with Ledger(tmp_path, writer="other") as reader:
        LedgerSegment(tmp_path / "main" / "0000.jsonl").seal()
        assert not (tmp_path / "main" / "0000.jsonl").exists()
        assert [reader.body(key(i)) for i in range(600)] == [body(i) for i in range(600)]


def test_what_cannot_be_sealed_is_said_and_stays_as_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "SEAL_BYTES", 60_000)
    (tmp_path / "main" / "0000.parquet.part").mkdir(parents=True)
    with pytest.raises(DataError, match=r"0000\.jsonl: not sealed"), Ledger(tmp_path) as ledger:
        fill(ledger, 0, 300)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 300


def test_a_kill_between_sealing_and_removing_the_lines_counts_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(tmp_path) as ledger:
        fill(ledger, 0, 300)
    lines = (tmp_path / "main" / "0000.jsonl").read_bytes()
    monkeypatch.setattr(ledgers, "SEAL_BYTES", 1)
    with Ledger(tmp_path) as ledger:
        fill(ledger, 300, 301)
    (tmp_path / "main" / "0000.jsonl").write_bytes(lines)
    with Ledger(tmp_path) as ledger:
        assert len(ledger) == 301
        assert ledger.tokens.prompt == 3 * 301


def test_places_hold_what_a_dictionary_holds() -> None:
    places, plain = Places(10), {}
    for i in range(5000):
        places.put(key(i % 4000), (i % 7, i))
        plain[key(i % 4000)] = (i % 7, i)
    assert len(places) == len(plain)
    assert all(places.get(k) == v for k, v in plain.items())
    assert all(places.get(key(i)) is None for i in range(4000, 6000))


CHILD = """
import sys
from pathlib import Path
from wherefore.study.config import Study
from wherefore.synth.run import run
run(Study.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
"""


def child(url: str, home: Path, **job: Any) -> "subprocess.Popen[str]":
    teacher = {"name": "openai", "model": "m", "base_url": url}
    study = {
        "name": "t",
        "cohort": {},
        "synth": {"teacher": teacher, "styles": ["free"], "job": {"in_flight": 8, **job}},
    }
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(study), str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(server: Any, n: int) -> None:
    end = time.monotonic() + 60
    while sum(server.received.values()) < n:
        assert time.monotonic() < end, "the run did not come so far"
        time.sleep(0.005)


def test_a_killed_run_goes_on_without_asking_twice(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(latency=0.01)
    home = cohort(tmp_path, 300)
    kills = 3
    for i in range(kills):
        wanted = sum(server.received.values()) + 40 + 20 * i
        with child(server.url, home) as process:
            wait_for(server, wanted)
            process.send_signal(signal.SIGKILL)
        assert not (home / "synth" / "manifest.json").exists()
    with child(server.url, home) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    made = [r.case for r in read_jsonl(home / "synth" / "rationales.jsonl", Rationale)]
    refused = [r.case for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal)]
    assert len(set(made) | set(refused)) == len(made) + len(refused) == 300
    assert sum(server.received.values()) > len(made) or kills == 0
    twice = sum(n - 1 for n in server.answered.values())
    assert twice <= 8 * kills  # at most what was in flight at each kill
    summary = json.loads((home / "synth" / "summary.json").read_text())
    assert summary["possibly_billed_not_received"] <= 8 * kills
    assert summary["possibly_billed_not_received"] >= twice


def test_a_second_ctrl_c_does_not_wait(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "ok" if number < 20 else "hang")
    home = cohort(tmp_path, 60)
    with child(server.url, home) as process:
        wait_for(server, 21)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)  # two signals at once would be one
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert "PendingError: synth: interrupted" in error
    with Ledger(home / "synth" / "ledger") as ledger:
        assert len(ledger) == sum(server.answered.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_wait_for_what_is_in_flight(
    cohort: Write, endpoint: Start, tmp_path: Path, number: signal.Signals
) -> None:
    server = endpoint(latency=0.2)
    home = cohort(tmp_path, 200)
    with child(server.url, home) as process:
        wait_for(server, 20)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert "PendingError: synth: interrupted" in error
    with Ledger(home / "synth" / "ledger") as ledger:
        assert len(ledger) == sum(server.answered.values()) == sum(server.received.values())
        assert not ledger.unanswered
