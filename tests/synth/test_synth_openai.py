"""The openai teacher against a loopback server with faults: each is counted by kind, none costs a case."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.study.config import Study
from wherefore.study.errors import PendingError, ServiceError, StudyError
from wherefore.study.records import read_jsonl, read_table, write_table
from wherefore.synth.records import Call, Rationale, Refusal
from wherefore.synth.run import resolve, run

Write = Callable[..., Path]
Start = Callable[..., Any]
TRANSPORTS = pytest.mark.parametrize("transport", ["openai", "fast"])


def study(url: str, transport: str = "openai", **more: Any) -> Study:
    options = more.pop("options", {})
    teacher = {"name": "openai", "model": "m", "base_url": url, "transport": transport, **options}
    return Study(name="t", cohort={}, synth={"teacher": teacher, "styles": ["free"], **more})


def made(home: Path) -> tuple[list[Rationale], list[Refusal]]:
    folder = home / "synth"
    return list(read_jsonl(folder / "rationales.jsonl", Rationale)), list(
        read_jsonl(folder / "refusals.jsonl", Refusal)
    )


@TRANSPORTS
def test_faults_are_retried_by_kind_and_every_case_is_answered(
    cohort: Write, endpoint: Start, tmp_path: Path, transport: str
) -> None:
    kinds = ["429", "429 0.05", "500", "503", "reset", "half", "not_json", "prose", "empty"]
    server = endpoint(lambda number, key: kinds[number // 2] if number % 2 and number < 18 else "ok")
    home = cohort(tmp_path, 40)
    run(study(server.url, transport, job={"in_flight": 4}, reask=2), home)
    rationales, refusals = made(home)
    assert len(rationales) + len(refusals) == 40
    assert {r.reason for r in refusals} == {"censored"}
    status = Counter(read_table(home / "synth" / "calls.parquet", Call)["status"])
    assert status["rate_limit"] == 2
    assert status["server"] == 2
    assert status["broken_body"] + status["connection"] == 3  # reset, half, not JSON
    assert status["ok"] == len(rationales) + 2  # prose and empty were asked again, under a key of their own
    assert set(server.answered.values()) == {1}  # and nothing was asked after its answer


def test_outcomes_that_no_retry_cures_are_named_refusals(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    kinds = ["refusal", "length", "400"]
    server = endpoint(lambda number, key: kinds[number] if number < 3 else "ok")
    home = cohort(tmp_path, 12)
    run(study(server.url, job={"in_flight": 1}), home)
    rationales, refusals = made(home)
    assert [r.reason for r in refusals if r.reason != "censored"] == ["refused", "length", "bad_request"]
    assert sum(server.received.values()) == len(rationales) + 3


def test_an_answer_that_is_never_readable_is_refused_as_such(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint(lambda number, key: "prose")
    home = cohort(tmp_path, 3)
    run(study(server.url, reask=2), home)
    rationales, refusals = made(home)
    assert not rationales
    assert {r.reason for r in refusals} <= {"not_json", "censored"}
    assert sum(server.received.values()) == 3 * sum(r.reason == "not_json" for r in refusals)


@pytest.mark.parametrize("n", [3, 40])
def test_a_server_that_only_fails_ends_the_job_with_one_line(
    cohort: Write, endpoint: Start, tmp_path: Path, n: int
) -> None:
    server = endpoint(lambda number, key: "500")
    home = cohort(tmp_path, n)
    with pytest.raises(ServiceError, match=r"status 500 \(some_code\)\. (No request was answered|Start the)"):
        run(study(server.url, job={"attempts": 2, "in_flight": 4}), home)
    server.behave = lambda number, key: "ok"
    run(study(server.url), home)
    assert {r.reason for r in made(home)[1]} <= {"censored"}


def test_what_an_endpoint_failed_at_is_asked_again_on_request(
    cohort: Write, endpoint: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poison: set[str] = set()

    def behave(number: int, key: str) -> str:
        if number in (2, 3):
            poison.add(key)
        return "500" if key in poison else "ok"

    server = endpoint(behave)
    home = cohort(tmp_path, 30)
    asked = study(server.url, job={"attempts": 2, "in_flight": 2})
    run(asked, home)
    assert [r.reason for r in made(home)[1] if r.reason != "censored"] == ["server"] * len(poison)
    assert "2 questions have no answer because the endpoint failed" in capsys.readouterr().out
    assert not run(asked, home)
    poison.clear()
    server.behave = lambda number, key: "ok"
    assert run(asked, home, again=True)
    assert {r.reason for r in made(home)[1]} <= {"censored"}
    assert set(server.answered.values()) == {1}
    assert not run(asked, home, again=True)


def test_an_endpoint_that_fails_leaves_the_work_to_the_others(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    sick, well = endpoint(lambda number, key: "500"), endpoint(latency=0.01)
    home = cohort(tmp_path, 120)
    run(study([sick.url, well.url, "http://127.0.0.1:9/v1"], job={"in_flight": 12}), home)  # type: ignore[arg-type]
    assert {r.reason for r in made(home)[1]} <= {"censored"}
    assert sum(sick.received.values()) < 40


def test_a_stumble_of_the_only_endpoint_costs_no_case(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    began: list[float] = []

    def behave(number: int, key: str) -> str:
        if number == 20:
            began.append(time.monotonic())
        return "500" if began and time.monotonic() < began[0] + 1.5 else "ok"

    server = endpoint(behave)
    home = cohort(tmp_path, 60)
    run(study(server.url, job={"in_flight": 16, "attempts": 2}), home)
    assert {r.reason for r in made(home)[1]} <= {"censored"}


def test_requests_that_are_all_wrong_end_the_job(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "400")
    with pytest.raises(ServiceError, match=r"status 400.*The first 20 requests were all refused in this way"):
        run(study(server.url), cohort(tmp_path, 60))


@pytest.mark.parametrize(("status", "said"), [("402", "no credit left"), ("307", "redirects elsewhere")])
def test_no_credit_and_redirects_end_the_job(
    cohort: Write, endpoint: Start, tmp_path: Path, status: str, said: str
) -> None:
    server = endpoint(lambda number, key: status)
    home = cohort(tmp_path, 10)
    with pytest.raises(ServiceError, match=said):
        run(study(server.url, job={"in_flight": 2}), home)


def test_what_is_in_flight_at_a_fatal_fault_is_stored(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "401" if number == 20 else "ok", latency=0.1)
    home = cohort(tmp_path, 60)
    with pytest.raises(ServiceError, match="status 401"):
        run(study(server.url, job={"in_flight": 16}), home)
    server.behave = lambda number, key: "ok"
    run(study(server.url, job={"in_flight": 16}), home)
    assert set(server.answered.values()) == {1}


def test_the_same_question_is_paid_for_once_and_samples_are_not_the_same(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint(latency=0.02)
    home = cohort(tmp_path, 20)
    frame = read_table(home / "cohort" / "cases.parquet", Case)
    for column in ("age", "sex", "timeline", "n_shown", "n_total", "label", "outcome", "weight"):
        frame[column] = frame[column].iloc[0]
    lines = read_table(home / "cohort" / "evidence.parquet", Evidence)
    first = lines[lines["case"] == frame["id"].iloc[0]]
    copies = [first.assign(case=case) for case in frame["id"]]
    (home / "cohort" / "manifest.json").unlink()
    write_table(home / "cohort" / "cases.parquet", frame, Case)
    write_table(home / "cohort" / "evidence.parquet", pd.concat(copies), Evidence)
    run(study(server.url, options={"seeded": False}, samples=3, job={"in_flight": 16}), home)
    assert sum(server.received.values()) == 3
    assert len(made(home)[0]) == 60
    with pytest.raises(StudyError, match="'free' is listed twice"):
        resolve(Study(name="t", cohort={}, synth={"styles": ["free", "free"]}))


def test_a_budget_needs_something_to_count_by(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a budget of money needs `prices`"):
        resolve(study("http://127.0.0.1:9/v1", job={"budget": 1.0}))
    server = endpoint(lambda number, key: "no usage")
    home = cohort(tmp_path, 40)
    with pytest.raises(PendingError, match="the budget of 3000 tokens is spent"):
        run(study(server.url, job={"budget_tokens": 3000, "in_flight": 8}), home)
    before = sum(server.received.values())
    assert 2 <= before <= 12
    with pytest.raises(PendingError, match="the budget of 3000 tokens is spent"):
        run(study(server.url, job={"budget_tokens": 3000, "in_flight": 8}), home)
    assert sum(server.received.values()) <= before + 1


def test_the_deadline_breaks_off_a_silence(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "429 30")
    start = time.monotonic()
    with pytest.raises(PendingError, match="deadline"):
        run(study(server.url, job={"deadline_minutes": 0.02, "in_flight": 4}), cohort(tmp_path, 8))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://ann:secret@127.0.0.1:9/v1", "user name or password"),
        ("http://127.0.0.1:99999/v1", "ort"),
        ("ftp://127.0.0.1/v1", "is not an address"),
        ([], "is not an address"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: Any, said: str) -> None:
    with pytest.raises(StudyError, match=said) as e:
        resolve(study(url))
    assert "secret" not in str(e.value)


@TRANSPORTS
def test_a_wrong_key_stops_at_once_with_one_line(
    cohort: Write, endpoint: Start, tmp_path: Path, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-secret")
    server = endpoint(lambda number, key: "401", latency=0.05)
    home = cohort(tmp_path, 40)
    with pytest.raises(ServiceError) as e:
        run(study(server.url, transport, options={"key_env": "A_KEY"}, job={"in_flight": 4}), home)
    line = str(e.value)
    assert line == f"{server.url}: status 401 (some_code): the key in A_KEY was refused. Set a valid one."
    assert sum(server.received.values()) <= 4
    assert server.headers[0]["authorization"] == "Bearer sk-secret"
    assert not (home / "synth" / "rationales.jsonl").exists()
    for path in (home / "synth").rglob("*"):
        assert path.is_dir() or b"sk-secret" not in path.read_bytes()


@TRANSPORTS
def test_an_unreachable_server_is_one_line(cohort: Write, tmp_path: Path, transport: str) -> None:
    home = cohort(tmp_path, 10)
    with pytest.raises(ServiceError) as e:
        run(study("http://127.0.0.1:9/v1", transport, job={"in_flight": 2, "attempts": 2}), home)
    assert re.fullmatch(
        r"http://127\.0\.0\.1:9/v1: cannot be reached \(.*refused.*\)\. "
        r"Start the server or correct synth\.teacher\.base_url\.",
        str(e.value),
        re.IGNORECASE,
    ), str(e.value)


@TRANSPORTS
def test_a_slow_answer_is_a_timeout_and_is_asked_again(
    cohort: Write, endpoint: Start, tmp_path: Path, transport: str
) -> None:
    server = endpoint(lambda number, key: "hang" if number == 0 else "ok")
    home = cohort(tmp_path, 6)
    run(study(server.url, transport, options={"timeout_seconds": 0.3}), home)
    status = Counter(read_table(home / "synth" / "calls.parquet", Call)["status"])
    assert status["timeout"] == 1
    assert {r.reason for r in made(home)[1]} <= {"censored"}


def test_patient_text_leaves_this_machine_only_by_permission() -> None:
    away = study("https://api.example.org/v1")
    with pytest.raises(StudyError) as e:
        resolve(away)
    assert "https://api.example.org/v1 is not on this machine" in str(e.value)
    assert "[data_use]" in str(e.value)
    declared = away.model_copy(update={"data_use": {"kind": "synthetic", "name": "simulated"}})
    resolve(Study.model_validate({**away.model_dump(), "data_use": declared.data_use}))
    for near in ("http://localhost:8000/v1", "http://[::1]:8000/v1", "http://127.8.9.1/v1"):
        resolve(study(near))
    for tricky in (
        "http://127.0.0.1.example.org/v1",
        "http://user@example.org/v1",
        "http://2130706433.nip.io/v1",
    ):
        with pytest.raises(StudyError):
            resolve(study(tricky))


def test_a_key_that_is_not_set_is_one_line(
    cohort: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    asked = Study.model_validate(
        {
            **study("https://api.example.org/v1", options={"key_env": "NO_SUCH_KEY"}).model_dump(),
            "data_use": {"kind": "synthetic", "name": "simulated"},
        }
    )
    with pytest.raises(ServiceError, match=r"environment variable NO_SUCH_KEY is not set"):
        run(asked, cohort(tmp_path, 3))


def test_work_is_shared_by_several_endpoints(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    servers = [endpoint(latency=0.02) for _ in range(3)]
    home = cohort(tmp_path, 60)
    run(study([s.url for s in servers], job={"in_flight": 6}), home)  # type: ignore[arg-type]
    counts = [sum(s.received.values()) for s in servers]
    assert min(counts) >= 0.2 * sum(counts)


def test_the_budget_stops_cleanly_and_a_larger_one_goes_on(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint()
    home = cohort(tmp_path, 60)
    prices = {"prompt": 0.0, "completion": 1.0}  # 60 tokens an answer: 0.00006
    with pytest.raises(PendingError, match=r"the budget of 0\.0012 is spent; \d+ answers are stored"):
        run(study(server.url, prices=prices, job={"in_flight": 2, "budget": 0.0012}), home)
    first = sum(server.received.values())
    assert 15 <= first <= 20
    assert not (home / "synth" / "manifest.json").exists()
    run(study(server.url, prices=prices, job={"in_flight": 2, "budget": 1.0}), home)
    assert set(server.answered.values()) == {1}


def test_the_request_is_structured_seeded_and_ours_alone_to_repeat(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint()
    run(
        study(server.url, samples=2, options={"temperature": 0.7, "extra": {"top_k": 5}}), cohort(tmp_path, 4)
    )
    body = server.bodies[0]
    assert body["response_format"]["type"] == "json_schema"
    assert body["temperature"] == 0.7
    assert body["top_k"] == 5
    assert len({b["seed"] for b in server.bodies}) == len(server.bodies)
    assert set(server.received.values()) == {1}
    assert "metadata" not in json.dumps(body)
