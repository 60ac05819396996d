"""The batch teacher on a loopback Batch API: cut, collect, ask again, and adopt its own batches after a kill."""

import json
import re
import subprocess
import sys
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
        self.keeps_metadata = self.lists = True
        self.names: dict[str, str] = {}
        self.keeps_names = True
        self.gone: set[str] = set()
        """Files that are deleted as soon as they are made: `out`, `err`."""
        self.mangle: Callable[[str], str] = lambda text: text
        self.fails_with: list[str] = []
        """Codes of the next batches, which fail as a whole."""
        self.paths: list[str] = []
        self.headers: list[tuple[str | None, str | None]] = []
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    def add(self, data: bytes, filename: str = "x") -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        self.names[name] = filename
        return {
            "id": name,
            "object": "file",
            "bytes": len(data),
            "created_at": 1,
            "filename": filename,
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
            body = {
                "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5},
            }
            if state in ("ok", "prose"):
                out.append({"custom_id": r["custom_id"], "response": {"status_code": 200, "body": body}})
            elif state == "null":
                out.append({"custom_id": r["custom_id"], "response": {"status_code": 200, "body": None}})
            elif state == "error":
                body = {"error": {"code": 502, "message": "Mr Example"}}
                out.append({"custom_id": r["custom_id"], "response": {"status_code": 200, "body": body}})
            elif state in ("500", "400"):
                answer = {
                    "status_code": int(state),
                    "body": {"error": {"code": "x_y"}} if state == "400" else {},
                }
                errors.append({"custom_id": r["custom_id"], "response": answer})
        batch = {
            "id": f"batch_{len(self.batches)}",
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": "24h",
            "created_at": int(time.time()),
            "metadata": asked.get("metadata") if self.keeps_metadata else None,
            "status": "in_progress",
            "ready": time.monotonic() + self.seconds,
            "ends_as": self.ends_as,
            "out": self.mangle("\n".join(map(json.dumps, out))),
            "err": "\n".join(map(json.dumps, errors)),
            "errors": None,
        }
        if self.fails_with and (code := self.fails_with.pop(0)):
            batch |= {
                "status": "failed",
                "errors": {"object": "list", "data": [{"code": code, "message": "x"}]},
            }
            self.asked.subtract(r["custom_id"] for r in rows)
        self.batches[str(batch["id"])] = batch
        return self.view(batch)

    def view(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["status"] == "in_progress" and time.monotonic() > batch["ready"]:
            batch["status"] = batch["ends_as"]
            for field, text in (("output_file_id", batch["out"]), ("error_file_id", batch["err"])):
                batch[field] = self.add(text.encode())["id"] if text else ""
                if field[:3] in {name[:3] for name in self.gone} and text:
                    del self.files[batch[field]]
            batch["completed_at"] = int(time.time())
        return {k: v for k, v in batch.items() if k not in ("ready", "out", "err", "ends_as")}


def handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def say(self, data: object, status: int = 200) -> None:
            raw = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            with service.lock:
                if self.path.partition("?")[0].endswith("/files"):
                    mark = self.headers["content-type"].split("boundary=")[1].encode()
                    part = next(p for p in data.split(b"--" + mark) if b'name="file"' in p)
                    head, content = part.split(b"\r\n\r\n", 1)
                    name = re.search(r'filename="([^"]*)"', head.decode())
                    filename = name[1] if name and service.keeps_names else "upload.jsonl"
                    self.say(service.add(content.removesuffix(b"\r\n"), filename))
                    return
                made = service.create(json.loads(data))
                if service.lose_answer_to_create:
                    self.connection.close()
                    return
            self.say(made)

        def do_GET(self) -> None:
            with service.lock:
                service.paths.append(self.path)
                service.headers.append((self.headers["api-key"], self.headers["authorization"]))
                if m := re.search(r"/files/([^/?]+)/content", self.path):
                    self.say(
                        service.files.get(m[1], {"error": {"code": "no_file"}}),
                        200 if m[1] in service.files else 404,
                    )
                elif m := re.search(r"/files/([^/?]+)", self.path):
                    self.say(
                        {"id": m[1], "object": "file", "filename": service.names[m[1]], "status": "processed"}
                    )
                elif not service.lists and re.search(r"/batches(\?|$)", self.path):
                    self.say({"error": {"code": "unknown_url"}}, 404)
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
    teacher = {
        "name": "openai_batch",
        "model": "m",
        "base_url": service.url,
        "poll_seconds": 0.05,
        "rows": 8,
        **more.pop("options", {}),
    }
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
    assert all(service.files[b["input_file_id"]].count(b"\n") <= 8 for b in service.batches.values())
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


@pytest.mark.parametrize("names", [True, False])
def test_a_batch_is_adopted_where_the_service_drops_metadata(
    cohort: Write, service: Service, tmp_path: Path, names: bool
) -> None:
    home = cohort(tmp_path, 10)
    service.keeps_metadata, service.keeps_names, service.lose_answer_to_create = False, names, True
    with pytest.raises(ServiceError, match="cannot be reached"):
        run(study(service, options={"rows": 100}), home)
    service.lose_answer_to_create = False
    run(study(service, options={"rows": 100}), home)
    assert len(service.batches) == 1
    assert set(service.asked.values()) == {1}


def test_what_may_be_at_a_service_without_lists_is_not_sent_again(
    cohort: Write, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = cohort(tmp_path, 10)
    service.lists, service.lose_answer_to_create = False, True
    asked = study(service, options={"rows": 100})
    with pytest.raises(ServiceError, match="cannot be reached"):
        run(asked, home)
    service.lose_answer_to_create = False
    with pytest.raises(
        ServiceError, match=r"whether the last \d+ requests reached the service cannot be known"
    ):
        run(asked, home)
    assert set(service.asked.values()) == {1}
    monkeypatch.setattr("wherefore.synth.asking.batches.KEPT", 0.0)
    run(asked, home)
    reasons = {r.reason for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal)}
    assert reasons - {"censored"} == {"batch_gone"}
    assert run(asked, home, again=True)
    assert set(service.asked.values()) == {2}


def test_result_files_are_collected_as_far_as_possible(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 30)
    service.behave = lambda number: {2: "null", 4: "error"}.get(number, "ok")

    def mangle(text: str) -> str:
        lines = text.split("\n")
        nameless = {k: v for k, v in json.loads(lines[0]).items() if k != "custom_id"}
        strange = ["", "  ", "null", "[1]", '{"custom_id": 7}', '{"custom_id": "nobody", "response": null}']
        service.mangle = lambda text: text
        return "\n".join([json.dumps(nameless), *lines[1:2], *strange, *lines[2:-1], lines[-1][:40]])

    service.mangle = mangle
    run(study(service, options={"rows": 100}), home)
    refusals = list(read_jsonl(home / "synth" / "refusals.jsonl", Refusal))
    assert {r.reason for r in refusals} == {"censored"}
    calls = read_table(home / "synth" / "calls.parquet", Call)
    status = Counter(calls["status"])
    assert status["broken_body"] == status["error"] == 1
    assert status["batch_completed"] == 2  # the nameless line and the one that was cut
    assert Counter(service.asked.values()) == {1: 30 - len(refusals) - 4, 2: 4}


def test_a_result_file_that_is_gone_is_not_paid_for_again_unasked(
    cohort: Write, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = cohort(tmp_path, 10)
    service.gone = {"out"}
    run(study(service), home)
    refusals = [r for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal) if r.reason != "censored"]
    assert {r.reason for r in refusals} == {"batch_gone"}
    assert set(service.asked.values()) == {1}
    assert f"{len(refusals)} questions have no answer" in capsys.readouterr().out
    service.gone = set()
    assert run(study(service), home, again=True)
    assert {r.reason for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal)} <= {"censored"}


def test_a_service_that_refuses_every_line_is_asked_once(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path, 40)
    service.behave = lambda number: "400"
    with pytest.raises(
        ServiceError, match=r"status 400 \(x_y\)\. All 8 requests of the first batch were refused in this way"
    ):
        run(study(service, options={"at_once": 1}), home)
    assert len(service.batches) == 1


def test_a_line_that_is_refused_is_not_sent_again(cohort: Write, service: Service, tmp_path: Path) -> None:
    home = cohort(tmp_path, 20)
    service.behave = lambda number: "400" if number == 3 else "ok"
    run(study(service), home)
    assert set(service.asked.values()) == {1}
    refusals = [r for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal) if r.reason != "censored"]
    assert [r.reason for r in refusals] == ["bad_request"]


def test_a_full_queue_is_waited_for_and_a_wrong_file_ends_the_run(
    cohort: Write, service: Service, tmp_path: Path
) -> None:
    home = cohort(tmp_path / "full", 30)
    service.fails_with = ["", "token_limit_exceeded"]
    run(study(service), home)
    assert {r.reason for r in read_jsonl(home / "synth" / "refusals.jsonl", Refusal)} <= {"censored"}
    service.fails_with = ["invalid_json_line"] * 9
    with pytest.raises(
        ServiceError, match=r"batch failed \(invalid_json_line\): the service refuses the file"
    ):
        run(study(service, options={"model": "other"}), cohort(tmp_path / "wrong", 30))


def test_sigterm_says_where_things_stand(cohort: Write, service: Service, tmp_path: Path) -> None:
    cohort(tmp_path / "runs" / "t", 30)
    service.seconds = 60.0
    file = tmp_path / "t.toml"
    teacher = (
        f'{{name = "openai_batch", model = "m", base_url = "{service.url}", poll_seconds = 0.1, rows = 8}}'
    )
    source = '{ name = "simulated", people = 30 }'
    file.write_text(
        f'name = "t"\n[cohort]\nsource = {source}\n[synth]\nteacher = {teacher}\nstyles = ["free"]\n'
    )
    command = [sys.executable, "-m", "wherefore", "synth", str(file), "--runs", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any("/batches/" in path for path in list(service.paths)):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, error = process.communicate(timeout=60)
    line = error.strip().splitlines()[-1]
    assert re.search(
        r"interrupted; 4 batches with \d+ requests are still running at the service; 0 answers are stored",
        line,
    )
    assert process.returncode != 0


def test_azure_is_asked_for_batches_as_it_documents(
    cohort: Write, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    address = service.url.removesuffix("/v1") + "/openai?api-version=2024-10-21"
    run(study(service, options={"base_url": address}), cohort(tmp_path, 6))
    assert all(path.endswith("api-version=2024-10-21") for path in service.paths)
    assert {b["endpoint"] for b in service.batches.values()} == {"/chat/completions"}
    assert set(service.headers) == {("sk-secret", None)}


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
