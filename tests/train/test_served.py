"""The same fit beside its base, merged and served: the risks agree, or nothing is read."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
import torch

from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.errors import ServiceError, StudyError
from wherefore.synth.records import Rationale
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.reading.parity import ParityError, ParityGate
from wherefore.train.reading.readouts import Reader, predictions
from wherefore.train.reading.served import ServedEngine
from wherefore.train.run import resolve
from wherefore.train.settings import Served, Settings
from wherefore.train.targets import TARGETS


class Server(ThreadingHTTPServer):
    """The completions protocol in front of a model of this process, as vLLM answers it."""

    model: Any
    encoder: Encoder
    names_ids = True
    top = 20
    echo = True
    asked: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        if body["model"] != "fit-1":
            self._send(404, {"error": "no such model"})
            return
        self._send(200, {"choices": [self._scored(body) if body.get("echo") else self._choice(body)]})

    def _logs(self, ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return torch.log_softmax(
                self.server.model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1
            )

    def _scored(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = body["prompt"]
        logs = self._logs(ids)
        values = [None, *(float(logs[k - 1, t]) for k, t in enumerate(ids) if k)]
        return {"text": "", "logprobs": {"token_logprobs": values} if self.server.echo else None}

    def _choice(self, body: dict[str, Any]) -> dict[str, Any]:
        encoder, ids = self.server.encoder, list(body["prompt"])
        new: list[int] = []
        first = self._logs(ids)[-1]
        reason = "length"
        for _ in range(body["max_tokens"]):
            new.append(int(self._logs(ids + new)[-1].argmax()))
            text = encoder.decode(new)
            if any(s in text for s in body.get("stop") or []):
                text, reason = text.split(body["stop"][0])[0], "stop"
                break
        else:
            text = encoder.decode(new)
        named = first.topk(self.server.top)
        spell = (lambda i: f"token_id:{i}") if self.server.names_ids else (lambda i: encoder.decode([i]))
        top = {spell(int(i)): float(v) for v, i in zip(named.values, named.indices, strict=True)}
        return {"text": text, "finish_reason": reason, "logprobs": {"top_logprobs": [top]}}

    def _send(self, status: int, data: dict[str, Any]) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture
def server(loaded: tuple[Any, Encoder]) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as s:
        s.model, s.encoder, s.asked = *loaded, []
        threading.Thread(target=s.serve_forever, daemon=True).start()
        yield s
        s.shutdown()


def served(server: Server, **changes: Any) -> Served:
    options = {
        "base_url": f"http://127.0.0.1:{server.server_port}/v1",
        "model": "fit-{cell}",
        "concurrency": 2,
    }
    return Served.model_validate({**options, **changes})


def reader(server: Server, reasons: dict[str, Rationale], **changes: Any) -> Reader:
    settings = Settings(question="Dementia?", max_new_tokens=8, read_batch=4, **changes)
    return Reader(server.model, server.encoder, settings, "1", TARGETS["free_rationale"], reasons)


@pytest.mark.parametrize(
    "server_is", [{}, {"names_ids": False}, {"top": 1}], ids=["token ids", "token texts", "label not named"]
)
def test_a_served_fit_gives_the_risks_of_the_one_in_this_process(
    server_is: dict[str, Any], server: Server, cases: list[Case], reasons: dict[str, Rationale]
) -> None:
    for name, value in server_is.items():
        setattr(server, name, value)
    here = reader(server, reasons)
    there = reader(server, reasons, served=served(server, risks="server"))
    readouts = ["direct", "own_rationale", "teacher_rationale"]
    want, found = (predictions(r, readouts, cases[:5]) for r in (here, there))
    assert [(p.readout, p.case, p.written) for p in found] == [(p.readout, p.case, p.written) for p in want]
    assert [p.risk for p in found] == pytest.approx([p.risk for p in want], abs=1e-5)
    mixed = predictions(reader(server, reasons, served=served(server)), ["own_rationale"], cases[:5])
    assert [p.risk for p in mixed] == pytest.approx([p.risk for p in want[5:10]], abs=1e-5)


def test_the_gate_lets_equal_risks_through_and_nothing_else(
    server: Server, cases: list[Case], reasons: dict[str, Rationale]
) -> None:
    r = reader(server, reasons, served=served(server))
    rows = [r.before_label(c, None) for c in cases[:6]]
    assert r.server
    ways = {"beside its base": r.engine.probabilities(rows), "served": r.server.probabilities(rows)}
    (parity,) = ParityGate(1e-4).compare(ways)
    assert (parity.way, parity.cases) == ("served", 6)
    assert parity.largest < 1e-5
    with torch.no_grad():
        for p in server.model.parameters():
            p.mul_(1.3)  # another adapter under that name
    ways["served"] = r.server.probabilities(rows)
    with pytest.raises(ParityError, match="the served fit differs from the one beside its base by"):
        ParityGate(1e-4).compare(ways)
    with pytest.raises(ParityError):
        ParityGate(1e-4).compare({"a": np.array([[0.5, 0.5]]), "b": np.array([[np.nan, 0.5]])})


def test_a_server_that_cannot_say_is_one_line(
    server: Server, cases: list[Case], reasons: dict[str, Rationale]
) -> None:
    row = reader(server, reasons).before_label(cases[0], None)
    server.top, server.echo = 1, False
    with pytest.raises(ServiceError, match="names no log probability for the label"):
        ServedEngine(served(server), server.encoder, "fit-1").probabilities([row])
    with pytest.raises(ServiceError, match=r"answered 404: .*no such model"):
        ServedEngine(served(server), server.encoder, "fit-2").probabilities([row])
    gone = served(server, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ServiceError, match="Is the model served there"):
        ServedEngine(gone, server.encoder, "fit-1").probabilities([row])


def test_patient_text_stays_here_unless_the_study_says_otherwise(study: Study) -> None:
    away = {**study.train, "served": {"base_url": "https://example.org/v1"}}
    with pytest.raises(StudyError, match="not on this machine, and the study has no"):
        resolve(study.model_copy(update={"train": away}))
