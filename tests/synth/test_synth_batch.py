"""The batch teacher on a loopback Batch API: cut, collect, ask again, and adopt its own batches after a kill."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import PendingError, ServiceError
from wherefore.study.records import read_jsonl, read_table
from wherefore.synth.records import Call, Rationale, Refusal
from wherefore.synth.run import run

Write = Callable[..., Path]


class Service:
    """Files and batches in memory. `behave` gives the state of a line by its number over all batches."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.behave: Callable[[int], str] = lambda number: "ok"
        self.lines = 0
        self.ends_as = "completed"
        self.seconds = 0.05
        self.lose_answer_to_create = False
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    def add(self, data: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return {
            "id": name,
            "object": "file",
            "bytes": len(data),
            "created_at": 1,
            "filename": "x",
            "purpose": "batch",
        }

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        self.asked.update(r["custom_id"] for r in rows)
        out, errors = [], []
        for r in rows:
            state = self.behave(self.lines)
            self.lines += 1
            user = r["body"]["messages"][-1]["content"]
            claim = {"section": "", "text": "All is said.", "evidence": re.findall(r"\[(E\d+)\]", user)[1:2]}
            content = json.dumps({"claims": [claim], "verdict": int("Outcome: yes" in user)})
            message = {"role": "assistant", "content": "no JSON" if state == "prose" else content}
            body = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 10, "completion_tokens": 5}}  # fmt: skip
            if state in ("ok", "prose"):
                out.append({"custom_id": r["custom_id"], "response": {"status_code": 200, "body": body}})
            elif state == "500":
                errors.append({"custom_id": r["custom_id"], "response": {"status_code": 500, "body": {}}})
        batch = {
            "id": f"batch_{len(self.batches)}", "object": "batch", "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"], "completion_window": "24h", "created_at": int(time.time()),
            "metadata": asked.get("metadata"), "status": "in_progress",
            "ready": time.monotonic() + self.seconds, "ends_as": self.ends_as,
            "out": "\n".join(map(json.dumps, out)), "err": "\n".join(map(json.dumps, errors)),
        }  # fmt: skip
        self.batches[str(batch["id"])] = batch
        return self.view(batch)

    def view(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["status"] == "in_progress" and time.monotonic() > batch["ready"]:
            batch["status"] = batch["ends_as"]
            for field, text in (("output_file_id", batch["out"]), ("error_file_id", batch["err"])):
                batch[field] = self.add(text.encode())["id"] if text else None
            batch["completed_at"] = int(time.time())
        return {k: v for k, v in batch.items() if k not in ("ready", "out", "err", "ends_as")}


def handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def say(self, data: object) -> None:
            raw = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            with service.lock:
                if self.path.endswith("/files"):
                    mark = self.headers["content-type"].split("boundary=")[1].encode()
                    part = next(p for p in data.split(b"--" + mark) if b'name="file"' in p)
                    self.say(service.add(part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")))
                    return
                made = service.create(json.loads(data))
                if service.lose_answer_to_create:
                    self.connection.close()
                    return
            self.say(made)

        def do_GET(self) -> None:
            with service.lock:
                if m := re.search(r"/files/([^/]+)/content", self.path):
                    self.say(service.files[m[1]])
                elif m := re.search(r"/batches/([^/?]+)", self.path):
                    self.say(service.view(service.batches[m[1]]))
                else:
                    rows = [service.view(b) for b in service.batches.values()]
                    self.say({"object": "list", "data": rows, "has_more": False})

    return Handler


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    made.url = f"http://127.0.0.1:{server.server_port}/v1"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def study(service: Any, **more: Any) -> Study:
    teacher = {"name": "openai_batch", "model": "m", "base_url": service.url, "poll_seconds": 0.05, "rows": 8,
               **more.pop("options", {})}  # fmt: skip
    return Study(name="t", cohort={}, synth={"teacher": teacher, "styles": ["free"], **more})


def test_every_case_is_answered_in_batches_of_the_allowed_size(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 30)
    service.behave = lambda number: {3: "prose", 5: "500", 7: "lost"}.get(number, "ok")
    run(study(service), home)
    rationales = list(read_jsonl(home / "synth" / "rationales.jsonl", Rationale))
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    assert len(rationales) + len(refusals) == 30
    assert {r.reason for r in refusals} == {"censored"}
    status = Counter(read_table(home / "synth" / "calls.parquet", Call)["status"])
    assert status == {"ok": len(rationales) + 1, "server": 1, "batch_completed": 1}
    assert all(service.files[b["input_file_id"]].count(b"\n") < 8 for b in service.batches.values())
    assert Counter(service.asked.values()) == {1: len(rationales) - 1, 2: 2}  # `500` and `lost` went up again


def test_after_a_kill_between_submitting_and_hearing_of_it_the_batch_is_adopted(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 10)
    service.lose_answer_to_create = True  # as a kill there: the batch is made, and nobody here knows its id
    with pytest.raises(ServiceError, match="cannot be reached"):
        run(study(service, options={"rows": 100}), home)
    assert len(service.batches) == 1
    service.lose_answer_to_create = False
    run(study(service, options={"rows": 100}), home)
    assert len(service.batches) == 1
    assert set(service.asked.values()) == {1}
    summary = json.loads((home / "synth" / "summary.json").read_text())
    assert summary["possibly_billed_not_received"] == 0
    assert summary["rationales"] + summary["refusals"] == 10


def test_an_expired_batch_keeps_what_was_done_and_the_rest_is_asked_again(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 12)
    service.ends_as = "expired"
    service.behave = lambda number: "ok" if number % 2 else "lost"
    run(study(service), home)
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    assert {r.reason for r in refusals} <= {"censored", "batch_expired"}
    assert max(service.asked.values()) > 1


def test_online_and_batch_share_their_answers(
    cohort: Write, service: Service, endpoint: Callable[..., Any], tmp_path: Path
) -> None:
    home = cohort(tmp_path, 8)
    run(study(service), home)
    (home / "synth").rename(home / "synth-batch")
    server = endpoint()
    teacher = {"name": "openai", "model": "m", "base_url": server.url}
    run(Study(name="t", cohort={}, synth={"teacher": teacher, "styles": ["free"]}), home)
    assert sum(server.received.values()) == 0


def test_the_budget_holds_for_batches_too(cohort: Write, service: Service, tmp_path: Path) -> None:
    home = cohort(tmp_path, 30)
    with pytest.raises(PendingError, match="the budget of 200 tokens is spent"):
        run(study(service, options={"rows": 4, "at_once": 1}, job={"budget_tokens": 200}), home)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[int]]]:
    """A server that nobody agreed to: its address, and how many bytes it was sent."""
    seen: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(int(self.headers["content-length"] or 0))
            self.send_response(500)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_CONNECT = do_POST  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", seen
        http.shutdown()


@pytest.mark.parametrize("name", ["openai", "openai_batch"])
def test_neither_a_redirect_nor_a_proxy_gets_patient_text(
    cohort: Write,
    elsewhere: tuple[str, list[int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    url, seen = elsewhere
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", f"{url}/v1/files")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{http.server_address[1]}/v1"
        teacher = {"name": name, "model": "m", "base_url": base}
        with pytest.raises(ServiceError, match="redirects elsewhere, and is not followed"):
            run(Study(name="t", cohort={}, synth={"teacher": teacher}), cohort(tmp_path, 5))
        http.shutdown()
    assert seen == []
