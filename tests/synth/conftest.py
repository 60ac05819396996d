"""A small cohort on disk, written as the cohort stage writes it, and a loopback endpoint with faults."""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.study.records import to_frame, write_table
from wherefore.study.runs import run_once

CODES = (
    ("I10", "Essential hypertension"),
    ("E11", "Type 2 diabetes mellitus"),
    ("I63", "Cerebral infarction"),
    ("F32", "Depressive episode"),
    ("H25", "Senile cataract"),
    ("M17", "Osteoarthritis of knee"),
    ("E78", "Pure hypercholesterolaemia"),
    ("H91", "Hearing loss"),
    ("K21", "Gastro-oesophageal reflux"),
    ("I48", "Atrial fibrillation"),
    ("J45", "Asthma"),
    ("N39", "Urinary tract infection"),
)


def people(n: int, seed: int = 7) -> tuple[list[Case], list[Evidence]]:
    """Cases with 3 to 14 lines each, measurements, repeats and hidden lines among them."""
    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    evidence: list[Evidence] = []
    for i in range(n):
        age = float(np.round(rng.uniform(66, 84), 1))
        lines = history(f"c{i:05d}", age, rng)
        outcome = rng.choice(["onset", "event_free", "death", "censored"], p=[0.25, 0.6, 0.1, 0.05])
        shown = [e for e in lines if e.shown]
        cases.append(
            Case(
                id=f"c{i:05d}",
                subject=f"s{i:05d}",
                split="train" if rng.random() < 0.7 else "held_out",
                age=age,
                sex="female" if rng.random() < 0.5 else "male",
                day=int(age * 365.25),
                label={"onset": 1, "event_free": 0, "death": 0, "censored": None}[outcome],
                outcome=outcome,
                followup_years=5.0,
                weight=0.0 if outcome == "censored" else 1.0,
                timeline="\n".join(e.line for e in shown),
                n_shown=len(shown),
                n_total=len(lines),
            )
        )
        evidence += lines
    return cases, evidence


def history(case: str, age: float, rng: np.random.Generator) -> list[Evidence]:
    """Dated lines in order of age."""
    n = int(rng.integers(3, 15))
    picks = [CODES[i] for i in rng.permutation(len(CODES))[: min(n, len(CODES))]]
    ages = np.sort(np.round(rng.uniform(40, age - 0.5, size=len(picks)), 1))
    out = []
    for i, ((code, name), at) in enumerate(zip(picks, ages, strict=True), 1):
        before = round(age - float(at), 1)
        count = int(rng.choice([1, 1, 1, 3]))
        out.append(
            Evidence(
                case=case,
                id=f"E{i:03d}",
                kind="condition",
                age=float(at),
                years_before=before,
                code=code,
                system="ICD10",
                name=name,
                count=count,
                shown=i > 1 or len(picks) < 8,
                line=f"[E{i:03d}] age {at:.1f} ({before:.1f} y before): {name}"
                + (f"; {count} times" * (count > 1)),
                source="test",
            )
        )
    value = float(np.round(rng.uniform(105, 180)))
    out.append(
        Evidence(
            case=case,
            id=f"E{len(out) + 1:03d}",
            kind="measurement",
            age=age - 0.4,
            years_before=0.4,
            code="8480-6",
            system="LOINC",
            name="Systolic blood pressure",
            value=value,
            unit="mmHg",
            shown=True,
            line=f"[E{len(out) + 1:03d}] age {age - 0.4:.1f} (0.4 y before): Systolic blood pressure {value:g} mmHg",
            source="test",
        )
    )
    return out


@pytest.fixture(scope="session")
def cohort() -> Callable[[Path, int], Path]:
    """Writes a cohort of n people into a run folder and returns the folder."""

    def write(home: Path, n: int, seed: int = 7) -> Path:
        cases, evidence = people(n, seed)

        def work(folder: Path) -> None:
            write_table(folder / "cases.parquet", to_frame(cases, Case), Case)
            write_table(folder / "evidence.parquet", to_frame(evidence, Evidence), Evidence)

        run_once(home / "cohort", {"people": n, "seed": seed}, [], work, set_aside=True)
        return home

    return write


class Endpoint:
    """A loopback server of chat completions. What it does with a request is decided by `behave`.

    Args:
        behave: from the number of the request (from 0) and its `x-client-request-id` to a behaviour below, to a whole
            body, or to a status and a body.
    """

    def __init__(
        self, behave: Callable[[int, str], Any] = lambda number, key: "ok", latency: float = 0.0
    ) -> None:
        self.behave, self.latency = behave, latency
        self.received: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    def close(self) -> None:
        async def stop() -> None:
            self._server.close()
            others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        key = headers.get("x-client-request-id", "")
        behaviour = self.behave(sum(self.received.values()), key)
        self.received[key] += 1
        self.headers.append(headers)
        self.paths.append(head[0].split(" ")[1])
        self.bodies.append(body)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await asyncio.sleep(30 if behaviour == "hang" else self.latency)
        finally:
            self.in_flight -= 1
        if behaviour == "reset":
            writer.transport.abort()
            return False
        status, more, content = reply(behaviour, body)
        data = content.encode()
        writer.write(f"HTTP/1.1 {status} X\r\n{more}content-length: {len(data)}\r\n\r\n".encode())
        if behaviour == "half":
            writer.write(data[: len(data) // 2])
            return False
        writer.write(data)
        await writer.drain()
        self.answered[key] += status == 200 and behaviour != "not_json"
        return True


def reply(behaviour: Any, body: dict[str, Any]) -> tuple[int, str, str]:
    """Status, header lines and body."""
    if not isinstance(behaviour, str):
        status, content = behaviour if isinstance(behaviour, tuple) else (200, behaviour)
        return status, "", content if isinstance(content, str) else json.dumps(content)
    if behaviour[0] in "345":
        status, _, wait = behaviour.partition(" ")
        error = {"message": "the key sk-secret of Mr Example", "type": "x", "code": "some_code"}
        return int(status), f"retry-after: {wait}\r\n" if wait else "", json.dumps({"error": error})
    if behaviour == "not_json":
        return 200, "", "<html>"
    user = body["messages"][-1]["content"]
    if "Sentences:" in user:
        return 200, "", checks(body, re.findall(r"^(\d+)\. (.*)$", user, re.M))
    claim = {
        "section": "",
        "text": "The history speaks for itself.",
        "evidence": re.findall(r"\[(E\d+)\]", user)[1:2],
    }
    good = json.dumps({"claims": [claim], "verdict": int("Outcome: yes" in user)})
    content = {"prose": "I would say yes.", "refusal": None, "length": good[:20]}.get(behaviour, good)
    message = {
        "role": "assistant",
        "content": content,
        "refusal": "I cannot." if behaviour == "refusal" else None,
    }
    finish = "length" if behaviour == "length" else "stop"
    choices = [] if behaviour == "empty" else [{"index": 0, "message": message, "finish_reason": finish}]
    usage = {"prompt_tokens": len(user) // 4, "completion_tokens": 60}
    limits = (
        "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 200ms\r\n"
        if behaviour == "last"
        else ""
    )
    answer = {"id": "x", "model": body["model"], "choices": choices, "usage": usage}
    if behaviour == "no usage":
        del answer["usage"]
    return 200, limits, json.dumps(answer)


def checks(body: dict[str, Any], sentences: list[tuple[str, str]]) -> str:
    """A verifier that cannot bear hypertension, and says nothing of the third sentence."""
    said = [
        {"claim": int(n), "supported": "hypertension" not in text.lower(), "why": "not in these lines"}
        for n, text in sentences
        if n != "3"
    ]
    message = {"role": "assistant", "content": json.dumps({"checks": said}), "refusal": None}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 500, "completion_tokens": 40}
    return json.dumps({"id": "x", "model": body["model"], "choices": choices, "usage": usage})


@pytest.fixture
def endpoint() -> Iterator[Callable[..., Endpoint]]:
    """Starts endpoints; they stop with the test."""
    started: list[Endpoint] = []

    def start(*args: Any, **more: Any) -> Endpoint:
        started.append(Endpoint(*args, **more))
        return started[-1]

    yield start
    for one in started:
        one.close()
