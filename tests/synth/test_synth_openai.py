"""The openai teacher against a loopback server with faults: each is counted by kind, none costs a case."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import PendingError, ServiceError, StudyError
from wherefore.study.records import read_jsonl, read_table
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
    assert server.answered.total() - len(server.answered) == 2  # no other was asked after its answer


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


def test_a_server_that_only_fails_is_given_up_by_name(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "500")
    home = cohort(tmp_path, 3)
    run(study(server.url, job={"attempts": 2}), home)
    rationales, refusals = made(home)
    assert not rationales
    assert {r.reason for r in refusals} <= {"server", "censored"}
    assert set(server.received.values()) == {2}


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
